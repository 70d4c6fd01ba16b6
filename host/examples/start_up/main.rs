//! An application that brings its own database up to date before it does anything else.
//!
//! Run it twice: `cargo run --example start_up`.

#![expect(clippy::print_stdout, reason = "a program talks to its user")]

use rusqlite::Connection;
use whimbrel::source::{Code, Combined};
use whimbrel::{Goal, Migrator, Until};

/// The folder is part of the program: nothing has to be installed beside it.
const MIGRATIONS: whimbrel::source::Embedded = whimbrel::embed!("examples/start_up/migrations");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join("whimbrel-start-up.db");
    let mut connection = Connection::open(&path)?;
    migrate(&mut connection)?;
    let notes: i64 = connection.query_row("SELECT count(*) FROM note WHERE words > 0", [], |row| row.get(0))?;
    println!("{} holds {notes} notes with words.", path.display());
    Ok(())
}

/// Applies what is pending. Any number of instances may do so at once.
fn migrate(connection: &mut Connection) -> Result<(), whimbrel::Error> {
    // A step that needs Rust, in the same chain as the files.
    let code = Code::new().up(3, "count_words", |tx| {
        for row in tx.query("SELECT id, text FROM note WHERE text IS NOT NULL", &[])? {
            let words = <&str>::try_from(&row[1])?.split_whitespace().count();
            tx.execute("UPDATE note SET words = ? WHERE id = ?", &[words.try_into()?, row[0].clone()])?;
        }
        Ok(())
    });
    let migrator = Migrator::builder().source(Combined::new().with(MIGRATIONS).with(code)).build()?;
    let report = migrator.run_on(connection, &Goal::Up(Until::End))?;
    for step in report.done() {
        println!("Applied {} in {:?}.", step.step.migration.title(), step.duration);
    }
    Ok(())
}
