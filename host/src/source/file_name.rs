//! What the name of a file says about it. Pure: never looks into the file.

use crate::model::{Role, Version};
use crate::sql::check_library;

/// What a file is, judged by its name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileName {
    /// Part of a migration.
    Part {
        /// The number that orders the migration; 0 for one that is repeatable, which has none.
        version: Version,
        /// The words after the version.
        name: String,
        /// Which part it is.
        part: Part,
        /// When the migration runs.
        role: Role,
    },
    /// A library of functions: `text_tools.functions.wasm`.
    Library {
        /// What migrations call it.
        name: String,
    },
    /// Something else, and why.
    Ignored(&'static str),
    /// Meant as part of a migration, but not named like one.
    Malformed {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: String,
    },
}

/// What a file is to its migration.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// `….sql`: the whole migration.
    Sql,
    /// `….up.sql`
    Up,
    /// `….wasm`
    Component,
    /// `….js` and the like: a script in the language of some engine.
    Script,
    /// `….down.sql`
    Down,
    /// `….verify.sql`: whether the migration did what it should.
    Verify,
    /// `….toml`
    Manifest,
    /// `….functions.wasm`: part of no migration, but of use to several.
    Functions,
}

/// Endings of the scripts that the engines of the program run.
pub const SCRIPTS: [&str; 5] = ["js", "mjs", "mts", "py", "ts"];

/// Why a file is ignored that nothing can be made of.
const OTHER: &str = "neither .sql nor .wasm nor .toml nor a script";

impl Part {
    /// Returns how the name of such a file ends; nothing for a script, which may end in many ways.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Sql => ".sql",
            Self::Up => ".up.sql",
            Self::Component => ".wasm",
            Self::Script => "",
            Self::Down => ".down.sql",
            Self::Verify => ".verify.sql",
            Self::Manifest => ".toml",
            Self::Functions => ".functions.wasm",
        }
    }

    /// Tells whether such a file holds SQL.
    pub fn is_sql(self) -> bool {
        matches!(self, Self::Sql | Self::Up | Self::Down | Self::Verify)
    }
}

impl FileName {
    /// Makes a part of a migration that runs once, in order.
    pub(super) fn part(version: Version, name: String, part: Part) -> Self {
        Self::Part { version, name, part, role: Role::Versioned }
    }

    /// Makes a part of a migration that runs again whenever it has changed.
    pub(super) fn repeatable(name: String, part: Part) -> Self {
        Self::Part { version: Version::from(0), name, part, role: Role::Repeatable }
    }

    /// Judges the name of a file; scripts are those that the engines of the program run.
    pub fn parse(name: &str) -> Self {
        Self::parse_with(name, &SCRIPTS)
    }

    /// Judges the name of a file; scripts are those with one of these endings.
    pub fn parse_with(name: &str, scripts: &[impl AsRef<str>]) -> Self {
        if name.starts_with('.') {
            return Self::Ignored("a hidden file");
        }
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let known = |known: &str| known.eq_ignore_ascii_case(ending);
        if !["sql", "wasm", "toml"].into_iter().any(known) && !scripts.iter().any(|script| known(script.as_ref())) {
            return Self::Ignored(OTHER);
        }
        if name.ends_with(".d.ts") || name.ends_with(".d.mts") {
            return Self::Ignored("declares types only");
        }
        if let Some(name) = name.strip_suffix(Part::Functions.ending())
            && !name.starts_with(|first: char| first.is_ascii_digit())
        {
            return match check_library(name) {
                Ok(()) => Self::Library { name: name.to_owned() },
                Err(message) => {
                    Self::Malformed { message, hint: "call it like `text_tools.functions.wasm`".to_owned() }
                }
            };
        }
        let (role, stem) = role(name);
        if role != Role::Repeatable && !stem.starts_with(|first: char| first.is_ascii_digit()) {
            return Self::Ignored("does not begin with a version");
        }
        parse_migration(role, stem, scripts).unwrap_or_else(|message| Self::Malformed {
            message,
            hint: "call it like `0001_create.sql`, `0001_create.up.sql` and `0001_create.down.sql`, \
                   or `0001_create.wasm` and `0001_create.toml`"
                .to_owned(),
        })
    }
}

