//! Puts scripts together: what their head says, and which files they may import. Pure: looks at text only, and knows no
//! language.
//!
//! A script may import every file of the folder that it names, directly or through another one: whose name without its
//! ending stands in its text as a word. That is more than a language would import, so that no import is missed without
//! understanding any language; what a script imports in some other way, it does not get.

use std::borrow::Cow;
use std::sync::Arc;

use super::content;
use super::problem::Problem;
use crate::model::{Manifest, ScriptFile, ScriptFiles};
use crate::sql;

/// The signs with which comments begin that go to the end of the line, in whatever language.
const COMMENTS: [&str; 4] = ["//", "#", "--", ";"];

/// A file that scripts may import.
#[derive(Clone)]
pub(super) struct Shared {
    /// Where it lies in the folder of the migrations, with `/` between the parts.
    pub(super) path: String,
    /// What to call it in messages.
    pub(super) file: String,
    /// What it holds.
    pub(super) bytes: Cow<'static, [u8]>,
}

/// Reads what the head of a script says: the lines of a manifest, as comments. None when it says nothing.
pub(super) fn head(file: &str, text: &str) -> Result<Option<Manifest>, Vec<Problem>> {
    lines_of_head(file, text)?.map(|toml| content::manifest(file, &toml)).transpose()
}

/// Returns the manifest that stands in the head of a script, with every byte of it where it is in the script. None when there
/// is none.
pub(super) fn lines_of_head(file: &str, text: &str) -> Result<Option<String>, Vec<Problem>> {
    let mut toml = String::new();
    let (mut at_top, mut offset, mut said) = (true, 0, false);
    let mut in_block = false;
    let mut problems = Vec::new();
    for line in text.split_inclusive('\n') {
        let is_block = at_top && (in_block || line.trim_start_matches('\u{feff}').trim_start().starts_with("/*"));
        if is_block {
            let (inside, after) = line.split_once("*/").unwrap_or((line, ""));
            in_block = inside.len() == line.len();
            at_top = after.trim().is_empty();
            let words = inside.trim_start_matches(['\u{feff}', '/', '*', ' ', '\t']);
            if sql::after_mark(words).is_some() {
                let at = offset + inside.len() - words.len();
                let message = "a directive must stand in a comment that ends with its line".to_owned();
                let hint = "write it after `//`".to_owned();
                problems.push(Problem::at(file, text, at, message, Some(hint)));
            }
        }
        let comment = comment(line).filter(|_| !is_block);
        let directive = comment.and_then(|comment| sql::after_mark(comment.trim_start()));
        if comment.is_none() && !is_block && !line.trim_start_matches('\u{feff}').trim().is_empty() {
            at_top = false;
        }
        match directive {
            Some(_) if !at_top => {
                let at = offset + line.len() - line.trim_start().len();
                let message = "a directive must stand at the top, before the first statement".to_owned();
                problems.push(Problem::at(file, text, at, message, Some("move it up".to_owned())));
            }
            // Blanks keep every place where it is.
            Some(directive) => {
                said = true;
                toml.push_str(&" ".repeat(line.len() - directive.len()));
                toml.push_str(directive);
            }
            None if at_top => {
                let (words, end) = line.split_at(line.trim_end_matches(['\r', '\n']).len());
                toml.push_str(&" ".repeat(words.len()));
                toml.push_str(end);
            }
            None => {}
        }
        offset += line.len();
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(said.then_some(toml))
}

/// Returns what stands in a line that is nothing but a comment.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim_start_matches('\u{feff}').trim_start();
    COMMENTS.iter().find_map(|sign| line.strip_prefix(sign))
}

