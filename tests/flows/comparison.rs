//! The page that compares: every "yes" of ours leads to a test that is there.

use super::guests::workspace;

const PAGE: &str = "host/docs/comparison.md";
/// The feature, ours, and ten others.
const CELLS: usize = 12;

/// Says what is wrong with our cell.
fn wrong(cell: &str) -> Option<String> {
    if cell == "not yet" {
        return None;
    }
    let link = cell.strip_prefix("[yes](../../").and_then(|rest| rest.split_once(')'));
    let Some((path, test)) = link.and_then(|(link, _)| link.split_once('#')) else {
        return Some(format!("leads to no test: {cell}"));
    };
    let Ok(text) = std::fs::read_to_string(workspace().join(path)) else {
        return Some(format!("leads to a file that is not there: {path}"));
    };
    let at = text.find(&format!("fn {test}("));
    let is_test = at.is_some_and(|at| text[..at].trim_end().ends_with("#[test]"));
    (!is_test).then(|| format!("leads to a test that is not there: {path}#{test}"))
}

#[test]
fn every_yes_leads_to_a_test() {
    let page = std::fs::read_to_string(workspace().join(PAGE)).unwrap();
    let mut rows = 0;
    let mut problems = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| feature ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        rows += 1;
        if cells.len() != CELLS || cells.iter().any(|cell| cell.is_empty()) {
            problems.push(format!("{}: has {} cells, or a blank one", cells[0], cells.len()));
        }
        problems.extend(cells.get(1).and_then(|cell| wrong(cell)).map(|wrong| format!("{}: {wrong}", cells[0])));
    }
    assert!(rows > 30 && problems.is_empty(), "{rows} rows, {problems:#?}");
    assert!(wrong("[yes](../../tests/cli/down.rs#nothing_of_the_kind)").is_some() && wrong("yes").is_some());
}
