//! The `[limits]` of a manifest or a policy, read strictly.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::amount;
use super::limit::{Limit, Unit};

/// Limits by name, as a manifest asks for them or a policy gives them; what is left out is left to the host.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    amounts: BTreeMap<Limit, u64>,
}

impl Limits {
    /// Returns what is said about a limit: a count, bytes or milliseconds.
    pub fn get(&self, limit: Limit) -> Option<u64> {
        self.amounts.get(&limit).copied()
    }

    /// Says something about a limit: a count, bytes or milliseconds.
    #[must_use]
    pub fn with(mut self, limit: Limit, amount: u64) -> Self {
        self.amounts.insert(limit, amount);
        self
    }

    /// Returns what is said, in the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = (Limit, u64)> {
        self.amounts.iter().map(|(limit, amount)| (*limit, *amount))
    }

    /// Writes them as the lines of a table.
    pub fn to_toml(&self) -> String {
        let line = |(limit, amount): (Limit, u64)| match limit.unit() {
            Unit::Count => format!("{} = {amount}\n", limit.key()),
            Unit::Bytes | Unit::Time => format!("{} = \"{}\"\n", limit.key(), limit.text(amount)),
        };
        self.iter().map(line).collect()
    }

    /// Tells whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.amounts.is_empty()
    }
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TableVisitor)
    }
}

struct TableVisitor;

impl<'de> Visitor<'de> for TableVisitor {
    type Value = Limits;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a table of limits")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Limits, A::Error> {
        let mut limits = Limits::default();
        while let Some(limit) = map.next_key_seed(Key)? {
            let amount = map.next_value_seed(Amount(limit))?;
            if limits.amounts.insert(limit, amount).is_some() {
                return Err(A::Error::duplicate_field(limit.key()));
            }
        }
        Ok(limits)
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Limit;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Limit, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Limit;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a limit")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Limit, E> {
        Limit::by_key(key).ok_or_else(|| {
            // In the words of a derived struct, which the manifest's hints are made from.
            let known: Vec<String> = Limit::ALL.iter().map(|limit| format!("`{}`", limit.key())).collect();
            E::custom(format_args!("unknown field `{key}`, expected one of {}", known.join(", ")))
        })
    }
}

/// Reads the amount of one limit.
struct Amount(Limit);

impl<'de> DeserializeSeed<'de> for Amount {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Amount {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.unit() {
            Unit::Count => write!(formatter, "a whole number from 1 to {}", i64::MAX),
            Unit::Bytes => formatter.write_str("a number of bytes or a text such as \"64MiB\""),
            Unit::Time => formatter.write_str("a time such as \"500ms\", \"60s\", \"10m\", \"1h\""),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        let wrong = |visitor: &Self| E::invalid_value(serde::de::Unexpected::Signed(number), visitor);
        match self.0.unit() {
            Unit::Count | Unit::Bytes => {
                u64::try_from(number).ok().filter(|number| *number > 0).ok_or_else(|| wrong(&self))
            }
            Unit::Time => Err(E::invalid_type(serde::de::Unexpected::Signed(number), &self)),
        }
    }

    fn visit_i128<E: Error>(self, number: i128) -> Result<u64, E> {
        Err(E::invalid_value(serde::de::Unexpected::Other(&format!("integer `{number}`")), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        let shown = text.escape_debug();
        let amount = match self.0.unit() {
            Unit::Count => return Err(E::invalid_type(serde::de::Unexpected::Str(text), &self)),
            Unit::Bytes => amount::parse_size(text)
                .ok_or_else(|| format!("\"{shown}\" is not an amount of memory: write \"64MiB\", \"1GiB\"")),
            Unit::Time => amount::parse_time(text)
                .ok_or_else(|| format!("\"{shown}\" is not a time: write \"500ms\", \"60s\", \"10m\", \"1h\"")),
        };
        // A signed integer is what TOML and the history hold.
        amount.map(|amount| amount.min(i64::MAX.unsigned_abs())).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_toml_and_refuses_zero() {
        let text = "fuel = 1_000_000\nmemory = 65536\ntime = '2s'\ndatabase_growth = '1GiB'";
        let limits: Limits = toml::from_str(text).expect("limits");
        let expected = Limits::default()
            .with(Limit::Fuel, 1_000_000)
            .with(Limit::Memory, 65536)
            .with(Limit::Time, 2_000)
            .with(Limit::DatabaseGrowth, 1 << 30);
        assert_eq!(limits, expected);
        assert_eq!(limits.iter().count(), 4);
        for text in ["fuel = 0", "fuel = -1", "fuel = '1'", "memory = 0", "memory = true", "time = 5", "x = 1"] {
            assert!(toml::from_str::<Limits>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_limit_can_be_written_the_way_it_is_shown() {
        for limit in Limit::ALL {
            for amount in [limit.default_amount(), 1, 1025] {
                let limits = Limits::default().with(*limit, amount);
                let text = limits.to_toml();
                assert_eq!(toml::from_str::<Limits>(&text).expect(&text), limits, "{text}");
            }
        }
    }
}
