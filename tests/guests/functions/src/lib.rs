//! SQL functions that behave well and badly.

#[path = "../../../bench/guest/src/work.rs"]
pub mod work;

use std::cell::Cell as Counter;

use whimbrel_guest::{Answer, Cell, info};

thread_local! {
    static CALLS: Counter<i64> = const { Counter::new(0) };
}

/// Puts an address into the form in which addresses are compared.
pub fn normalise_email(email: &str) -> Result<String, &'static str> {
    let (name, domain) = email.trim().rsplit_once('@').ok_or("there is no @ in it")?;
    Ok(format!("{name}@{}", domain.to_lowercase()))
}

fn full_name(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let words: Vec<&str> = first.into_iter().chain(last).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn is_odd(number: i64) -> bool {
    number % 2 != 0
}

fn twice(value: Cell<'_>) -> Answer {
    match value {
        Cell::Null | Cell::Boolean(_) => Answer::Null,
        Cell::Integer(value) => Answer::Integer(value.wrapping_mul(2)),
        Cell::Real(value) => Answer::Real(value * 2.0),
        Cell::Text(text) => Answer::Text(text.repeat(2)),
        Cell::Blob(bytes) => Answer::Blob(bytes.repeat(2)),
    }
}

fn count_calls() -> i64 {
    CALLS.set(CALLS.get() + 1);
    CALLS.get()
}

fn many(a: i64, b: i64, c: i64, d: i64, e: i64, f: i64) -> i64 {
    ((((a * 10 + b) * 10 + c) * 10 + d) * 10 + e) * 10 + f
}

fn say(text: &str) -> i64 {
    info!("{text}");
    text.len() as i64
}

fn panics(text: &str) -> i64 {
    panic!("the parser met {text}")
}

fn loops() -> i64 {
    loop {
        CALLS.set(CALLS.get().wrapping_add(1));
    }
}

fn recurses(depth: i64) -> i64 {
    // No caller begins below 0, but the compiler does not know.
    if std::hint::black_box(depth) < 0 {
        return depth;
    }
    std::hint::black_box(recurses(std::hint::black_box(depth + 1))) + depth
}

// The work of the benchmark.
fn name_key(full_name: &str) -> String {
    work::split(full_name).key
}

fn first_name(full_name: &str) -> &str {
    work::split(full_name).first
}

fn last_name(full_name: &str) -> &str {
    work::split(full_name).last
}

whimbrel_guest::export_functions! {
    /// Puts an address into the form in which addresses are compared.
    normalise_email(email: &str) -> Result<String, &'static str>;
    full_name(first: Option<&str>, last: Option<&str>) -> Option<String>;
    is_odd(number: i64) -> bool;
    twice(value: Cell<'_>) -> Answer;
    count_calls() -> i64, not_deterministic;
    many(a: i64, b: i64, c: i64, d: i64, e: i64, f: i64) -> i64;
    say(text: &str) -> i64, not_deterministic;
    panics(text: &str) -> i64;
    loops() -> i64, not_deterministic;
    recurses(depth: i64) -> i64;
    name_key(full_name: &str) -> String;
    first_name(full_name: &str) -> &str;
    last_name(full_name: &str) -> &str;
}
