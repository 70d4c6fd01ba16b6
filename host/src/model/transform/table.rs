//! The `[transform]` of a manifest as it is written, read strictly.

use std::num::{NonZeroU32, NonZeroUsize};

use serde::{Deserialize, Deserializer};

use super::{Chunk, MAX_CHUNK, MAX_JOBS, MAX_REJECTS, OnError, RowSource, Target, TransformSpec, WriteMode};
use crate::sql;

/// The table as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::model) struct TransformTable {
    table: Option<String>,
    query: Option<String>,
    #[serde(deserialize_with = "names")]
    key: Vec<String>,
    #[serde(deserialize_with = "names")]
    read: Vec<String>,
    #[serde(deserialize_with = "names")]
    write: Vec<String>,
    into: Option<String>,
    mode: Option<WriteMode>,
    chunk: Chunk,
    on_error: Option<OnErrorWord>,
    #[serde(deserialize_with = "max_rejects")]
    max_rejects: Option<u64>,
    r#where: Option<String>,
    #[serde(deserialize_with = "jobs")]
    jobs: Option<NonZeroUsize>,
    down: Option<DownTable>,
}

/// What of the inverse is not the opposite of the transform.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DownTable {
    #[serde(deserialize_with = "names")]
    read: Vec<String>,
    #[serde(deserialize_with = "names")]
    write: Vec<String>,
    r#where: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum OnErrorWord {
    Stop,
    Skip,
}

impl TryFrom<TransformTable> for TransformSpec {
    type Error = String;

    fn try_from(given: TransformTable) -> Result<Self, String> {
        let blank = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
        for (name, text) in
            [("table", &given.table), ("query", &given.query), ("into", &given.into), ("where", &given.r#where)]
        {
            if blank(text) {
                return Err(format!("`{name}` of the transform is blank"));
            }
        }
        // The query may end as a statement does.
        let query = given.query.as_deref().map(|query| query.trim_end().trim_end_matches(';'));
        let down = given.down.as_ref().and_then(|down| down.r#where.as_deref());
        let parts = [("`query`", query), ("`where`", given.r#where.as_deref()), ("`where` in the down", down)];
        for (name, text) in parts.into_iter().filter_map(|(name, text)| Some((name, text?))) {
            if let Some(why) = sql::leaves_parentheses(text) {
                return Err(format!("{name} of the transform {why}"));
            }
        }
        let source = match (given.table, given.query) {
            (Some(table), None) => RowSource::Table(table),
            (None, Some(query)) => RowSource::Query(query),
            (None, None) => return Err("a transform needs `table` or `query`, to know its rows".into()),
            (Some(_), Some(_)) => return Err("a transform has `table` or `query`, not both".into()),
        };
        if given.read.is_empty() {
            return Err("a transform needs `read`: the columns that the component is given".into());
        }
        if given.write.is_empty() {
            return Err("a transform needs `write`: the columns that the component gives back".into());
        }
        let target = match (given.into, given.mode) {
            (Some(table), mode) => Target::Into { table, mode: mode.unwrap_or_default() },
            (None, None) => Target::InPlace,
            (None, Some(_)) => {
                return Err("`mode` is about rows that go `into` another table, and there is none".into());
            }
        };
        if let (RowSource::Table(from), Target::Into { table, .. }) = (&source, &target)
            && from.eq_ignore_ascii_case(table)
        {
            return Err(format!(
                "a transform cannot read {from} and put rows into it: leave `into` out, or choose another"
            ));
        }
        if matches!(source, RowSource::Query(_)) {
            if given.key.is_empty() {
                return Err("a transform of a query needs `key`: the columns that name a row".into());
            }
            if target == Target::InPlace {
                return Err(
                    "a transform of a query needs `into`: only rows of a `table` can be updated in place".into()
                );
            }
        }
        let written_key = given.key.iter().find(|key| given.write.iter().any(|name| name.eq_ignore_ascii_case(key)));
        if let (Target::InPlace, Some(key)) = (&target, written_key) {
            return Err(format!("a transform cannot write its own key {key}"));
        }
        let on_error = match (given.on_error.unwrap_or(OnErrorWord::Stop), given.max_rejects) {
            (OnErrorWord::Stop, None) => OnError::Stop,
            (OnErrorWord::Stop, Some(_)) => {
                return Err("`max_rejects` is only of use with `on_error = \"skip\"`".into());
            }
            (OnErrorWord::Skip, most) => OnError::Skip { max_rejects: most.unwrap_or(MAX_REJECTS) },
        };
        let down = match given.down {
            None => None,
            Some(_) if target != Target::InPlace => {
                return Err(
                    "only a transform that updates rows in place can have `[transform.down]`: rows it put into \
                            another table are taken back by a migration in SQL"
                        .into(),
                );
            }
            Some(down) if blank(&down.r#where) => return Err("`where` of the transform's down is blank".into()),
            Some(down) => Some(Box::new(Self {
                source: source.clone(),
                key: given.key.clone(),
                read: if down.read.is_empty() { given.write.clone() } else { down.read },
                write: if down.write.is_empty() { given.read.clone() } else { down.write },
                target: Target::InPlace,
                filter: down.r#where,
                chunk: Chunk::Whole,
                on_error: OnError::Stop,
                jobs: given.jobs,
                down: None,
            })),
        };
        if let Some(down) = &down
            && let Some(key) = given.key.iter().find(|key| down.write.iter().any(|name| name.eq_ignore_ascii_case(key)))
        {
            return Err(format!(
                "the transform's down cannot write its own key {key}: name under `write` what it gives back"
            ));
        }
        Ok(Self {
            down,
            source,
            key: given.key,
            read: given.read,
            write: given.write,
            target,
            filter: given.r#where,
            chunk: given.chunk,
            on_error,
            jobs: given.jobs,
        })
    }
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    for (index, name) in names.iter().enumerate() {
        if name.trim().is_empty() {
            return Err(serde::de::Error::custom("a column's name is blank"));
        }
        if names[..index].iter().any(|earlier| earlier.eq_ignore_ascii_case(name)) {
            return Err(serde::de::Error::custom(format!("column {} is there twice", name.escape_debug())));
        }
    }
    Ok(names)
}

fn max_rejects<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let most = i64::deserialize(deserializer)?;
    u64::try_from(most).map(Some).map_err(|_| serde::de::Error::custom("max_rejects must be at least 0"))
}

fn jobs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NonZeroUsize>, D::Error> {
    let jobs = i64::deserialize(deserializer)?;
    let within = usize::try_from(jobs).ok().filter(|_| jobs <= MAX_JOBS).and_then(NonZeroUsize::new);
    within.map(Some).ok_or_else(|| serde::de::Error::custom(format!("jobs must be a number from 1 to {MAX_JOBS}")))
}

impl<'de> Deserialize<'de> for Chunk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected \"whole\" or a number of rows")]
        enum Given {
            Word(String),
            Rows(i64),
        }
        let refuse =
            || serde::de::Error::custom(format!("chunk must be \"whole\" or a number of rows from 1 to {MAX_CHUNK}"));
        match Given::deserialize(deserializer)? {
            Given::Word(word) if word == "whole" => Ok(Self::Whole),
            Given::Rows(rows @ 1..=MAX_CHUNK) => {
                u32::try_from(rows).ok().and_then(NonZeroU32::new).map(Self::Rows).ok_or_else(refuse)
            }
            Given::Word(_) | Given::Rows(_) => Err(refuse()),
        }
    }
}
