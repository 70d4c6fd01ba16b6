//! The `[transform]` of a manifest: which rows go through a transform, and where what comes out is written.

mod table;

use std::num::{NonZeroU32, NonZeroUsize};

use serde::Deserialize;

use crate::grants::{Grants, TableGrant};

pub(super) use table::TransformTable;

/// Which rows go through a transform, and where what comes out is written.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "table::TransformTable")]
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
