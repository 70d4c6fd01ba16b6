//! What stands in the TOML file beside a migration, read strictly.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::transform::TransformTable;
use super::{Checksum, Dependency, Placement, Role, TransformSpec};
use crate::grants::Grants;
use crate::limits::Limits;
use crate::sql::{self, Precondition, Unmet};

/// Most grants of a manifest, each column counted: they are compared one by one with what is given, and shown to people.
const MOST_GRANTS: usize = 5_000;

/// What a migration says about itself and asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Manifest {
    /// What it does, for people.
    pub description: Option<String>,
    /// When it runs, and after which others; a version that a file's name gives is not in it.
    pub placement: Placement,
    /// What it asks to be allowed. To ask for nothing (`Some`, and empty) is not the same as not to say (`None`).
    pub grants: Option<Grants>,
    /// How much its code may use.
    pub limits: Limits,
    /// Values handed to its code.
    pub params: BTreeMap<String, String>,
    /// Names of the libraries whose functions it calls.
    pub functions: Vec<String>,
    /// Which rows go through it and where they are written, if its component is a transform.
    pub transform: Option<Arc<TransformSpec>>,
    /// What must hold before it runs.
    pub preconditions: Vec<Precondition>,
    /// The text it was read from.
    pub text: Arc<str>,
    /// Checksum of the exact bytes of the file.
    pub checksum: Checksum,
    /// What to call it in messages.
    pub file: String,
}

/// One thing that is wrong with a manifest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManifestProblem {
    /// Byte of the text where it stands.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Everything that is wrong with a manifest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManifestError {
    /// The problems in the order of the text; at least one.
    pub problems: Vec<ManifestProblem>,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(formatter, "{separator}{}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestError {}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Contents {
    description: Option<String>,
    depends_on: Vec<Dependency>,
    out_of_order: Option<OutOfOrder>,
    repeat: Option<Repeat>,
    baseline: bool,
    grants: Option<Grants>,
    limits: Limits,
    params: BTreeMap<String, String>,
    #[serde(deserialize_with = "libraries")]
    functions: Vec<String>,
    transform: Option<TransformSpec>,
    preconditions: Vec<Asked>,
}

/// A precondition as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    sql: Spanned<String>,
    #[serde(default)]
    otherwise: Unmet,
    message: Option<String>,
}

