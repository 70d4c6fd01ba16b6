//! SQL functions that take something from outside the database, and the grant each needs. Only names.

use std::fmt;

/// One thing that SQL functions take from outside, under the name that `functions` in `[grants]` gives it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FunctionGrant {
    /// `random`: `random()` and `randomblob()`, with numbers that the component's digest fixes.
    Random,
    /// `now`: `CURRENT_TIMESTAMP` and its like, and date functions on 'now'. The time is the run's recorded start.
    Now,
    /// `localtime`: the modifiers 'localtime' and 'utc', which depend on the machine's time zone.
    LocalTime,
}

impl FunctionGrant {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Random, Self::Now, Self::LocalTime];

    /// Returns its name in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Now => "now",
            Self::LocalTime => "localtime",
        }
    }

    /// Reads its name in a manifest.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }

    /// Returns what a function needs whatever its arguments are; those of date functions are known only when it runs.
    pub fn of_function(name: &str) -> Option<Self> {
        const RANDOM: [&str; 2] = ["random", "randomblob"];
        const NOW: [&str; 3] = ["current_date", "current_time", "current_timestamp"];
        let among = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if among(&RANDOM) {
            Some(Self::Random)
        } else if among(&NOW) {
            Some(Self::Now)
        } else {
            None
        }
    }
}

impl fmt::Display for FunctionGrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_each_function_needs() {
        let cases = [
            ("RANDOM", Some(FunctionGrant::Random)),
            ("randomblob", Some(FunctionGrant::Random)),
            ("current_timestamp", Some(FunctionGrant::Now)),
            ("date", None),
            ("upper", None),
        ];
        for (name, needed) in cases {
            assert_eq!(FunctionGrant::of_function(name), needed, "{name}");
        }
        for grant in FunctionGrant::ALL {
            assert_eq!(FunctionGrant::parse(grant.as_str()), Some(grant));
        }
        assert_eq!(FunctionGrant::parse("date"), None);
    }
}
