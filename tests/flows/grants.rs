//! A vendor's component in an application's database: what it asks for, what it is given, what it is refused.

use insta::assert_snapshot;
use rusqlite::Connection;
use whimbrel::Error;
use whimbrel::exec::{PrepareError, StepError};
use whimbrel::grants::Grants;
use whimbrel::model::{Policy, PolicyError, Trust};
use whimbrel::plan::{Goal, Until};
use whimbrel::wasm::PluginError;

use super::guests::{Stage, behaviours, workspace};
use crate::harness::Project;

const SHOP: &str = "CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, secret TEXT);\n\
                    INSERT INTO customer VALUES (1, 'Ada', 'sesame');\n";

/// Writes a manifest for the guest that runs the statements it is told to.
fn manifest(grants: Option<&str>, statements: &[&str]) -> String {
    let grants = grants.map(|grants| format!("[grants]\n{grants}\n")).unwrap_or_default();
    format!("{grants}[params]\ndo = \"sql\"\nsql = '''\n{}'''\n", statements.join("\n"))
}

/// A shop whose own chain is applied, and a vendor's chain with one component.
fn shop(manifest: &str) -> Project {
    let project = Project::with(&[("0001_shop.sql", SHOP)]);
    project.ok(&["up"]);
    project.write("vendor/0001_loyalty.wasm", behaviours());
    project.write("vendor/0001_loyalty.toml", manifest);
    policy(&project, "");
    project
}

fn policy(project: &Project, more: &str) {
    let text = "database = \"sqlite:app.db\"\ndir = \"vendor\"\nchain = \"acme\"\nother_chains = [\"main\"]\n\
                [chains.acme]\ntrust = \"untrusted\"\nnamespace = \"acme_\"\n\n";
    project.write("vendor.toml", format!("{text}{more}"));
}

fn vendor<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--config", "vendor.toml"]].concat()
}

