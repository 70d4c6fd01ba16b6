//! A program for node that does the work of a script, where node is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::workshop::Workshop;

/// What asks for a database where node has none of its own, which it has since version 22; the last that version 20 takes.
const DATABASE: &str = "better-sqlite3@12";

const WORK: &str = r#"const open = () => {
  try {
    return new (require("node:sqlite").DatabaseSync)("app.db");
  } catch {
    return new (require("better-sqlite3"))("app.db").unsafeMode();
  }
};
const db = open();
db.exec("BEGIN IMMEDIATE");
const update = db.prepare("UPDATE customer SET first_name = ?, last_name = ? WHERE id = ?");
for (const row of db.prepare("SELECT id, full_name FROM customer WHERE first_name IS NULL").iterate()) {
  const [first, ...rest] = row.full_name.trim().split(/\s+/u);
  update.run(first, rest.join(" "), row.id);
}
db.exec("COMMIT");
"#;

/// A node with a database.
pub(crate) struct Node {
    /// What it needs to find it.
    flag: Option<&'static str>,
    modules: PathBuf,
}

impl Node {
    /// Looks for node, and adds a database to it in the folder of the build, once; none where node is not installed.
    pub(crate) fn find(target: &Path) -> Option<Self> {
        let folder = target.join("bench-node");
        let flags = [Some("--experimental-sqlite"), None];
        let found = |modules: &Path| {
            let has = |flag: &Option<&'static str>| {
                let asked = if flag.is_some() { "node:sqlite" } else { "better-sqlite3" };
                let mut command = node(*flag, modules);
                quiet(command.args(["-e", &format!("require('{asked}')")]))
            };
            let flag = flags.into_iter().find(has)?;
            Some(Self { flag, modules: modules.to_owned() })
        };
        let modules = folder.join("node_modules");
        if let Some(node) = found(&modules) {
            return Some(node);
        }
        fs::create_dir_all(&folder).ok()?;
        let mut install = Command::new("npm");
        install.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).arg(DATABASE);
        if quiet(&mut install) { found(&modules) } else { None }
    }

    /// Types what runs the script that works row by row.
    pub(crate) fn split(&self, workshop: &Workshop, room: &Path) -> Result<Command> {
        fs::write(room.join("work.cjs"), WORK)?;
        let mut command = workshop.command(Path::new("node"), room);
        command.args(self.flag).args(["--jitless", "work.cjs"]).env("NODE_PATH", &self.modules);
        Ok(command)
    }
}

fn node(flag: Option<&'static str>, modules: &Path) -> Command {
    let mut command = Command::new("node");
    command.args(flag).env("NODE_PATH", modules);
    command
}

/// Runs a command without a word, and tells whether it succeeded.
pub(crate) fn quiet(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
