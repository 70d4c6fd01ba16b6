//! Components that say themselves whether they did what they should, asked in the transaction of their step and later.

use std::sync::OnceLock;

use rusqlite::Connection;
use whimbrel::Error;
use whimbrel::exec::{Asked, StepError, StepOutcome};
use whimbrel::plan::{Goal, Until};
use whimbrel::wasm::{self, PluginError};
use whimbrel_component::Wrapping;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::guests::{Stage, workspace};

/// Builds the guest, once in each form.
fn migration() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| build(&[]))
}

fn transform() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| build(&["transform"]))
}

fn build(features: &[&str]) -> Vec<u8> {
    let manifest = workspace().join("tests/guests/verified/Cargo.toml");
    xtask::component::component_featuring(&manifest, features).expect("the guest compiles")
}

/// A chain whose second migration asks itself in this way.
fn asking(verify: &str, more: &str) -> Stage {
    Stage::new(migration(), &format!("{more}\n[params]\nverify = '{verify}'\n"))
}

fn change(stage: &Stage, sql: &str) {
    Connection::open(stage.database()).unwrap().execute_batch(sql).unwrap();
}

fn named(stage: &Stage) -> usize {
    stage.people().iter().filter(|(_, first, _, _)| first.is_some()).count()
}

/// Returns why the step's own `verify` failed it; nothing of the step may stay.
fn unverified(stage: &Stage) -> PluginError {
    match stage.fails() {
        StepError::Verify { source } => *source,
        other => panic!("expected its own verify to fail it, got {other:?}"),
    }
}

#[test]
fn the_world_is_told() {
    let told = |bytes| {
        let inspection = wasm::inspect(bytes).unwrap();
        inspection.check().unwrap();
        (inspection.world(), inspection.calls().collect::<Vec<_>>())
    };
    assert_eq!(told(migration()), (Some("verified-reversible"), vec!["up", "down", "verify"]));
    assert_eq!(told(transform()), (Some("verified-transform"), vec!["apply", "verify"]));
}

#[test]
fn one_that_holds_is_applied_and_reverted() {
    let stage = asking("names", "");
    let verified = stage.up().unwrap();
    assert_eq!(named(&stage), 3);
    stage.migrator().down(Until::Steps(1)).unwrap();
    assert_eq!(named(&stage), 0, "on the way down nobody asks");
    assert!(verified.steps[0].fuel.unwrap() > 1000);
    assert_eq!(stage.up().unwrap().steps[0].outcome, StepOutcome::Done);
}

#[test]
fn one_that_does_not_hold_takes_the_step_back() {
    let stage = Stage::new(migration(), "[params]\nbut = 'Plato'\n");
    match unverified(&stage) {
        PluginError::Refused { message, statement: None } => assert_eq!(message, "1 people have no first name"),
        other => panic!("{other:?}"),
    }
    let Err(Error::Run(tried)) = stage.migrator().dry_run(&Goal::LATEST) else { panic!("a dry run asks too") };
    assert!(matches!(tried.source, StepError::Verify { .. }), "{tried:?}");
    assert_eq!(tried.source.to_string(), "the migration did not do what it should");

    change(&stage, "UPDATE person SET first_name = 'Plato' WHERE full_name = 'Plato'");
    stage.up().unwrap();
}

#[test]
fn all_of_a_single_transaction_is_taken_back() {
    let stage = Stage::new(migration(), "[params]\nbut = 'Plato'\n");
    std::fs::remove_file(stage.database()).unwrap();
    let migrator = stage.builder().single_transaction(true).build().unwrap();
    let Err(Error::Run(failed)) = migrator.up(Until::End) else { panic!("it does not hold") };
    assert!(matches!(failed.source, StepError::Verify { .. }), "{failed:?}");
    assert_eq!(migrator.history().unwrap(), []);
}

