//! Holds what is asked for against what is given. Pure.

use super::{Grant, Grants, TableGrant, Verb};

impl Grants {
    /// Returns what is asked for here and not given there, column by column.
    pub fn beyond(&self, given: &Self) -> Vec<Grant> {
        let mut refused = Vec::new();
        for verb in Verb::ALL {
            for asked in self.of(verb) {
                refused.extend(missing(asked, given.of(verb)).map(|object| Grant::On(verb, object)));
            }
        }
        let known = |name: &&String| !given.functions.iter().any(|own| own.eq_ignore_ascii_case(name));
        refused.extend(self.functions.iter().filter(known).map(|name| Grant::Function(name.clone())));
        refused
    }

    /// Adds what another collection has beyond this one.
    pub fn extend(&mut self, more: &Self) {
        for verb in Verb::ALL {
            for grant in more.of(verb) {
                Grant::On(verb, grant.clone()).add_to(self);
            }
        }
        for name in &more.functions {
            Grant::Function(name.clone()).add_to(self);
        }
    }

    /// Puts grants into one collection.
    pub fn collect<'a>(grants: impl IntoIterator<Item = &'a Grant>) -> Self {
        let mut collected = Self::default();
        for grant in grants {
            grant.add_to(&mut collected);
        }
        collected
    }
}

/// Returns what of one object is not given.
fn missing(asked: &TableGrant, given: &[TableGrant]) -> Option<TableGrant> {
    let matching: Vec<&TableGrant> = given.iter().filter(|given| given.means_tables_of(asked)).collect();
    if matching.iter().any(|given| given.columns.is_empty()) {
        return None;
    }
    if asked.columns.is_empty() {
        return Some(asked.clone());
    }
    let has =
        |column: &String| matching.iter().any(|given| given.columns.iter().any(|own| own.eq_ignore_ascii_case(column)));
    let columns: Vec<&String> = asked.columns.iter().filter(|column| !has(column)).collect();
    (!columns.is_empty()).then(|| TableGrant::columns(&asked.table, columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(text: &str) -> Grants {
        toml::from_str(text).expect(text)
    }

    #[test]
    fn names_each_grant_that_is_not_given() {
        let cases: [(&str, &str, &[&str]); 9] = [
            ("read = ['t']", "read = ['t']", &[]),
            ("read = ['T(a, b)']", "read = ['t(B)', 't(a)']", &[]),
            ("read = ['t(a, b, c)']", "read = ['t(b)']", &["read = [\"t(a, c)\"]"]),
            ("read = ['t']", "read = ['t(a)']", &["read = [\"t\"]"]),
            ("create = ['acme_x', 'acme_o*', 'other']", "create = ['acme_*']", &["create = [\"other\"]"]),
            ("create = ['acme_*']", "create = ['acme_x']", &["create = [\"acme_*\"]"]),
            ("update = ['t(a)']", "read = ['*']", &["update = [\"t(a)\"]"]),
            (
                "drop = ['x']\nfunctions = ['now', 'random']",
                "functions = ['NOW']",
                &["drop = [\"x\"]", "functions = [\"random\"]"],
            ),
            ("", "", &[]),
        ];
        for (asked, given, expected) in cases {
            let refused: Vec<String> = grants(asked).beyond(&grants(given)).iter().map(Grant::to_string).collect();
            assert_eq!(refused, expected, "{asked} against {given}");
        }
    }

    #[test]
    fn puts_grants_together_once() {
        let mut all = grants("read = ['a']");
        all.extend(&grants("read = ['a', 'b(c)']\nfunctions = ['now']"));
        assert_eq!(all, grants("read = ['a', 'b(c)']\nfunctions = ['now']"));
    }
}
