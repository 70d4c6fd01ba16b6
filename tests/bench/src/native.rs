//! What a program without whimbrel does: the floor that everything else is held against.

use std::fs;
use std::path::Path;

use anyhow::Result;
use bench_guest::{sql, work};
use clap::ValueEnum;
use rusqlite::{Connection, params};
use split_names::Name;

use crate::names;

/// What the native loop does with each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// Writes the split name into another table.
    Insert,
    /// Writes the name, cut at its last blank, into another table.
    Cut,
    /// Writes the split name beside the name.
    Update,
    /// Writes the name, cut at its last blank, beside the name.
    CutUpdate,
    /// As `update`, with much work for each name.
    Heavy,
    /// Reads wide rows and writes two of their columns.
    Wide,
    /// Writes the key of the name beside the name.
    Key,
    /// Writes what the sample plugin `split-names` finds beside the name.
    Sample,
}

/// The table of the sample plugin.
pub(crate) const SAMPLE_SCHEMA: &str = "CREATE TABLE customer (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL,
    first_name TEXT, last_name TEXT, name_suffix TEXT, name_key TEXT)";

/// Makes a database full of names.
pub(crate) fn fill(database: &Path, rows: u32, schema: &str, fill: &str) -> Result<()> {
    let mut connection = Connection::open(database)?;
    connection.execute_batch(schema)?;
    let transaction = connection.transaction()?;
    let mut insert = transaction.prepare(fill)?;
    let mut name = String::new();
    for row in 0..rows {
        names::write(row, &mut name);
        insert.execute(params![row, name])?;
    }
    drop(insert);
    transaction.commit()?;
    Ok(())
}

/// Makes a database of rows with 50 columns, one of them a blob of 4 KiB.
pub(crate) fn fill_wide(database: &Path, rows: u32) -> Result<()> {
    let columns: Vec<String> = (0..48).map(|column| format!("c{column} TEXT")).collect();
    let schema = format!("CREATE TABLE wide (id INTEGER PRIMARY KEY, {}, b0 BLOB)", columns.join(", "));
    let values = vec!["?2"; 48].join(", ");
    let connection = Connection::open(database)?;
    connection.execute_batch(&schema)?;
    connection.execute_batch("BEGIN")?;
    let mut insert = connection.prepare(&format!("INSERT INTO wide VALUES (?1, {values}, ?3)"))?;
    let mut name = String::new();
    for row in 0..rows {
        names::write(row, &mut name);
        let blob: Vec<u8> = name.bytes().cycle().take(4096).collect();
        insert.execute(params![row, name, blob])?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}

/// Reads a row, works, writes a row, in one transaction and with statements that are prepared once.
pub(crate) fn run(work: Work, database: &Path) -> Result<()> {
    let mut connection = Connection::open(database)?;
    let transaction = connection.transaction()?;
    match work {
        Work::Insert => split(&transaction, sql::INSERT, work::split)?,
        Work::Cut => split(&transaction, sql::INSERT, work::cut)?,
        Work::Update => split(&transaction, sql::UPDATE, work::split)?,
        Work::CutUpdate => split(&transaction, sql::UPDATE, work::cut)?,
        Work::Heavy => {
            split(&transaction, sql::UPDATE, |full| work::Name { key: work::heavy_key(full), ..work::split(full) })?;
        }
        Work::Wide => wide(&transaction)?,
        Work::Key => key(&transaction)?,
        Work::Sample => sample(&transaction)?,
    }
    transaction.commit()?;
    Ok(())
}

fn split(connection: &Connection, write: &str, split: impl Fn(&str) -> work::Name<'_>) -> Result<()> {
    let mut read = connection.prepare_cached(sql::READ)?;
    let mut write = connection.prepare_cached(write)?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let name = split(row.get_ref(1)?.as_str()?);
        write.execute(params![name.first, name.last, name.key, row.get::<_, i64>(0)?])?;
    }
    Ok(())
}

fn wide(connection: &Connection) -> Result<()> {
    let mut read = connection.prepare_cached("SELECT id, c0, b0 FROM wide ORDER BY id")?;
    let mut write = connection.prepare_cached("UPDATE wide SET c0 = ?, b0 = ? WHERE id = ?")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let (text, blob) = work::turned(row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_blob()?);
        write.execute(params![text, blob, row.get::<_, i64>(0)?])?;
    }
    Ok(())
}

fn key(connection: &Connection) -> Result<()> {
    let mut read = connection.prepare_cached(sql::READ)?;
    let mut write = connection.prepare_cached("UPDATE person SET name_key = ? WHERE id = ?")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let name = work::split(row.get_ref(1)?.as_str()?);
        write.execute(params![name.key, row.get::<_, i64>(0)?])?;
    }
    Ok(())
}

fn sample(connection: &Connection) -> Result<()> {
    let mut read = connection.prepare_cached("SELECT id, full_name FROM customer ORDER BY id")?;
    let mut write = connection.prepare_cached(
        "UPDATE customer SET first_name = ?, last_name = ?, name_suffix = ?, name_key = ? WHERE id = ?",
    )?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let name = Name::parse(row.get_ref(1)?.as_str()?);
        write.execute(params![name.first, name.last, name.suffix, name.key, row.get::<_, i64>(0)?])?;
    }
    Ok(())
}

/// Runs every file of a folder in the order of their names, each in a transaction of its own.
pub(crate) fn run_chain(folder: &Path, database: &Path) -> Result<()> {
    let files: std::io::Result<Vec<_>> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut files = files?;
    files.sort();
    let connection = Connection::open(database)?;
    for file in files {
        let script = fs::read_to_string(file)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        connection.execute_batch(&script)?;
        connection.execute_batch("COMMIT")?;
    }
    Ok(())
}
