//! Migrations written in Rust, compiled into the program that runs them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::content::{self, Content};
use super::file_name::Part;
use super::{Layout, Loaded, Problem, Source, SourceError, check_name, companions, placement};
use crate::db::Transaction;
use crate::interrupt::Interrupt;
use crate::limits::Limits;
use crate::model::{
    Body, Manifest, Migration, Placement, Role, RustContext, RustError, RustMigration, Script, Version,
};

/// Migrations written in Rust.
///
/// What stands beside a file in a folder, code can have as well: a [manifest](Self::manifest) and a
/// [verify script](Self::verify).
///
/// Compiled code has no bytes that could be compared, so **nobody notices when an applied closure is changed**: its checksum is
/// that of its version, its name and its [fingerprint](Self::fingerprint), a word for what the code means. Where that is said,
/// and said anew with the meaning, the migration counts as changed like a file, on every database that has it.
///
/// ```
/// use whimbrel::source::Code;
///
/// let code = Code::new()
///     .up(1, "notes", |tx| Ok(tx.execute("CREATE TABLE note (text)", &[]).map(drop)?))
///     .up(2, "first_note", |tx| Ok(tx.execute("INSERT INTO note VALUES ('hello')", &[]).map(drop)?))
///     .fingerprint("2: greets in small letters")
///     .manifest("depends_on = ['1']")
///     .verify("SELECT count(*) = 1 FROM note");
/// # let _ = code;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Code {
    written: Vec<Written>,
    /// What was said of a migration before there was one.
    orphans: Vec<Problem>,
}

/// A migration as it was added, with texts that were not read yet.
#[derive(Clone, Debug)]
struct Written {
    migration: Migration,
    manifest: Option<Cow<'static, str>>,
    verify: Option<Cow<'static, str>>,
}

impl Code {
    /// Starts with none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a migration.
    #[must_use]
    pub fn add(
        mut self,
        version: impl Into<Version>,
        name: impl Into<String>,
        migration: impl RustMigration + 'static,
    ) -> Self {
        let (version, name) = (version.into(), name.into());
        let file = shown(version, &name, "");
        let body = Body::Rust(Arc::new(migration));
        let migration = Migration {
            version,
            name,
            placement: Placement::default(),
            body,
            verify: None,
            asked: Vec::new(),
            manifest: None,
            file,
        };
        self.written.push(Written { migration, manifest: None, verify: None });
        self
    }

    /// Adds a migration that cannot be reverted. Its checksum tells nothing of the closure unless a
    /// [fingerprint](Self::fingerprint) does. One that is to know more of its run, such as whether that is a dry run, is
    /// a [`RustMigration`], for [`add`](Self::add).
    #[must_use]
    pub fn up<Up>(self, version: impl Into<Version>, name: impl Into<String>, up: Up) -> Self
    where
        Up: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync + 'static,
    {
        self.add(version, name, OneWay(up))
    }

    /// Adds a migration and what undoes it.
    #[must_use]
    pub fn up_down<Up, Down>(self, version: impl Into<Version>, name: impl Into<String>, up: Up, down: Down) -> Self
    where
        Up: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync + 'static,
        Down: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync + 'static,
    {
        self.add(version, name, BothWays { up, down })
    }

    /// Gives the migration that was added last a word for its code, which stands for it in the checksum, in the place of its
    /// own [`RustMigration::fingerprint`]. The last one counts.
    ///
    /// It is for the author to change with the meaning of the code, and only then: a database that has applied the migration
    /// with another one refuses to go on, as with a file that was changed. The text of the source file,
    /// `include_str!("split_names.rs")`, changes by itself, with every blank of it. To begin with one, or to leave it out,
    /// is such a change as well.
    #[must_use]
    pub fn fingerprint(mut self, fingerprint: impl Into<Cow<'static, str>>) -> Self {
        let Some(last) = self.written.last_mut() else {
            self.orphans.push(orphan("fingerprint"));
            return self;
        };
        if let Body::Rust(code) = &last.migration.body {
            let (code, is_rebuild) = (Arc::clone(code), code.is_rebuild());
            last.migration.body = Body::Rust(Arc::new(Marked { code, is_rebuild, fingerprint: fingerprint.into() }));
        }
        self
    }

    /// Says that the migration that was added last [rebuilds tables](RustMigration::is_rebuild): it makes a new one, copies the rows,
    /// drops the old one and gives the new one its name, with foreign keys off, both on its way up and on its way down.
    ///
    /// Where a view or a trigger names the table, SQLite refuses to rename while it is gone, unless the code says
    /// `PRAGMA legacy_alter_table = ON` first, which is set back after it.
    #[must_use]
    pub fn rebuild(mut self) -> Self {
        let Some(last) = self.written.last_mut() else {
            self.orphans.push(orphan("rebuild"));
            return self;
        };
        if let Body::Rust(code) = &last.migration.body {
            let (code, fingerprint) = (Arc::clone(code), Cow::Owned(code.fingerprint().to_owned()));
            last.migration.body = Body::Rust(Arc::new(Marked { code, is_rebuild: true, fingerprint }));
        }
        self
    }

