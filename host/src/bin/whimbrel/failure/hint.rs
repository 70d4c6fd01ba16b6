//! What to do about each kind of error. Only words.

use std::io::{self, ErrorKind as FileErrorKind};

use whimbrel::db::{DbError, ErrorCode};
use whimbrel::model::{MissingValue, NoValue, Version};
use whimbrel::plan::{Direction, RepairVerb, State};
use whimbrel::wasm::{CompileError, InspectError, PluginError};

use super::{language, limits, script, temporary};

/// How an error begins of a database that is open already.
const BESIDE: &str = "it can be read only with the files beside it";

/// What helps where a database is behind a baseline.
pub(crate) const BEHIND_BASELINE: &str = "bring the older files back until every database is past them";

/// Says what to do when the database refuses to be used.
pub(super) fn database(error: &DbError) -> Option<String> {
    if let Some(hint) = by_native(&error.native) {
        return Some(hint);
    }
    let hint = match error.code {
        ErrorCode::Busy => {
            "another process is using the database; try again, wait longer with --lock-timeout, or see `whimbrel lock status`"
        }
        ErrorCode::ReadOnly => {
            "nothing can be written: check who owns the file and its folder, and how they are mounted"
        }
        ErrorCode::NotADatabase => "check the path: the file holds something else, is encrypted, or is damaged",
        ErrorCode::CannotOpen if error.message.starts_with(BESIDE) => {
            "they are made in its folder: see who may write that, and how it is mounted"
        }
        ErrorCode::CannotOpen => {
            "check the path and its rights; a missing file is created (not with `?mode=rw`), a missing folder is not"
        }
        ErrorCode::Full => return Some(format!("free some space on the disk; {}", temporary::files())),
        ErrorCode::Function if error.message.ends_with("only while the migration runs") => {
            "have the migration write what it computes into a column; in the schema only SQLite's own functions last"
        }
        ErrorCode::OutcomeUnknown => "run `whimbrel status` before anything else: the step may or may not be stored",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Says what to do about an error that SQLite tells from others of its kind.
fn by_native(native: &str) -> Option<String> {
    let hint = match native {
        "SQLITE_READONLY_DBMOVED" => {
            "another file may be at its path now, and has nothing of this run: see who replaces it or a link to it (a restore, \
             a deploy, a test), keep them apart, then look at `whimbrel status` and run it again"
        }
        "SQLITE_READONLY_ROLLBACK" | "SQLITE_READONLY_RECOVERY" | "SQLITE_READONLY_CANTINIT" => {
            "have it opened once by somebody who may write it and its folder, such as by `whimbrel status` without `?mode=ro`; \
             leave the files beside it where they are: what is to be put back is in them"
        }
        "SQLITE_IOERR_GETTEMPPATH" => return Some(temporary::files()),
        "SQLITE_IOERR_WRITE" => {
            return Some(format!(
                "a file could not be written: check the disk, the quota and the limit on file sizes (ulimit -f); {}",
                temporary::files()
            ));
        }
        "SQLITE_IOERR_LOCK"
        | "SQLITE_IOERR_RDLOCK"
        | "SQLITE_IOERR_UNLOCK"
        | "SQLITE_IOERR_SHMOPEN"
        | "SQLITE_IOERR_SHMSIZE"
        | "SQLITE_IOERR_SHMMAP"
        | "SQLITE_IOERR_SHMLOCK" => {
            "not every file system can do what SQLite needs, and those of networks often cannot: put the database on a disk \
             of the machine"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Says what to do when a file cannot be read or written.
pub(crate) fn file(error: &io::Error) -> Option<&'static str> {
    let hint = match error.kind() {
        FileErrorKind::PermissionDenied => "check who owns it and its folder, and their rights",
        FileErrorKind::ReadOnlyFilesystem => "it lies where nothing can be written: check how that is mounted",
        FileErrorKind::StorageFull | FileErrorKind::QuotaExceeded => "free some space on the disk",
        FileErrorKind::NotFound | FileErrorKind::NotADirectory | FileErrorKind::IsADirectory => "check the path",
        FileErrorKind::InvalidFilename => "choose a shorter name",
        _ => return None,
    };
    Some(hint)
}

/// Guesses why SQLite does not commit where it gives no reason: fts5 still has rows to write into a table that was undone.
pub(super) fn commit(doing: &str, error: &DbError) -> Option<String> {
    let hint = "was a virtual table, such as one of fts5, made and written inside a savepoint that was undone? SQLite cannot \
                commit after it: make the table outside of the savepoint. The step was rolled back";
    (doing == "commit" && error.native == "SQLITE_ERROR").then(|| hint.to_owned())
}

/// Says what to do when a statement fails.
pub(super) fn statement(error: &DbError) -> Option<String> {
    if error.code == ErrorCode::Syntax
        && let Some(blank) = error.message.chars().find(|character| is_false_blank(*character))
    {
        let code = u32::from(blank);
        return Some(format!(
            "U+{code:04X} stands there, which looks like a blank and is none to SQLite: write a blank"
        ));
    }
    if let Some(hint) = by_native(&error.native) {
        return Some(hint);
    }
    let hint = match error.code {
        ErrorCode::Database if error.native == "SQLITE_FULL" => {
            "delete the row with the largest key, if it is there by mistake, and set `seq` back to the largest that is left: \
             UPDATE sqlite_sequence SET seq = (SELECT max(rowid) FROM …) WHERE name = '…'"
        }
        ErrorCode::ConstraintForeignKey => {
            "rows refer to rows that are not there; to rebuild a table, write `-- whimbrel: rebuild` at the top"
        }
        ErrorCode::Syntax if error.message.starts_with("no such function") => {
            "if a library of functions has it, name that with `-- whimbrel: functions = NAME` at the top; what an extension \
             of SQLite brings is there only on a connection that an application hands over"
        }
        ErrorCode::Syntax if error.message.starts_with("no such module") => {
            "it comes with an extension of SQLite, which is there only on a connection that an application hands over"
        }
        ErrorCode::Syntax if error.message.starts_with("no such") || error.message.contains("already exists") => {
            "the database is not what the script expects: `whimbrel status` shows what is applied"
        }
        ErrorCode::Parameter if error.message.starts_with("a script has no value") => {
            "write the value itself, or a name that is replaced before the script runs: `${name}`, with `-- whimbrel: \
             placeholders = on` at the top"
        }
        ErrorCode::ReadOnly => {
            "the database that it writes cannot be written, which is the one that is migrated or one that was attached: check \
             who owns the file and its folder, and how they are mounted"
        }
        ErrorCode::NotADatabase => {
            "it opens a file that holds something else, is encrypted, or is damaged: check the path in the statement"
        }
        ErrorCode::CannotOpen => {
            "check the path in the statement and its rights; a missing file is created by `up`, a missing folder is not"
        }
        ErrorCode::Limit if error.native == "SQLITE_TOOBIG" && error.details.is_empty() => {
            "SQLite holds no more than 1,000,000,000 bytes in a value or a row: keep it in several rows, or in a file"
        }
        ErrorCode::Full => {
            let files = temporary::files();
            return Some(format!(
                "free some space on the disk; `PRAGMA max_page_count` bounds a database, too; {files}"
            ));
        }
        ErrorCode::Busy | ErrorCode::OutcomeUnknown | ErrorCode::Database => return database(error),
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Tells whether a character is shown as a blank, or not at all, and is part of a word to SQLite or a mistake.
fn is_false_blank(character: char) -> bool {
    let is_invisible = matches!(character, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    is_invisible || character == '\u{b}' || character.is_whitespace() && !character.is_ascii()
}

/// Says what to do when bytes are no component for this host.
pub(super) fn component(error: &CompileError) -> Option<String> {
    match error {
        CompileError::Inspect(error) => inspection(error),
        CompileError::Limit(reached) => Some(limits::general_hint(reached)),
        CompileError::Invalid { .. } => {
            Some("build it again against the contract of this host, whimbrel:migration@0.1".to_owned())
        }
        _ => None,
    }
}

/// Says what to do when bytes are not a component that this host can run.
pub(super) fn inspection(error: &InspectError) -> Option<String> {
    let hint = match error {
        InspectError::Empty | InspectError::Malformed { .. } => "build or copy it again",
        InspectError::NotWasm => "give it the ending of what it is, or build the component",
        InspectError::CoreModule => {
            "make a component of it: `whimbrel componentize module.wasm --output component.wasm`"
        }
        InspectError::UnknownImports { imports, language }
            if imports.iter().any(|import| import.starts_with("wasi:")) =>
        {
            return Some(language::imports_wasi(imports, language.as_deref()));
        }
        InspectError::UnknownImports { .. } => "a migration may import whimbrel:migration/types, /sql and /log only",
        InspectError::OtherVersion { version, .. } if is_newer(version) => {
            "use a later whimbrel, or build it with the SDK of this one"
        }
        InspectError::OtherVersion { .. } => "build it again with the SDK of this whimbrel",
        InspectError::OtherWorld { .. } => {
            "export `up`, and `down` if it can be reverted: the worlds `migration` and `reversible` of whimbrel:migration"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// This host speaks 0.1.
fn is_newer(version: &str) -> bool {
    let mut numbers = version.split(['.', '-', '+']).map(|number| number.parse::<u64>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) > (0, 1)
}

/// Says what to do when a component did not finish.
pub(super) fn guest(error: &PluginError) -> Option<String> {
    match error {
        PluginError::Refused { statement: Some(failed), .. }
        | PluginError::Script { statement: Some(failed), .. } => statement(&failed.error),
        PluginError::Trapped { reason, .. } if reason.contains("unreachable") => Some(
            "the guest stopped itself: a panic, or, when it was built with `--stub-wasi`, a call to something left out, \
             such as files, clock or standard output; built without it, it runs on the host's stand-in and can say more"
                .to_owned(),
        ),
        PluginError::Script { failure, .. } => failure.hint.clone().or_else(|| script::advice(&failure.code)),
        PluginError::Limit(reached) => Some(limits::general_hint(reached)),
        PluginError::NoMemory { .. } => Some(
            "each instance of a component reserves addresses for 4 GiB, and uses few of them: lift the limit on addresses \
             (`ulimit -v unlimited`, LimitAS= of systemd), or give the machine more memory; a transform makes fewer \
             instances with --jobs 1"
                .to_owned(),
        ),
        PluginError::NoExport { export } => Some(format!("export `{export}` from the component")),
        _ => None,
    }
}

/// Says how a name in a script gets its value.
pub(super) fn placeholder(chain: &str, missing: &MissingValue) -> String {
    let MissingValue { name, reason, .. } = missing;
    match reason {
        NoValue::NotForThisChain => {
            format!("an untrusted chain is given only what `[chains.{chain}.placeholders]` in whimbrel.toml has")
        }
        NoValue::Environment => {
            "only chains of your own are given the environment, and only by a program that has one".to_owned()
        }
        NoValue::Variable { variable } if variable == name => {
            format!("set {variable}; or write `${{{name}:-}}`, which has a value after `:-` for when it is not set")
        }
        NoValue::Variable { variable } => format!("set {variable}, or say it with --set {name}=VALUE"),
        NoValue::Form => {
            "read are $NAME, ${NAME}, ${NAME:-text}, ${NAME-text}, ${NAME:?words} and ${NAME?words}: write one of these"
                .to_owned()
        }
        NoValue::Told { .. } => format!("set {name}"),
        _ => {
            let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
            let key = if name.chars().all(is_bare) { name.clone() } else { format!("\"{name}\"") };
            let environment = match name.to_ascii_lowercase().ends_with(":environment") {
                true => "name the environment with --env, ",
                false => "",
            };
            format!(
                "{environment}say it with --set {name}=VALUE, or write `{key} = \"…\"` into `[placeholders]` of whimbrel.toml; \
                 `-- whimbrel: placeholders = off` at the top leaves the file as it is"
            )
        }
    }
}

/// Writes the command that repairs a migration, which is named as in messages.
pub(crate) fn repair(migration: &str, verb: &str) -> String {
    format!("whimbrel repair {} --{verb}", target(migration))
}

/// Writes a migration, which is named as in messages, as a command takes it: its version, or the name of a repeatable one,
/// and the chain where it is named.
pub(crate) fn target(migration: &str) -> String {
    let (chain, title) = match migration.split_once(':') {
        Some((chain, title)) if !chain.contains(' ') => (Some(chain), title),
        _ => (None, migration),
    };
    let first = title.split(' ').next().unwrap_or_default();
    let target = match first.parse::<Version>() {
        Ok(_) => first.to_owned(),
        Err(_) => format!("'{title}'"),
    };
    chain.map_or_else(|| target.clone(), |chain| format!("--chain {chain} {target}"))
}

/// Says what to do about a version that was applied as another migration, which is under another version now.
pub(crate) fn applied_as_another(migration: &str) -> String {
    format!(
        "give the files the versions back that they were applied under; or keep the new ones: `{}` gives the history them, then \
         `whimbrel up --allow-out-of-order`",
        repair(migration, "accept")
    )
}

/// Says how a step that stopped half way is brought to an end by hand, and how that is told.
pub(crate) fn dirty(migration: &str, direction: Direction) -> String {
    let (applied, reverted) = (repair(migration, "mark-applied"), repair(migration, "mark-failed"));
    match direction {
        Direction::Up => format!(
            "see what it has done, and finish that by hand, then `{applied}`; or undo it by hand, then `{reverted}`"
        ),
        Direction::Down => format!(
            "see what its down has taken back, and take back the rest by hand, then `{reverted}`; or bring back by hand \
             what is gone, then `{applied}`"
        ),
    }
}

/// Says what else can be done with a migration that a repair does not fit.
pub(super) fn nothing_to_repair(verb: RepairVerb, state: State) -> String {
    let hint = match (verb, state) {
        (RepairVerb::Forget, _) => "only one whose file is gone can be forgotten; `whimbrel down` reverts",
        (RepairVerb::Accept, State::ChangedInProgress) => {
            "put it back as it was, so that `whimbrel up` goes on with it, or begin anew with --restart"
        }
        (RepairVerb::Accept, State::InProgress) => "`whimbrel up` goes on with it",
        (RepairVerb::Accept, _) => "only one that was changed after it was applied can be accepted",
        (RepairVerb::MarkApplied, State::ChecksumMismatch(_)) => "--accept takes the change for what was applied",
        (RepairVerb::MarkApplied, State::Missing | State::Future) => "it is applied already, and its file is gone",
        _ => "`whimbrel status` shows where each migration stands",
    };
    hint.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_placeholder_is_one_that_toml_reads() {
        for (name, expected) in [
            ("tenant", "say it with --set tenant=VALUE, or write `tenant = \"…\"`"),
            ("a.b", "say it with --set a.b=VALUE, or write `\"a.b\" = \"…\"`"),
            ("whimbrel:environment", "name the environment with --env, say it with --set whimbrel:environment=VALUE"),
        ] {
            let missing = MissingValue { range: 0..0, name: name.to_owned(), reason: NoValue::NotSet };
            let hint = placeholder("main", &missing);
            assert!(hint.starts_with(expected), "{hint}");
        }
    }
}
