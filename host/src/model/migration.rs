//! One versioned change with a body.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{
    Binary, Checksum, Key, Manifest, Placement, Precondition, Role, RustMigration, Script, ScriptFiles, TransformSpec,
    Version,
};
use crate::sql::Directives;

/// One versioned change.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The number that orders it; 0 for one that is repeatable, which has none.
    pub version: Version,
    /// The words after the version.
    pub name: String,
    /// When it runs, and after which others.
    pub placement: Placement,
    /// What it does.
    pub body: Body,
    /// Whether it did what it should: statements that only read, and must all hold. No part of any checksum.
    pub verify: Option<Box<Script>>,
    /// The queries of [`Self::preconditions`] in their order, with values; empty until those were put in.
    pub asked: Vec<Script>,
    /// What it asks for and says about itself.
    pub manifest: Option<Box<Manifest>>,
    /// What to call it in messages: the file of its body.
    pub file: String,
}

/// What a migration does.
#[derive(Clone)]
pub enum Body {
    /// SQL text.
    Sql {
        /// The change.
        up: Script,
        /// What undoes it.
        down: Option<Box<Script>>,
    },
    /// A WebAssembly component.
    Component {
        /// The component, not looked into yet.
        bytes: Binary,
    },
    /// A WebAssembly component that is a pure function from rows to rows.
    Transform {
        /// The component, not looked into yet.
        bytes: Binary,
        /// Which rows go through it, and where they are written.
        spec: Arc<TransformSpec>,
    },
    /// A script in the language of some engine.
    Script {
        /// The script, not looked into yet.
        files: Arc<ScriptFiles>,
        /// Which rows go through it, and where they are written, if it is a pure function from rows to rows.
        spec: Option<Arc<TransformSpec>>,
    },
    /// Code of the program that runs it.
    Rust(Arc<dyn RustMigration>),
}

/// The kind of a body.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// SQL text.
    Sql,
    /// A WebAssembly component.
    Component,
    /// A pure function from rows to rows.
    Transform,
    /// A script in the language of some engine.
    Script,
    /// Rust code.
    Rust,
}

/// Whether a migration can be reverted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Reversibility {
    /// It says how.
    Reversible,
    /// It does not say how.
    Irreversible,
    /// Only the component itself knows.
    Unknown,
}

impl Migration {
    /// Returns the kind of its body.
    pub fn kind(&self) -> Kind {
        match self.body {
            Body::Sql { .. } => Kind::Sql,
            Body::Component { .. } => Kind::Component,
            Body::Transform { .. } => Kind::Transform,
            Body::Script { .. } => Kind::Script,
            Body::Rust(_) => Kind::Rust,
        }
    }

    /// Computes the checksum of the body: SHA-256 of the exact bytes of the up script or of the component.
    /// That of a script is told at [`ScriptFiles::checksum`].
    ///
    /// Values that were put into SQL do not count, except in a repeatable migration, which runs again when they change.
    ///
    /// Rust code has no bytes; there it is the SHA-256 of the lines `rust`, version, name and
    /// [fingerprint](RustMigration::fingerprint), joined by line feeds.
    pub fn checksum(&self) -> Checksum {
        match &self.body {
            Body::Sql { up, .. } if self.role() == Role::Repeatable => up.filled_checksum(),
            Body::Sql { up, .. } => up.checksum(),
            Body::Component { bytes } | Body::Transform { bytes, .. } => bytes.checksum(),
            Body::Script { files, .. } => files.checksum(),
            Body::Rust(code) => {
                Checksum::of(format!("rust\n{}\n{}\n{}", self.version, self.name, code.fingerprint()).as_bytes())
            }
        }
    }

    /// Returns when it runs.
    pub fn role(&self) -> Role {
        self.placement.role
    }

    /// Returns what tells it from the others of its chain.
    pub fn key(&self) -> Key {
        match self.placement.role {
            Role::Versioned | Role::Baseline => Key::Version(self.version),
            Role::Repeatable => Key::Name(self.name.clone()),
        }
    }