    /// Gives the migration that was added last a manifest: the text of the TOML file that would stand beside one in a
    /// folder, with `description`, `depends_on`, `out_of_order`, `repeat`, `baseline`, `functions` and `preconditions`. The last
    /// one counts.
    #[must_use]
    pub fn manifest(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        match self.written.last_mut() {
            Some(last) => last.manifest = Some(text.into()),
            None => self.orphans.push(orphan("manifest")),
        }
        self
    }

    /// Gives the migration that was added last a verify script: SQL that asks whether it did what it should. The last one
    /// counts.
    #[must_use]
    pub fn verify(mut self, sql: impl Into<Cow<'static, str>>) -> Self {
        match self.written.last_mut() {
            Some(last) => last.verify = Some(sql.into()),
            None => self.orphans.push(orphan("verify script")),
        }
        self
    }
}

/// Returns what a part of a migration is called in messages.
fn shown(version: Version, name: &str, ending: &str) -> String {
    format!("{version}_{}{ending} (Rust)", name.escape_debug())
}

fn orphan(what: &str) -> Problem {
    let hint = "add the migration first, then what belongs to it".to_owned();
    Problem::of_file("Rust code", format!("there is no migration for this {what}"), Some(hint))
}

struct OneWay<Up>(Up);

impl<Up> RustMigration for OneWay<Up>
where
    Up: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync,
{
    fn up(&self, tx: &mut Transaction<'_>, _: &RustContext<'_>) -> Result<(), RustError> {
        self.0(tx)
    }
}

struct BothWays<Up, Down> {
    up: Up,
    down: Down,
}

