//! The nouns: what a migration, a chain and a history row are. Reads no files and no database.

mod applied;
mod chain;
mod chains;
mod checksum;
mod filled;
mod functions;
mod key;
mod manifest;
mod migration;
mod placeholders;
mod placement;
mod policies;
mod policy;
mod rust;
mod script;
mod script_files;
mod script_progress;
mod transform;
mod version;

pub use applied::{Applied, AppliedState, Origin, UnknownState};
pub use chain::{Chain, ChainError, Duplicate, UnmetDependency};
pub use chains::{Chains, Node};
pub use checksum::{Checksum, ChecksumBuilder, NoChecksum};
pub use filled::{Filled, MissingValue, NoValue};
pub use functions::{FunctionLibrary, LibraryBody};
pub use key::Key;
pub use manifest::{Manifest, ManifestError, ManifestProblem};
pub use migration::{Body, Kind, Migration, Reversibility};
pub(crate) use placeholders::Surroundings;
pub use placeholders::{Placeholders, Variables};
pub use placement::{Dependency, DependencyError, Placement, Role};
pub use policies::Policies;
pub use policy::{MigrationPolicy, Policy, PolicyError, Trust};
pub use rust::{RustError, RustMigration};
pub use script::{Script, Substitution};
pub use script_files::{ScriptFile, ScriptFiles};
pub(crate) use script_progress::Resumption;
pub use script_progress::ScriptProgress;
pub use transform::{Chunk, OnError, RowSource, Target, TransformSpec, WriteMode};
pub use version::{Version, VersionError};

pub use crate::limits::Limits;
pub use crate::sql::{Directives, Precondition, TransactionMode, Unmet};