    /// Returns the checksum of the exact bytes of the script that reverts it.
    pub fn down_checksum(&self) -> Option<Checksum> {
        match &self.body {
            Body::Sql { down, .. } => down.as_deref().map(Script::checksum),
            Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_) => None,
        }
    }

    /// Computes the checksum that forgives line endings, and with SQL blanks and comments too; SQL and scripts only.
    pub fn normalised_checksum(&self) -> Option<Checksum> {
        match &self.body {
            Body::Sql { up, .. } if self.role() == Role::Repeatable => Some(up.filled_normalised_checksum()),
            Body::Sql { up, .. } => Some(up.normalised_checksum()),
            Body::Script { files, .. } => Some(files.normalised_checksum()),
            Body::Component { .. } | Body::Transform { .. } | Body::Rust(_) => None,
        }
    }

    /// Returns the checksum of the exact bytes of the manifest.
    pub fn manifest_checksum(&self) -> Option<Checksum> {
        self.manifest.as_ref().map(|manifest| manifest.checksum)
    }

    /// Tells whether a row of the history has this manifest: its exact bytes, but for what ends its lines.
    pub fn has_manifest(&self, recorded: Option<Checksum>) -> bool {
        match (&self.manifest, recorded) {
            (Some(manifest), Some(recorded)) => manifest.checksum == recorded || recorded.is_of_lines(&manifest.text),
            (None, None) => true,
            _ => false,
        }
    }

    /// Tells whether it can be reverted.
    pub fn reversibility(&self) -> Reversibility {
        let says_how = match &self.body {
            Body::Sql { down, .. } => down.is_some(),
            Body::Component { .. } | Body::Script { spec: None, .. } => return Reversibility::Unknown,
            Body::Transform { spec, .. } | Body::Script { spec: Some(spec), .. } => spec.down.is_some(),
            Body::Rust(code) => code.is_reversible(),
        };
        if says_how { Reversibility::Reversible } else { Reversibility::Irreversible }
    }

    /// Returns what it says about itself: the manifest's words, or else those of the script.
    pub fn description(&self) -> Option<&str> {
        let manifest = self.manifest.as_ref().and_then(|manifest| manifest.description.as_deref());
        manifest.or(match &self.body {
            Body::Sql { up, .. } => up.directives.description.as_deref(),
            Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_) => None,
        })
    }

    /// Names the libraries of functions that it calls, each once.
    pub fn libraries(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        if let Some(manifest) = &self.manifest {
            names.extend(manifest.functions.iter().map(String::as_str));
        }
        if let Body::Sql { up, down } = &self.body {
            let scripts = [Some(up), down.as_deref()].into_iter().flatten();
            names.extend(scripts.flat_map(|script| &script.directives.functions).map(String::as_str));
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Returns what must hold before it runs: what its manifest says, then what its script says.
    pub fn preconditions(&self) -> impl Iterator<Item = &Precondition> {
        let script = match &self.body {
            Body::Sql { up, .. } => up.directives.preconditions.as_slice(),
            Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_) => &[],
        };
        let manifest = self.manifest.as_ref().map_or(&[][..], |manifest| &manifest.preconditions);
        manifest.iter().chain(script)
    }

    /// Returns the file that a precondition is written in, by its place among [`Self::preconditions`], without values.
    pub(crate) fn precondition_file(&self, index: usize) -> Script {
        let text = |file: &str, text: &str| Script::new(file, Cow::Owned(text.to_owned()), Directives::default());
        match (&self.manifest, &self.body) {
            // In the head of a script it stands at the same place.
            (Some(manifest), Body::Script { files, .. }) if files.main.file == manifest.file => {
                text(&manifest.file, &files.main.text)
            }
            (Some(manifest), _) if index < manifest.preconditions.len() => text(&manifest.file, &manifest.text),
            (_, Body::Sql { up, .. }) => Script { filled: None, ..up.clone() },
            _ => text(&self.file, ""),
        }
    }

    /// Returns what must hold before it runs, each with its query as it is asked, with values.
    pub(crate) fn asked_preconditions(&self) -> impl Iterator<Item = (&Precondition, Option<&Script>)> {
        self.preconditions().enumerate().map(|(index, precondition)| (precondition, self.asked.get(index)))
    }

    /// Names it in a sentence: version and name, such as `3 split_names`; only the name of a repeatable one.
    pub fn title(&self) -> String {
        match self.placement.role {
            Role::Versioned | Role::Baseline => format!("{} {}", self.version, self.name),
            Role::Repeatable => self.name.clone(),
        }
    }
}

