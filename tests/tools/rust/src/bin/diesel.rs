//! `diesel run|revert|list DATABASE FOLDER [STEPS]`: applies what is pending, reverts the last one, or lists what is
//! applied. Names the versions.

use std::env;
use std::error::Error;

use diesel::Connection;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (verb, database, folder, steps) = match arguments.as_slice() {
        [verb, database, folder] => (verb, database, folder, usize::MAX),
        [verb, database, folder, steps] => (verb, database, folder, steps.parse()?),
        _ => return Err("usage: diesel run|revert|list DATABASE FOLDER [STEPS]".into()),
    };
    let source = FileBasedMigrations::from_path(folder)?;
    let mut connection = SqliteConnection::establish(database)?;
    match verb.as_str() {
        "run" => {
            for migration in MigrationHarness::<Sqlite>::pending_migrations(&mut connection, source)?.iter().take(steps)
            {
                println!("{}", connection.run_migration(migration)?);
            }
        }
        "revert" => println!("{}", MigrationHarness::<Sqlite>::revert_last_migration(&mut connection, source)?),
        "list" => {
            for version in MigrationHarness::<Sqlite>::applied_migrations(&mut connection)? {
                println!("{version}");
            }
        }
        verb => return Err(format!("there is no verb {verb}").into()),
    }
    Ok(())
}
