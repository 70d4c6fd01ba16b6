//! Where migrations come from: a folder, an archive, the program itself, Rust code. Knows no database and no host.

#[cfg(feature = "archive")]
mod archive;
mod assemble;
mod both_ways;
mod code;
mod combined;
mod companions;
mod content;
mod directory;
mod embedded;
mod file_name;
mod hooks;
#[cfg(feature = "http")]
mod http;
mod kept;
mod layout;
mod lock_file;
mod memory;
mod open_folder;
mod placement;
mod problem;
mod reader;
mod regular;
mod renumber;
mod repoint;
mod scripts;
mod single;
mod tree;

#[cfg(feature = "archive")]
pub use archive::{ARCHIVE_ENDINGS, Archive, ArchiveLimits};
pub use code::Code;
pub use combined::Combined;
pub use directory::Directory;
pub use embedded::Embedded;
pub use file_name::{FileName, Part, SCRIPTS, check_name};
#[cfg(feature = "http")]
pub use http::{AddressError, Authorization, Http};
pub(crate) use kept::{KeptBytes, migration as kept_migration};
pub use layout::{DraftScript, Layout, UnknownLayout};
pub use lock_file::{LOCK_FILE, LockDifference, LockDifferenceKind, LockFile, LockFileError};
pub use memory::Memory;
pub use problem::{Problem, ProblemKind, SourceError};
pub use regular::{read_file, read_file_of};
pub use renumber::{Moved, Renumber, Renumbering};
pub use repoint::{Edit, Repointed};
pub(crate) use single::hook_file;
pub use single::{SingleScript, lone_file};

use std::sync::Arc;

use crate::interrupt::Interrupt;
use crate::model::{Elsewhere, FunctionLibrary, Hook, Migration};

/// A place migrations come from.
pub trait Source: Send + Sync {
    /// Reads all migrations; reports every problem of every file together.
    ///
    /// What has to wait for something else, such as another machine, stops when the interrupt is raised.
    fn load(&self, interrupt: &Interrupt) -> Result<Loaded, SourceError>;
    /// Reads all migrations in the layout of the tool that has applied some of them, where no layout was named and nothing
    /// in the files tells of another; [`Loaded::assumed`] says so then. A source that knows no layouts calls
    /// [`load`](Self::load), and one that wraps others asks them the same.
    fn load_of(&self, tool: Layout, interrupt: &Interrupt) -> Result<Loaded, SourceError>;
    /// Names the place for people.
    fn describe(&self) -> String;
}

/// What a source holds.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The migrations, in no order that means anything; shared from the beginning, since they are large and many.
    pub migrations: Vec<Arc<Migration>>,
    /// Libraries of functions that the migrations may call.
    pub libraries: Vec<FunctionLibrary>,
    /// What is to be run at the moments of a run, unless the source is somebody else's.
    pub hooks: Vec<Hook>,
    /// Migrations that only another program can run; their files are among what is ignored.
    pub elsewhere: Vec<Elsewhere>,
    /// What lay beside them and is not part of any.
    pub ignored: Vec<Ignored>,
    /// The layout in which it was read although nothing in the files tells of it; see [`Source::load_of`].
    pub assumed: Option<Layout>,
}

/// A file that is no migration.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Ignored {
    /// What to call it in messages.
    pub file: String,
    /// Why it is no migration.
    pub reason: String,
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn load(&self, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        (**self).load(interrupt)
    }

    fn load_of(&self, tool: Layout, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        (**self).load_of(tool, interrupt)
    }

    fn describe(&self) -> String {
        (**self).describe()
    }
}
