//! What an input says: grants and steps, written as text, or as a recipe for the grammar.

use std::fmt;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use whimbrel::grants::{Grants, TableGrant, Verb};

use crate::grammar::Writer;
use crate::world::{OBJECTS, TABLES};

/// The line between grants and steps.
const RULE: &str = "--";
const MOST_STEPS: usize = 16;

/// One case.
pub(crate) struct Case {
    /// What is granted.
    pub(crate) grants: Grants,
    /// The session counts rows by table, which changes how DELETE runs.
    pub(crate) record: bool,
    /// What the guest does.
    pub(crate) steps: Vec<Step>,
}

/// One thing a guest does.
pub(crate) enum Step {
    /// Runs a statement once.
    Execute(String),
    /// Prepares a statement, runs it, and runs it again at the end.
    Prepare(String),
    /// Opens a query, takes one row, and takes the others at the end.
    Open(String),
    /// Opens a savepoint.
    Savepoint,
    /// Releases the last savepoint.
    Release,
    /// Rolls back to the last savepoint.
    RollBack,
}

impl Case {
    /// Reads a case. A first byte of 0 begins a recipe; everything else is text:
    ///
    /// ```text
    /// read customer(id, name)
    /// insert purchase
    /// --
    /// INSERT INTO purchase (id) VALUES (7)
    /// ?SELECT name
    ///  FROM customer
    /// ```
    ///
    /// A line that begins with a blank goes on with the one before; `=` prepares, `?` opens a query, `%s`, `%r` and
    /// `%b` open, release and roll back a savepoint. A grant `record` is none: it makes the session count rows.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let case = match bytes.split_first()? {
            (0, recipe) => Self::from_recipe(&mut Unstructured::new(recipe)).ok()?,
            _ => Self::from_text(str::from_utf8(bytes).ok()?)?,
        };
        let says = |word| case.steps.iter().any(|step| step.to_string().to_ascii_lowercase().contains(word));
        // Whoever may read it is told how large all tables are.
        let sizes = |grant: &TableGrant| grant.table.ends_with('*') || grant.table.eq_ignore_ascii_case("dbstat");
        let tells_sizes = case.grants.read.iter().any(sizes) && says("dbstat");
        // It tells how often the connection was used before.
        (!tells_sizes && !says("total_changes")).then_some(case)
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut case = Self { grants: Grants::default(), record: false, steps: Vec::new() };
        let mut lines = text.split('\n');
        for line in lines.by_ref().take_while(|line| *line != RULE) {
            if line == "record" {
                case.record = true;
                continue;
            }
            let (verb, object) = line.split_once(' ')?;
            let verb = Verb::ALL.into_iter().find(|known| known.as_str() == verb)?;
            case.grants.of_mut(verb).push(TableGrant::try_from(object.to_owned()).ok()?);
        }
        let mut statements: Vec<String> = Vec::new();
        for line in lines {
            match statements.last_mut() {
                Some(last) if line.starts_with(' ') => last.extend(["\n", line]),
                _ => statements.push(line.to_owned()),
            }
        }
        case.steps =
            statements.into_iter().filter(|line| !line.is_empty()).take(MOST_STEPS).map(Step::from_line).collect();
        Some(case)
    }

    fn from_recipe(recipe: &mut Unstructured<'_>) -> Result<Self> {
        let mut case = Self { grants: Grants::default(), record: recipe.ratio(1, 4)?, steps: Vec::new() };
        for _ in 0..recipe.int_in_range(0..=14)? {
            let (verb, grant) = grant(recipe)?;
            case.grants.of_mut(verb).push(grant);
        }
        for _ in 0..recipe.int_in_range(1..=5)? {
            let mut writer = Writer::new(recipe);
            writer.write("<statement>")?;
            let sql = writer.finish();
            case.steps.push(match recipe.int_in_range(0..=9)? {
                0 => Step::Savepoint,
                1 => Step::Release,
                2 => Step::RollBack,
                3 => Step::Prepare(sql),
                4 | 5 => Step::Execute(sql),
                _ => Step::Open(sql),
            });
        }
        Ok(case)
    }
}

/// Picks a grant; most are on all columns of a table that there is.
fn grant(recipe: &mut Unstructured<'_>) -> Result<(Verb, TableGrant)> {
    let verb = *recipe.choose(&Verb::ALL)?;
    if recipe.ratio(1, 3)? {
        return Ok((verb, TableGrant::whole(*recipe.choose(&OBJECTS)?)));
    }
    let table = recipe.choose(&TABLES)?;
    if !matches!(verb, Verb::Read | Verb::Update) || recipe.ratio(1, 3)? {
        return Ok((verb, TableGrant::whole(table.name)));
    }
    let mask: u16 = recipe.arbitrary()?;
    let chosen = table.names().enumerate().filter(|(index, _)| mask & (1 << index) != 0).map(|(_, name)| name);
    Ok((verb, TableGrant::columns(table.name, chosen)))
}

impl Step {
    fn from_line(line: String) -> Self {
        match (line.as_str(), line.split_at_checked(1)) {
            ("%s", _) => Self::Savepoint,
            ("%r", _) => Self::Release,
            ("%b", _) => Self::RollBack,
            (_, Some(("=", sql))) => Self::Prepare(sql.to_owned()),
            (_, Some(("?", sql))) => Self::Open(sql.to_owned()),
            _ => Self::Execute(line),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Execute(sql) => write!(formatter, "{sql}"),
            Self::Prepare(sql) => write!(formatter, "={sql}"),
            Self::Open(sql) => write!(formatter, "?{sql}"),
            Self::Savepoint => write!(formatter, "%s"),
            Self::Release => write!(formatter, "%r"),
            Self::RollBack => write!(formatter, "%b"),
        }
    }
}

impl fmt::Display for Case {
    /// Writes the case as text that can be read again.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.record {
            writeln!(formatter, "record")?;
        }
        for verb in Verb::ALL {
            for grant in self.grants.of(verb) {
                writeln!(formatter, "{verb} {grant}")?;
            }
        }
        writeln!(formatter, "{RULE}")?;
        for step in &self.steps {
            writeln!(formatter, "{step}")?;
        }
        Ok(())
    }
}
