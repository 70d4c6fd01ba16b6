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

/// Returns a line of JavaScript as it is run: a name may be declared again, which `var` lets be, and need not be declared.
pub(super) fn as_run(text: &str) -> Cow<'_, str> {
    match first_word(text) {
        ("const" | "let", rest) => format!("var{rest}").into(),
        (name, rest) if is_name(name) && assigned(rest) == Some("=") => format!("var {text}").into(),
        _ => text.into(),
    }
}

/// Tells whether a word can be the name of a variable. One that cannot is refused by JavaScript as what it is.
fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| !first.is_ascii_digit())
        && !matches!(word, "var" | "this" | "null" | "true" | "false")
}

/// Returns the sign with which something is assigned, where that is how the rest of a line begins.
fn assigned(rest: &str) -> Option<&'static str> {
    const SIGNS: [&str; 18] = [
        ">>>=", "**=", "<<=", ">>=", "&&=", "||=", "??=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "++", "--",
        "=",
    ];
    let rest = rest.trim_start();
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
    let is_other = sign == "=" && rest[sign.len()..].starts_with(['=', '>']);
    (!is_other).then_some(sign)
}

/// Returns what follows a name and the properties of it that are named: `.a`, `[0]`.
fn after_properties(mut rest: &str) -> &str {
    loop {
        let property = match rest.as_bytes() {
            [b'.', ..] => first_word(&rest[1..]).1,
            [b'[', ..] => match rest.find(']') {
                Some(end) => &rest[end + 1..],
                None => return rest,
            },
            _ => return rest,
        };
        rest = property;
    }
}

/// Declarations and assignments of earlier lines. They are run again before each line, since nothing can be changed.
#[derive(Debug, Default)]
pub(super) struct Kept(String);

impl Kept {
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Keeps a line that was run, if it declares or assigns something.
    pub(super) fn add(&mut self, line: &Line<'_>) {
        let Line::Script(text) = line else { return };
        let (word, rest) = first_word(text);
        let declares = matches!(word, "const" | "let" | "var" | "function" | "class")
            || word == "async" && first_word(rest.trim_start()).0 == "function";
        let assigns = is_name(word) && assigned(after_properties(rest)).is_some()
            || ["++", "--"].iter().any(|sign| text.starts_with(sign));
        if declares || assigns {
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
            "n = 7",
            "n += 1",
            "n++",
            "--n",
            "o.p[0].q = n",
            "n == 7",
            "n => 7",
            "f(n = 7)",
            "n.f(1)",
        ] {
            kept.add(&Line::Script(text));
        }
        kept.add(&Line::Sql("SELECT 1"));
        assert_eq!(
            kept.text(),
            "var a = 1 // one\n;var b = 2\n;function f() {}\n;async function g() {}\n;\
             var n = 7\n;n += 1\n;n++\n;--n\n;o.p[0].q = n\n;"
        );
    }
}