impl Body {
    /// Returns which rows go through it, if it is a pure function from rows to rows.
    pub fn transform(&self) -> Option<&Arc<TransformSpec>> {
        match self {
            Self::Transform { spec, .. } => Some(spec),
            Self::Script { spec, .. } => spec.as_ref(),
            Self::Sql { .. } | Self::Component { .. } | Self::Rust(_) => None,
        }
    }

    /// Returns the script, if it is one in the language of some engine.
    pub fn script(&self) -> Option<&Arc<ScriptFiles>> {
        match self {
            Self::Script { files, .. } => Some(files),
            Self::Sql { .. } | Self::Component { .. } | Self::Transform { .. } | Self::Rust(_) => None,
        }
    }

    /// Tells whether it runs in the sandbox.
    pub fn is_sandboxed(&self) -> bool {
        matches!(self, Self::Component { .. } | Self::Transform { .. } | Self::Script { .. })
    }
}

impl Kind {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Component => "component",
            Self::Transform => "transform",
            Self::Script => "script",
            Self::Rust => "rust",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for Body {
    /// Leaves the bytes of a component out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql { up, down } => formatter.debug_struct("Sql").field("up", up).field("down", down).finish(),
            Self::Component { bytes } => write!(formatter, "Component({} bytes)", bytes.len()),
            Self::Transform { bytes, .. } => write!(formatter, "Transform({} bytes)", bytes.len()),
            Self::Script { files, .. } => write!(formatter, "Script({})", files.main.path),
            Self::Rust(_) => formatter.write_str("Rust"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Transaction;
    use crate::model::{RustContext, RustError};

    struct Nothing;

    impl RustMigration for Nothing {
        fn up(&self, _: &mut Transaction<'_>, _: &RustContext<'_>) -> Result<(), RustError> {
            Ok(())
        }

        fn fingerprint(&self) -> &str {
            "v1"
        }
    }

    fn script(text: &'static str) -> Script {
        let directives = Directives { description: Some("words".into()), ..Directives::default() };
        Script::new("0003_x.sql", text.into(), directives)
    }

    fn migration(body: Body) -> Migration {
        Migration {
            version: Version::from(3),
            name: "x".into(),
            placement: Placement::default(),
            body,
            verify: None,
            asked: Vec::new(),
            manifest: None,
            file: "0003_x".into(),
        }
    }

    #[test]
    fn tells_about_each_kind() {
        let sql = |down| migration(Body::Sql { up: script("SELECT 1;"), down });
        let component = migration(Body::Component { bytes: Cow::Borrowed(&b"\0asm"[..]).into() });
        let rust = migration(Body::Rust(Arc::new(Nothing)));
        let cases = [
            (sql(None), "sql", Checksum::of(b"SELECT 1;"), Reversibility::Irreversible),
            (sql(Some(Box::new(script("")))), "sql", Checksum::of(b"SELECT 1;"), Reversibility::Reversible),
            (component, "component", Checksum::of(b"\0asm"), Reversibility::Unknown),
            (rust, "rust", Checksum::of(b"rust\n3\nx\nv1"), Reversibility::Irreversible),
        ];
        for (migration, kind, checksum, reversibility) in cases {
            assert_eq!(migration.kind().as_str(), kind);
            assert_eq!(migration.checksum(), checksum, "{kind}");
            assert_eq!(migration.reversibility(), reversibility, "{kind}");
            assert_eq!(migration.normalised_checksum().is_some(), kind == "sql");
            assert_eq!(migration.description().is_some(), kind == "sql");
            assert_eq!(migration.title(), "3 x");
        }
    }
}