impl<Up, Down> RustMigration for BothWays<Up, Down>
where
    Up: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync,
    Down: Fn(&mut Transaction<'_>) -> Result<(), RustError> + Send + Sync,
{
    fn up(&self, tx: &mut Transaction<'_>, _: &RustContext<'_>) -> Result<(), RustError> {
        (self.up)(tx)
    }

    fn down(&self, tx: &mut Transaction<'_>, _: &RustContext<'_>) -> Result<(), RustError> {
        (self.down)(tx)
    }

    fn is_reversible(&self) -> bool {
        true
    }
}

/// Code of which something else is said than it says itself.
struct Marked {
    code: Arc<dyn RustMigration>,
    is_rebuild: bool,
    fingerprint: Cow<'static, str>,
}

impl RustMigration for Marked {
    fn up(&self, tx: &mut Transaction<'_>, context: &RustContext<'_>) -> Result<(), RustError> {
        self.code.up(tx, context)
    }

    fn down(&self, tx: &mut Transaction<'_>, context: &RustContext<'_>) -> Result<(), RustError> {
        self.code.down(tx, context)
    }

    fn is_reversible(&self) -> bool {
        self.code.is_reversible()
    }

    fn is_rebuild(&self) -> bool {
        self.is_rebuild
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl Written {
    /// Reads the texts; a migration with a problem is still worth comparing with the others.
    fn read(&self, problems: &mut Vec<Problem>) -> Migration {
        let mut migration = self.migration.clone();
        if let Err(message) = check_name(&migration.name) {
            problems.push(Problem::of_file(&migration.file, message, None));
        }
        migration.manifest = self.read_manifest(problems);
        migration.verify = self.read_verify(problems);
        let (file, manifest) = (&migration.file, migration.manifest.as_deref());
        migration.placement = placement::find(Role::Versioned, file, &migration.body, manifest, problems);
        if migration.role() == Role::Repeatable {
            migration.version = Version::from(0);
        }
        migration
    }

    fn read_manifest(&self, problems: &mut Vec<Problem>) -> Option<Box<Manifest>> {
        match content::manifest(&self.file(Part::Manifest), self.manifest.as_deref()?) {
            Ok(manifest) => {
                problems.extend(unfit(&manifest));
                Some(Box::new(manifest))
            }
            Err(mut found) => {
                problems.append(&mut found);
                None
            }
        }
    }

    fn read_verify(&self, problems: &mut Vec<Problem>) -> Option<Box<Script>> {
        let bytes = match self.verify.clone()? {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        match content::read(&self.file(Part::Verify), Part::Verify, bytes, None) {
            Ok(Content::Script(script)) => {
                problems.extend(companions::directs(&script));
                Some(Box::new(script))
            }
            Ok(_) => None,
            Err(mut found) => {
                problems.append(&mut found);
                None
            }
        }
    }

    /// Returns what a part beside the code is called in messages.
    fn file(&self, part: Part) -> String {
        shown(self.migration.version, &self.migration.name, part.ending())
    }
}

/// Refuses what a manifest can say about guests only: that it were held to something would be a false promise.
fn unfit(manifest: &Manifest) -> Vec<Problem> {
    let said = [
        ("grants", manifest.grants.is_some()),
        ("limits", manifest.limits != Limits::default()),
        ("params", !manifest.params.is_empty()),
        ("transform", manifest.transform.is_some()),
    ];
    let refuse = |key| {
        let message = format!("`{key}` is for components and scripts, and Rust code is part of the program");
        Problem::of_file(&manifest.file, message, Some("leave it out".to_owned()))
    };
    said.into_iter().filter(|(_, is_said)| *is_said).map(|(key, _)| refuse(key)).collect()
}

/// Finds migrations that claim what one before them has.
fn taken(migrations: &[Migration]) -> Vec<Problem> {
    let mut first = HashMap::new();
    let mut told = Vec::new();
    for migration in migrations {
        match first.entry((migration.role(), migration.key())) {
            Entry::Vacant(place) => {
                place.insert(migration);
            }
            Entry::Occupied(other) => {
                let other: &Migration = other.get();
                let is_same_name = migration.name == other.name;
                told.push(companions::taken(&migration.file, &migration.key(), &other.file, is_same_name));
            }
        }
    }
    told
}

impl Source for Code {
    fn load(&self, _: &Interrupt) -> Result<Loaded, SourceError> {
        let mut problems = self.orphans.clone();
        let migrations: Vec<Migration> = self.written.iter().map(|written| written.read(&mut problems)).collect();
        problems.extend(taken(&migrations));
        if !problems.is_empty() {
            return Err(SourceError::new(problems));
        }
        Ok(Loaded { migrations: migrations.into_iter().map(Arc::new).collect(), ..Loaded::default() })
    }

    fn load_of(&self, _: Layout, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        self.load(interrupt)
    }

    fn describe(&self) -> String {
        "Rust code".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reversibility;

    fn problems(code: &Code) -> Vec<String> {
        code.load(&Interrupt::new()).expect_err("problems").problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn takes_closures_and_types() {
        let code = Code::new().up(1, "a", |_| Ok(())).up_down(2, "b", |_| Ok(()), |_| Err("no".into()));
        let loaded = code.load(&Interrupt::new()).expect("loaded");
        let shown: Vec<_> = loaded.migrations.iter().map(|m| (m.file.as_str(), m.reversibility())).collect();
        assert_eq!(shown, [("1_a (Rust)", Reversibility::Irreversible), ("2_b (Rust)", Reversibility::Reversible)]);
    }

    #[test]
    fn a_fingerprint_stands_for_the_code_in_the_checksum() {
        struct Own;
        impl RustMigration for Own {
            fn up(&self, _: &mut Transaction<'_>, _: &RustContext<'_>) -> Result<(), RustError> {
                Ok(())
            }
            fn fingerprint(&self) -> &str {
                "own"
            }
        }
        let checksum = |code: Code| code.load(&Interrupt::new()).expect("loaded").migrations[0].checksum();
        let (one, other) = (|| Code::new().up(1, "a", |_| Ok(())), Code::new().up(1, "a", |_| Err("no".into())));
        assert_eq!(checksum(one()), checksum(other), "closures are not told apart");
        assert_eq!(checksum(one().fingerprint("own")), checksum(Code::new().add(1, "a", Own)));
        assert_eq!(checksum(Code::new().add(1, "a", Own).fingerprint("x").fingerprint("")), checksum(one()));
        let down = one().up_down(2, "b", |_| Ok(()), |_| Ok(())).fingerprint("2");
        let loaded = down.load(&Interrupt::new()).expect("loaded");
        assert_eq!(loaded.migrations[1].reversibility(), Reversibility::Reversible);
    }

    #[test]
    fn refuses_names_no_file_could_have() {
        let found = problems(&Code::new().up(1, "a b", |_| Ok(())).up(2, "", |_| Ok(())));
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("1_a b (Rust): ` ` cannot stand in a name"), "{found:?}");
    }

    #[test]
    fn tells_every_migration_whose_version_is_taken_beside_the_first() {
        let code =
            Code::new().up(1, "a", |_| Ok(())).up(2, "b", |_| Ok(())).up(1, "c", |_| Ok(())).up(1, "a", |_| Ok(()));
        let found = problems(&code);
        assert_eq!(
            found,
            [
                "1_a (Rust): version 1 is already that of 1_a (Rust)",
                "1_c (Rust): version 1 is already that of 1_a (Rust)",
            ]
        );
    }

    #[test]
    fn what_is_said_before_there_is_a_migration_belongs_to_none() {
        assert_eq!(
            problems(&Code::new().fingerprint("1").verify("SELECT 1").manifest("").up(1, "a", |_| Ok(()))),
            [
                "Rust code: there is no migration for this fingerprint",
                "Rust code: there is no migration for this manifest",
                "Rust code: there is no migration for this verify script",
            ]
        );
    }

    #[test]
    fn a_manifest_cannot_hold_code_of_the_program_to_anything() {
        let manifest = "[grants]\nread = ['t']\n[limits]\nfuel = 1\n[params]\na = 'b'\n";
        let found = problems(&Code::new().up(1, "a", |_| Ok(())).manifest(manifest));
        for (problem, key) in found.iter().zip(["grants", "limits", "params"]) {
            let expected =
                format!("1_a.toml (Rust): `{key}` is for components and scripts, and Rust code is part of the program");
            assert_eq!(*problem, expected);
        }
        assert_eq!(found.len(), 3);
    }
}
