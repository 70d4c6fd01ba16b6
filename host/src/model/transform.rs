//! The `[transform]` of a manifest: which rows go through a transform, and where what comes out is written.

use std::num::{NonZeroU32, NonZeroUsize};

use serde::{Deserialize, Deserializer};

use crate::grants::{Grants, TableGrant};
use crate::sql;

/// Which rows go through a transform, and where what comes out is written.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "TransformTable")]
pub struct TransformSpec {
    /// Where rows come from.
    pub source: RowSource,
    /// The columns that name a row; empty means the primary key, or the rowid.
    pub key: Vec<String>,
    /// The columns that the component is given.
    pub read: Vec<String>,
    /// The columns that it gives back.
    pub write: Vec<String>,
    /// Where they are written.
    pub target: Target,
    /// Which rows, as SQL; all when there is none.
    pub filter: Option<String>,
    /// How many rows share a transaction.
    pub chunk: Chunk,
    /// What happens to a row that cannot be transformed.
    pub on_error: OnError,
    /// Instances at work at the same time; as many as there are cores when it is not said.
    pub jobs: Option<NonZeroUsize>,
    /// Which rows go through the inverse, and what it reads and writes; none when there is none.
    pub down: Option<Box<TransformSpec>>,
}

/// Where the rows of a transform come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RowSource {
    /// A table.
    Table(String),
    /// A query that has the key among its columns.
    Query(String),
}

/// Where the rows of a transform go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// Back into the row they come from.
    InPlace,
    /// Into another table: none, one or many for each row.
    Into {
        /// Name of the table.
        table: String,
        /// What happens to a row that is there already.
        mode: WriteMode,
    },
}

/// What happens to a row that is in the table already.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum WriteMode {
    /// It is an error.
    #[default]
    Insert,
    /// It is updated.
    Upsert,
}

/// How many rows share a transaction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Chunk {
    /// All, together with the history row.
    #[default]
    Whole,
    /// This many; a run that was stopped goes on after the last chunk.
    Rows(NonZeroU32),
}

/// What happens to a row that cannot be transformed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnError {
    /// The run stops.
    Stop,
    /// It is kept aside with the reason, up to a number of rows.
    Skip {
        /// Most rows that may be kept aside.
        max_rejects: u64,
    },
}

/// Rows kept aside when the manifest names no number.
const MAX_REJECTS: u64 = 1000;
/// Rows of a chunk: more would be no chunk.
const MAX_CHUNK: i64 = 10_000_000;
const MAX_JOBS: i64 = 256;

impl TransformSpec {
    /// Adds to what is asked for what the host does on the component's behalf. (More than that is of use where a
    /// filter looks at other tables, or a trigger writes to them.)
    pub fn grants(&self, asked: Grants) -> Grants {
        let ask = |asked: &mut Vec<TableGrant>, table: &str, columns: Vec<String>| {
            let grant = TableGrant { table: table.to_owned(), columns };
            if !asked.contains(&grant) {
                asked.push(grant);
            }
        };
        let mut grants = asked;
        if let RowSource::Table(table) = &self.source {
            let mut columns = self.key.clone();
            for column in self.read.iter().chain(&self.write) {
                let kept = matches!(self.target, Target::InPlace) || self.read.contains(column);
                if kept && !columns.contains(column) {
                    columns.push(column.clone());
                }
            }
            // A filter may look at any column, and a key that is not named is not known here.
            let all = self.filter.is_some() || self.key.is_empty();
            ask(&mut grants.read, table, if all { Vec::new() } else { columns });
            if self.target == Target::InPlace {
                ask(&mut grants.update, table, self.write.clone());
            }
        }
        if let Target::Into { table, mode } = &self.target {
            ask(&mut grants.insert, table, Vec::new());
            if *mode == WriteMode::Upsert {
                ask(&mut grants.read, table, Vec::new());
                ask(&mut grants.update, table, self.write.clone());
            }
        }
        match &self.down {
            Some(down) => down.grants(grants),
            None => grants,
        }
    }
}

