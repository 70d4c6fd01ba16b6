//! Limits that the engine enforces, met by guests written as text.

use super::super::guests::Stage;
use super::wat::component;
use super::{SetBy, meets};

const ENDLESS: &str = "(loop $again (br $again))";

#[test]
fn memories_tables_and_instances_are_bounded() {
    let cases = [
        // The guest looks away when it gets no more, and returns ok.
        ("(drop (memory.grow (i32.const 300)))", "", "memory = \"16MiB\""),
        ("", "(memory $b 200) (memory $c 200)", "memory = \"16MiB\""),
        ("(loop $again (br_if $again (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))", "", "memory = \"2MiB\""),
        ("", "(memory $b 1) (memory $c 1) (memory $d 1)", "memories = 3"),
        ("(drop (table.grow $t (ref.null func) (i32.const 2000)))", "(table $t 0 funcref)", "table_elements = 1_000"),
        ("", "(table 600 funcref) (table 600 funcref)", "table_elements = 1_000"),
        ("", "(table 1 funcref) (table 1 funcref) (table 1 funcref)", "tables = 2"),
    ];
    for (body, rest, limits) in cases {
        let reached = meets(&Stage::new(&component(body, rest), &format!("[limits]\n{limits}\n")));
        let (key, amount) = limits.split_once(" = ").unwrap();
        assert_eq!(reached.limit.key(), key, "{body} {rest}");
        assert_eq!(reached.limit.amount(reached.value).replace(' ', ""), amount.replace(['"', '_'], ""));
        assert_eq!(reached.set_by, SetBy::Manifest);
    }
}

#[test]
fn instances_are_bounded() {
    // One for the guest's own code, more for what connects it with the host.
    assert_eq!(meets(&Stage::behaving("split", "instances = 1")).limit.key(), "instances");
}

#[test]
fn code_that_runs_before_the_call_is_bounded_too_and_does_not_run_before_the_step() {
    let guest = component("", &format!("(func $start {ENDLESS}) (start $start)"));
    for limits in ["fuel = 1_000_000", "time = \"200ms\""] {
        let stage = Stage::new(&guest, &format!("[limits]\n{limits}\n"));
        let reached = meets(&stage);
        assert_eq!(reached.limit.key(), limits.split(' ').next().unwrap());
    }
}

#[test]
fn the_first_limit_is_the_one_told() {
    let body = format!("(drop (table.grow $t (ref.null func) (i32.const 2000))) {ENDLESS}");
    let guest = component(&body, "(table $t 0 funcref)");
    let stage = Stage::new(&guest, "[limits]\nfuel = 1_000_000\ntable_elements = 10\n");
    assert_eq!(meets(&stage).limit.key(), "table_elements");
}
