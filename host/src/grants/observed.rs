//! Grants by observation: what code was seen to use, and what it asked for beyond that. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Grant, Grants, Need, TableGrant, Verb};

/// Needs that are noted, and bytes of a name. No migration comes near; code that makes up names could fill the memory.
const MOST: usize = 10_000;
const LONGEST: usize = 4096;

/// What code was seen to use.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Observed {
    needs: BTreeSet<Need>,
}

impl Observed {
    /// Adds what an action rests on; not the 10,001st need, nor one about a name of more than 4 KiB.
    pub fn add(&mut self, needs: Vec<Need>) {
        let fits = |need: &Need| match need {
            Need::On { object, column, .. } => object.len() + column.len() <= LONGEST,
            Need::AnyOf { choices } => choices.iter().all(|(_, object)| object.len() <= LONGEST),
            Need::Everything(_) | Need::Function(_) => true,
        };
        for need in needs.into_iter().filter(fits) {
            if self.needs.len() < MOST {
                self.needs.insert(need);
            }
        }
    }

    /// Returns the least grants that allow all of it.
    pub fn least(&self) -> Grants {
        let mut grants = Grants::default();
        let mut columns: BTreeMap<(Verb, &str), BTreeSet<&str>> = BTreeMap::new();
        for need in &self.needs {
            match need {
                Need::On { verb, object, column } => {
                    columns.entry((*verb, object)).or_default().insert(column);
                }
                Need::Everything(_) | Need::Function(_) => need.grant().add_to(&mut grants),
                Need::AnyOf { .. } => {}
            }
        }
        for ((verb, object), columns) in columns {
            let grant = if !verb.has_columns() || columns.contains("*") {
                TableGrant::whole(object)
            } else {
                let named: Vec<&str> = columns.into_iter().filter(|column| !column.is_empty()).collect();
                // To count rows, any column will do; this one never holds anything else.
                TableGrant::columns(object, if named.is_empty() { vec!["rowid"] } else { named })
            };
            grants.of_mut(verb).push(grant);
        }
        let open = self.needs.iter().filter(|need| matches!(need, Need::AnyOf { .. }));
        for need in open {
            if !need.is_met_by(&grants) {
                need.grant().add_to(&mut grants);
            }
        }
        grants
    }

    /// Returns what is asked for and was not used.
    pub fn unused(&self, asked: &Grants) -> Vec<Grant> {
        let mut unused = Vec::new();
        let least = self.least();
        for verb in Verb::ALL {
            for grant in asked.of(verb) {
                let used = least.of(verb).iter().filter(|used| grant.means_table(&used.table)).collect::<Vec<_>>();
                let any = self.needs.iter().any(|need| {
                    matches!(need, Need::AnyOf { choices } if choices.iter()
                    .any(|(choice, object)| *choice == verb && grant.means_table(object)))
                });
                if used.is_empty() && !any {
                    unused.push(Grant::On(verb, grant.clone()));
                    continue;
                }
                let of_no_use = |column: &&String| {
                    !used.iter().any(|used| used.columns.is_empty() || used.means_column(&used.table, column))
                };
                let left: Vec<&String> = grant.columns.iter().filter(of_no_use).collect();
                if !left.is_empty() && left.len() < grant.columns.len() {
                    unused.push(Grant::On(verb, TableGrant::columns(&grant.table, left)));
                }
            }
        }
        let functions = asked.functions.iter().filter(|name| !least.functions.contains(name));
        unused.extend(functions.map(|name| Grant::Function(name.clone())));
        unused
    }
}
