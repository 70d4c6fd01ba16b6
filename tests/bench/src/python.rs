//! Python programs that do the same work, where Python is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::chain::Migration;
use crate::tool::DATABASE;
use crate::workshop::Workshop;

const SPLIT: &str = include_str!("../python/split.py");
const STEP: &str = include_str!("../python/alembic_step.py");
const ENVIRONMENT: &str = include_str!("../python/alembic_env.py");
/// What the tests that take databases over install, by name and digest.
const REQUIREMENTS: &str = include_str!("../../tools/requirements.txt");

/// A Python with Alembic.
pub(crate) struct Python {
    python: PathBuf,
    has_alembic: bool,
}

impl Python {
    /// Makes a virtual environment in the folder of the build, once; none where Python is not installed.
    pub(crate) fn find(target: &Path) -> Option<Self> {
        let folder = target.join("bench-python");
        let python = folder.join("bin/python");
        let quiet = |command: &mut Command| {
            command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        if !python.exists() && !quiet(Command::new("python3").args(["-m", "venv"]).arg(&folder)) {
            return None;
        }
        let has_alembic = quiet(Command::new(&python).args(["-c", "import alembic"]))
            || quiet(Command::new(&python).args(["-m", "pip", "install", "--quiet", alembic()]));
        Some(Self { python, has_alembic })
    }

    /// Types what runs the script that uses `executemany`.
    pub(crate) fn split(&self, workshop: &Workshop, room: &Path, work: &str) -> Result<Command> {
        fs::write(room.join("split.py"), SPLIT)?;
        let mut command = workshop.command(&self.python, room);
        command.args(["split.py", work, DATABASE]);
        Ok(command)
    }

    /// Tells whether Alembic is there.
    pub(crate) fn has_alembic(&self) -> bool {
        self.has_alembic
    }

    /// Types what runs the migration of Alembic.
    pub(crate) fn alembic(&self, workshop: &Workshop, room: &Path) -> Result<Command> {
        if !self.has_alembic {
            bail!("there is no Alembic");
        }
        fs::create_dir_all(room.join("steps/versions"))?;
        fs::write(room.join("split.py"), SPLIT)?;
        fs::write(room.join("steps/versions/0001_split_names.py"), STEP)?;
        self.upgrade(workshop, room)
    }

    /// Writes a chain into a folder the way Alembic wants it.
    pub(crate) fn lay_out(room: &Path, chain: &[Migration]) -> Result<()> {
        fs::create_dir_all(room.join("steps/versions"))?;
        let mut before = "None".to_owned();
        for Migration { version, name, sql } in chain {
            let step = format!(
                "from alembic import op\n\nrevision = \"{version:04}\"\ndown_revision = {before}\n\n\n\
                 def upgrade():\n    op.execute(\"\"\"{sql}\"\"\")\n"
            );
            fs::write(room.join(format!("steps/versions/{version:04}_{name}.py")), step)?;
            before = format!("\"{version:04}\"");
        }
        Ok(())
    }

    /// Types what applies everything in a folder, each migration in its transaction.
    pub(crate) fn upgrade(&self, workshop: &Workshop, room: &Path) -> Result<Command> {
        fs::write(room.join("steps/env.py"), ENVIRONMENT)?;
        let options = format!("[alembic]\nscript_location = steps\nsqlalchemy.url = sqlite:///{DATABASE}\n");
        fs::write(room.join("alembic.ini"), options)?;
        let mut command = workshop.command(&self.python, room);
        command.args(["-m", "alembic", "upgrade", "head"]);
        Ok(command)
    }
}

/// Returns Alembic in the version of the tests.
fn alembic() -> &'static str {
    let mut words = REQUIREMENTS.split_whitespace();
    words.find(|word| word.starts_with("alembic==")).expect("the list has Alembic")
}

/// Says what is left out.
pub(crate) fn skipped(python: Option<&Python>) -> Vec<String> {
    match python {
        None => vec!["Skipped: Python 3 with venv is not installed.".to_owned()],
        Some(python) if !python.has_alembic() => vec![format!("Skipped: `pip install {}` failed.", alembic())],
        Some(_) => Vec::new(),
    }
}
