//! The exit codes and where each message goes.

use std::process::Stdio;

use insta::assert_snapshot;

use crate::harness::Project;

#[test]
fn a_wrong_command_line_is_2() {
    let project = Project::notes();
    let cases = [
        ["nonsense"].as_slice(),
        &["up", "--to", "x"],
        &["up", "--to", "1", "--steps", "1"],
        &["up", "--steps", "0"],
        &["up", "--to", "18446744073709551616"],
        &["status", "--lock-timeout", "5"],
        &["down", "--all", "--steps", "1"],
        &["inspect"],
        &[],
    ];
    for arguments in cases {
        let outcome = project.run(arguments);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{arguments:?}: {outcome}");
        assert!(!outcome.stderr.is_empty());
    }
    assert_snapshot!(project.run(&["up", "--to", "x"]), @r#"
    exit 2
    --- stderr
    error: invalid value 'x' for '--to <VERSION>': "x" is not a version: a version is made of digits

    For more information, try '--help'.
    "#);
    assert_snapshot!(project.run(&["stauts"]), @"
    exit 2
    --- stderr
    error: unrecognized subcommand 'stauts'

      tip: a similar subcommand exists: 'status'

    Usage: whimbrel [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn help_and_version_are_0() {
    let project = Project::new();
    for arguments in [["--help"].as_slice(), &["-h"], &["--version"], &["up", "--help"], &["help", "up"]] {
        let outcome = project.ok(arguments);
        assert!(!outcome.stdout.is_empty() && outcome.stderr.is_empty(), "{arguments:?}");
    }
    let help = project.ok(&["help", "up"]).stdout;
    for options in [["--json"].as_slice(), &["-q"], &["--quiet", "--json"]] {
        assert_eq!(project.ok(&[&["help", "up"], options].concat()).stdout, help, "{options:?}");
        assert_eq!(project.ok(&[options, &["help", "up"]].concat()).stdout, help, "{options:?}");
    }
    assert_eq!(project.run(&["help", "nothing", "--json"]).json("error")["code"], "usage");
    assert_snapshot!(project.run(&["-h"]), @"
    exit 0
    --- stdout
    A migration host that runs SQL and sandboxed WebAssembly migrations in one versioned chain

    Usage: whimbrel [OPTIONS] <COMMAND>

    Commands:
      init          Make a folder for migrations, whimbrel.toml and a first migration
      new           Make the files of a new migration
      status        Show the state of every migration
      plan          Show what `up` or `down` would do
      up            Apply what is pending
      down          Revert what is applied, newest first; one migration unless told otherwise
      redo          Revert the last applied migration and apply it again; several with --steps
      reset         Revert everything; asks first, and never in a protected environment
      baseline      Declare that the database has everything up to a version; runs nothing
      squash        Write a baseline that new databases start from: the schema as it is now
      verify        Check that files and history agree
      test          Try pending migrations on copies of the database: up, down, up, and code twice
      componentize  Make a component of a core WebAssembly module that a compiler made
      inspect       Show what a component is made of, or a script says, and what it asks for
      run-script    Try a script in a transaction, and roll back unless told otherwise
      repl          Ask the database in SQL or JavaScript, a line each; changes nothing
      engines       Show the script engines: what they run, version, size, digest
      preview       Show what a transform would make of some rows; writes nothing
      rejects       Show the rows that a transform kept aside
      repair        Put the history right; shows what it will write, and asks
      renumber      Give pending migrations new versions at the end of the chain, after a merge
      history       Show what was applied when; or, where the history keeps it, what it was
      adopt         Take over the history that another tool keeps in the database; its own tables stay
                    as they are
      lock          Write whimbrel.lock, in which two branches that both add a migration conflict; `lock
                    status` shows who is at work on the database
      completions   Print completions for a shell
      help          Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Global options:
      -D, --database <URL>       The database: sqlite:app.db, sqlite:///var/app.db or a path
      -d, --dir <FOLDER>         The folder of the migrations, an archive, or https://…#sha256=…; may be
                                 given several times [default: migrations]
          --layout <TOOL>        Whose way the folder is laid out: auto, whimbrel, sqlx, refinery,
                                 flyway, golang-migrate, goose, dbmate, diesel, atlas, prisma [default:
                                 auto]
          --chain <NAME>         Only this chain of several; can be given more than once [default: all]
          --env <NAME>           The environment of whimbrel.toml, `[env.NAME]`, that is meant [default:
                                 WHIMBREL_ENV]
          --config <FILE>        Read this file and not whimbrel.toml
          --set <NAME=VALUE>     The value that stands for a name such as ${NAME} in scripts; can be
                                 given more than once
          --table <NAME>         Name of the history table [default: _whimbrel_history]
          --lock-timeout <TIME>  How long to wait for another process: 500ms, 5s, 2m [default: 60s]
          --timeout <TIME>       How long a whole run may take, compiling and waiting included: 90s, 30m
                                 [default: no end]
          --json                 Print one JSON object on stdout
          --color <WHEN>         Use colours [default: auto] [possible values: auto, always, never]
      -v, --verbose...           Say more on stderr; twice for everything
      -q, --quiet                Say nothing but results and errors

    Exit codes:
      0    done
      1    failed or refused
      2    the command line or the settings are wrong
      3    something is pending (status --check)
      4    the outcome is unknown: the connection was lost during a commit
      5    done, but rows that could not be transformed were kept aside, or would be (--dry-run)
      6    done, but the result could not be written to standard output
      70   a bug in whimbrel
      124  stopped by --timeout
      130  interrupted by Ctrl-C (143 by SIGTERM, 129 by a closed terminal)

    The database is taken from --database, else the environment that --env or WHIMBREL_ENV names,
    else DATABASE_URL, else .env, else whimbrel.toml.
    ");
}

#[test]
fn a_number_that_cannot_be_meant_is_named() {
    let project = Project::notes();
    let cases = [
        (["up", "--steps", "-1"], "invalid value '-1' for '--steps <N>': -1 is not in 1..=4294967295"),
        (["redo", "--steps", "-1"], "invalid value '-1' for '--steps <N>': -1 is not in 1..=4294967295"),
        (["down", "--to", "-1"], "invalid value '-1' for '--to <VERSION>': \"-1\" is not a version"),
        (["up", "--jobs", "-1"], "invalid value '-1' for '--jobs <N>': write a number from 1 to 256"),
        (["up", "--throttle", "-5"], "invalid value '-5' for '--throttle <RATE>': write rows a second"),
        (["up", "--throttle", "0"], "invalid value '0' for '--throttle <RATE>': 0 is no rate and no pause"),
        (["up", "--throttle", "0s"], "invalid value '0s' for '--throttle <RATE>': 0 is no rate and no pause"),
    ];
    for (arguments, expected) in cases {
        let outcome = project.run(&arguments);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(outcome.stderr.contains(expected), "{outcome}");
    }
}

#[test]
fn a_version_that_is_not_there_is_refused() {
    let project = Project::notes();
    for arguments in [["rejects", "99"].as_slice(), &["rejects", "99", "--retry"], &["test", "--accept", "99"]] {
        let outcome = project.run(arguments);
        assert_eq!(outcome.code, 1, "{outcome}");
        assert!(outcome.stderr.contains("the chain has no version 99"), "{outcome}");
    }
    project.ok(&["rejects", "1"]);
    project.ok(&["test", "--accept", "1"]);
}

#[test]
fn who_looks_at_a_database_that_is_not_there_is_told() {
    let project = Project::notes();
    let verbs = [
        ["history"].as_slice(),
        &["down"],
        &["redo"],
        &["reset"],
        &["rejects", "1"],
        &["lock", "status"],
        &["verify"],
        &["renumber"],
    ];
    for verb in verbs {
        let outcome = project.ok(verb);
        assert_eq!(outcome.stderr, "note: there is no database app.db\n", "{verb:?}");
        assert!(project.ok(&[verb, &["--json"]].concat()).stderr.is_empty(), "{verb:?}");
    }
    assert!(!project.path("app.db").exists());
    project.ok(&["up"]);
    assert!(project.ok(&["history"]).stderr.is_empty());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let project = Project::notes();
    for arguments in [["status"].as_slice(), &["up", "-vv"], &["history", "--json"], &["--help"]] {
        let mut command = project.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{arguments:?}");
    }
    project.ok(&["status", "--check"]);
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_an_error() {
    let project = Project::notes();
    let full = |arguments: &[&str]| {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a full device");
        project.outcome(&project.command(arguments).stdout(full).output().expect("it runs"))
    };
    for arguments in [["status"].as_slice(), &["plan", "--json"], &["up", "--dry-run"], &["--help"]] {
        let outcome = full(arguments);
        assert_eq!(outcome.code, 1, "{arguments:?}: {outcome}");
        assert!(outcome.stderr.contains("error: the result cannot be written to standard output"), "{outcome}");
    }
    assert_snapshot!(full(&["up", "--quiet", "--steps", "1"]), @"
    exit 6
    --- stderr
    error: the result cannot be written to standard output
      caused by: No space left on device (os error 28)
    note: it was done all the same: Applied 1 migration in [time].
    hint: free some space on the disk
    ");
    let json = full(&["up", "--json"]);
    assert_eq!(json.code, 6, "{json}");
    assert!(json.stderr.contains("note: it was done all the same: Applied 1 migration"), "{json}");
    project.ok(&["status", "--check"]);
}

#[test]
fn completions_know_every_shell() {
    let project = Project::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let outcome = project.ok(&["completions", shell]);
        assert!(outcome.stdout.contains("whimbrel") && outcome.stdout.contains("lock-timeout"), "{shell}");
        assert!(outcome.stdout.contains("golang-migrate"), "{shell}: what can be said of --layout");
    }
    let bash = project.ok(&["completions", "bash"]).stdout;
    for alias in ["migrate", "rollback", "info", "create"] {
        assert!(bash.contains(&format!("whimbrel,{alias})")), "{alias}");
    }
}

#[test]
fn no_file_to_write_is_called_like_standard_output() {
    let project = Project::notes();
    for arguments in [&["test", "--junit", "-"][..], &["history", "--body", "1", "-o", "-"]] {
        let refused = project.run(arguments);
        assert!(refused.code == 2 && refused.stderr.contains("standard output has the result"), "{refused}");
    }
    assert!(!project.path("-").exists());
}
