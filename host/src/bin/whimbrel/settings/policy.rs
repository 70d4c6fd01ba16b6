//! The policy of a chain: the `[chains.<name>]` tables of `whimbrel.toml`, read strictly.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use toml::Spanned;
use whimbrel::grants::Grants;
use whimbrel::limits::Limits;
use whimbrel::model::{Key, MigrationPolicy, Policies, Policy, Trust, Version};
use whimbrel::source::Layout;
use whimbrel::sql;

use super::config::Config;
use super::locations::{self, Location};
use super::{Place, SettingsError, chain_name, config, placeholders};

/// The tables by the names of their chains.
pub(super) type Chains = BTreeMap<String, Spanned<ChainTable>>;

/// One `[chains.<name>]`.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ChainTable {
    #[serde(deserialize_with = "locations::one_or_several")]
    dir: Vec<Location>,
    /// Whose way its folder is laid out.
    #[serde(deserialize_with = "config::layout")]
    pub(super) layout: Option<Layout>,
    trust: TrustWord,
    namespace: Option<String>,
    grants: Option<Grants>,
    limits: Limits,
    migrations: BTreeMap<MigrationKey, MigrationTable>,
    /// Whether the history keeps the bytes of what is applied from it.
    pub(super) keep_bodies: Option<bool>,
    /// Values for names in its scripts.
    pub(super) placeholders: placeholders::Table,
}

impl ChainTable {
    /// Tells whether it is somebody else's.
    pub(super) fn is_untrusted(&self) -> bool {
        matches!(self.trust, TrustWord::Untrusted)
    }
}

/// One `[chains.<name>.migrations.<version>]`.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MigrationTable {
    grants: Option<Grants>,
    limits: Limits,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TrustWord {
    #[default]
    Owner,
    Untrusted,
}

/// What names a migration as the key of a table: a version, or the name of one that is repeatable.
#[derive(Clone, Eq, Ord, PartialEq, PartialOrd)]
struct MigrationKey(Key);

impl<'de> Deserialize<'de> for MigrationKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match Version::from_str(&text) {
            Ok(version) => Ok(Self(Key::Version(version))),
            Err(error) if text.chars().all(|letter| letter.is_ascii_digit() || letter == '.') => {
                Err(serde::de::Error::custom(format!("\"{}\" is no version: {error}", text.escape_debug())))
            }
            // That there is one of this name is seen when there is a chain.
            Err(_) => Ok(Self(Key::Name(text))),
        }
    }
}

/// What is wrong with a table, and the byte where it begins.
pub(super) struct WrongPolicy {
    pub(super) offset: usize,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// Makes the policy of a chain; a chain without a table is the operator's own.
pub(super) fn of(chains: &Chains, chain: &str) -> Policy {
    chains.get(chain).map(|table| make(table.get_ref()).unwrap_or_default()).unwrap_or_default()
}

/// Returns the chains that have places of their own, with them; `folder` is where relative paths begin.
pub(super) fn locations(chains: &Chains, folder: &Path) -> Vec<(String, Vec<Location>)> {
    let below = |table: &ChainTable| table.dir.iter().map(|dir| dir.clone().below(folder)).collect::<Vec<_>>();
    let all = chains.iter().map(|(name, table)| (name.clone(), below(table.get_ref())));
    all.filter(|(_, locations)| !locations.is_empty()).collect()
}

/// Refuses a chain that has the name of the default one and another place, where that has one, too.
pub(super) fn check_default(chains: &Chains, default: &str, dir: &[Location]) -> Result<(), SettingsError> {
    let is_twice = !dir.is_empty() && chains.get(default).is_some_and(|table| !table.get_ref().dir.is_empty());
    let name = default.escape_debug();
    let message = format!("two chains have the name {name}: that of `dir`, and that of `[chains.{name}]`");
    let hint = Some("leave one of the two `dir` out, or give the chain of `dir` another name with `chain`".to_owned());
    match is_twice {
        true => Err(SettingsError { code: "chain", message, hint, place: None }),
        false => Ok(()),
    }
}

/// Checks every table, also of chains that are not run now.
pub(super) fn check(chains: &Chains) -> Result<(), WrongPolicy> {
    let mut policies = Policies::default();
    for (name, table) in chains {
        let offset = table.span().start;
        let wrong = |message: String, hint: Option<String>| WrongPolicy {
            offset,
            message: format!("the chain {}: {message}", name.escape_debug()),
            hint,
        };
        chain_name::check(name).map_err(|message| WrongPolicy { offset, message, hint: None })?;
        let policy =
            make(table.get_ref()).map_err(|(message, hint)| wrong(message.to_owned(), Some(hint.to_owned())))?;
        policy.check().map_err(|error| wrong(error.to_string(), None))?;
        policies.set(name, policy);
        policies.check_apart().map_err(|error| WrongPolicy { offset, message: error.to_string(), hint: None })?;
    }
    Ok(())
}

/// Refuses the table of a chain that is not there: what it says would hold for nobody.
pub(super) fn check_names(config: &Config, names: &[String]) -> Result<(), SettingsError> {
    let Some(unknown) = config.chains.keys().find(|name| !names.contains(name)) else { return Ok(()) };
    let hint = match sql::nearest(unknown, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? A chain of its own has a `dir`"),
        None => format!("give it a `dir`, or take the table away; known are {}", names.join(", ")),
    };
    let place = Place { file: config.file.display().to_string(), position: config.places.get(unknown).copied() };
    let message = format!("`[chains.{0}]` is about the chain {0}, which is not there", unknown.escape_debug());
    Err(SettingsError { place: Some(place), ..SettingsError::new("settings", message, hint) })
}

fn make(table: &ChainTable) -> Result<Policy, (&'static str, &'static str)> {
    let trust = match (table.trust, &table.namespace) {
        (TrustWord::Owner, None) => Trust::Owner,
        (TrustWord::Untrusted, Some(namespace)) => Trust::Untrusted { namespace: namespace.clone() },
        (TrustWord::Owner, Some(_)) => {
            return Err((
                "only an untrusted one has a namespace",
                "write `trust = \"untrusted\"`, or leave `namespace` out",
            ));
        }
        (TrustWord::Untrusted, None) => {
            return Err((
                "an untrusted one needs a namespace",
                "write the prefix of its tables, such as `namespace = \"acme_\"`",
            ));
        }
    };
    let migrations = table.migrations.iter().map(|(key, migration)| {
        (key.0.clone(), MigrationPolicy { grants: migration.grants.clone(), limits: migration.limits.clone() })
    });
    Ok(Policy { trust, grants: table.grants.clone(), limits: table.limits.clone(), migrations: migrations.collect() })
}

#[cfg(test)]
mod tests {
    use whimbrel::limits::Limit;

