//! The tools that are compared: where each wants its files, and what is to be typed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::chain::Migration;

/// A migration tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Whimbrel,
    Sqlx,
    Refinery,
    Diesel,
    Dbmate,
}

/// All but whimbrel.
pub(crate) const PEERS: [Tool; 4] = [Tool::Sqlx, Tool::Refinery, Tool::Diesel, Tool::Dbmate];

/// File that every tool finds its database in.
pub(crate) const DATABASE: &str = "app.db";

const MIGRATIONS: &str = "migrations";

impl Tool {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Whimbrel => "whimbrel",
            Self::Sqlx => "sqlx-cli",
            Self::Refinery => "refinery",
            Self::Diesel => "diesel",
            Self::Dbmate => "dbmate",
        }
    }

    /// Returns the name of its program.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Sqlx => "sqlx",
            Self::Whimbrel | Self::Refinery | Self::Diesel | Self::Dbmate => self.name(),
        }
    }

    /// Returns how to install it.
    pub(crate) fn install(self) -> &'static str {
        match self {
            Self::Whimbrel => "cargo install whimbrel",
            Self::Sqlx => "cargo install sqlx-cli --no-default-features --features sqlite",
            Self::Refinery => "cargo install refinery_cli --no-default-features --features sqlite-bundled",
            Self::Diesel => "cargo install diesel_cli --no-default-features --features sqlite-bundled",
            Self::Dbmate => "npm install dbmate, then node_modules/@dbmate/<platform>/bin/dbmate",
        }
    }

    /// Writes a chain into a folder the way the tool wants it.
    pub(crate) fn lay_out(self, chain: &[Migration], folder: &Path) -> Result<()> {
        let migrations = folder.join(MIGRATIONS);
        fs::create_dir(&migrations)?;
        for Migration { version, name, sql } in chain {
            let write = |file: String, text: &str| fs::write(migrations.join(file), text);
            match self {
                Self::Whimbrel | Self::Sqlx => write(format!("{version:04}_{name}.sql"), sql)?,
                Self::Refinery => write(format!("V{version}__{name}.sql"), sql)?,
                Self::Diesel => {
                    fs::create_dir(migrations.join(format!("{version:04}_{name}")))?;
                    write(format!("{version:04}_{name}/up.sql"), sql)?;
                }
                Self::Dbmate => {
                    write(format!("{version:04}_{name}.sql"), &format!("-- migrate:up\n{sql}\n-- migrate:down\n"))?;
                }
            }
        }
        if self == Self::Diesel {
            fs::write(folder.join("diesel.toml"), "")?;
        }
        Ok(())
    }

    /// Makes what the tool does not make itself, without which it does nothing.
    pub(crate) fn make_ready(self, database: &Path) -> Result<()> {
        match self {
            // `sqlx database create` would make one in WAL mode, which the others do not.
            Self::Sqlx | Self::Refinery => Ok(fs::write(database, "")?),
            Self::Whimbrel | Self::Diesel | Self::Dbmate => Ok(()),
        }
    }

    /// Types what applies everything that is pending.
    pub(crate) fn up(self, command: &mut Command) {
        match self {
            Self::Whimbrel => command.args(["up", "--database", DATABASE]),
            Self::Sqlx => command.args(["migrate", "run", "--database-url", "sqlite:app.db"]),
            Self::Refinery => {
                command.args(["migrate", "-e", "DATABASE_URL", "-p", MIGRATIONS]).env("DATABASE_URL", "sqlite:app.db")
            }
            Self::Diesel => command.args(["migration", "run", "--database-url", DATABASE]),
            Self::Dbmate => dbmate(command).arg("up"),
        };
    }

    /// Types what shows the state of every migration, if it can.
    pub(crate) fn status(self, command: &mut Command) -> bool {
        match self {
            Self::Whimbrel => command.args(["status", "--database", DATABASE]),
            Self::Sqlx => command.args(["migrate", "info", "--database-url", "sqlite:app.db"]),
            Self::Refinery => return false,
            Self::Diesel => command.args(["migration", "list", "--database-url", DATABASE]),
            Self::Dbmate => dbmate(command).arg("status"),
        };
        true
    }
}

/// Its driver would take `synchronous = NORMAL`, which the others do not.
fn dbmate(command: &mut Command) -> &mut Command {
    command.args(["--url", "sqlite:app.db?_sync=FULL", "--migrations-dir", MIGRATIONS, "--no-dump-schema"])
}