#[test]
fn a_vendors_component_is_inspected_given_what_it_needs_and_run() {
    let project = shop(&manifest(
        Some("read = [\"customer(id)\"]\ncreate = [\"acme_*\"]\ninsert = [\"acme_points\"]"),
        &[
            "CREATE TABLE acme_points (customer INTEGER, points INTEGER)",
            "INSERT INTO acme_points SELECT id, 0 FROM customer",
        ],
    ));
    let inspected = project.run(&["inspect", "vendor/0001_loyalty.wasm"]).stdout;
    let (_, asks) = inspected.split_once("asks for").unwrap();
    assert_snapshot!(asks.lines().take(4).collect::<Vec<_>>().join("\n"), @"
    read      customer(id)
              insert    acme_points
              create    acme_*  ! acme_* is every name that begins so
              limits    1,000,000,000,000 fuel, 512 MiB memory, 1 h time
    ");
    project.unchanged(|| {
        assert_snapshot!(project.run(&vendor(&["up"])), @r#"
        exit 1
        --- stderr
        error: migration 1 loyalty asks for more than it is given (vendor/0001_loyalty.toml)
          caused by: not granted: read = ["customer(id)"]
        hint: to give it, write into whimbrel.toml:
            [chains.acme.migrations.1.grants]
            read = ["customer(id)"]
        "#);
    });
    policy(&project, "[chains.acme.migrations.1.grants]\nread = [\"customer(id)\"]\n");
    assert_eq!(project.run(&vendor(&["up"])).code, 0);
    let connection = Connection::open(project.path("app.db")).unwrap();
    let rows: i64 = connection.query_row("SELECT count(*) FROM acme_points", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn plan_and_inspect_tell_what_the_policy_refuses() {
    let asked = "read = [\"customer(id)\"]\nview = [\"everything\"]\n[limits]\nmemory = \"1GiB\"";
    let project = shop(&manifest(Some(asked), &[]));
    let plan = project.run(&vendor(&["plan"]));
    assert_snapshot!(plan, @r#"
    exit 0
    --- stdout
    1. up 1 loyalty  component  vendor/0001_loyalty.wasm
       read      customer(id)
       view      everything  ! leaves behind what is read later with other rights
       limits    1,000,000,000,000 fuel, 512 MiB memory, 1 h time
       refused   read = ["customer(id)"]
       refused   view = ["everything"], which no policy can give here
       refused   asks for memory 1 GiB, more than the 512 MiB it may have

    `whimbrel up` would be refused before it changes anything: the policy gives less than is asked for.
    hint: to give it, write into whimbrel.toml:
        [chains.acme.migrations.1.grants]
        read = ["customer(id)"]
        an untrusted chain can never have view = ["everything"]: outside its namespace
        to give it, write into whimbrel.toml:
        [chains.acme.migrations.1.limits]
        memory = "1GiB"
    "#);
    let refused = project.run(&vendor(&["plan", "--json"])).json("plan")["steps"][0]["refused"].clone();
    let expected = serde_json::json!({
        "grants": { "read": ["customer(id)"], "view": ["everything"] },
        "never": { "view": ["everything"] },
        "limits": [{ "limit": "memory", "asked": 1 << 30, "given": 512 << 20 }],
        "outside_transaction": false,
        "rebuild": false,
    });
    assert_eq!(refused, expected);
    let inspected = project.run(&vendor(&["inspect", "vendor/0001_loyalty.wasm", "--json"])).json("inspect");
    assert_eq!(inspected["policy"]["refused"], expected, "{inspected}");
    assert_eq!(inspected["policy"]["namespace"], "acme_");
    // Given all of it, and not looked at by this policy.
    let project = shop(&manifest(Some("create = [\"acme_x\"]"), &[]));
    let json = project.run(&vendor(&["plan", "--json"])).json("plan");
    assert!(json["steps"][0].get("refused").is_none(), "{json}");
    let text = project.run(&vendor(&["inspect", "vendor/0001_loyalty.wasm"])).stdout;
    assert!(text.contains("chain acme in vendor.toml: not trusted beyond acme_*"), "{text}");
    assert!(text.contains("gives all that is asked for"), "{text}");
    let text = project.run(&["inspect", "vendor/0001_loyalty.wasm"]).stdout;
    assert!(!text.contains("policy"), "{text}");
}

#[test]
fn a_plan_shows_the_limits_that_the_policy_gives_and_refuses_scripts_outside_a_transaction() {
    let project = shop(&manifest(Some(""), &[]));
    project.write("vendor/0002_vacuum.sql", "-- whimbrel: transaction = none\nVACUUM;\n");
    policy(&project, "[chains.acme.limits]\nmemory = \"64MiB\"\n");
    let plan = project.run(&vendor(&["plan"])).stdout;
    assert!(plan.contains("64 MiB memory"), "{plan}");
    assert!(plan.contains("refused   to run outside a transaction, because it is held to grants"), "{plan}");
    assert!(plan.contains("`whimbrel up` would be refused before it changes anything"), "{plan}");
}

#[test]
fn scripts_of_an_untrusted_chain_have_limits() {
    let project = Project::with(&[("0001_shop.sql", SHOP)]);
    project.ok(&["up"]);
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;\n";
    project.write("vendor/0001_points.sql", format!("CREATE TABLE acme_points (id);\n{endless}"));
    let asked = "[grants]\ncreate = [\"acme_points\"]\ninsert = [\"acme_points\"]\n";
    project.write("vendor/0001_points.toml", asked);
    policy(&project, "[chains.acme.limits]\nsql_operations = 100_000\n");
    project.unchanged(|| {
        assert_snapshot!(project.run(&vendor(&["up"])).stderr, @"
        error: migration 1 points failed on its way up
          caused by: the script reached its sql_operations limit of 100000
         --> vendor/0001_points.sql:2:1
          |
        2 | WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        note: migration 1 points was rolled back
        hint: let it do less, or give it more than this in whimbrel.toml:
            [chains.acme.migrations.1.limits]
            sql_operations = 100000
        ");
    });
    policy(&project, "[chains.acme.limits]\ntime = \"200ms\"\n");
    let stopped = project.unchanged(|| project.run(&vendor(&["up"])));
    assert!(stopped.stderr.contains("the script reached its time limit of 200ms"), "{stopped}");
    // Too short for SQLite to look at the clock inside any of them.
    project.write("vendor/0001_points.sql", "SELECT 1;\n".repeat(20_000));
    policy(&project, "[chains.acme.limits]\ntime = \"1ms\"\n");
    let stopped = project.unchanged(|| project.run(&vendor(&["up", "--json"])));
    assert_eq!(stopped.json("error")["code"], "guest-limit", "{stopped}");
    policy(&project, "");
    project.write(
        "vendor/0001_points.sql",
        "CREATE TABLE acme_points (id);\nINSERT INTO acme_points VALUES (random());\n",
    );
    let refused = project.unchanged(|| project.run(&vendor(&["up"])));
    assert!(refused.stderr.contains("functions = [\"random\"]"), "{refused}");
    // Nothing is left of the limits on a chain of one's own.
    project.write("migrations/0002_long.sql", endless.replace("FROM n)", "FROM n WHERE i < 300000)"));
    project.ok(&["up"]);
}

#[test]
fn the_guest_is_told_what_it_lacks_and_may_go_on() {
    let grants = "read = ['person(id)']\nupdate = ['person(code)']";
    let stage = Stage::new(
        behaviours(),
        &manifest(
            Some(grants),
            &[
                "? UPDATE person SET full_name = 'x'",
                "? SELECT full_name FROM person",
                "? DELETE FROM person",
                "? CREATE TABLE mine (x)",
                "? ATTACH 'x' AS y",
                "? SELECT random()",
                "UPDATE person SET code = 'fine' WHERE id = 1",
            ],
        ),
    );
    stage.up().unwrap();
    assert_eq!(
        stage.heard(),
        [
            "Info update | person(full_name) | update = [\"person(full_name)\"]",
            "Info read | person(full_name) | read = [\"person(full_name)\"]",
            "Info delete | person | delete = [\"person\"]",
            "Info create | mine | create = [\"mine\"]",
            "Info attach |  | -",
            "Info function | random | functions = [\"random\"]",
        ]
    );
}

#[test]
fn an_unhandled_refusal_tells_the_operator_what_would_be_needed() {
    let project = shop(&manifest(Some("read = [\"customer(id)\"]"), &["SELECT id FROM customer WHERE secret > ''"]));
    policy(&project, "[chains.acme.grants]\nread = [\"customer(id)\"]\n");
    project.unchanged(|| {
        assert_snapshot!(project.run(&vendor(&["up"])), @r#"
        exit 1
        --- stderr
        error: migration 1 loyalty failed on its way up
          caused by: the guest says: not granted: read customer(secret) (SQLITE_AUTH)
          caused by: statement failed: not granted: read customer(secret) (SQLITE_AUTH): SELECT id FROM customer WHERE secret > ''
        note: migration 1 loyalty was rolled back
        hint: it would need this in vendor/0001_loyalty.toml:
            [grants]
            read = ["customer(secret)"]
            and, if whimbrel.toml has a policy for it, this there:
            [chains.acme.migrations.1.grants]
            read = ["customer(secret)"]
        "#);
    });
    let project = shop(&manifest(None, &["CREATE TABLE acme_x (a)"]));
    assert_snapshot!(project.run(&vendor(&["up"])).stderr, @r#"
    error: migration 1 loyalty failed on its way up
      caused by: the guest says: not granted: create acme_x (SQLITE_AUTH)
      caused by: statement failed: not granted: create acme_x (SQLITE_AUTH): CREATE TABLE acme_x (a)
    note: migration 1 loyalty was rolled back
    hint: it would need this in vendor/0001_loyalty.toml:
        [grants]
        create = ["acme_x"]
        and, if whimbrel.toml has a policy for it, this there:
        [chains.acme.migrations.1.grants]
        create = ["acme_x"]
    "#);
    let project = shop(&manifest(Some(""), &["COMMIT"]));
    let refused = project.run(&vendor(&["up"])).stderr;
    assert!(refused.contains("hint: no grant allows this"), "{refused}");
}

#[test]
fn what_no_policy_can_give_is_said_so() {
    let project = shop(&manifest(Some("view = [\"all_customers\"]\ntrigger = [\"customer\"]\nread = [\"*\"]"), &[]));
    assert_snapshot!(project.run(&vendor(&["up"])).stderr, @r#"
    error: migration 1 loyalty asks for more than it is given (vendor/0001_loyalty.toml)
      caused by: not granted: read = ["*"]
      caused by: not granted: trigger = ["customer"]
      caused by: not granted: view = ["all_customers"]
    hint: to give it, write into whimbrel.toml:
        [chains.acme.migrations.1.grants]
        read = ["*"]
        an untrusted chain can never have trigger = ["customer"] or view = ["all_customers"]: outside its namespace
    "#);
    policy(&project, "[chains.acme.grants]\nview = [\"all_customers\"]\n");
    assert_snapshot!(project.run(&vendor(&["up"])).stderr, @r#"error: vendor.toml:5:1: the chain acme: an untrusted chain can never have view = ["all_customers"]: outside its namespace acme_ it may leave no view"#);
}

#[test]
fn a_dry_run_prints_the_least_manifest_and_marks_what_is_not_used() {
    let project = Project::with(&[("0001_shop.sql", SHOP)]);
    project.ok(&["up"]);
    project.write("migrations/0002_names.wasm", behaviours());
    let statements = ["UPDATE customer SET name = upper(name) WHERE id = 1", "CREATE TABLE fresh (x)"];
    project.write("migrations/0002_names.toml", manifest(None, &statements));
    assert_snapshot!(used(&project), @r#"
    used, as the least manifest would ask for it:
      [grants]
      read = ["customer(id, name)"]
      update = ["customer(name)"]
      create = ["fresh"]
    "#);
    let asked =
        "read = [\"customer\"]\nupdate = [\"customer(name, secret)\"]\ncreate = [\"fresh\"]\ndelete = [\"customer\"]";
    project.write("migrations/0002_names.toml", manifest(Some(asked), &statements));
    assert_snapshot!(used(&project), @r#"
    used, as the least manifest would ask for it:
      [grants]
      read = ["customer(id, name)"]
      update = ["customer(name)"]
      create = ["fresh"]
    ! asks for more than it was seen to use this way:
      update = ["customer(secret)"]
      delete = ["customer"]
    "#);
    let json: serde_json::Value = serde_json::from_str(&project.run(&["up", "--dry-run", "--json"]).stdout).unwrap();
    let grants = &json["steps"][0]["recording"]["grants"];
    assert_eq!(grants["unused"]["delete"][0], "customer", "{grants}");
    assert_eq!(grants["used"]["create"][0], "fresh", "{grants}");
}

fn used(project: &Project) -> String {
    let text = project.run(&["up", "--dry-run"]).stdout;
    let lines = text.lines().skip_while(|line| !line.contains("used")).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn scripts_of_an_untrusted_chain_are_held_too() {
    let project = Project::with(&[("0001_shop.sql", SHOP)]);
    project.ok(&["up"]);
    project.write("vendor/0001_points.sql", "CREATE TABLE acme_points (id);\nDELETE FROM customer;\n");
    project.write("vendor/0001_points.toml", "[grants]\ncreate = [\"acme_points\"]\n");
    policy(&project, "");
    project.unchanged(|| {
        assert_snapshot!(project.run(&vendor(&["up"])).stderr, @r#"
        error: migration 1 points failed on its way up
          caused by: not granted: delete customer (SQLITE_AUTH)
         --> vendor/0001_points.sql:2:1
          |
        2 | DELETE FROM customer;
          | ^^^^^^^^^^^^^^^^^^^^^
        note: migration 1 points was rolled back
        hint: it would need this in vendor/0001_points.toml:
            [grants]
            delete = ["customer"]
            and, if whimbrel.toml has a policy for it, this there:
            [chains.acme.migrations.1.grants]
            delete = ["customer"]
        "#);
    });
    project.write("vendor/0001_points.sql", "-- whimbrel: transaction = none\nVACUUM;\n");
    project.unchanged(|| {
        assert_snapshot!(project.run(&vendor(&["up"])).stderr, @"
        error: migration 1 points is held to grants and may not run outside a transaction (vendor/0001_points.sql)
        hint: run it inside a transaction, or move it to a chain of your own
        ");
    });
}

#[test]
fn the_policy_is_read_strictly() {
    let project = shop(&manifest(Some(""), &[]));
    policy(&project, "[chains.acme.grants]\nreed = [\"customer\"]\n");
    assert_snapshot!(project.run(&vendor(&["up"])).stderr, @"
    error: vendor.toml:10:1: unknown key `reed`
    hint: did you mean `read`?
    ");
    policy(&project, "[chains.acme.migrations.99999999999999999999999999.limits]\ntime = \"1 s\"\n");
    let told = project.run(&vendor(&["up"]));
    assert!(told.code == 2 && told.stderr.contains("is no version"), "{told}");
}

/// Of a migration that is not there, a table holds for nobody; that is told, whatever it is called. 0 is what `run-script` runs.
#[test]
fn a_policy_for_a_migration_that_is_not_there_is_told() {
    let project = shop(&manifest(Some("create = [\"acme_*\"]"), &["CREATE TABLE acme_t (x)"]));
    let limits: String = (["0", "1", "7", "refersh", "1st_view", "-odd"].iter())
        .map(|key| format!("[chains.acme.migrations.{key}.limits]\ntime = \"9 s\"\n"))
        .collect();
    policy(&project, &limits);
    project.write("vendor/R__1st_view.sql", "SELECT 1;");
    project.write("vendor/R__1st_view.toml", "[grants]\n");
    for arguments in [&["plan"][..], &["up"]] {
        let told = project.run(&vendor(arguments));
        let idle: Vec<&str> = (told.stderr.lines().filter(|line| line.contains("the policy says something of it")))
            .map(|line| line.trim_start_matches("warning: migration ").split(": ").next().unwrap_or_default())
            .collect();
        assert!(told.code == 0 && idle == ["acme:7", "acme:-odd", "acme:refersh"], "{told}");
    }
}

#[test]
fn what_the_page_on_grants_shows_is_so() {
    let page = std::fs::read_to_string(workspace().join("host/docs/grants.md")).unwrap();
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [settings, asked] = blocks.as_slice() else { panic!("{blocks:?}") };
    assert!(whimbrel::model::Manifest::parse("page", asked).is_ok());
    let project = shop(&manifest(
        Some("read = [\"customer(id)\"]\ncreate = [\"acme_*\"]\ninsert = [\"acme_points\"]"),
        &["CREATE TABLE acme_points (customer INTEGER)", "INSERT INTO acme_points SELECT id FROM customer"],
    ));
    project.write("vendor.toml", settings);
    let shows = |text: &str| text.lines().for_each(|line| assert!(page.contains(line), "the page lacks: {line}"));
    let inspected = project.run(&["inspect", "vendor/0001_loyalty.wasm"]).stdout;
    shows(&inspected[inspected.find("  asks for").unwrap()..inspected.find("             limits").unwrap()]);
    let refused = project.run(&vendor(&["up"])).stderr;
    shows(&refused);
    let paste: String = refused
        .lines()
        .skip_while(|line| !line.contains("[chains."))
        .map(|line| format!("{}\n", line.trim()))
        .collect();
    project.write("vendor.toml", format!("{settings}\n{paste}"));
    assert_eq!(project.run(&vendor(&["up"])).code, 0);
}

#[test]
fn the_library_takes_a_policy() {
    let manifest = manifest(Some("read = ['person(id)']"), &["SELECT id FROM person"]);
    let stage = Stage::new(behaviours(), &manifest);
    let untrusted = || Policy { trust: Trust::Untrusted { namespace: "acme_".into() }, ..Policy::default() };
    let refused = stage.builder().policy(untrusted()).build().unwrap().up(Until::End);
    let Err(Error::Prepare(PrepareError::NotGranted { refused, .. })) = refused else { panic!("{refused:?}") };
    assert_eq!(refused[0].refused[0].to_string(), "read = [\"person(id)\"]");
    assert_eq!(stage.migrator().history().unwrap().len(), 1);
    let given: Grants = Grants::collect(&refused[0].refused);
    // The first migration, the application's own, is applied: only what is pending has to be given anything.
    stage.builder().policy(Policy { grants: Some(given), ..untrusted() }).build().unwrap().up(Until::End).unwrap();
    let wrong = Policy { trust: Trust::Untrusted { namespace: String::new() }, ..Policy::default() };
    assert!(matches!(stage.builder().policy(wrong).build(), Err(Error::Policy(PolicyError::Namespace { .. }))));
}

#[test]
fn an_owners_guest_without_grants_has_everything_but_the_basics() {
    let statements =
        ["UPDATE person SET code = id", "CREATE VIEW names AS SELECT full_name FROM person", "DROP VIEW names"];
    Stage::new(behaviours(), &manifest(None, &statements)).up().unwrap();
    let stage = Stage::new(behaviours(), &manifest(None, &["DELETE FROM _whimbrel_history"]));
    match stage.up() {
        Err(Error::Run(error)) => match error.source {
            StepError::Guest(guest) => {
                let PluginError::Refused { statement: Some(failed), .. } = *guest else { panic!("{guest:?}") };
                assert_eq!(
                    failed.error.message,
                    "delete _whimbrel_history is never granted: the table is the host's own"
                );
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_guest_held_to_grants_leaves_the_session_as_it_was() {
    let stage = Stage::new(behaviours(), &manifest(Some(""), &["SELECT 1"]));
    let report = stage.migrator().dry_run(&Goal::LATEST).unwrap();
    assert!(report.steps[0].recording.as_ref().unwrap().observed.as_ref().unwrap().least().is_empty());
    stage.up().unwrap();
    stage.migrator().down(Until::Steps(1)).unwrap_err();
}