impl Asked {
    fn read(self, text: &str) -> Precondition {
        let (written, sql) = (self.sql.span(), self.sql.into_inner());
        // Where it has no escapes, it stands there letter by letter.
        let start = text.get(written.clone()).and_then(|quoted| Some(written.start + quoted.find(&sql)?));
        let at = start.map_or(written, |start| start..start + sql.len());
        Precondition { sql, otherwise: self.otherwise, message: self.message, at }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OutOfOrder {
    Allow,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Repeat {
    OnChange,
}

impl<'de> Deserialize<'de> for Dependency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Manifest {
    /// Reads a manifest; reports everything that is wrong with it.
    pub fn parse(file: impl Into<String>, text: &str) -> Result<Self, ManifestError> {
        // Values of several lines are the same on every system.
        let with_lf = text.replace("\r\n", "\n");
        let shortened = shortened(text);
        let mut contents = read(&with_lf).map_err(|mut problems| {
            for problem in &mut problems {
                problem.offset = as_written(&shortened, problem.offset);
            }
            ManifestError { problems }
        })?;
        let asked = contents.preconditions.into_iter().map(|asked| {
            let precondition = asked.read(&with_lf);
            let at = as_written(&shortened, precondition.at.start)..as_written(&shortened, precondition.at.end);
            Precondition { at, ..precondition }
        });
        let preconditions = asked.collect();
        if let Some(transform) = &contents.transform {
            let asked = contents.grants.take().unwrap_or_default();
            contents.grants = Some(transform.grants(asked));
        }
        let role = match (contents.repeat, contents.baseline) {
            (Some(Repeat::OnChange), _) => Role::Repeatable,
            (None, true) => Role::Baseline,
            (None, false) => Role::Versioned,
        };
        let out_of_order = matches!(contents.out_of_order, Some(OutOfOrder::Allow));
        Ok(Self {
            description: contents.description,
            placement: Placement { role, depends_on: contents.depends_on, out_of_order },
            grants: contents.grants,
            limits: contents.limits,
            params: contents.params,
            functions: contents.functions,
            transform: contents.transform.map(Arc::new),
            preconditions,
            text: Arc::from(text),
            checksum: Checksum::of(text.as_bytes()),
            file: file.into(),
        })
    }
}

/// Reads names of libraries: one as a text, or several as a list.
fn libraries<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected the name of a library of functions, or a list of them")]
    enum Given {
        One(String),
        Several(Vec<String>),
    }
    let names = match Given::deserialize(deserializer)? {
        Given::One(name) => vec![name],
        Given::Several(names) => names,
    };
    for name in &names {
        sql::check_library(name).map_err(serde::de::Error::custom)?;
    }
    Ok(names)
}

/// Returns where line ends that are written CR LF stand in the same text with LF, in order.
fn shortened(text: &str) -> Vec<usize> {
    text.match_indices("\r\n").enumerate().map(|(before, (at, _))| at - before).collect()
}

/// Returns the byte of a text that stands at this byte of the same text with LF at the ends of its lines.
fn as_written(shortened: &[usize], at: usize) -> usize {
    at + shortened.partition_point(|end| *end < at)
}

fn read(text: &str) -> Result<Contents, Vec<ManifestProblem>> {
    let table = DeTable::parse(text).map_err(|error| vec![problem(&error)])?;
    match Contents::deserialize(Deserializer::from(table.clone())) {
        Ok(contents) if contents.repeat.is_some() && (contents.baseline || contents.transform.is_some()) => {
            let other = if contents.baseline { "a baseline" } else { "a transform" };
            let message = format!("{other} cannot be repeated");
            let hint = Some("leave `repeat` out".to_owned());
            Err(vec![ManifestProblem { offset: 0, message, hint }])
        }
        Ok(contents) => match contents.grants.as_ref().map_or(0, Grants::amount) {
            amount if amount > MOST_GRANTS => Err(vec![too_many_grants(&table, amount)]),
            _ => Ok(contents),
        },
        Err(first) => {
            let mut problems = entry_problems(&table);
            if problems.is_empty() {
                problems.push(problem(&first));
            }
            problems.sort_by_key(|problem| problem.offset);
            Err(problems)
        }
    }
}

fn too_many_grants(table: &Spanned<DeTable<'_>>, amount: usize) -> ManifestProblem {
    let offset = table.get_ref().get("grants").map_or(0, |grants| grants.span().start);
    let message =
        format!("it asks for {amount} grants, each column counted; a manifest asks for {MOST_GRANTS} at most");
    let hint = "name whole tables, or many at once by the beginning of their names: `acme_*`".to_owned();
    ManifestProblem { offset, message, hint: Some(hint) }
}

/// Reads each key by itself, since serde stops at the first error.
fn entry_problems(table: &Spanned<DeTable<'_>>) -> Vec<ManifestProblem> {
    let mut problems = Vec::new();
    for (key, value) in table.get_ref() {
        let mut inner = match (key.get_ref().as_ref(), value.get_ref()) {
            ("grants", DeValue::Table(inside)) => each::<Grants>(inside, value.span()),
            ("limits", DeValue::Table(inside)) => each::<Limits>(inside, value.span()),
            ("params", DeValue::Table(inside)) => each::<BTreeMap<String, String>>(inside, value.span()),
            ("transform", DeValue::Table(inside)) => each::<TransformTable>(inside, value.span()),
            (name @ ("grants" | "limits" | "params" | "transform"), _) => {
                let message = format!("`{name}` must be a table");
                vec![ManifestProblem { offset: value.span().start, message, hint: Some(format!("write `[{name}]`")) }]
            }
            _ => one::<Contents>(key, value, table.span()).into_iter().collect(),
        };
        problems.append(&mut inner);
    }
    problems
}

type Key<'i> = Spanned<toml::de::DeString<'i>>;
type Value<'i> = Spanned<DeValue<'i>>;

fn each<T: DeserializeOwned>(table: &DeTable<'_>, span: std::ops::Range<usize>) -> Vec<ManifestProblem> {
    table.iter().filter_map(|(key, value)| one::<T>(key, value, span.clone())).collect()
}

/// Reads a table that has only this key.
fn one<T: DeserializeOwned>(key: &Key<'_>, value: &Value<'_>, span: std::ops::Range<usize>) -> Option<ManifestProblem> {
    let mut table = DeTable::new();
    table.insert(key.clone(), value.clone());
    T::deserialize(Spanned::new(span, table).into_deserializer()).err().map(|error| problem(&error))
}

fn problem(error: &Error) -> ManifestProblem {
    let offset = error.span().map_or(0, |span| span.start);
    let message = error.message().trim_end().replace('\n', ", ");
    // serde's own words: unknown field `x`, expected one of `a`, `b`
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return ManifestProblem { offset, message, hint: None };
    };
    let (key, rest) = rest.split_once('`').unwrap_or((rest, ""));
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let hint = match sql::nearest(key, known.iter().copied()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("known are {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
    };
    ManifestProblem { offset, message: format!("unknown key `{}`", key.escape_debug()), hint: Some(hint) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::Limit;

    #[test]
    fn refuses_more_grants_than_anybody_reads() {
        let asked = |most: usize| {
            let tables: Vec<String> = (0..most / 2).map(|number| format!("'t{number}(a, b)'")).collect();
            Manifest::parse("0001_x.toml", &format!("[grants]\nread = [{}]\n", tables.join(", ")))
        };
        assert!(asked(MOST_GRANTS).is_ok());
        let error = asked(MOST_GRANTS + 2).expect_err("too many");
        let [problem] = error.problems.as_slice() else { panic!("{error}") };
        assert_eq!(problem.message, "it asks for 5002 grants, each column counted; a manifest asks for 5000 at most");
    }

    #[test]
    fn reads_everything_a_manifest_can_say() {
        let text = "description = 'Splits names'\n\
                    [grants]\nread = ['customer(full_name)']\nupdate = ['customer(first, last)']\n\
                    [limits]\nfuel = 1_000_000\nmemory = '64MiB'\ntime = '10s'\n\
                    [params]\nlocale = 'de'\n";
        let manifest = Manifest::parse("0003_x.toml", text).expect("manifest");
        assert_eq!(manifest.description.as_deref(), Some("Splits names"));
        assert_eq!(manifest.grants.unwrap_or_default().read[0].columns, ["full_name"]);
        assert_eq!(manifest.limits.get(Limit::Time), Some(10_000));
        assert_eq!(manifest.params["locale"], "de");
        assert_eq!(manifest.checksum, Checksum::of(text.as_bytes()));
        assert!(Manifest::parse("x", "").is_ok());
    }

    /// What code is given does not depend on the system that the file was written on.
    #[test]
    fn gives_values_of_several_lines_the_same_ends_of_lines() {
        for text in ["[params]\nx = '''\na\nb'''\n", "[params]\r\nx = \"\"\"\r\na\r\nb\"\"\"\r\n"] {
            assert_eq!(Manifest::parse("x", text).expect(text).params["x"], "a\nb", "{text:?}");
        }
        let text = "description = 'é'\r\n[[preconditions]]\r\nsql = 'SELECT 1'\r\notherwise = 'skip'\r\n";
        let asked = Manifest::parse("x", text).expect(text).preconditions;
        assert_eq!(&text[asked[0].at.clone()], "SELECT 1");
        let error = Manifest::parse("x", &text.replace("skip", "warn")).expect_err("a word that is not known");
        assert_eq!(text[..error.problems[0].offset].matches('\n').count(), 3);
    }

    #[test]
    fn reads_when_a_migration_runs() {
        let text = "depends_on = ['3', 'billing:7']\nout_of_order = 'allow'\nbaseline = true";
        let Placement { role, depends_on, out_of_order } = Manifest::parse("x", text).expect("manifest").placement;
        let shown: Vec<String> = depends_on.iter().map(ToString::to_string).collect();
        assert_eq!((role, shown.join(" ").as_str(), out_of_order), (Role::Baseline, "3 billing:7", true));
        let repeat = Manifest::parse("x", "repeat = 'on-change'").expect("manifest").placement;
        assert_eq!(repeat.role, Role::Repeatable);
        for (text, message) in [
            ("repeat = 'always'", "unknown variant `always`, expected `on-change`"),
            ("out_of_order = true", "wanted string or table"),
            ("depends_on = ['x']", "\"x\" names no migration: \"x\" is not a version: a version is made of digits"),
            ("repeat = 'on-change'\nbaseline = true", "a baseline cannot be repeated"),
            (
                "repeat = 'on-change'\n[transform]\ntable = 't'\nread = ['a']\nwrite = ['b']",
                "a transform cannot be repeated",
            ),
        ] {
            let error = Manifest::parse("x", text).expect_err(text);
            assert_eq!(error.to_string(), message, "{text}");
        }
    }

    #[test]
    fn reports_each_mistake_where_it_stands() {
        let cases: [(&str, &[&str]); 12] = [
            ("descripton = 'x'", &["1:1 unknown key `descripton` (did you mean `description`?)"]),
            (
                "[transform]\ntabel = 'x'\nread = ['a', 'a']",
                &["2:1 unknown key `tabel` (did you mean `table`?)", "3:8 column a is there twice (-)"],
            ),
            (
                "a = 1\n[limits]\nfule = 1\ntime = 3\n[grants]\nreed = []\nread = ['t(']",
                &[
                    "1:1 unknown key `a` (known are `description`, `depends_on`, `out_of_order`, `repeat`, `baseline`, `grants`, `limits`, `params`, `functions`, `transform`, `preconditions`)",
                    "3:1 unknown key `fule` (did you mean `fuel`?)",
                    "4:8 invalid type: integer `3`, expected a time such as \"500ms\", \"60s\", \"10m\", \"1h\" (-)",
                    "6:1 unknown key `reed` (did you mean `read`?)",
                    "7:8 \"t(\" lacks its closing parenthesis (-)",
                ],
            ),
            ("description = 3", &["1:15 invalid type: integer `3`, expected a string (-)"]),
            ("grants = 3", &["1:10 `grants` must be a table (write `[grants]`)"]),
            (
                "[limits]\nmemory = '3 apples'",
                &["2:10 \"3 apples\" is not an amount of memory: write \"64MiB\", \"1GiB\" (-)"],
            ),
            (
                "[limits]\nmemory = 1.5",
                &[
                    "2:10 invalid type: floating point `1.5`, expected a number of bytes or a text such as \"64MiB\" (-)",
                ],
            ),
            (
                "[limits]\nfuel = 0",
                &["2:8 invalid value: integer `0`, expected a whole number from 1 to 9223372036854775807 (-)"],
            ),
            (
                "[limits]\nfuel = 99999999999999999999",
                &[
                    "2:8 invalid value: integer `99999999999999999999`, expected a whole number from 1 to 9223372036854775807 (-)",
                ],
            ),
            ("[params]\nn = 1", &["2:5 invalid type: integer `1`, expected a string (-)"]),
            ("description = ", &["1:15 string values must be quoted, expected literal string (-)"]),
            ("a = 1\na = 2", &["2:1 duplicate key (-)"]),
        ];
        for (text, expected) in cases {
            let error = Manifest::parse("x", text).expect_err(text);
            let shown: Vec<String> = error
                .problems
                .iter()
                .map(|problem| {
                    let at = sql::locate(text, problem.offset);
                    let hint = problem.hint.as_deref().unwrap_or("-");
                    format!("{}:{} {} ({hint})", at.line, at.column, problem.message)
                })
                .collect();
            assert_eq!(shown, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn survives_every_text(text in "(\\[|\\]|grants|limits|fuel|read|=|\"|'|\n|1|é|,|[.]|#|\\{|\\}| ){0,30}") {
            if let Err(error) = Manifest::parse("x", &text) {
                prop_assert!(!error.problems.is_empty());
            }
        }
    }
}
