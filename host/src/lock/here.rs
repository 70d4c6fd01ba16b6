//! This process, its host and its user, so that others can tell who holds a lock.

use super::Holder;

/// This process and where it runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Here {
    /// Number of the process.
    pub process: u32,
    /// Name of the host; empty where the system does not say it in a file.
    pub host: String,
    /// Number of the user, where there are such.
    pub user: Option<u32>,
}

impl Here {
    /// Asks the system.
    pub fn look() -> Self {
        let names = ["/proc/sys/kernel/hostname", "/etc/hostname"];
        let host = names.into_iter().find_map(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        Self { process: std::process::id(), host: host.trim().to_owned(), user: user() }
    }

    /// Describes this process as the holder of a lock.
    pub fn holder(&self, run_id: &str, chain: &str, migration: &str, doing: &str, since: &str) -> Holder {
        Holder {
            process: self.process,
            host: self.host.clone(),
            user: self.user,
            run_id: run_id.to_owned(),
            chain: chain.to_owned(),
            migration: migration.to_owned(),
            doing: doing.to_owned(),
            since: since.to_owned(),
        }
    }

    /// Tells whether a process of the holder's number is there; `None` when it would be on another host, or may be.
    pub(super) fn has(&self, holder: &Holder) -> Option<bool> {
        if holder.host == self.host && !self.host.is_empty() { exists(holder.process) } else { None }
    }
}

#[cfg(unix)]
fn user() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn user() -> Option<u32> {
    None
}

#[cfg(unix)]
fn exists(process: u32) -> Option<bool> {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    // One that belongs to somebody else is there, too.
    Some(process.is_some_and(|process| test_kill_process(process) != Err(Errno::SRCH)))
}

#[cfg(not(unix))]
fn exists(_: u32) -> Option<bool> {
    None
}
