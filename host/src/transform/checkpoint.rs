//! How far a transform in chunks is, as the history keeps it. Writes and reads JSON only.

use serde_json::{Map, Value as Json, json};

use super::run::{Counts, Reject};
use crate::db::Value;

/// How far a transform in chunks is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// The scan key of the last row; none before the first.
    pub key: Option<Vec<Value>>,
    /// What has become of rows.
    pub counts: Counts,
    /// Rows there were at the beginning.
    pub total: u64,
}

impl Checkpoint {
    /// Writes it.
    pub fn to_json(&self) -> String {
        let Counts { rows, written, unchanged, rejected } = self.counts;
        let key = self.key.as_ref().map(|key| key.iter().map(json_value).collect::<Vec<_>>());
        json!({ "checkpoint": {
            "key": key, "rows": rows, "written": written, "unchanged": unchanged, "rejected": rejected,
            "total": self.total,
        }})
        .to_string()
    }

    /// Reads what [`to_json`](Self::to_json) wrote; `None` for anything else.
    pub fn from_json(text: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(text).ok()?;
        let checkpoint = json.get("checkpoint")?;
        let number = |name: &str| checkpoint.get(name).and_then(Json::as_u64);
        let key = match checkpoint.get("key")? {
            Json::Null => None,
            Json::Array(values) => Some(values.iter().map(value).collect::<Option<Vec<Value>>>()?),
            _ => return None,
        };
        let counts = Counts {
            rows: number("rows")?,
            written: number("written")?,
            unchanged: number("unchanged")?,
            rejected: number("rejected")?,
        };
        Some(Self { key, counts, total: number("total")? })
    }
}

/// Writes the values of a row kept aside.
pub fn reject_json(reject: &Reject, key: &[String], read: &[String]) -> String {
    let named = |names: &[String], values: &[Value]| -> Map<String, Json> {
        names.iter().cloned().zip(values.iter().map(json_value)).collect()
    };
    json!({ "key": named(key, &reject.key_values), "read": named(read, &reject.values) }).to_string()
}

/// Reads the key of a row kept aside, in the order of these columns; `None` for what [`reject_json`] did not write.
pub fn reject_key(values: &str, key: &[String]) -> Option<Vec<Value>> {
    let json: Json = serde_json::from_str(values).ok()?;
    let named = json.get("key")?;
    key.iter().map(|name| value(named.get(name)?)).collect()
}

/// Numbers are texts, since not every reader of JSON keeps 64 bits.
fn json_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => json!({ "integer": i64::from(*value).to_string() }),
        Value::Integer(value) => json!({ "integer": value.to_string() }),
        Value::Real(value) => json!({ "real": format!("{:016x}", value.to_bits()), "about": value.to_string() }),
        Value::Text(text) => json!({ "text": text }),
        Value::Blob(bytes) => {
            json!({ "blob": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() })
        }
    }
}

fn value(json: &Json) -> Option<Value> {
    let text = |name: &str| json.get(name).and_then(Json::as_str);
    if json.is_null() {
        return Some(Value::Null);
    }
    if let Some(integer) = text("integer") {
        return integer.parse().ok().map(Value::Integer);
    }
    if let Some(bits) = text("real") {
        return u64::from_str_radix(bits, 16).ok().map(|bits| Value::Real(f64::from_bits(bits)));
    }
    if let Some(text) = text("text") {
        return Some(Value::Text(text.to_owned()));
    }
    let hex = text("blob")?.as_bytes();
    let (pairs, []) = hex.as_chunks::<2>() else { return None };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect::<Option<Vec<u8>>>().map(Value::Blob)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::Integer),
            any::<f64>().prop_map(Value::Real),
            ".*".prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Blob),
        ]
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(key in prop::option::of(prop::collection::vec(values(), 1..4)), rows: u64, total: u64) {
            let checkpoint = Checkpoint { key, counts: Counts { rows, ..Counts::default() }, total };
            prop_assert_eq!(Checkpoint::from_json(&checkpoint.to_json()), Some(checkpoint));
        }

        #[test]
        fn finds_the_key_of_a_row_kept_aside(key_values in prop::collection::vec(values(), 1..4)) {
            let names: Vec<String> = (0..key_values.len()).map(|number| format!("k{number}")).collect();
            let reject = Reject { key: String::new(), key_values, values: Vec::new(), reason: String::new() };
            let found = reject_key(&reject_json(&reject, &names, &[]), &names);
            prop_assert_eq!(found.as_ref(), Some(&reject.key_values));
            prop_assert_eq!(reject_key("{\"key\":{}}", &names), None);
        }

        #[test]
        fn survives_every_text(text in "(\\{|\\}|\"|checkpoint|key|:|,|\\[|\\]|1|null|rows){0,20}") {
            let _ = Checkpoint::from_json(&text);
        }
    }
}
