//! A script engine for a very small language. A script has sections `up:`, `down:` and `transform:`. The lines of the
//! first two are SQL statements, `fail WORDS`, or `use PATH`, which takes the lines of that section from another file.
//! Those of `transform:` are `COLUMN = upper COLUMN` or `COLUMN = COLUMN`. `#` begins a comment.

#[allow(missing_docs, clippy::all, reason = "generated code")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../guest-sdk/wit/whimbrel.wit",
        world: "script-engine",
        generate_all,
    });
}

use std::cell::RefCell;

use bindings::whimbrel::migration::log::{self, Level};
use bindings::whimbrel::migration::scripts::{Frame, SourceFile};
use bindings::whimbrel::migration::sql::Transaction;
use bindings::whimbrel::migration::types::{Batch, Column};
use bindings::{Engine, Outline, Request, Script, ScriptFailure};
use whimbrel_packed::{BatchBuilder, Cell, CheckedBatch};

struct Steps;

thread_local! {
    /// A transform that is ready: the columns that come in, and the rules.
    static LOADED: RefCell<(Vec<String>, Vec<Rule>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// One line of a section, and where it stands.
struct Line {
    section: String,
    text: String,
    at: Frame,
}

/// How one column comes about.
struct Rule {
    from: String,
    upper: bool,
    at: Frame,
}

impl bindings::Guest for Steps {
    fn describe() -> Engine {
        Engine {
            name: "steps".to_owned(),
            version: "1.0.0".to_owned(),
            extensions: vec!["steps".to_owned()],
            details: Vec::new(),
        }
    }

    fn check(script: Script) -> Result<Outline, ScriptFailure> {
        let mut exports: Vec<String> = Vec::new();
        for line in lines(&script.files, 0)? {
            if !exports.contains(&line.section) {
                exports.push(line.section);
            }
        }
        Ok(Outline { exports, details: Vec::new() })
    }

    fn run(db: Transaction, request: Request) -> Result<(), ScriptFailure> {
        let lines = lines(&request.script.files, 0)?;
        for line in lines.into_iter().filter(|line| line.section == request.export) {
            if let Some(words) = line.text.strip_prefix("fail ") {
                return Err(failure("thrown", words, Some(line.at)));
            }
            let changed = db.execute(&line.text, &[]);
            let changed = changed.map_err(|error| failure("sql", &error.message, Some(line.at)))?;
            log::write(Level::Info, &format!("{changed} rows, memory {}", request.memory));
        }
        Ok(())
    }

    fn load(request: Request) -> Result<(), ScriptFailure> {
        let params = &request.context.params;
        let named = |name: &str| -> Vec<String> {
            params.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
        };
        let lines = lines(&request.script.files, 0)?;
        let mut rules = Vec::new();
        for column in named("whimbrel.write") {
            let rule = lines.iter().filter(|line| line.section == request.export).find_map(|line| {
                let (name, from) = line.text.split_once(" = ")?;
                let upper = from.strip_prefix("upper ");
                let from = upper.unwrap_or(from).to_owned();
                (name == column).then(|| Rule { from, upper: upper.is_some(), at: line.at.clone() })
            });
            rules.push(rule.ok_or_else(|| failure("result", &format!("no line makes {column}"), None))?);
        }
        LOADED.set((named("whimbrel.read"), rules));
        Ok(())
    }

    fn transform(input: Batch) -> Result<Batch, ScriptFailure> {
        let batch = unpacked(input)?;
        LOADED.with_borrow(|(read, rules)| {
            let mut out = BatchBuilder::new(rules.len());
            for row in 0..batch.rows() {
                for (index, rule) in rules.iter().enumerate() {
                    let failed = |words: &str| ScriptFailure {
                        row: u32::try_from(row).ok(),
                        ..failure("thrown", words, Some(rule.at.clone()))
                    };
                    let column = read.iter().position(|name| *name == rule.from);
                    let cell = batch.cell(row, column.ok_or_else(|| failed("there is no such column"))?);
                    let pushed = match (cell, rule.upper) {
                        (Cell::Text(text), true) => out.push_text(index, &text.to_uppercase()),
                        (cell, false) => out.push(index, cell),
                        (_, true) => return Err(failed("upper takes a text")),
                    };
                    pushed.map_err(|full| failed(&full.to_string()))?;
                }
            }
            Ok(packed(out))
        })
    }
}

/// Reads a file of a script, with the lines of those that it uses.
fn lines(files: &[SourceFile], index: usize) -> Result<Vec<Line>, ScriptFailure> {
    let Some(file) = files.get(index) else { return Err(failure("import", "there is no script", None)) };
    let mut section = String::new();
    let mut lines = Vec::new();
    for (number, text) in file.text.lines().enumerate() {
        let text = text.trim();
        let at = Frame {
            function: section.clone(),
            file: file.path.clone(),
            line: u32::try_from(number + 1).unwrap_or(0),
            column: 1,
        };
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if let Some(name) = text.strip_suffix(':') {
            section = name.to_owned();
        } else if section.is_empty() {
            return Err(failure("syntax", "a line stands before the first section", Some(at)));
        } else if let Some(path) = text.strip_prefix("use ") {
            // A file may only use those after it, so that no circle comes about.
            let found = files.iter().position(|other| other.path == path).filter(|found| *found > index);
            let found = found.ok_or_else(|| failure("import", &format!("there is no {path} to use"), Some(at)))?;
            lines.extend(self::lines(files, found)?.into_iter().filter(|line| line.section == section));
        } else {
            lines.push(Line { section: section.clone(), text: text.to_owned(), at });
        }
    }
    Ok(lines)
}

fn failure(code: &str, message: &str, at: Option<Frame>) -> ScriptFailure {
    ScriptFailure {
        code: code.to_owned(),
        message: message.to_owned(),
        frames: at.into_iter().collect(),
        row: None,
        details: vec![("hint".to_owned(), "it is a very small language".to_owned())],
    }
}

fn unpacked(batch: Batch) -> Result<CheckedBatch, ScriptFailure> {
    let column = |column: Column| whimbrel_packed::Column {
        kind: column.kind,
        tags: column.tags,
        words: column.words,
        heap: column.heap,
    };
    let batch = whimbrel_packed::Batch { rows: batch.rows, columns: batch.columns.into_iter().map(column).collect() };
    batch.check().map_err(|error| failure("result", &error.to_string(), None))
}

fn packed(mut builder: BatchBuilder) -> Batch {
    let batch = builder.finish();
    let column = |column: whimbrel_packed::Column| Column {
        kind: column.kind,
        tags: column.tags,
        words: column.words,
        heap: column.heap,
    };
    Batch { rows: batch.rows, columns: batch.columns.into_iter().map(column).collect() }
}

bindings::export!(Steps with_types_in bindings);
