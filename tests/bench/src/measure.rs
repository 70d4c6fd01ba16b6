//! Runs programs in turn and tells what they used.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use wait4::Wait4;

/// What one process used.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Used {
    /// CPU time in seconds, of the program and of the system on its behalf.
    pub(crate) cpu: f64,
    /// Wall time in seconds.
    pub(crate) wall: f64,
    /// Most memory at any moment, in bytes.
    pub(crate) peak: f64,
}

/// One of the things that are compared.
pub(crate) struct Contender<'w> {
    /// What the table calls it.
    pub(crate) name: String,
    /// Makes everything ready; its own time does not count.
    pub(crate) prepare: Box<dyn Fn() -> Result<Command> + 'w>,
    /// Looks whether the work was done.
    pub(crate) check: Box<dyn Fn() -> Result<()> + 'w>,
}

/// Lets all contenders take turns and returns the medians of what each used, in their order.
pub(crate) fn in_turn(contenders: &[Contender<'_>], runs: usize) -> Result<Vec<Used>> {
    let mut used: Vec<Vec<Used>> = vec![Vec::with_capacity(runs); contenders.len()];
    for turn in 0..=runs {
        for (contender, used) in contenders.iter().zip(&mut used) {
            let once = run_once(contender).with_context(|| contender.name.clone())?;
            if turn > 0 {
                used.push(once);
            }
        }
        crate::report::progress(turn, runs);
    }
    Ok(used.iter().map(|used| medians(used)).collect())
}

fn run_once(contender: &Contender<'_>) -> Result<Used> {
    let mut command = (contender.prepare)()?;
    let used = run(&mut command)?;
    (contender.check)()?;
    Ok(used)
}

/// Runs a program to its end, which must be a good one.
pub(crate) fn run(command: &mut Command) -> Result<Used> {
    let said = tempfile::NamedTempFile::new()?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.reopen()?);
    let began = Instant::now();
    let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let ended = child.wait4()?;
    let wall = began.elapsed();
    if !ended.status.success() {
        bail!("{command:?} failed ({}): {}", ended.status, last_words(said.path()));
    }
    let cpu: Duration = ended.rusage.utime + ended.rusage.stime;
    Ok(Used { cpu: cpu.as_secs_f64(), wall: wall.as_secs_f64(), peak: ended.rusage.maxrss as f64 })
}

fn last_words(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

fn medians(used: &[Used]) -> Used {
    let of = |part: fn(&Used) -> f64| median(used.iter().map(part).collect());
    Used { cpu: of(|used| used.cpu), wall: of(|used| used.wall), peak: of(|used| used.peak) }
}

/// Returns the number in the middle; of none, not a number.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => f64::NAN,
        even if even.is_multiple_of(2) => f64::midpoint(numbers[middle - 1], numbers[middle]),
        _ => numbers[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }
}
