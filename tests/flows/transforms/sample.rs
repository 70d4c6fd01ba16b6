//! Dry runs of a part of the rows.

use std::num::NonZeroU64;
use std::time::Duration;

use whimbrel::exec::StepOutcome;
use whimbrel::plan::Goal;

use super::{SPLIT, Stage, counts, people};

#[test]
fn a_dry_run_of_a_sample_estimates_the_whole() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id IN (5, 900)", people(5000));
    for chunk in ["'whole'", "700"] {
        let stage = Stage::new(&schema, "picky", &format!("{SPLIT}on_error = 'skip'\nchunk = {chunk}"));
        let third = stage.folder().join("migrations/0003_after.sql");
        std::fs::write(third, "UPDATE person SET n = 1;").unwrap();
        let before = std::fs::read(stage.database()).unwrap();
        let dry_run = |rows: u64| {
            let builder = stage.builder().sample(NonZeroU64::new(rows).unwrap());
            builder.build().unwrap().dry_run(&Goal::LATEST).unwrap()
        };
        let report = dry_run(500);
        let step = &report.steps[0];
        assert_eq!(step.rows, Some(counts(500, 499, 0, 1)));
        let estimate = step.estimate.unwrap();
        assert_eq!((estimate.tried, estimate.total), (500, 5000));
        let tenfold = step.duration * 10;
        assert!(estimate.duration.abs_diff(tenfold) < Duration::from_millis(1), "{estimate:?} {tenfold:?}");
        assert_eq!(report.steps[1].outcome, StepOutcome::NotTried);
        // A sample that is no smaller than the table is no sample.
        let report = dry_run(5000);
        assert_eq!((report.steps[0].rows, report.steps[0].estimate), (Some(counts(5000, 4998, 0, 2)), None));
        assert_eq!(report.steps[1].outcome, StepOutcome::Tried);
        assert_eq!(std::fs::read(stage.database()).unwrap(), before);
    }
}

#[test]
fn the_program_tells_the_estimate() {
    let stage = Stage::new(&people(5000), "split", SPLIT);
    let text = String::from_utf8(stage.program(&["up", "--dry-run", "--sample", "500"]).stdout).unwrap();
    assert!(text.contains("500 rows, 500 written)"), "{text}");
    assert!(text.contains("a sample of 500 of 5,000 rows: all of them would take about "), "{text}");
    let json = stage.program(&["up", "--dry-run", "--sample", "500", "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["steps"][0]["estimate"]["rows_total"], 5000);
    assert_eq!(stage.program(&["up", "--sample", "500"]).status.code(), Some(2));
}