    use super::*;

    #[derive(Deserialize)]
    struct File {
        chains: Chains,
    }

    #[test]
    fn reads_everything_a_policy_can_say() {
        let text = "[chains.acme]\ntrust = 'untrusted'\nnamespace = 'acme_'\n[chains.acme.grants]\nread = ['customer(id)']\n\
                    [chains.acme.limits]\nfuel = 5\n[chains.acme.migrations.0003.grants]\ndelete = ['customer']\n\
                    [chains.acme.migrations.0003.limits]\nfuel = 9\n\
                    [chains.acme.migrations.refresh.limits]\nfuel = 10\n";
        let file: File = toml::from_str(text).expect("policy");
        assert!(check(&file.chains).is_ok());
        let policy = of(&file.chains, "acme");
        assert_eq!(policy.trust, Trust::Untrusted { namespace: "acme_".into() });
        assert_eq!(policy.grants.as_ref().map(Grants::to_toml).as_deref(), Some("read = [\"customer(id)\"]\n"));
        let single = &policy.migrations[&Key::Version(Version::from(3))];
        assert_eq!(single.grants.as_ref().map(Grants::to_toml).as_deref(), Some("delete = [\"customer\"]\n"));
        assert_eq!(policy.limits_for(&Key::Name("refresh".into())).get(Limit::Fuel), Some(10));
        assert_eq!(policy.limits_for(&Key::Name("other".into())).get(Limit::Fuel), Some(5));
        assert_eq!(of(&file.chains, "main"), Policy::default());
    }

    #[test]
    fn refuses_what_cannot_be_meant() {
        let cases = [
            ("[chains.a]\ntrust = 'untrusted'", "the chain a: an untrusted one needs a namespace"),
            ("[chains.a]\nnamespace = 'x_'", "the chain a: only an untrusted one has a namespace"),
            (
                "[chains.a]\ntrust = 'untrusted'\nnamespace = 'x_'\ngrants = { view = ['customer'] }",
                "the chain a: an untrusted chain can never have view = [\"customer\"]: outside its namespace x_ it may leave \
                 no view",
            ),
            (
                "[chains.a]\ntrust = 'untrusted'\nnamespace = 'x_'\n[chains.b]\ntrust = 'untrusted'\nnamespace = 'X_y_'",
                "the namespace X_y_ of the chain b begins with x_, that of the chain a, which would have its tables; choose \
                 namespaces of which none begins with another",
            ),
        ];
        for (text, expected) in cases {
            let file: File = toml::from_str(text).expect(text);
            assert_eq!(check(&file.chains).map_err(|wrong| wrong.message), Err(expected.to_owned()), "{text}");
        }
        for (text, expected) in [
            ("[chains.a]\ntrsut = 'owner'", "unknown field `trsut`"),
            ("[chains.a]\ntrust = 'friend'", "unknown variant `friend`"),
            ("[chains.a.grants]\nreed = []", "unknown field `reed`"),
            ("[chains.a.grants]\ndelete = ['t(a)']", "only read, update and reference take columns"),
            ("[chains.a.migrations.99999999999999999999999.grants]\nread = []", "is no version"),
        ] {
            let error = toml::from_str::<File>(text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
