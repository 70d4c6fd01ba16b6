//! What an operator gives the migrations of one chain. Decides by comparing; enforces nothing.

use std::collections::BTreeMap;

use super::Key;
use crate::grants::{Grant, Grants, TableGrant, Verb, quoted};
use crate::limits::Limits;
use crate::shown::Shown;

/// Whose chain it is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Trust {
    /// The application's own: given everything unless the policy says what.
    #[default]
    Owner,
    /// Somebody else's: given nothing but tables and indexes whose names begin with its own prefix, unless the policy
    /// gives more.
    Untrusted {
        /// The prefix, such as `acme_`.
        namespace: String,
    },
}

/// What is given to one migration beyond its chain.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MigrationPolicy {
    /// Grants.
    pub grants: Option<Grants>,
    /// Most it may use.
    pub limits: Limits,
}

/// What an operator gives the migrations of one chain.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// Whose chain it is.
    pub trust: Trust,
    /// Grants for every migration of the chain. An owner's chain without them, here and below, has everything.
    pub grants: Option<Grants>,
    /// Most that each migration of the chain may use.
    pub limits: Limits,
    /// What single migrations are given beyond that, each by its version, or by its name where it is repeatable.
    pub migrations: BTreeMap<Key, MigrationPolicy>,
}

/// Why a policy cannot be meant.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A prefix that would hold too much, or nothing.
    #[error("\"{}\" cannot be a namespace: write letters, digits and underscores, such as \"acme_\"", .namespace.escape_debug())]
    Namespace {
        /// The prefix.
        namespace: String,
    },
    /// Something left behind outside the namespace, which would run later with other rights.
    #[error("an untrusted chain can never have {grant}: outside its namespace {namespace} it may leave no {verb}")]
    OutsideNamespace {
        /// The prefix.
        namespace: String,
        /// `trigger` or `view`.
        verb: Verb,
        /// What was given, as a line of the policy.
        grant: Grant,
    },
    /// Two namespaces of which one begins with the other: who has the shorter one has the tables of both.
    #[error(
        "the namespace {namespace} of the chain {} begins with {shorter}, that of the chain {}, which would have its tables; \
         choose namespaces of which none begins with another", Shown(.chain), Shown(.of)
    )]
    NamespaceInside {
        /// The chain that is not protected.
        chain: String,
        /// Its prefix.
        namespace: String,
        /// The chain that would have its tables.
        of: String,
        /// The prefix of that one.
        shorter: String,
    },
}

/// The kinds of grant that an untrusted chain has inside its namespace.
const INSIDE: [Verb; 8] =
    [Verb::Read, Verb::Insert, Verb::Update, Verb::Delete, Verb::Create, Verb::Reference, Verb::Alter, Verb::Drop];

impl Policy {
    /// Refuses what no policy can give.
    pub fn check(&self) -> Result<(), PolicyError> {
        let Trust::Untrusted { namespace } = &self.trust else { return Ok(()) };
        let letters = namespace.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let reserved = "sqlite_".starts_with(&namespace.to_ascii_lowercase());
        if namespace.is_empty() || !letters || reserved {
            return Err(PolicyError::Namespace { namespace: namespace.clone() });
        }
        let single = self.migrations.values().filter_map(|migration| migration.grants.as_ref());
        for grants in self.grants.iter().chain(single) {
            for verb in [Verb::Trigger, Verb::View] {
                if let Some(outside) = grants.of(verb).iter().find(|grant| !is_inside(grant, namespace)) {
                    let (namespace, grant) = (namespace.clone(), Grant::On(verb, outside.clone()));
                    return Err(PolicyError::OutsideNamespace { namespace, verb, grant });
                }
            }
        }
        Ok(())
    }

    /// Returns what a migration is given; `None` is everything.
    pub fn given(&self, key: &Key) -> Option<Grants> {
        let single = self.migrations.get(key).and_then(|migration| migration.grants.as_ref());
        let mut given = match &self.trust {
            Trust::Owner if self.grants.is_none() && single.is_none() => return None,
            Trust::Owner => Grants::default(),
            Trust::Untrusted { namespace } => inside(namespace),
        };
        for grants in self.grants.iter().chain(single) {
            given.extend(grants);
        }
        Some(given)
    }

