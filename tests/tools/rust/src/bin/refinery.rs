//! `refinery DATABASE FOLDER [VERSION]`: applies what is pending, up to a version. Names what it has applied.

use std::env;
use std::error::Error;

use refinery_core::{Runner, Target, load_sql_migrations};
use rusqlite::Connection;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (database, folder, version) = match arguments.as_slice() {
        [database, folder] => (database, folder, None),
        [database, folder, version] => (database, folder, Some(version)),
        _ => return Err("usage: refinery DATABASE FOLDER [VERSION]".into()),
    };
    let target = match version {
        Some(version) => Target::Version(version.parse()?),
        None => Target::Latest,
    };
    let runner = Runner::new(&load_sql_migrations(folder)?).set_target(target);
    for migration in runner.run(&mut Connection::open(database)?)?.applied_migrations() {
        println!("{migration}");
    }
    Ok(())
}