/// Tells the role by the beginning, `R__` or `B5__`, and returns the rest: the name with a version, or the name.
fn role(name: &str) -> (Role, &str) {
    if let Some(rest) = name.strip_prefix("R__") {
        return (Role::Repeatable, rest);
    }
    match name.strip_prefix('B').filter(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with("__"))
    {
        Some(rest) => (Role::Baseline, rest),
        None => (Role::Versioned, name),
    }
}

fn parse_migration(role: Role, file: &str, scripts: &[impl AsRef<str>]) -> Result<FileName, String> {
    let script = |file: &str| {
        let (stem, ending) = file.rsplit_once('.')?;
        scripts.iter().any(|script| script.as_ref() == ending).then_some(stem.len())
    };
    // `.up.sql` and the like end in `.sql` too, so that one comes last.
    let parts = [Part::Up, Part::Down, Part::Verify, Part::Component, Part::Manifest, Part::Sql];
    let (part, stem) = parts
        .into_iter()
        .find_map(|part| Some((part, file.strip_suffix(part.ending())?)))
        .or_else(|| script(file).map(|stem| (Part::Script, &file[..stem])))
        .ok_or("its ending must be in lower case")?;
    if role == Role::Repeatable {
        check_name(stem)?;
        return Ok(FileName::repeatable(stem.to_owned(), part));
    }
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    let (version, rest) = stem.split_at(digits);
    let separator = if role == Role::Baseline { "__" } else { "_" };
    // `0005_squashed.baseline.sql` says the same as `B5__squashed.sql`.
    let (role, rest) = match rest.strip_suffix(".baseline") {
        Some(rest) if role == Role::Versioned => (Role::Baseline, rest),
        _ => (role, rest),
    };
    let name = rest.strip_prefix(separator).ok_or_else(|| match rest.chars().next() {
        Some(other) => format!("after the version must come `_`, not `{}`", other.escape_debug()),
        None => "after the version must come `_` and a name".to_owned(),
    })?;
    let version = Version::parse(version).map_err(|error| error.to_string())?;
    check_name(name)?;
    Ok(match role {
        Role::Versioned => FileName::part(version, name.to_owned(), part),
        role => FileName::Part { version, name: name.to_owned(), part, role },
    })
}