#[test]
fn it_can_change_nothing() {
    let stage = asking("write", "");
    match unverified(&stage) {
        PluginError::Refused { statement: Some(failed), .. } => {
            assert_eq!(failed.sql, "UPDATE person SET big = 0");
            assert_eq!(failed.error.message, "nothing may be changed here");
        }
        other => panic!("{other:?}"),
    }
    let stage = asking("swallow", "");
    stage.up().unwrap();
    assert_eq!(stage.people().iter().map(|person| person.3).collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
}

#[test]
fn it_reads_what_its_migration_may_read() {
    let grants = |read: &str| format!("[grants]\nread = {read}\nupdate = ['person(first_name)']");
    asking("names", &grants("['person(full_name, first_name)']")).up().unwrap();
    match unverified(&asking("names", &grants("['person(full_name)']"))) {
        PluginError::Refused { statement: Some(failed), .. } => {
            assert_eq!(failed.error.message, "not granted: read person(first_name)");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_is_stopped_as_up_is() {
    match unverified(&asking("panic", "")) {
        PluginError::Trapped { reason, .. } => assert!(reason.contains("the check broke"), "{reason}"),
        other => panic!("{other:?}"),
    }
    for limits in ["fuel = 1_000_000", "time = '200ms'"] {
        match unverified(&asking("loop", &format!("[limits]\n{limits}"))) {
            PluginError::Limit(reached) => assert!(limits.starts_with(reached.limit.key()), "{limits}"),
            other => panic!("{limits}: {other:?}"),
        }
    }
    assert!(matches!(unverified(&asking("savepoint", "")), PluginError::SavepointOpen));
}

#[test]
fn it_knows_of_the_run_what_up_knows() {
    let stage = asking("context", "");
    stage.migrator().dry_run(&Goal::LATEST).unwrap();
    stage.up().unwrap();
    let answers = stage.migrator().verify_deep().unwrap();
    assert!(answers[0].result.is_ok(), "{answers:?}");
    let heard: Vec<Vec<String>> =
        stage.heard().iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect();
    let told: Vec<(&str, &str)> = heard.iter().map(|words| (words[1].as_str(), words[2].as_str())).collect();
    assert_eq!(told, [("2", "true"), ("2", "false"), ("2", "false")]);
    assert_eq!((&heard[0][4], &heard[1][4]), (&heard[1][4], &heard[2][4]), "the seed is that of the bytes");
    let times: Vec<u64> = heard.iter().map(|words| words[3].parse().unwrap()).collect();
    assert!(times.iter().all(|time| *time > 1_700_000_000_000) && times.is_sorted(), "{times:?}");
}

#[test]
fn later_damage_is_found_and_nothing_is_changed() {
    let stage = asking("names", "");
    assert!(stage.migrator().verify_deep().unwrap().is_empty(), "it is not applied yet");
    stage.up().unwrap();
    let ask = || {
        let before = std::fs::read(stage.database()).unwrap();
        let mut permissions = std::fs::metadata(stage.database()).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(stage.database(), permissions.clone()).unwrap();
        let answers = stage.migrator().verify_deep().unwrap();
        #[expect(clippy::permissions_set_readonly_false, reason = "a file in a folder of the test's own")]
        permissions.set_readonly(false);
        std::fs::set_permissions(stage.database(), permissions).unwrap();
        assert_eq!(std::fs::read(stage.database()).unwrap(), before);
        let [answer] = <[_; 1]>::try_from(answers).unwrap();
        assert_eq!((answer.step.title().as_str(), answer.asked), ("2 guest", Asked::Code));
        answer.result
    };
    ask().unwrap();
    change(&stage, "UPDATE person SET first_name = NULL WHERE id < 3");
    match ask() {
        Err(StepError::Verify { source }) => {
            assert_eq!(source.to_string(), "the guest says: 2 people have no first name");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn code_that_is_not_what_was_applied_is_not_asked() {
    let stage = asking("names", "");
    stage.up().unwrap();
    let file = stage.database().with_file_name("migrations").join("0002_guest.wasm");
    // Another section, which says nothing.
    let mut other = migration().to_vec();
    other.extend_from_slice(b"\0\x02\x01x");
    std::fs::write(&file, other).unwrap();
    assert!(stage.migrator().verify_deep().unwrap().is_empty());
    std::fs::write(file.with_extension("verify.sql"), "SELECT 1;\n").unwrap();
    let asked: Vec<Asked> = stage.migrator().verify_deep().unwrap().iter().map(|answer| answer.asked).collect();
    assert_eq!(asked, [Asked::Script]);
    std::fs::write(&file, migration()).unwrap();
    let asked: Vec<Asked> = stage.migrator().verify_deep().unwrap().iter().map(|answer| answer.asked).collect();
    assert_eq!(asked, [Asked::Script, Asked::Code]);
}

const NAMES: &str = "[transform]\ntable = 'person'\nread = ['full_name']\nwrite = ['first_name']\n";

#[test]
fn a_transform_is_asked_after_its_last_row() {
    let stage = Stage::new(transform(), NAMES);
    stage.up().unwrap();
    assert_eq!(named(&stage), 3);
    assert!(stage.migrator().verify_deep().unwrap()[0].result.is_ok());

    let stage = Stage::new(transform(), &format!("{NAMES}[params]\nbut = 'Plato'\n"));
    assert_eq!(unverified(&stage).to_string(), "the guest says: 1 people have no first name");
}

#[test]
fn that_of_a_transform_reads_what_its_migration_may_read() {
    let asking = |grants: &str| {
        let stage = Stage::new(transform(), &format!("{NAMES}{grants}[params]\nverify = 'read salary'\n"));
        change(&stage, "CREATE TABLE salary (amount)");
        stage
    };
    asking("[grants]\nread = ['salary']\n").up().unwrap();
    // The table that it transforms it may read anyway, and no other.
    for grants in ["", "[grants]\nread = ['person(full_name)']\n"] {
        match unverified(&asking(grants)) {
            PluginError::Refused { statement: Some(failed), .. } => {
                assert_eq!(failed.error.message, "not granted: read salary", "{grants}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_transform_in_chunks_is_asked_with_its_last_one() {
    let stage = Stage::new(transform(), &format!("{NAMES}chunk = 2\n[params]\nbut = 'Plato'\n"));
    for _ in 0..2 {
        let Err(Error::Run(failed)) = stage.up() else { panic!("it does not hold") };
        assert!(matches!(failed.source, StepError::Verify { .. }), "{failed:?}");
        assert_eq!(named(&stage), 2, "the chunk before stays");
    }
    let leases = "SELECT count(*) FROM _whimbrel_history, json_each(details, '$.leases') WHERE version = '2'";
    let held: i64 = Connection::open(stage.database()).unwrap().query_row(leases, [], |row| row.get(0)).unwrap();
    assert_eq!(held, 0, "nobody is at work on it any more");
    change(&stage, "UPDATE person SET full_name = 'Platon' WHERE full_name = 'Plato'");
    let report = stage.up().unwrap();
    assert_eq!((report.steps[0].outcome, named(&stage)), (StepOutcome::Done, 3));
    assert!(stage.up().unwrap().steps.is_empty());
}

/// Writes a core module that exports these functions, each of which answers "ok", and whatever else.
fn module(exports: &[&str], rest: &str) -> Vec<u8> {
    let function = |name: &&str| {
        format!(
            "(func (export \"{name}\") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)
                (i32.const 16))"
        )
    };
    let functions: String = exports.iter().map(function).collect();
    let text = format!(
        "(module
            (memory (export \"memory\") 1)
            (global $next (mut i32) (i32.const 4096))
            (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
                (global.get $next)
                (global.set $next
                    (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)) (i32.const -8))))
            {functions} {rest})"
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn componentize_finds_the_world_by_what_a_module_exports() {
    for (exports, world) in
        [(&["up", "verify"][..], "verified-migration"), (&["up", "down", "verify"], "verified-reversible")]
    {
        let bytes = whimbrel_component::wrap(&module(exports, ""), &Wrapping::default()).unwrap();
        assert_eq!(wasm::inspect(&bytes).unwrap().world(), Some(world));
        let stage = Stage::new(&bytes, "");
        stage.up().unwrap();
        assert_eq!(stage.migrator().verify_deep().unwrap().len(), 1, "{world}");
    }
}

#[test]
fn componentize_leaves_no_verify_out_unless_everything_is_exported() {
    let wrap = |exports: &[&str], world: &str| {
        let wrapping = Wrapping { world: Some(world.to_owned()), ..Wrapping::default() };
        whimbrel_component::wrap(&module(exports, ""), &wrapping)
    };
    let error = wrap(&["up", "down", "verify"], "reversible").unwrap_err();
    assert_eq!(error.to_string(), "the module exports verify, and nobody would ask it: the world reversible has none");
    wrap(&["up", "down", "verify"], "verified-reversible").unwrap();
    // As modules of Go do: the world says what they are.
    wrap(&["up", "down", "verify", "apply"], "reversible").unwrap();
}

#[test]
fn the_contract_has_a_world_for_each_form() {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("whimbrel.wit", whimbrel_component::CONTRACT).unwrap();
    for plain in ["migration", "reversible", "transform", "reversible-transform"] {
        let exports = |world: &str| -> Vec<String> {
            let world = resolve.select_world(&[package], Some(world)).unwrap();
            resolve.worlds[world].exports.keys().map(|key| resolve.name_world_key(key)).collect()
        };
        let mut expected = exports(plain);
        expected.push("verify".to_owned());
        assert_eq!(exports(&format!("verified-{plain}")), expected);
    }
}

#[test]
fn a_verify_of_another_type_is_refused_before_anything_runs() {
    let contract =
        format!("{}\nworld odd {{ include migration; export verify: func(); }}", whimbrel_component::CONTRACT);
    let mut resolve = Resolve::default();
    let package = resolve.push_str("odd.wit", &contract).unwrap();
    let world = resolve.select_world(&[package], Some("odd")).unwrap();
    let mut bytes = module(&["up"], "(func (export \"verify\"))");
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).unwrap();
    let bytes = ComponentEncoder::default().module(&bytes).unwrap().validate(true).encode().unwrap();
    let Err(Error::Prepare(refused)) = Stage::new(&bytes, "").up() else { panic!("it does not fit") };
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(cause.contains("the export verify has other types than the contract's"), "{cause}");
}
