//! The parent's side: starts a child, hands it the component, watches the clock, and understands how the child ended.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::CompilerProgram;
use super::child::{BROKEN, COMPILED, FUNCTIONS, INVALID, NO_MEMORY};
use crate::interrupt::Interrupt;
use crate::limits::{Limit, RunLimits};
use crate::wasm::engine::Purpose;
use crate::wasm::error::CompileError;

/// Bytes kept of what a child says.
const ANSWER_BYTES: u64 = 16 << 10;
/// Threads of a child: each of its own may need memory beside what the component needs.
const THREADS: usize = 4;
/// Wall time beside twice the processor time, for a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(2);

/// What a child said, and how it ended.
struct Ended {
    status: ExitStatus,
    answer: String,
    complaint: String,
    /// It was stopped because its wall time was over.
    late: bool,
}

/// Compiles a component in a child, into the cache in `folder` if there is one.
pub(in crate::wasm) fn compile(
    program: &CompilerProgram,
    folder: Option<&Path>,
    purpose: Purpose,
    bytes: &[u8],
    limits: &RunLimits,
    interrupt: &Interrupt,
) -> Result<(), CompileError> {
    let broken = |reason: String| CompileError::Child { program: program.program.display().to_string(), reason };
    // Whole seconds are what a process can be limited to.
    let seconds = limits.of(Limit::CompileTime).div_ceil(1000);
    let mut command = Command::new(&program.program);
    command.args(&program.arguments).arg(folder.unwrap_or(Path::new("")));
    command.arg(if purpose == Purpose::Functions { FUNCTIONS } else { "" });
    command.args([seconds.to_string(), limits.of(Limit::CompileMemory).to_string()]);
    #[cfg(unix)]
    command.env_clear();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    command.env("RAYON_NUM_THREADS", threads.to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| broken(format!("it does not start: {error}")))?;
    let deadline = Instant::now() + Duration::from_secs(seconds).saturating_mul(2).min(Duration::MAX / 4) + PATIENCE;
    let ended = attend(child, bytes, deadline, interrupt).map_err(|error| broken(error.to_string()))?;
    if interrupt.is_raised() {
        return Err(CompileError::Interrupted);
    }
    understand(&ended, limits).map_err(|told| match told {
        Told::Error(error) => error,
        Told::Broken(reason) => broken(reason),
    })
}

/// Feeds a child and listens to it until it ends, or until it must.
fn attend(mut child: Child, bytes: &[u8], deadline: Instant, interrupt: &Interrupt) -> std::io::Result<Ended> {
    let (input, output, complaints) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(mut input) = input {
                // A child that has ended takes no more; how it ended tells why.
                let _ = input.write_all(bytes);
            }
        });
        let answer = scope.spawn(move || listen(output));
        let complaint = scope.spawn(move || listen(complaints));
        let mut late = false;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            late = Instant::now() >= deadline;
            if late || interrupt.is_raised() {
                child.kill()?;
                break child.wait()?;
            }
            std::thread::sleep(PAUSE);
        };
        let text = |said: std::thread::ScopedJoinHandle<'_, String>| said.join().unwrap_or_default();
        Ok(Ended { status, answer: text(answer), complaint: text(complaint), late })
    })
}

fn listen(said: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut said) = said {
        // The rest is read too, so that a talkative child does not wait for ever.
        let _ = said.by_ref().take(ANSWER_BYTES).read_to_end(&mut bytes);
        let _ = std::io::copy(&mut said, &mut std::io::sink());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

enum Told {
    Error(CompileError),
    Broken(String),
}

fn understand(ended: &Ended, limits: &RunLimits) -> Result<(), Told> {
    let limit = |limit| Err(Told::Error(CompileError::Limit(limits.reached(limit))));
    if ended.late || signal(ended.status) == Some(SIGXCPU) {
        return limit(Limit::CompileTime);
    }
    if ended.answer == COMPILED {
        return Ok(());
    }
    if let Some(reason) = ended.answer.strip_prefix(INVALID) {
        return Err(Told::Error(CompileError::Invalid { reason: reason.to_owned() }));
    }
    let words = ["memory allocation of", "Cannot allocate memory", "Resource temporarily unavailable"];
    if ended.answer.starts_with(NO_MEMORY) || words.iter().any(|words| ended.complaint.contains(words)) {
        return limit(Limit::CompileMemory);
    }
    if let Some(reason) = ended.answer.strip_prefix(BROKEN) {
        return Err(Told::Broken(reason.to_owned()));
    }
    let complaint = ended.complaint.lines().next().unwrap_or_default();
    Err(Told::Broken(format!("it ended unexpectedly ({}) {complaint}", ended.status).trim_end().to_owned()))
}

/// The number is the same on every system that has it, except for those that are long gone.
const SIGXCPU: i32 = 24;

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}
