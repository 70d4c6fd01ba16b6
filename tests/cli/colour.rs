//! Colours: on a terminal only, and when asked for.

use crate::harness::Project;

const ESCAPE: char = '\u{1b}';

#[test]
fn there_are_none_in_a_pipe() {
    let project = Project::notes();
    for arguments in [["status"].as_slice(), &["up"], &["nonsense"], &["--help"], &["up", "--to", "99"]] {
        let outcome = project.run(arguments);
        assert!(!outcome.stdout.contains(ESCAPE) && !outcome.stderr.contains(ESCAPE), "{arguments:?}: {outcome}");
    }
}

#[test]
fn they_can_be_asked_for() {
    let project = Project::notes();
    let outcome = project.ok(&["status", "--color", "always"]);
    assert!(outcome.stdout.contains(ESCAPE), "{outcome}");
    let outcome = project.run(&["up", "--to", "99", "--color", "always"]);
    assert!(outcome.stderr.contains(ESCAPE), "{outcome}");
    let outcome = project.run_with("CLICOLOR_FORCE", "1", &["status"]);
    assert!(outcome.stdout.contains(ESCAPE), "{outcome}");
}

#[test]
fn no_color_is_obeyed_and_the_flag_comes_first() {
    let project = Project::notes();
    let mut command = project.command(&["status"]);
    command.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1");
    let outcome = project.outcome(&command.output().expect("it runs"));
    assert!(!outcome.stdout.contains(ESCAPE), "{outcome}");
    let outcome = project.run_with("NO_COLOR", "1", &["status", "--color", "always"]);
    assert!(outcome.stdout.contains(ESCAPE), "{outcome}");
    let outcome = project.run_with("CLICOLOR_FORCE", "1", &["status", "--color", "never"]);
    assert!(!outcome.stdout.contains(ESCAPE), "{outcome}");
}

#[test]
fn help_and_errors_of_the_command_line_obey_too() {
    let project = Project::notes();
    let shown = |name: &str, value: &str, arguments: &[&str]| {
        let outcome = project.run_with(name, value, arguments);
        outcome.stdout.contains(ESCAPE) || outcome.stderr.contains(ESCAPE)
    };
    for arguments in [["--help"].as_slice(), &["up", "--help"], &["nonsense"], &["up", "--nonsense"], &[]] {
        let with = |options: &[&'static str]| [options, arguments].concat();
        assert!(shown("X", "", &with(&["--color", "always"])), "{arguments:?}");
        assert!(shown("NO_COLOR", "1", &with(&["--color=always"])), "{arguments:?}");
        assert!(shown("CLICOLOR_FORCE", "1", arguments), "{arguments:?}");
        assert!(!shown("CLICOLOR_FORCE", "1", &with(&["--color", "never"])), "{arguments:?}");
        assert!(!shown("CLICOLOR_FORCE", "1", &with(&["--color=never"])), "{arguments:?}");
    }
    let mut command = project.command(&["--help"]);
    command.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1");
    assert!(!project.outcome(&command.output().expect("it runs")).stdout.contains(ESCAPE));
}

#[test]
fn the_words_are_the_same_without_them() {
    let project = Project::notes();
    let plain = project.ok(&["status"]).stdout;
    let coloured = project.ok(&["status", "--color", "always"]).stdout;
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once(ESCAPE) {
        stripped.push_str(before);
        rest = after.split_once('m').expect("a colour ends").1;
    }
    assert_eq!(stripped + rest, plain);
}
