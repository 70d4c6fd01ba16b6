//! What the comments at the top of a script tell the host.

use std::ops::Range;

use super::lexer::{Token, TokenKind, tokens};
use super::nearest;
use super::precondition::{Precondition, Unmet};

/// What a script says about how it is to be run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Directives {
    /// `-- whimbrel: transaction = none`
    pub transaction: TransactionMode,
    /// `-- whimbrel: rebuild`: foreign keys are off while it runs, and checked before it is committed.
    pub rebuild: bool,
    /// It is a rebuild although that is not written: it [switches foreign keys off](super::switches_keys_off), which does
    /// nothing inside a transaction.
    pub implied_rebuild: bool,
    /// The tool whose layout it has runs it with foreign keys off, and so does the host where nobody has said otherwise. No
    /// comment says so.
    pub keys_off: bool,
    /// `-- whimbrel: description = …`
    pub description: Option<String>,
    /// `-- whimbrel: functions = …`: names of the libraries whose functions it calls.
    pub functions: Vec<String>,
    /// `-- whimbrel: depends_on = 3, billing:7`: each as it is written.
    pub depends_on: Vec<String>,
    /// `-- whimbrel: out_of_order = allow`
    pub out_of_order: bool,
    /// `-- whimbrel: repeat = on-change`
    pub repeat: bool,
    /// `-- whimbrel: baseline`
    pub baseline: bool,
    /// `-- whimbrel: placeholders = on`, or `off`
    pub placeholders: Option<bool>,
    /// `-- whimbrel: require = SELECT …`, `skip_unless = …`, `mark_applied_unless = …`, in the order they stand.
    pub preconditions: Vec<Precondition>,
}

/// Whether a script runs in the transaction of its step.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum TransactionMode {
    /// In one transaction with its history row.
    #[default]
    Normal,
    /// Outside any transaction, as written.
    None,
}

/// What is wrong with a directive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DirectiveProblem {
    /// Byte of the script where it begins.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

const KNOWN: [&str; 12] = [
    "transaction",
    "rebuild",
    "description",
    "functions",
    "depends_on",
    "out_of_order",
    "repeat",
    "baseline",
    "placeholders",
    "require",
    "skip_unless",
    "mark_applied_unless",
];
const FORMS: &str = "known are `transaction = none`, `rebuild`, `functions = …`, `description = …`, `depends_on = …`, \
                     `out_of_order = allow`, `repeat = on-change`, `baseline`, `placeholders = on` or `off`, `require = SELECT …`, \
                     `skip_unless = SELECT …` and `mark_applied_unless = SELECT …`";
const MARK: &str = "whimbrel";