/// The table as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TransformTable {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Manifest;
    use crate::sql;

    fn parse(inside: &str) -> Result<TransformSpec, String> {
        let text = format!("[transform]\n{inside}");
        match Manifest::parse("x", &text) {
            Ok(manifest) => Ok((*manifest.transform.expect("a transform")).clone()),
            Err(error) => {
                let problem = &error.problems[0];
                let at = sql::locate(&text, problem.offset);
                let hint = problem.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
                Err(format!("{}:{} {}{hint}", at.line, at.column, problem.message))
            }
        }
    }

    #[test]
    fn reads_everything_a_transform_can_say() {
        let spec = parse(
            "table = 'customer'\nkey = ['id']\nread = ['full_name']\nwrite = ['first', 'last']\nchunk = 5000\n\
             on_error = 'skip'\nmax_rejects = 7\nwhere = 'first IS NULL'\njobs = 3",
        )
        .expect("a transform");
        assert_eq!(spec.source, RowSource::Table("customer".into()));
        assert_eq!(spec.chunk, Chunk::Rows(NonZeroU32::new(5000).expect("not 0")));
        assert_eq!(spec.on_error, OnError::Skip { max_rejects: 7 });
        assert_eq!((spec.target, spec.jobs.map(NonZeroUsize::get)), (Target::InPlace, Some(3)));
        let least =
            parse("query = 'SELECT 1 AS id'\nkey = ['id']\nread = ['id']\nwrite = ['x']\ninto = 't'").expect("one");
        assert_eq!(least.target, Target::Into { table: "t".into(), mode: WriteMode::Insert });
        assert_eq!((least.chunk, least.on_error), (Chunk::Whole, OnError::Stop));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let good = "table = 't'\nread = ['a']\nwrite = ['b']\n";
        let cases = [
            ("tabel = 't'".to_owned(), "2:1 unknown key `tabel` (did you mean `table`?)"),
            ("read = ['a']\nwrite = ['b']".to_owned(), "1:1 a transform needs `table` or `query`, to know its rows"),
            (format!("{good}query = 'x'"), "1:1 a transform has `table` or `query`, not both"),
            (
                "table = 't'\nwrite = ['a']".to_owned(),
                "1:1 a transform needs `read`: the columns that the component is given",
            ),
            ("table = 't'\nread = ['a', 'A']\nwrite = ['b']".to_owned(), "3:8 column A is there twice"),
            ("table = ' '\nread = ['a']\nwrite = ['b']".to_owned(), "1:1 `table` of the transform is blank"),
            (format!("{good}key = ['B']"), "1:1 a transform cannot write its own key B"),
            (format!("{good}chunk = 'half'"), "5:9 chunk must be \"whole\" or a number of rows from 1 to 10000000"),
            (format!("{good}chunk = 0"), "5:9 chunk must be \"whole\" or a number of rows from 1 to 10000000"),
            (
                format!("{good}chunk = 99999999999"),
                "5:9 chunk must be \"whole\" or a number of rows from 1 to 10000000",
            ),
            (format!("{good}chunk = 1.5"), "5:9 expected \"whole\" or a number of rows"),
            (format!("{good}jobs = 0"), "5:8 jobs must be a number from 1 to 256"),
            (
                format!("{good}mode = 'upsert'"),
                "1:1 `mode` is about rows that go `into` another table, and there is none",
            ),
            (
                format!("{good}into = 'T'"),
                "1:1 a transform cannot read t and put rows into it: leave `into` out, or choose another",
            ),
            (format!("{good}max_rejects = 3"), "1:1 `max_rejects` is only of use with `on_error = \"skip\"`"),
            (format!("{good}max_rejects = -3"), "5:15 max_rejects must be at least 0"),
            (
                format!("{good}into = 'u'\n[transform.down]"),
                "1:1 only a transform that updates rows in place can have `[transform.down]`: rows it put into another \
                 table are taken back by a migration in SQL",
            ),
            (
                "table = 't'\nkey = ['id']\nread = ['a', 'id']\nwrite = ['b']\n[transform.down]".to_owned(),
                "1:1 the transform's down cannot write its own key id: name under `write` what it gives back",
            ),
            (format!("{good}[transform.down]\nreed = ['b']"), "6:1 unknown key `reed` (did you mean `read`?)"),
            (
                format!("{good}where = '1) OR (0'"),
                "1:1 `where` of the transform closes a parenthesis that it does not open",
            ),
            (
                format!("{good}[transform.down]\nwhere = '(b'"),
                "1:1 `where` in the down of the transform opens a parenthesis that it does not close",
            ),
            (
                "query = 'SELECT 1) JOIN (SELECT 2;'\nkey = ['id']\nread = ['a']\nwrite = ['b']\ninto = 'u'".to_owned(),
                "1:1 `query` of the transform closes a parenthesis that it does not open",
            ),
            (format!("{good}on_error = 'ignore'"), "5:12 unknown variant `ignore`, expected `stop` or `skip`"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(&text).expect_err(&text), expected, "{text}");
        }
    }

    #[test]
    fn the_inverse_is_the_opposite_unless_it_says_otherwise() {
        let down = |inside: &str| {
            let spec = parse(&format!(
                "table = 't'\nread = ['a', 'b']\nwrite = ['c']\nchunk = 7\nwhere = 'c IS NULL'\n{inside}"
            ));
            spec.expect(inside).down.map(|down| (down.read, down.write, down.filter, down.chunk))
        };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(down(""), None);
        assert_eq!(down("[transform.down]"), Some((names(&["c"]), names(&["a", "b"]), None, Chunk::Whole)));
        let said = down("[transform.down]\nwrite = ['a']\nread = ['c', 'b']\nwhere = 'c > 1'");
        assert_eq!(said, Some((names(&["c", "b"]), names(&["a"]), Some("c > 1".into()), Chunk::Whole)));
    }

    #[test]
    fn asks_for_what_the_host_does() {
        let lines = |inside: &str| parse(inside).expect(inside).grants(Grants::default()).lines();
        let of = |kind, grants: &[&str]| (kind, grants.iter().map(|grant| (*grant).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            lines("table = 't'\nkey = ['id']\nread = ['a']\nwrite = ['b']"),
            [of("read", &["t(id, a, b)"]), of("update", &["t(b)"])]
        );
        assert_eq!(
            lines("table = 't'\nread = ['a']\nwrite = ['b']\ninto = 'u'\nmode = 'upsert'"),
            [of("read", &["t", "u"]), of("insert", &["u"]), of("update", &["u(b)"])]
        );
        assert_eq!(
            lines("table = 't'\nread = ['a']\nwrite = ['b']\n[transform.down]"),
            [of("read", &["t"]), of("update", &["t(b)", "t(a)"])],
            "each is asked for once"
        );
    }
}
