//! A library of SQL functions, which migrations of its chain may call while they run.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::Checksum;
use crate::db::Function;

/// SQL functions under one name. A migration names the libraries that it calls functions of.
#[derive(Clone, Debug)]
pub struct FunctionLibrary {
    /// What migrations call it.
    pub name: String,
    /// Where the functions come from.
    pub body: LibraryBody,
    /// What to call it in messages.
    pub file: String,
}

/// Where the functions of a library come from.
#[derive(Clone)]
pub enum LibraryBody {
    /// A WebAssembly component of the world `functions`, not looked into yet.
    Component {
        /// The component.
        bytes: Cow<'static, [u8]>,
    },
    /// The program that runs the migrations.
    Native {
        /// Changes when what a function does changes.
        fingerprint: String,
        /// The functions.
        functions: Arc<[Function]>,
    },
}

impl FunctionLibrary {
    /// Makes a library of functions of the program itself.
    ///
    /// The history remembers the fingerprint: change it when what a function does changes, as in `"v2"`.
    pub fn native(
        name: impl Into<String>,
        fingerprint: impl Into<String>,
        functions: impl IntoIterator<Item = Function>,
    ) -> Self {
        let name = name.into();
        let functions = functions.into_iter().collect();
        let file = format!("functions {} (Rust)", name.escape_debug());
        Self { name, body: LibraryBody::Native { fingerprint: fingerprint.into(), functions }, file }
    }

    /// Computes the checksum: SHA-256 of the component's bytes.
    ///
    /// Functions of the program have no bytes; there it is the SHA-256 of the lines `functions`, name and fingerprint,
    /// joined by line feeds.
    pub fn checksum(&self) -> Checksum {
        match &self.body {
            LibraryBody::Component { bytes } => Checksum::of(bytes),
            LibraryBody::Native { fingerprint, .. } => {
                Checksum::of(format!("functions\n{}\n{fingerprint}", self.name).as_bytes())
            }
        }
    }
}

impl fmt::Debug for LibraryBody {
    /// Leaves the bytes of a component out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component { bytes } => write!(formatter, "Component({} bytes)", bytes.len()),
            Self::Native { functions, .. } => write!(formatter, "Native({functions:?})"),
        }
    }
}