    /// Puts together what a migration asks for and what it is given; `None` is everything. What it asks for beyond what
    /// it is given is an error.
    ///
    /// A migration of an owner's chain that asks for nothing in particular takes what there is; an untrusted one has to
    /// ask.
    pub fn effective(&self, key: &Key, asked: Option<&Grants>) -> Result<Option<Grants>, Vec<Grant>> {
        match (asked, self.given(key)) {
            (None, None) => Ok(None),
            (None, Some(given)) => Ok(Some(match self.trust {
                Trust::Owner => given,
                Trust::Untrusted { .. } => Grants::default(),
            })),
            (Some(asked), None) => Ok(Some(asked.clone())),
            (Some(asked), Some(given)) => match asked.beyond(&given) {
                refused if refused.is_empty() => Ok(Some(asked.clone())),
                refused => Err(refused),
            },
        }
    }

    /// Returns what can never be given of what was refused.
    pub fn never(&self, refused: &[Grant]) -> Vec<Grant> {
        let Trust::Untrusted { namespace } = &self.trust else { return Vec::new() };
        let outside = |grant: &&Grant| matches!(grant, Grant::On(Verb::Trigger | Verb::View, object) if !is_inside(object, namespace));
        refused.iter().filter(outside).cloned().collect()
    }

    /// Returns the most that a migration may use: its own limits before those of its chain.
    pub fn limits_for(&self, key: &Key) -> Limits {
        let single = self.migrations.get(key).map(|migration| &migration.limits);
        let more = single.into_iter().flat_map(Limits::iter);
        more.fold(self.limits.clone(), |limits, (limit, amount)| limits.with(limit, amount))
    }

    /// Writes the part of `whimbrel.toml` that gives a migration these grants, ready to paste. One whose name is read as a
    /// version is given them with its chain: nothing there can name it.
    pub fn snippet(chain: &str, of: &Key, grants: &Grants) -> String {
        format!("{}\n{}", Self::table(chain, of, "grants"), grants.to_toml())
    }

    /// Writes the lines of `whimbrel.toml` that set the limits of a migration, or as for [`snippet`](Self::snippet) of its chain.
    pub fn limits_snippet(chain: &str, of: &Key, limits: &Limits) -> String {
        format!("{}\n{}", Self::table(chain, of, "limits"), limits.to_toml())
    }

    fn table(chain: &str, of: &Key, part: &str) -> String {
        let bare = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        };
        let key = |text: &str| if bare(text) { text.to_owned() } else { quoted(text) };
        let chain = key(chain);
        if of.is_ambiguous() {
            return format!(
                "# for the whole chain: {} is read as a version here; give it another name to give it this alone\n[chains.{chain}.{part}]",
                quoted(&of.to_string())
            );
        }
        let of = key(&of.to_string());
        format!("[chains.{chain}.migrations.{of}.{part}]")
    }

    /// Tells whether it is somebody else's chain.
    pub fn is_untrusted(&self) -> bool {
        self.trust != Trust::Owner
    }
}

/// Everything an untrusted chain may do inside its namespace without being given it.
fn inside(namespace: &str) -> Grants {
    let mut grants = Grants::default();
    for verb in INSIDE {
        grants.of_mut(verb).push(TableGrant::whole(format!("{namespace}*")));
    }
    grants
}

fn is_inside(grant: &TableGrant, namespace: &str) -> bool {
    begins_with(grant.table.trim_end_matches('*'), namespace)
}

