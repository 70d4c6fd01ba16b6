//! Runs what a page of the documentation shows, and compares what comes out.
//!
//! In a block of `console` a line that begins with `$` is a command; what follows is all that it writes. `…` stands for
//! any text, on a line of its own for any lines. A block of `toml` with a name is a file.
#![cfg(unix)]

use std::process::Command;

use super::guests::workspace;
use crate::harness::{self, Project};

/// A thing that a reader of a page does.
enum Step {
    Write { name: String, text: String },
    Run { command: String, output: Vec<String> },
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
        match info.split_once(' ') {
            Some(("toml", name)) => {
                let text = block.iter().map(|line| format!("{line}\n")).collect();
                steps.push(Step::Write { name: name.to_owned(), text });
            }
            None if info == "console" => {
                for line in block {
                    match (line.strip_prefix("$ "), steps.last_mut()) {
                        (Some(command), _) => {
                            steps.push(Step::Run { command: command.to_owned(), output: Vec::new() });
                        }
                        (None, Some(Step::Run { output, .. })) => output.push(line.to_owned()),
                        (None, _) => panic!("output without a command: {line}"),
                    }
                }
            }
            _ => {}
        }
    }
    steps
}

/// Tells whether a text is what a pattern with `…` in it says.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn all_fit(expected: &[String], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "…" => (0..=lines.len()).any(|skipped| all_fit(rest, &lines[skipped..])),
        Some((first, rest)) => {
            lines.split_first().is_some_and(|(line, lines)| fits(first, line) && all_fit(rest, lines))
        }
    }
}

fn runs(page: &str) {
    let text = std::fs::read_to_string(workspace().join("host/docs").join(page)).unwrap();
    let project = Project::new();
    let program = harness::program().parent().unwrap().display().to_string();
    let mut wrong = String::new();
    let steps = steps(&text);
    assert!(steps.len() > 5);
    for step in steps {
        match step {
            Step::Write { name, text } => project.write(&name, text),
            Step::Run { command, output } => {
                let own = project.command(&[]);
                let mut shell = Command::new("sh");
                shell
                    .args(["-c", &format!("{{ {command}\n}} 2>&1")])
                    .current_dir(own.get_current_dir().unwrap())
                    .env_clear();
                shell.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
                shell.env("PATH", format!("{program}:/usr/local/bin:/usr/bin:/bin")).env("WHIMBREL", workspace());
                let written = shell.output().unwrap().stdout;
                let written = String::from_utf8(written).unwrap();
                let lines: Vec<&str> = written.lines().map(str::trim_end).collect();
                if !all_fit(&output, &lines) {
                    wrong.push_str(&format!("$ {command}\n{}\n", lines.join("\n")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{page} shows something else for\n{wrong}");
}

#[test]
fn a_strangers_upgrade() {
    runs("strangers-upgrade.md");
}

#[test]
fn tells_whether_a_text_fits() {
    for (pattern, text, expected) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a…", "ab", true),
        ("…b", "ab", true),
        ("a…c…e", "abcde", true),
        ("a…c…e", "abde", false),
        ("a…a", "a", false),
    ] {
        assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(all_fit(&lines("a\n…\nd"), &["a", "b", "c", "d"]) && !all_fit(&lines("a\n…\nd"), &["a", "b"]));
}