/// Gives a script the files that it may import.
pub(super) fn gather(main: ScriptFile, extension: &str, all: &[Shared]) -> Result<Arc<ScriptFiles>, Vec<Problem>> {
    let mut imports: Vec<ScriptFile> = Vec::new();
    let mut left: Vec<&Shared> = all.iter().filter(|shared| shared.path != main.path).collect();
    let mut looked_at = 0;
    let mut problems = Vec::new();
    loop {
        let text = match looked_at {
            0 => main.text.clone(),
            index => match imports.get(index - 1) {
                Some(file) => file.text.clone(),
                None => break,
            },
        };
        looked_at += 1;
        let (named, others): (Vec<&Shared>, Vec<&Shared>) =
            left.into_iter().partition(|shared| names(&text, stem(&shared.path)));
        left = others;
        for shared in named {
            match content::text(&shared.file, shared.bytes.clone()) {
                Ok(text) => {
                    imports.push(ScriptFile { path: shared.path.clone(), file: shared.file.clone(), text });
                }
                Err(mut found) => problems.append(&mut found),
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    imports.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(Arc::new(ScriptFiles { extension: extension.to_owned(), main, imports }))
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Tells whether a word stands in a text, with no letter, digit or `_` beside it.
fn names(text: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(path: &str, text: &'static str) -> ScriptFile {
        ScriptFile { path: path.to_owned(), file: format!("m/{path}"), text: Cow::Borrowed(text) }
    }

    fn shared(path: &str, text: &'static str) -> Shared {
        Shared { path: path.to_owned(), file: format!("m/{path}"), bytes: Cow::Borrowed(text.as_bytes()) }
    }

    #[test]
    fn gives_a_script_what_it_names_and_no_more() {
        let all = [
            shared("names.js", "import { trim } from './text/trim.js'"),
            shared("text/trim.js", "export const trim = 1"),
            shared("rename.js", ""),
            shared("other.js", "names"),
            shared("2_a.js", ""),
        ];
        let cases: [(&str, &[&str]); 5] = [
            ("import { split } from './names.js'", &["names.js", "text/trim.js"]),
            ("from names import split", &["names.js", "text/trim.js"]),
            ("const filenames = my_names", &[]),
            ("other", &["names.js", "other.js", "text/trim.js"]),
            ("import './2_a.js'", &[]),
        ];
        for (text, expected) in cases {
            let main = ScriptFile { text: Cow::Owned(text.to_owned()), ..file("2_a.js", "") };
            let found = gather(main, "js", &all).expect(text);
            let paths: Vec<&str> = found.imports.iter().map(|file| file.path.as_str()).collect();
            assert_eq!(paths, expected, "{text}");
        }
    }

    #[test]
    fn reads_the_head_in_the_comments_of_any_language() {
        let cases = [
            "// whimbrel: description = \"x\"\nup()",
            "\u{feff}#!/usr/bin/env node\n\n#   whimbrel: description = \"x\"\r\n",
            "-- about\n-- whimbrel:description = 'x'",
            "// Whimbrel : description = 'x'",
            "/* licence\n * of 2026 */\n/* more */\n\n// whimbrel: description = 'x'\nup() /*",
        ];
        for text in cases {
            let manifest = head("f", text).expect(text).expect(text);
            assert_eq!(manifest.description.as_deref(), Some("x"), "{text}");
        }
        for text in ["", "up()", "/* about */ up()", "// whimbrels: a", "up() /* whimbrel: a */"] {
            assert_eq!(head("f", text).expect(text), None, "{text}");
        }
    }

    #[test]
    fn says_where_in_the_head_something_is_wrong() {
        let shown = |text: &str| {
            let problems = head("f", text).expect_err(text);
            problems.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(shown("// é\n//  whimbrel: descr = 1\n"), ["f:2:15: unknown key `descr`"]);
        assert_eq!(
            shown("let a = 1\n  // whimbrel: description = 'x'\n"),
            ["f:2:3: a directive must stand at the top, before the first statement"]
        );
        assert_eq!(
            shown("/* é\n * whimbrel: description = 'x' */"),
            ["f:2:4: a directive must stand in a comment that ends with its line"]
        );
        assert_eq!(
            shown("/* about */ up()\n// whimbrel: description = 'x'"),
            ["f:2:1: a directive must stand at the top, before the first statement"]
        );
    }

    proptest! {
        #[test]
        fn survives_every_text(text in "(//|#|/[*]|[*]/|whimbrel:|limits[.]fuel|=|\"|\n|1|é|\r| ){0,30}") {
            let _ = head("f", &text);
        }
    }
}
