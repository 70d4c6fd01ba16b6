//! What a line of the prompt is, and what stays of it for those after it. Pure.

use std::borrow::Cow;

/// First words of SQL. What changes something is among them, so that SQLite's refusal is what is shown and not a
/// syntax error of JavaScript's.
const SQL: [&str; 16] = [
    "select", "with", "values", "explain", "pragma", "insert", "update", "delete", "replace", "create", "alter",
    "drop", "attach", "detach", "analyze", "reindex",
];

/// What was typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Line<'t> {
    Nothing,
    Help,
    Exit,
    Sql(&'t str),
    Script(&'t str),
}

impl<'t> Line<'t> {
    /// Judges a line by how it begins.
    pub(super) fn of(text: &'t str) -> Self {
        let text = text.trim();
        match text {
            "" => return Self::Nothing,
            ".exit" | ".quit" => return Self::Exit,
            // An expression does not begin with a dot that no digit follows.
            text if text
                .strip_prefix('.')
                .is_some_and(|rest| !rest.starts_with(|first: char| first.is_ascii_digit())) =>
            {
                return Self::Help;
            }
            _ => {}
        }
        let (word, rest) = first_word(text);
        let word = word.to_ascii_lowercase();
        // Names of a script may be the same: `values = 3`, `select.length`, `delete row.id`.
        let is_name = rest.trim_start().starts_with(['=', '.', ',', ';', '?', ')', ']'])
            || word == "delete" && !first_word(rest.trim_start()).0.eq_ignore_ascii_case("from");
        if SQL.contains(&word.as_str()) && !rest.is_empty() && !is_name { Self::Sql(text) } else { Self::Script(text) }
    }
}

/// Returns a line of JavaScript as it is run: a name may be declared again, which `var` lets be.
pub(super) fn as_run(text: &str) -> Cow<'_, str> {
    match first_word(text) {
        ("const" | "let", rest) => format!("var{rest}").into(),
        _ => text.into(),
    }
}

/// Declarations of earlier lines. They are run again before each line, since nothing can be changed.
#[derive(Debug, Default)]
pub(super) struct Kept(String);

impl Kept {
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Keeps a line that was run, if it declares something.
    pub(super) fn add(&mut self, line: &Line<'_>) {
        let Line::Script(text) = line else { return };
        let (word, rest) = first_word(text);
        let declares = matches!(word, "const" | "let" | "var" | "function" | "class")
            || word == "async" && first_word(rest.trim_start()).0 == "function";
        if declares {
            self.0.extend([as_run(text).as_ref(), "\n;"]);
        }
    }
}

fn first_word(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | '$'));
    text.split_at(end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_is_told_from_javascript() {
        for text in [
            "SELECT 1",
            "select(1)",
            "  WITH a AS (SELECT 1) SELECT * FROM a",
            "VALUES (1), (2)",
            "explain query plan select 1",
            "PRAGMA table_info(note)",
            "DELETE FROM note",
            "update note set id = 1",
            "select -1",
        ] {
            assert_eq!(Line::of(text), Line::Sql(text.trim()), "{text}");
        }
        for text in [
            "select",
            "values = 3",
            "values.length",
            "delete row.id",
            "db.query('SELECT 1')",
            "selected (1)",
            ".5 + 1",
            "{a: 1}",
        ] {
            assert_eq!(Line::of(text), Line::Script(text), "{text}");
        }
        assert_eq!([Line::of("  "), Line::of(".exit "), Line::of(".tables")], [Line::Nothing, Line::Exit, Line::Help]);
    }

    #[test]
    fn declarations_stay_and_nothing_else() {
        let mut kept = Kept::default();
        for text in [
            "const a = 1 // one",
            "let b = 2",
            "a + b",
            "constant",
            "function f() {}",
            "async function g() {}",
            "async () => 1",
        ] {
            kept.add(&Line::Script(text));
        }
        kept.add(&Line::Sql("SELECT 1"));
        assert_eq!(kept.text(), "var a = 1 // one\n;var b = 2\n;function f() {}\n;async function g() {}\n;");
    }
}