/// Reads the directives of a script and returns everything that is wrong with them.
pub fn directives(sql: &str) -> Result<Directives, Vec<DirectiveProblem>> {
    // Most scripts have none: those are not cut into tokens at all. The forms cover `Whimbrel` as well.
    if !sql.contains("himbrel") && !sql.contains("HIMBREL") {
        return Ok(Directives::default());
    }
    let mut reader = Reader::default();
    let mut in_head = true;
    for token in tokens(sql) {
        match token.kind {
            TokenKind::Space => {}
            TokenKind::Comment => reader.comment(token, in_head),
            _ => in_head = false,
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    found: Directives,
    seen: Vec<&'static str>,
    last: usize,
    problems: Vec<DirectiveProblem>,
}

impl Reader {
    fn comment(&mut self, comment: Token<'_>, in_head: bool) {
        let mut offset = comment.start;
        for line in comment.text.split_inclusive('\n') {
            let text = line.trim_start_matches(['-', '/', '*', ' ', '\t']);
            let start = offset + line.len() - text.len();
            offset += line.len();
            let Some(directive) = after_mark(text) else { continue };
            let begins = start + (text.len() - directive.len());
            self.last = start;
            if !in_head {
                self.refuse(start, "a directive must stand at the top, before the first statement", None);
            } else if comment.text.starts_with("/*") {
                let hint = format!("write `-- whimbrel: {}`", directive.trim_end_matches("*/").trim());
                self.refuse(start, "a directive must stand in a `--` comment of its own", Some(hint));
            } else {
                self.directive(start, begins, directive);
            }
        }
    }

    /// Reads a directive at `offset`, of which `text` begins at the byte `begins`.
    fn directive(&mut self, offset: usize, begins: usize, text: &str) {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (text.trim(), None),
        };
        let Some(known) = KNOWN.into_iter().find(|known| *known == key) else {
            let hint = match nearest(key, KNOWN) {
                Some(known) => format!("did you mean `{known}`?"),
                None => FORMS.to_owned(),
            };
            return self.refuse(offset, &format!("unknown directive `{}`", key.escape_debug()), Some(hint));
        };
        let unmet = match known {
            "require" => Some(Unmet::Fail),
            "skip_unless" => Some(Unmet::Skip),
            "mark_applied_unless" => Some(Unmet::MarkApplied),
            _ => None,
        };
        if unmet.is_none() && self.seen.contains(&known) {
            return self.refuse(offset, &format!("directive `{known}` stands here a second time"), None);
        }
        self.seen.push(known);
        let wrong = |form: &str| Some(format!("write `-- whimbrel: {form}`"));
        if let Some(otherwise) = unmet {
            return match value.filter(|sql| !sql.is_empty()) {
                Some(sql) => {
                    let start = begins + (text.trim_end().len() - sql.len());
                    let (sql, at) = (sql.to_owned(), start..start + sql.len());
                    self.found.preconditions.push(Precondition { sql, otherwise, message: None, at });
                }
                None => self.refuse(offset, &format!("`{known}` has no query"), wrong(&format!("{known} = SELECT …"))),
            };
        }
        match (known, value) {
            ("transaction", Some("none")) => self.found.transaction = TransactionMode::None,
            ("transaction", _) => {
                self.refuse(offset, "`transaction` can only be `none`", wrong("transaction = none"));
            }
            ("out_of_order", Some("allow")) => self.found.out_of_order = true,
            ("out_of_order", _) => {
                self.refuse(offset, "`out_of_order` can only be `allow`", wrong("out_of_order = allow"));
            }
            ("repeat", Some("on-change")) => self.found.repeat = true,
            ("repeat", _) => self.refuse(offset, "`repeat` can only be `on-change`", wrong("repeat = on-change")),
            ("depends_on", Some(list)) if list.split(',').all(|one| !one.trim().is_empty()) => {
                self.found.depends_on = list.split(',').map(|one| one.trim().to_owned()).collect();
            }
            ("depends_on", _) => {
                self.refuse(offset, "`depends_on` names no version", wrong("depends_on = 3, other_chain:7"));
            }
            ("placeholders", Some("on")) => self.found.placeholders = Some(true),
            ("placeholders", Some("off")) => self.found.placeholders = Some(false),
            ("placeholders", _) => {
                self.refuse(offset, "`placeholders` can only be `on` or `off`", wrong("placeholders = off"));
            }
            ("baseline", None) => self.found.baseline = true,
            ("baseline", Some(_)) => self.refuse(offset, "`baseline` takes no value", wrong("baseline")),
            ("rebuild", None) => self.found.rebuild = true,
            ("rebuild", Some(_)) => self.refuse(offset, "`rebuild` takes no value", wrong("rebuild")),
            ("functions", words) => {
                let names: Vec<&str> =
                    words.unwrap_or_default().split([',', ' ']).filter(|name| !name.is_empty()).collect();
                match names.iter().find_map(|name| check_library(name).err()) {
                    Some(message) => self.refuse(offset, &message, wrong("functions = …")),
                    None if names.is_empty() => {
                        self.refuse(offset, "`functions` names no library", wrong("functions = …"));
                    }
                    None => self.found.functions = names.into_iter().map(str::to_owned).collect(),
                }
            }
            (_, Some(words)) if !words.is_empty() => self.found.description = Some(words.to_owned()),
            _ => self.refuse(offset, "`description` has no words", wrong("description = …")),
        }
    }

    fn refuse(&mut self, offset: usize, message: &str, hint: Option<String>) {
        self.problems.push(DirectiveProblem { offset, message: message.to_owned(), hint });
    }

    fn finish(mut self) -> Result<Directives, Vec<DirectiveProblem>> {
        if self.found.rebuild && self.found.transaction == TransactionMode::None {
            let hint = "`rebuild` needs its transaction: leave one of the two out".to_owned();
            self.refuse(self.last, "`rebuild` and `transaction = none` exclude each other", Some(hint));
        }
        if self.found.repeat && self.found.baseline {
            let hint = "a baseline runs once, in a new database: leave one of the two out".to_owned();
            self.refuse(self.last, "`repeat` and `baseline` exclude each other", Some(hint));
        }
        if self.problems.is_empty() { Ok(self.found) } else { Err(self.problems) }
    }
}

/// Returns where the names stand that the `depends_on` of a script lists.
pub fn dependencies(sql: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for comment in tokens(sql).filter(|token| token.kind == TokenKind::Comment) {
        let text = comment.text.trim_start_matches(['-', ' ', '\t']);
        let Some(directive) = after_mark(text) else { continue };
        let Some((key, list)) = directive.split_once('=') else { continue };
        if key.trim() != "depends_on" {
            continue;
        }
        let mut start = comment.end() - list.len();
        for name in list.split(',') {
            let begins = start + (name.len() - name.trim_start().len());
            found.push(begins..begins + name.trim().len());
            start += name.len() + 1;
        }
    }
    found
}

/// Checks the name of a library of functions: ASCII letters, digits, `_` and `-`, which every file system spells the
/// same; the first one is no digit.
pub fn check_library(name: &str) -> Result<(), String> {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if letters && name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Ok(());
    }
    Err(format!(
        "\"{}\" cannot be a library of functions: its name is made of the letters a to z, digits, `_` and `-`",
        name.escape_debug()
    ))
}

