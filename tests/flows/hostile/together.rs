//! A vendor's manifest that would multiply what the operator gives: by instances, by chunks, by migrations that are looked at.

use std::time::{Duration, Instant};

use super::vendor::{ENDLESS, said, shop};
use crate::harness::Project;

/// A vendor's transform of 5,000 customers, with more lines for its manifest and for the operator's limits.
fn transform(transform: &str, asked: &str, given: &str) -> Project {
    let manifest = format!(
        "[grants]\nread = ['customer']\nupdate = ['customer(name)']\n[limits]\n{asked}\n\
         [transform]\ntable = 'customer'\nread = ['name']\nwrite = ['name']\n{transform}\n"
    );
    let policy = format!(
        "[chains.acme.grants]\nread = ['customer']\nupdate = ['customer(name)']\n[chains.acme.limits]\n{given}\n"
    );
    let script = "let first = true;\nexport function transform(row) {\n\
                  if (first) log.info('an instance'); first = false;\nreturn { name: row.name + '!' };\n}\n";
    let project = shop(&[("0001_a.js", script), ("0001_a.toml", &manifest)], &policy);
    let more = "WITH RECURSIVE c(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM c WHERE n < 5009)
                INSERT INTO customer (id, name) SELECT n, 'n' || n FROM c";
    project.database().execute(more, []).expect("customers");
    project
}

fn done(project: &Project) -> i64 {
    project.number("SELECT count(*) FROM customer WHERE name LIKE '%!'")
}

#[test]
fn chunks_do_not_begin_a_new_budget() {
    for limit in ["rows_written = 1000", "rows_read = 1000", "statements = 1000", "sql_operations = 20000"] {
        let (name, amount) = limit.split_once(" = ").expect("a limit");
        for chunk in ["chunk = 'whole'", "chunk = 100"] {
            let project = transform(chunk, "", limit);
            let outcome = project.run(&["up"]);
            let told = said(&outcome);
            assert_eq!(outcome.code, 1, "{limit}, {chunk}: {told}");
            assert!(told.contains(&format!("the {name} limit of {amount} was reached")), "{limit}, {chunk}: {told}");
            assert!(done(&project) <= 1000, "{limit}, {chunk}: {}", done(&project));
        }
    }
    let project = transform("chunk = 100", "", "rows_written = 6000\nrows_read = 6000");
    project.ok(&["up"]);
    assert_eq!(done(&project), 5002);
}

#[test]
fn a_database_grows_by_so_much_in_all_chunks_together() {
    for chunk in ["chunk = 'whole'", "chunk = 100"] {
        let project = transform(chunk, "", "database_growth = '64KiB'");
        let script = "export function transform(row) { return { name: 'y'.repeat(500) }; }\n";
        project.write("vendor/0001_a.js", script);
        let before = project.bytes("app.db").len();
        let told = said(&project.run(&["up"]));
        assert!(told.contains("database_growth limit of 64 KiB"), "{chunk}: {told}");
        let grown = project.bytes("app.db").len() - before;
        // The host's own table beside.
        assert!(grown <= 128 << 10, "{chunk}: {grown}");
    }
}

#[test]
fn instances_have_no_more_memory_together_than_the_policy_gives() {
    let instances = |asked: &str, arguments: &[&str]| {
        let project = transform("jobs = 4", asked, "memory = '256MiB'");
        let outcome = project.ok(arguments);
        said(&outcome).matches("an instance").count()
    };
    assert_eq!(instances("", &["up"]), 1);
    assert_eq!(instances("", &["up", "--jobs", "3"]), 1);
    assert_eq!(instances("memory = '128MiB'", &["up"]), 2);
    assert_eq!(instances("memory = '64MiB'", &["up"]), 4);
}

#[test]
fn instances_burn_the_fuel_together() {
    let fuel = |jobs: &str, given: &str| {
        let project = transform(jobs, "memory = '64MiB'", given);
        let outcome = project.run(&["up", "--json"]);
        if outcome.code != 0 {
            return Err(said(&outcome));
        }
        Ok(outcome.json("up")["steps"][0]["fuel"].as_u64().expect("fuel"))
    };
    let used = fuel("jobs = 4", "").expect("it runs");
    assert_eq!(fuel("jobs = 4", &format!("fuel = {used}")), Ok(used), "what is enough is known to the last unit");
    let told = fuel("jobs = 4", &format!("fuel = {}", used - 1)).expect_err("it is one too little");
    assert!(told.contains("fuel limit"), "{told}");
}

#[test]
fn bytes_of_a_transform_are_counted() {
    for jobs in ["jobs = 1", "jobs = 4"] {
        let project = transform(jobs, "memory = '64MiB'", "bytes = '100KiB'");
        let told = said(&project.run(&["up"]));
        assert!(told.contains("bytes limit of 100 KiB"), "{told}");
        assert_eq!(done(&project), 0);
    }
}

#[test]
fn a_look_does_not_wait_for_a_strangers_queries() {
    let endless = format!("-- whimbrel: require = SELECT {ENDLESS}\nSELECT 1;\n");
    let project = shop(&[("0001_a.sql", &endless), ("0002_b.sql", &endless)], "");
    let began = Instant::now();
    let told = said(&project.unchanged(|| project.ok(&["status"])));
    assert!(began.elapsed() < Duration::from_secs(25), "it took {:?}", began.elapsed());
    assert!(told.contains("the time limit of 10s was reached"), "{told}");
    assert!(told.contains("it was not asked: what chains that are not trusted asked before it took"), "{told}");
}
