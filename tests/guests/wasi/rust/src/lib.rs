//! Asks everything the world could tell, and writes down the answers; or runs the statements of the parameter `sql`, a
//! line each.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "where it ends up is what the guest is for")]

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use whimbrel_guest::{Context, Error, Migration, Result, Transaction, params};

/// The guest.
pub struct Curious;

impl Migration for Curious {
    fn up(tx: &Transaction, ctx: &Context) -> Result<()> {
        if let Some(statements) = ctx.param("sql") {
            return statements.lines().try_for_each(|sql| tx.execute(sql, params![]).map(drop));
        }
        if ctx.param("fail") == Some("socket") {
            let asked = TcpStream::connect("127.0.0.1:80");
            return asked.map(drop).map_err(|error| Error::msg(format!("cannot ask the server: {error}")));
        }
        print!("printed");
        println!(" in one line\nand a second one");
        eprintln!("complained");
        tx.execute("CREATE TABLE told (what TEXT PRIMARY KEY, answer TEXT)", params![])?;
        for (what, answer) in answers() {
            tx.execute("INSERT INTO told VALUES (?, ?)", params![what, answer.as_str()])?;
        }
        if let Some(code) = ctx.param("exit") {
            std::process::exit(code.parse().unwrap_or(1));
        }
        if ctx.param("fail").is_some() {
            return Err(Error::msg("asked to"));
        }
        print!("not ended");
        std::io::stdout().flush().map_err(|error| Error::msg(error.to_string()))?;
        Ok(())
    }
}

fn answers() -> Vec<(&'static str, String)> {
    vec![
        ("time", format!("{:?}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())),
        ("waited", waited()),
        ("loops", loops().to_string()),
        ("environment", std::env::vars().count().to_string()),
        ("arguments", std::env::args().count().to_string()),
        ("hash", RandomState::new().hash_one("whimbrel").to_string()),
        ("set", HashSet::from(["a", "b", "c", "d", "e"]).into_iter().collect::<Vec<_>>().join(",")),
        ("stdin", format!("{:?}", std::io::stdin().read(&mut [0; 8]).ok())),
        ("open", kind(std::fs::read("/etc/passwd").map(|_| ()))),
        ("write", kind(std::fs::write("left-behind", "x"))),
        ("list", kind(std::fs::read_dir("/").map(|_| ()))),
        ("socket", kind(TcpStream::connect("127.0.0.1:80").map(|_| ()))),
        ("thread", kind(std::thread::Builder::new().spawn(|| ()).map(|_| ()))),
        ("nan", format!("{:x}", (f64::INFINITY - std::hint::black_box(f64::INFINITY)).to_bits())),
    ]
}

fn waited() -> String {
    let before = Instant::now();
    std::thread::sleep(Duration::from_secs(3600));
    format!("{:?}", before.elapsed())
}

/// How often a loop that waits for the clock goes round.
fn loops() -> u32 {
    let before = Instant::now();
    let mut rounds = 0;
    while before.elapsed() < Duration::from_secs(1) {
        rounds += 1;
    }
    rounds
}

fn kind(result: std::io::Result<()>) -> String {
    match result {
        Ok(()) => "allowed".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

whimbrel_guest::export!(Curious);