/// Returns what follows `whimbrel:`, in whatever case the mark is written.
pub(crate) fn after_mark(text: &str) -> Option<&str> {
    let (mark, rest) = text.split_at_checked(MARK.len())?;
    if !mark.eq_ignore_ascii_case(MARK) {
        return None;
    }
    rest.trim_start_matches([' ', '\t']).strip_prefix(':')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(sql: &str) -> String {
        match directives(sql) {
            Ok(found) => format!(
                "{}{}{}{}{}{}{}{}",
                if found.transaction == TransactionMode::None { "none " } else { "" },
                if found.rebuild { "rebuild " } else { "" },
                found.functions.iter().map(|name| format!("f:{name} ")).collect::<String>(),
                found.description.unwrap_or_default(),
                found.depends_on.iter().map(|one| format!("<{one}>")).collect::<String>(),
                if found.out_of_order { "late" } else { "" },
                if found.repeat { "again" } else { "" },
                if found.baseline { "base" } else { "" }
            ),
            Err(problems) => problems
                .iter()
                .map(|problem| {
                    format!("{}: {} ({})", problem.offset, problem.message, problem.hint.as_deref().unwrap_or("-"))
                })
                .collect::<Vec<_>>()
                .join("\n"),
        }
    }

    #[test]
    fn reads_the_head() {
        let cases = [
            ("SELECT 1;", ""),
            ("-- whimbrel: transaction = none\nVACUUM;", "none "),
            ("\u{feff}--whimbrel:rebuild\r\nSELECT 1;", "rebuild "),
            ("-- first words\n\n-- Whimbrel : description =  Adds = signs \r\n", "Adds = signs"),
            ("/* licence */ -- whimbrel: rebuild\n-- whimbrel: description = x\nSELECT 1", "rebuild x"),
            ("-- whimbrel: functions = text_tools, b-2\nSELECT 1", "f:text_tools f:b-2 "),
            ("-- whimbrel: depends_on = 3 , billing:7", "<3><billing:7>"),
            ("-- whimbrel: out_of_order = allow\n-- whimbrel: repeat=on-change", "lateagain"),
            ("-- whimbrel: baseline", "base"),
            ("-- whimbrel is a bird: it flies", ""),
            ("-- see whimbrel: rebuild", ""),
            ("SELECT '-- whimbrel: rebuild';", ""),
        ];
        for (sql, expected) in cases {
            assert_eq!(read(sql), expected, "{sql:?}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_meant() {
        let write = "write `-- whimbrel: transaction = none`";
        let cases = [
            ("-- whimbrel: transacton = none", "3: unknown directive `transacton` (did you mean `transaction`?)".to_owned()),
            (
                "-- whimbrel: frobnicate",
                format!("3: unknown directive `frobnicate` ({FORMS})"),
            ),
            ("-- whimbrel: transaction = off", format!("3: `transaction` can only be `none` ({write})")),
            ("-- whimbrel: transaction", format!("3: `transaction` can only be `none` ({write})")),
            (
                "-- whimbrel: out_of_order",
                "3: `out_of_order` can only be `allow` (write `-- whimbrel: out_of_order = allow`)".to_owned(),
            ),
            (
                "-- whimbrel: depends_on = 3,,",
                "3: `depends_on` names no version (write `-- whimbrel: depends_on = 3, other_chain:7`)".to_owned(),
            ),
            (
                "-- whimbrel: repeat = always",
                "3: `repeat` can only be `on-change` (write `-- whimbrel: repeat = on-change`)".to_owned(),
            ),
            (
                "-- whimbrel: repeat = on-change\n-- whimbrel: baseline",
                "35: `repeat` and `baseline` exclude each other (a baseline runs once, in a new database: leave one of the two out)".to_owned(),
            ),
            ("-- whimbrel: rebuild = yes", "3: `rebuild` takes no value (write `-- whimbrel: rebuild`)".to_owned()),
            (
                "-- whimbrel: description =",
                "3: `description` has no words (write `-- whimbrel: description = …`)".to_owned(),
            ),
            (
                "-- whimbrel: functions =",
                "3: `functions` names no library (write `-- whimbrel: functions = …`)".to_owned(),
            ),
            (
                "-- whimbrel: functions = ../x",
                "3: \"../x\" cannot be a library of functions: its name is made of the letters a to z, digits, `_` and `-` \
                 (write `-- whimbrel: functions = …`)"
                    .to_owned(),
            ),
            (
                "SELECT 1;\n-- whimbrel: rebuild",
                "13: a directive must stand at the top, before the first statement (-)".to_owned(),
            ),
            (
                "/*\n * whimbrel: rebuild\n */",
                "6: a directive must stand in a `--` comment of its own (write `-- whimbrel: rebuild`)".to_owned(),
            ),
            (
                "-- whimbrel: rebuild\n-- whimbrel: rebuild",
                "24: directive `rebuild` stands here a second time (-)".to_owned(),
            ),
            (
                "-- whimbrel: rebuild\n-- whimbrel: transaction = none",
                "24: `rebuild` and `transaction = none` exclude each other (`rebuild` needs its transaction: leave one of the two out)".to_owned(),
            ),
            (
                "-- whimbrel: a\n-- whimbrel: rebuild = 1",
                format!(
                    "3: unknown directive `a` ({FORMS})\n\
                     18: `rebuild` takes no value (write `-- whimbrel: rebuild`)"
                ),
            ),
        ];
        for (sql, expected) in cases {
            assert_eq!(read(sql), expected, "{sql:?}");
        }
    }

    proptest! {
        #[test]
        fn points_into_the_text(sql in "(-- ?|/\\* ?|\\*/|\n|whimbrel: ?|rebuild|transaction|=|none|é|'|;| ){0,20}") {
            for problem in directives(&sql).err().into_iter().flatten() {
                prop_assert!(sql.is_char_boundary(problem.offset));
            }
        }
    }
}
