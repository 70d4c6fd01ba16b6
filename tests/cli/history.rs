//! `whimbrel history`.

use insta::assert_snapshot;

use crate::harness::Project;

#[test]
fn shows_what_was_applied() {
    let project = Project::notes();
    assert_snapshot!(project.run(&["history"]), @"
    exit 0
    --- stdout
    Nothing was applied yet.

    --- stderr
    note: there is no database app.db
    ");
    project.ok(&["up"]);
    assert_snapshot!(project.run(&["history"]), @"
    exit 0
    --- stdout
      Version  Name         Kind  Applied at (UTC) Took  Statements  Rows  Checksum      Whimbrel
            1  create_note  sql   [moment] [time]           1     0  82023a05cbba  0.1.0
            2  first_notes  sql   [moment] [time]           1     2  d129847a7916  0.1.0
    ");
}

/// What a way down leaves: it notes none of its statements.
#[test]
fn shows_a_step_that_stopped_half_way() {
    let project = Project::notes();
    project.ok(&["up"]);
    project.database().execute("UPDATE _whimbrel_history SET state = 'started' WHERE version = 2", []).expect("set");
    assert_snapshot!(project.run(&["history"]), @"
    exit 0
    --- stdout
      Version  Name                                  Kind  Applied at (UTC) Took  Statements  Rows  Checksum      Whimbrel
            1  create_note                           sql   [moment] [time]           1     0  82023a05cbba  0.1.0
            2  first_notes (dirty, on its way down)  sql   [moment] [time]           1     2  d129847a7916  0.1.0
    ");
    assert_snapshot!(project.run(&["up"]), @"
    exit 1
    --- stderr
    error: migration 2 first_notes was being reverted outside a transaction, which stopped half way
    hint: see what its down has taken back, and take back the rest by hand, then `whimbrel repair 2 --mark-failed`; or bring back by hand what is gone, then `whimbrel repair 2 --mark-applied`
    ");
}

#[test]
fn tells_what_was_reverted_and_when() {
    let project = Project::notes();
    project.ok(&["up"]);
    project.ok(&["down"]);
    project.ok(&["up"]);
    assert_snapshot!(project.run(&["history"]), @"
    exit 0
    --- stdout
      Version  Name                    Kind  Applied at (UTC) Took  Statements  Rows  Checksum      Whimbrel  Until (UTC)
            1  create_note             sql   [moment] [time]           1     0  82023a05cbba  0.1.0
            2  first_notes (reverted)  sql   [moment] [time]           1     2  d129847a7916  0.1.0     [moment]
            2  first_notes             sql   [moment] [time]           1     2  d129847a7916  0.1.0
    ");
}
