//! `[hooks]`: what is run at the moments of a run.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use whimbrel::MigratorBuilder;
use whimbrel::model::{Hook, Moment};
use whimbrel::plan::Direction;

/// The table `[hooks]`: one or several for each moment.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Table {
    #[serde(alias = "before-all")]
    before_all: List,
    #[serde(alias = "before-each")]
    before_each: List,
    #[serde(alias = "after-each")]
    after_each: List,
    #[serde(alias = "after-all")]
    after_all: List,
    #[serde(alias = "on-error")]
    on_error: List,
}

#[derive(Clone, Default)]
struct List(Vec<Entry>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = |error: toml::de::Error| serde::de::Error::custom(error.message());
        let entries = match toml::Value::deserialize(deserializer)? {
            toml::Value::Array(entries) => entries,
            one => vec![one],
        };
        let entry = |value: toml::Value| match value {
            toml::Value::String(file) => Ok(Entry { what: What::File(file.into()), direction: None }),
            toml::Value::Table(_) => Entry::of(value.try_into().map_err(wrong)?).map_err(serde::de::Error::custom),
            _ => Err(serde::de::Error::custom("a hook is a file, or a table such as { sql = \"ANALYZE\" }")),
        };
        Ok(Self(entries.into_iter().map(entry).collect::<Result<_, D::Error>>()?))
    }
}

/// A hook as a table says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    file: Option<PathBuf>,
    sql: Option<String>,
    name: Option<String>,
    direction: Option<Way>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    Up,
    Down,
}

/// What is run, and on which way; on both unless said.
#[derive(Clone)]
struct Entry {
    what: What,
    direction: Option<Direction>,
}

#[derive(Clone)]
enum What {
    File(PathBuf),
    Sql { name: Option<String>, sql: String },
}

impl Entry {
    fn of(long: Long) -> Result<Self, &'static str> {
        let direction = long.direction.map(|way| match way {
            Way::Up => Direction::Up,
            Way::Down => Direction::Down,
        });
        let what = match (long.file, long.sql, long.name) {
            (Some(file), None, None) => What::File(file),
            (None, Some(sql), name) if !sql.trim().is_empty() => What::Sql { name, sql },
            _ => return Err("a hook has either `file`, or `sql` with or without a `name`"),
        };
        Ok(Self { what, direction })
    }
}

/// Adds the hooks of the table, whose paths begin at `folder`.
pub(super) fn add(builder: MigratorBuilder, table: &Table, folder: &Path) -> MigratorBuilder {
    let Table { before_all, before_each, after_each, after_all, on_error } = table;
    let moments = [
        (Moment::BeforeAll, before_all),
        (Moment::BeforeEach, before_each),
        (Moment::AfterEach, after_each),
        (Moment::AfterAll, after_all),
        (Moment::OnError, on_error),
    ];
    let all = moments.into_iter().flat_map(|(moment, list)| list.0.iter().map(move |entry| (moment, entry)));
    all.fold(builder, |builder, (moment, Entry { what, direction })| match what {
        What::File(path) => builder.hook_file(moment, *direction, folder.join(path)),
        What::Sql { name, sql } => {
            let hook = Hook::sql(moment, name.as_deref().unwrap_or(moment.as_str()), sql);
            builder.hook(Hook { direction: *direction, ..hook })
        }
    })
}
