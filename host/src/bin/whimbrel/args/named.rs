//! How a migration, a file to write and a layout are named on the command line.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command};
use whimbrel::model::{Dependency, DependencyError, Key, VersionError};
use whimbrel::source::{Layout, UnknownLayout};

use super::{Args, Verb};

/// A migration, and its chain if that was typed before it: `7`, `billing:7`. What is no version is the name of a repeatable one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Named {
    pub(crate) chain: Option<String>,
    pub(crate) key: Key,
}

impl FromStr for Named {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if let Ok(Dependency { chain, version }) = text.parse() {
            return Ok(Self { chain, key: Key::Version(version) });
        }
        Ok(match text.split_once(':') {
            Some((chain, name)) => Self { chain: Some(chain.to_owned()), key: Key::Name(name.to_owned()) },
            None => Self { chain: None, key: Key::Name(text.to_owned()) },
        })
    }
}

impl Verb {
    /// Returns the chain that was typed before a migration: it is as if it was said with `--chain`.
    fn chain(&self) -> Option<&str> {
        let said = match self {
            Self::Up(args) => args.until.to.as_ref().map(|to| &to.chain),
            Self::Down(args) => args.until.to.as_ref().map(|to| &to.chain),
            Self::Plan(args) => args.until.to.as_ref().map(|to| &to.chain),
            Self::Test(args) => args.until.to.as_ref().map(|to| &to.chain),
            Self::Baseline(args) => Some(&args.version.chain),
            Self::Preview(args) => Some(&args.target.chain),
            Self::Rejects(args) => Some(&args.target.chain),
            Self::History(args) => args.body.as_ref().map(|body| &body.chain),
            Self::Repair(args) => args.target.as_ref().map(|target| &target.chain),
            _ => None,
        };
        said?.as_deref()
    }
}

impl Args {
    /// Takes the chain that was typed before a migration for one of `--chain`, of which it must be one if there are some.
    pub(super) fn with_chain_of_migration(mut self) -> Result<Self, String> {
        let Some(chain) = self.verb.chain().map(str::to_owned) else { return Ok(self) };
        let named = &self.globals.chains;
        if !named.is_empty() && !named.contains(&chain) {
            let named = named.join(", ");
            return Err(format!(
                "the migration is one of the chain {}, and --chain names {}",
                chain.escape_debug(),
                named.escape_debug()
            ));
        }
        self.globals.chains = vec![chain];
        Ok(self)
    }
}

/// Reads a version, with its chain before it or not.
pub(super) fn version(text: &str) -> Result<Dependency, VersionError> {
    text.parse().map_err(|error: DependencyError| error.source)
}

/// Reads a file that is to be written.
pub(super) fn file_to_write(text: &str) -> Result<PathBuf, &'static str> {
    match text {
        "-" => Err("standard output has the result: name a file, such as ./- for one of this name"),
        path => Ok(PathBuf::from(path)),
    }
}

/// Reads a layout in the words of its own, and tells shells which there are.
#[derive(Clone)]
pub(super) struct Layouts;

impl TypedValueParser for Layouts {
    type Value = Layout;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<Layout, clap::Error> {
        let read: fn(&str) -> Result<Layout, UnknownLayout> = str::parse;
        read.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Layout::ALL.into_iter().map(|layout| PossibleValue::new(layout.as_str()))))
    }
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    #[test]
    fn a_migration_is_a_version_or_a_name_behind_its_chain() {
        let version = |version: u64| Key::Version(version.into());
        let name = |name: &str| Key::Name(name.to_owned());
        for (text, chain, key) in [
            ("7", None, version(7)),
            ("billing:007", Some("billing"), version(7)),
            ("refresh", None, name("refresh")),
            ("billing:refresh", Some("billing"), name("refresh")),
            ("x1", None, name("x1")),
        ] {
            assert_eq!(text.parse(), Ok(Named { chain: chain.map(str::to_owned), key }), "{text}");
        }
    }

    #[test]
    fn the_chain_before_a_migration_is_that_of_the_verb() {
        let chains = |line: &str| {
            let words: Vec<_> = line.split(' ').map(Into::into).collect();
            Args::read(&words).map(|args| args.globals.chains).map_err(|error| error.kind())
        };
        let one = |name: &str| Ok(vec![name.to_owned()]);
        for verb in [
            "repair --forget b:1",
            "repair b:refresh --accept",
            "history --body b:1",
            "preview b:1",
            "rejects b:1",
            "baseline b:1",
            "up --to b:1",
            "down --to b:1",
            "plan --to b:1",
            "test --to b:1",
            "up --to b:1 --chain a --chain b",
        ] {
            assert_eq!(chains(&format!("whimbrel {verb}")), one("b"), "{verb}");
        }
        assert_eq!(chains("whimbrel up --to 1 --chain a"), one("a"));
        assert_eq!(chains("whimbrel test --accept b:1"), Ok(vec![]));
        assert_eq!(chains("whimbrel rejects b:1 --chain a"), Err(ErrorKind::ArgumentConflict));
    }
}
