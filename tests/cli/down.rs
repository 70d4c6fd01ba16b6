//! `whimbrel down`.

use insta::assert_snapshot;

use crate::harness::Project;

fn applied() -> Project {
    let project = Project::notes();
    project.ok(&["up"]);
    project
}

#[test]
fn reverts_one_unless_told_otherwise() {
    let project = applied();
    assert_snapshot!(project.run(&["down"]), @"
    exit 0
    --- stdout
    Reverted 1 migration in [time].

    --- stderr
    Reverted 2 first_notes ([time]).
    ");
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE ended_at IS NULL"), 1);
    project.ok(&["down"]);
    assert_snapshot!(project.run(&["down"]), @"
    exit 0
    --- stdout
    Nothing to do: nothing is applied that far.
    ");
}

#[test]
fn reverts_as_far_as_it_is_told() {
    for arguments in [["down", "--all"].as_slice(), &["down", "--to", "0"], &["down", "--steps", "2"]] {
        let project = applied();
        project.ok(arguments);
        assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE ended_at IS NULL"), 0, "{arguments:?}");
    }
    let project = applied();
    project.ok(&["down", "--to", "1"]);
    assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE ended_at IS NULL"), 1);
}

#[test]
fn is_found_by_the_names_other_tools_use() {
    for alias in ["revert", "rollback", "undo"] {
        let project = applied();
        project.ok(&[alias]);
        assert_eq!(project.number("SELECT count(*) FROM _whimbrel_history WHERE ended_at IS NULL"), 1, "{alias}");
    }
}

#[test]
fn refuses_what_cannot_be_reverted() {
    let project = applied();
    project.write("migrations/0003_three.sql", "CREATE TABLE three (id);");
    project.ok(&["up"]);
    project.unchanged(|| {
        assert_snapshot!(project.run(&["down"]), @"
    exit 1
    --- stderr
    error: migration 3 three cannot be reverted: it has no down
    hint: write its down script (name.up.sql and name.down.sql), `[transform.down]` for a transform, or stop before it: `whimbrel down --to VERSION`
    ");
    });
    project.remove("migrations/0003_three.sql");
    project.unchanged(|| {
        assert_snapshot!(project.run(&["down", "--all"]), @"
    exit 1
    --- stderr
    error: migration 3 three cannot be reverted: it is not in the chain
    hint: bring its file back, or set `keep_bodies = true` if the history was to keep what was applied
    ");
    });
}