/// Tells whether a name begins with a namespace, as SQLite compares names.
pub(super) fn begins_with(name: &str, namespace: &str) -> bool {
    let start = name.as_bytes().get(..namespace.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(namespace.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limit;
    use crate::model::Version;

    fn grants(text: &str) -> Grants {
        toml::from_str(text).expect(text)
    }

    fn untrusted(text: &str) -> Policy {
        let trust = Trust::Untrusted { namespace: "acme_".into() };
        Policy { trust, grants: Some(grants(text)), ..Policy::default() }
    }

    fn refused(policy: &Policy, asked: &str) -> Vec<String> {
        let effective = policy.effective(&Key::Version(Version::from(1)), Some(&grants(asked)));
        effective.expect_err(asked).iter().map(Grant::to_string).collect()
    }

    #[test]
    fn an_owner_has_everything_unless_the_policy_says_what() {
        let key = Key::Version(Version::from(1));
        let asked = grants("read = ['t']");
        let open = Policy::default();
        assert_eq!(open.effective(&key, None), Ok(None));
        assert_eq!(open.effective(&key, Some(&asked)), Ok(Some(asked.clone())));
        let narrow = Policy { grants: Some(grants("read = ['t(a)']")), ..Policy::default() };
        assert_eq!(narrow.effective(&key, None), Ok(narrow.grants.clone()));
        assert_eq!(refused(&narrow, "read = ['t(a, b)']"), ["read = [\"t(b)\"]"]);
    }

    #[test]
    fn an_untrusted_chain_has_its_namespace_and_what_it_is_given() {
        let policy = untrusted("read = ['customer(id)']");
        let key = Key::Version(Version::from(1));
        assert_eq!(policy.effective(&key, None), Ok(Some(Grants::default())));
        let fine = grants("read = ['ACME_order', 'customer(id)']\ncreate = ['acme_*']\ndrop = ['acme_x']");
        assert_eq!(policy.effective(&key, Some(&fine)), Ok(Some(fine)));
        let asked = "read = ['customer', '*']\ntrigger = ['acme_order']\nview = ['all_orders']";
        assert_eq!(
            refused(&policy, asked),
            ["read = [\"customer\"]", "read = [\"*\"]", "trigger = [\"acme_order\"]", "view = [\"all_orders\"]"]
        );
        let refused = policy.effective(&key, Some(&grants(asked))).unwrap_err();
        let never: Vec<String> = policy.never(&refused).iter().map(Grant::to_string).collect();
        assert_eq!(never, ["view = [\"all_orders\"]"]);
    }

    #[test]
    fn what_is_to_be_pasted_gives_to_nobody_else() {
        let grants = grants("read = ['customer']");
        let table = |key: Key| Policy::snippet("acme", &key, &grants).lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(table(Key::Version(Version::from(1)))[0], "[chains.acme.migrations.1.grants]");
        assert_eq!(table(Key::Name("totals".into()))[0], "[chains.acme.migrations.totals.grants]");
        let numbered = table(Key::Name("1".into()));
        assert_eq!(
            numbered[..2],
            [
                "# for the whole chain: \"1\" is read as a version here; give it another name to give it this alone",
                "[chains.acme.grants]"
            ]
        );
    }

    #[test]
    fn single_migrations_get_more() {
        let single = MigrationPolicy {
            grants: Some(grants("delete = ['customer']")),
            limits: Limits::default().with(Limit::Fuel, 7),
        };
        let mut policy = untrusted("");
        policy.limits = Limits::default().with(Limit::Fuel, 5).with(Limit::Memory, 3);
        policy.migrations.insert(Key::Version(Version::from(2)), single);
        let asked = grants("delete = ['customer']");
        assert!(policy.effective(&Key::Version(Version::from(1)), Some(&asked)).is_err());
        assert!(policy.effective(&Key::Version(Version::from(2)), Some(&asked)).is_ok());
        assert_eq!(policy.limits_for(&Key::Version(Version::from(1))).get(Limit::Fuel), Some(5));
        assert_eq!(policy.limits_for(&Key::Version(Version::from(2))).get(Limit::Fuel), Some(7));
        assert_eq!(policy.limits_for(&Key::Version(Version::from(2))).get(Limit::Memory), Some(3));
    }

    #[test]
    fn refuses_policies_that_cannot_be_meant() {
        for namespace in ["", "s", "SQLITE_", "a b", "acme*"] {
            let trust = Trust::Untrusted { namespace: namespace.into() };
            assert!(Policy { trust, ..Policy::default() }.check().is_err(), "{namespace}");
        }
        for text in ["trigger = ['customer']", "view = ['*']", "view = ['acm*']", "trigger = ['acme']"] {
            let error = untrusted(text).check().expect_err(text);
            assert!(matches!(error, PolicyError::OutsideNamespace { .. }), "{error}");
        }
        assert_eq!(untrusted("trigger = ['acme_x']\nview = ['Acme_*']").check(), Ok(()));
        assert_eq!(Policy { grants: Some(grants("view = ['*']")), ..Policy::default() }.check(), Ok(()));
    }
}
