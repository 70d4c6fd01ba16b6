//! One grant that something needs.

use std::fmt;

use super::grant::quoted;
use super::{Grants, TableGrant, Verb};

/// One permission: a line of `[grants]` with one object.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Grant {
    /// On a table, an index or a view.
    On(Verb, TableGrant),
    /// For an SQL function.
    Function(String),
}

impl Grant {
    /// Adds itself to a collection that does not have it yet.
    pub fn add_to(&self, grants: &mut Grants) {
        match self {
            Self::On(verb, object) if !grants.of(*verb).contains(object) => grants.of_mut(*verb).push(object.clone()),
            Self::Function(name) if !grants.functions.contains(name) => grants.functions.push(name.clone()),
            Self::On(..) | Self::Function(_) => {}
        }
    }
}

impl fmt::Display for Grant {
    /// Writes it as a line of TOML: `update = ["customer(email)"]`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(verb, object) => write!(formatter, "{verb} = [{}]", quoted(&object.to_string())),
            Self::Function(name) => write!(formatter, "functions = [{}]", quoted(name)),
        }
    }
}

/// What an action needs: any of these.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Need {
    /// A grant of this kind on the column, or on the table when the column is empty.
    On {
        /// What is done.
        verb: Verb,
        /// To which table, index or view.
        object: String,
        /// To which column; empty for the object as such, `*` for all columns there may be.
        column: String,
    },
    /// A grant of any of the kinds; the first is the one to name.
    AnyOf {
        /// What would do, and on what.
        choices: Vec<(Verb, String)>,
    },
    /// The whole of everything, since what is touched cannot be told.
    Everything(Verb),
    /// The function, under its name in `functions`.
    Function(String),
}

impl Need {
    /// Means an object as such.
    pub(super) fn object(verb: Verb, object: &str) -> Self {
        Self::On { verb, object: object.to_owned(), column: String::new() }
    }

    /// Tells whether the grants fulfil it.
    pub fn is_met_by(&self, grants: &Grants) -> bool {
        match self {
            Self::On { verb, object, column } if column.is_empty() => {
                grants.of(*verb).iter().any(|grant| grant.means_table(object))
            }
            Self::On { verb, object, column } => {
                grants.of(*verb).iter().any(|grant| grant.means_column(object, column))
            }
            Self::AnyOf { choices } => {
                choices.iter().any(|(verb, object)| grants.of(*verb).iter().any(|grant| grant.means_table(object)))
            }
            Self::Everything(verb) => {
                grants.of(*verb).iter().any(|grant| grant.table == "*" && grant.columns.is_empty())
            }
            Self::Function(name) => grants.functions.iter().any(|own| own.eq_ignore_ascii_case(name)),
        }
    }

    /// Returns the least grant that would do.
    pub fn grant(&self) -> Grant {
        match self {
            Self::On { verb, object, column } if matches!(column.as_str(), "" | "*") || !verb.has_columns() => {
                Grant::On(*verb, TableGrant::whole(object))
            }
            Self::On { verb, object, column } => Grant::On(*verb, TableGrant::columns(object, [column])),
            Self::AnyOf { choices } => match choices.first() {
                Some((verb, object)) => Grant::On(*verb, TableGrant::whole(object)),
                None => Grant::On(Verb::Read, TableGrant::whole("*")),
            },
            Self::Everything(verb) => Grant::On(*verb, TableGrant::whole("*")),
            Self::Function(name) => Grant::Function(name.clone()),
        }
    }
}
