//! This process, its host and its user, so that others can tell who holds a lock.

use super::{Birth, Holder};

/// This process and where it runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Here {
    /// Number of the process.
    pub process: u32,
    /// Name of the host; empty where the system does not say it in a file.
    pub host: String,
    /// Number of the user, where there are such.
    pub user: Option<u32>,
    /// What tells this process from others of its number; `None` where the system does not say it in files.
    pub birth: Option<Birth>,
}

impl Here {
    /// Asks the system.
    pub fn look() -> Self {
        let names = ["/proc/sys/kernel/hostname", "/etc/hostname"];
        let host = names.into_iter().find_map(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let process = std::process::id();
        Self { process, host: host.trim().to_owned(), user: user(), birth: birth(process) }
    }

    /// Describes this process as the holder of a lock.
    pub fn holder(&self, run_id: &str, chain: &str, migration: &str, doing: &str, since: &str) -> Holder {
        Holder {
            process: self.process,
            host: self.host.clone(),
            user: self.user,
            birth: self.birth.clone(),
            run_id: run_id.to_owned(),
            chain: chain.to_owned(),
            migration: migration.to_owned(),
            doing: doing.to_owned(),
            since: since.to_owned(),
        }
    }

    /// Tells whether the holder is there; `None` where that cannot be seen from here.
    ///
    /// Containers often share the name of a host, and each numbers its processes anew: where a process says what tells it
    /// from others, that counts, and the name does not.
    pub(super) fn has(&self, holder: &Holder) -> Option<bool> {
        match (&self.birth, &holder.birth) {
            (Some(here), Some(there)) if here.numbering != there.numbering => None,
            (Some(_), Some(there)) => {
                // Files of processes may be hidden from other users.
                let is_another = birth(holder.process).is_some_and(|found| found.started != there.started);
                exists(holder.process).map(|exists| exists && !is_another)
            }
            (None, None) if holder.host == self.host && !self.host.is_empty() => exists(holder.process),
            (None, _) | (Some(_), None) => None,
        }
    }
}

/// Asks what tells a process from others of its number.
#[cfg(target_os = "linux")]
fn birth(process: u32) -> Option<Birth> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    // Numbers of processes hold in one namespace only: this one's, where it can see the other at all.
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold anything; the start is the 20th field after it.
    let started = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()?;
    Some(Birth { numbering: format!("{} {}", boot.trim(), namespace.to_str()?), started })
}

#[cfg(not(target_os = "linux"))]
fn birth(_: u32) -> Option<Birth> {
    None
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