/// Checks the words after a version: ASCII letters, digits, `_` and `-`, which every file system spells the same.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("after the version must come `_` and a name".to_owned());
    }
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        return Ok(());
    }
    match name.chars().find(|character| !(character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))) {
        None => Ok(()),
        Some(other) => Err(format!(
            "`{}` cannot stand in a name, which is made of the letters a to z, digits, `_` and `-`",
            other.escape_debug()
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn knows_the_parts_of_a_migration() {
        let cases = [
            ("0001_create.sql", 1, "create", Part::Sql),
            ("1_create.up.sql", 1, "create", Part::Up),
            ("20261120142629_A-b_3.down.sql", 20261120142629, "A-b_3", Part::Down),
            ("0003_split_names.verify.sql", 3, "split_names", Part::Verify),
            ("0003_split_names.wasm", 3, "split_names", Part::Component),
            ("0003_split_names.js", 3, "split_names", Part::Script),
            ("3_x.mts", 3, "x", Part::Script),
            ("18446744073709551615_x.toml", u64::MAX, "x", Part::Manifest),
            ("0_x.sql", 0, "x", Part::Sql),
            ("1__x.sql", 1, "_x", Part::Sql),
            ("1_up.sql", 1, "up", Part::Sql),
        ];
        for (file, version, name, part) in cases {
            let expected = FileName::part(Version::from(version), name.to_owned(), part);
            assert_eq!(FileName::parse(file), expected, "{file}");
        }
    }

    #[test]
    fn knows_libraries_of_functions() {
        assert_eq!(FileName::parse("text-tools_2.functions.wasm"), FileName::Library { name: "text-tools_2".into() });
        for file in ["a b.functions.wasm", "a.b.functions.wasm", "1_a.functions.wasm"] {
            assert!(matches!(FileName::parse(file), FileName::Malformed { .. }), "{file}");
        }
        assert_eq!(FileName::parse(".functions.wasm"), FileName::Ignored("a hidden file"));
    }

    #[test]
    fn knows_repeatable_and_baseline_migrations() {
        let repeatable = |part| FileName::repeatable("views".to_owned(), part);
        assert_eq!(FileName::parse("R__views.sql"), repeatable(Part::Sql));
        assert_eq!(FileName::parse("R__views.toml"), repeatable(Part::Manifest));
        let baseline = FileName::Part {
            version: Version::from(5),
            name: "squashed".to_owned(),
            part: Part::Sql,
            role: Role::Baseline,
        };
        assert_eq!(FileName::parse("B0005__squashed.sql"), baseline);
        assert_eq!(FileName::parse("0005_squashed.baseline.sql"), baseline);
        assert!(matches!(FileName::parse("5_x.baseline.down.sql"), FileName::Part { role: Role::Baseline, .. }));
        for file in ["R__.sql", "R__a b.sql", "B5__.sql", "5_x.baseline.baseline.sql", "5.baseline.sql"] {
            assert!(matches!(FileName::parse(file), FileName::Malformed { .. }), "{file}");
        }
        for file in ["R_views.sql", "Base.sql", "B5_x.sql", "B__x.sql"] {
            assert!(matches!(FileName::parse(file), FileName::Ignored(_)), "{file}");
        }
    }

    #[test]
    fn ignores_what_is_not_meant() {
        let cases = [
            (".0001_x.sql", "a hidden file"),
            ("", "neither .sql nor .wasm nor .toml nor a script"),
            ("README.md", "neither .sql nor .wasm nor .toml nor a script"),
            ("0001_x", "neither .sql nor .wasm nor .toml nor a script"),
            ("0001_x.sql~", "neither .sql nor .wasm nor .toml nor a script"),
            ("0001_x.sql.bak", "neither .sql nor .wasm nor .toml nor a script"),
            ("schema.sql", "does not begin with a version"),
            ("V1__x.sql", "does not begin with a version"),
            ("_1_x.sql", "does not begin with a version"),
            ("whimbrel.toml", "does not begin with a version"),
            ("names.js", "does not begin with a version"),
            ("whimbrel.d.ts", "declares types only"),
            ("0001_x.d.ts", "declares types only"),
            ("0001_x.lua", "neither .sql nor .wasm nor .toml nor a script"),
            ("٣_x.sql", "does not begin with a version"),
        ];
        for (file, reason) in cases {
            assert_eq!(FileName::parse(file), FileName::Ignored(reason), "{file}");
        }
    }

    #[test]
    fn refuses_what_is_meant_but_misspelt() {
        let only = "which is made of the letters a to z, digits, `_` and `-`";
        let cases = [
            ("0001create.sql", "after the version must come `_`, not `c`".to_owned()),
            ("0001.sql", "after the version must come `_` and a name".to_owned()),
            ("0001_.sql", "after the version must come `_` and a name".to_owned()),
            ("0001_.up.sql", "after the version must come `_` and a name".to_owned()),
            ("1.2_x.sql", "after the version must come `_`, not `.`".to_owned()),
            ("2024-01-31_x.sql", "after the version must come `_`, not `-`".to_owned()),
            ("1_x..up.sql", format!("`.` cannot stand in a name, {only}")),
            ("1_x.up.wasm", format!("`.` cannot stand in a name, {only}")),
            ("1_add users.sql", format!("` ` cannot stand in a name, {only}")),
            ("1_größe.sql", format!("`ö` cannot stand in a name, {only}")),
            ("1_a\u{1b}[31m.sql", format!("`\\u{{1b}}` cannot stand in a name, {only}")),
            ("1_x.SQL", "its ending must be in lower case".to_owned()),
            ("1_x.JS", "its ending must be in lower case".to_owned()),
            ("1_x.test.js", format!("`.` cannot stand in a name, {only}")),
            (
                "18446744073709551616_x.sql",
                "version 18446744073709551616 is too large: the largest is 18446744073709551615".to_owned(),
            ),
        ];
        for (file, expected) in cases {
            let FileName::Malformed { message, .. } = FileName::parse(file) else { panic!("{file}") };
            assert_eq!(message, expected, "{file}");
        }
    }

    proptest! {
        #[test]
        fn judges_every_name(name in "([0-9]{1,25})?[_a-zé.\u{0}\u{1b}/ -]{0,9}([.](up|down))?([.](sql|wasm|toml|SQL))?") {
            if let FileName::Part { version, name: words, part, .. } = FileName::parse(&name) {
                let end = format!("{version}_{words}{}", part.ending());
                prop_assert!(name.ends_with(&end));
            }
        }
    }
}
