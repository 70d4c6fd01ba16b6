//! Who is at work on a database: what whoever holds its lock writes down, and what others make of it. Locks nothing.

mod here;
mod holder;

pub use here::Here;
pub use holder::{Birth, Holder, Lease};

use jiff::Timestamp;

use crate::db::RunLockState;

/// Who is at work on a database.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LockStatus {
    /// The database, without credentials.
    pub database: String,
    /// Those who are at work, and those who were and are gone.
    pub holdings: Vec<Holding>,
    /// Somebody else has a transaction open that writes, such as another program.
    pub other_writer: bool,
}

/// What somebody has to do with a database.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Holding {
    /// Who; `None` when it has not said so, or not yet.
    pub holder: Option<Holder>,
    /// What it holds.
    pub held: Held,
    /// It is still there. What is held by one that is gone blocks nobody.
    pub alive: bool,
}

/// What is held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Held {
    /// The lock on the database, for the time of a step or of one of its chunks. Others wait.
    Lock,
    /// A lease on the chunks of a transform, which others may hold as well. Nobody waits.
    Chunks {
        /// When the last chunk was committed: UTC, RFC 3339.
        heartbeat: String,
        /// From when on it counts as gone for those on other hosts.
        until: String,
    },
}

impl Lease {
    /// Tells whether it is good at a moment.
    fn is_good(&self, now: Timestamp) -> bool {
        self.until.parse().is_ok_and(|until: Timestamp| until >= now)
    }

    /// Tells whether its holder can be seen, and so is known to be there.
    pub(crate) fn is_seen(&self, here: &Here, now: Timestamp) -> bool {
        self.is_good(now) && here.has(&self.holder) == Some(true)
    }
}

impl LockStatus {
    /// Tells whether anybody is at work.
    pub fn is_held(&self) -> bool {
        self.other_writer || self.holdings.iter().any(|holding| holding.alive)
    }
}

impl Holding {
    /// Judges what the lock beside a database says; `None` when nobody holds it, and nobody has left it behind.
    pub(crate) fn of_lock(state: RunLockState) -> Option<Self> {
        let (note, alive) = match state {
            RunLockState::Free => return None,
            RunLockState::Held(note) => (note, true),
            RunLockState::Left(note) => (note, false),
        };
        Some(Self { holder: Holder::parse(&note), held: Held::Lock, alive })
    }

    /// Judges a lease: by how old it is, and where processes are numbered as they are here also by whether the process is
    /// there. That alone does not say enough: not every system tells a process from the next one of its number.
    pub(crate) fn of_lease(lease: Lease, here: &Here, now: Timestamp) -> Self {
        let alive = lease.is_good(now) && here.has(&lease.holder) != Some(false);
        let Lease { holder, heartbeat, until, .. } = lease;
        Self { holder: Some(holder), held: Held::Chunks { heartbeat, until }, alive }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Key;

    fn lease(here: &Here) -> Lease {
        Lease {
            key: Key::Version("7".parse().unwrap()),
            holder: here.holder("run", "main", "7 names", "applies", "2026-11-26T12:00:00.000Z"),
            heartbeat: "2026-11-26T12:00:10.000Z".into(),
            until: "2026-11-26T12:01:10.000Z".into(),
        }
    }

    fn moments() -> (Timestamp, Timestamp) {
        ("2026-11-26T12:01:10Z".parse().unwrap(), "2026-11-26T12:01:11Z".parse().unwrap())
    }

    #[test]
    fn a_lease_ends_with_its_time_and_one_of_this_host_with_its_process() {
        let here = Here { birth: None, ..Here::look() };
        let elsewhere = Here { host: "another-host".into(), process: 1, ..here.clone() };
        let (early, late) = moments();
        let alive = |lease, now| Holding::of_lease(lease, &here, now).alive;
        assert!(alive(lease(&elsewhere), early));
        assert!(!alive(lease(&elsewhere), late));
        assert!(!alive(Lease { until: "soon".into(), ..lease(&elsewhere) }, early));
        if cfg!(unix) {
            assert!(alive(lease(&here), early));
            assert!(!alive(lease(&here), late));
            // No system gives out such a number.
            assert!(!alive(lease(&Here { process: 0x7fff_fff0, ..here.clone() }), early));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn containers_may_share_the_name_of_a_host_and_processes_a_number() {
        let here = Here::look();
        let birth = here.birth.clone().unwrap();
        let (early, late) = moments();
        let alive = |there: &Here, now| Holding::of_lease(lease(there), &here, now).alive;
        assert!(alive(&here, early));
        assert!(alive(&Here { host: "renamed".into(), ..here.clone() }, early), "the same process");
        let of_birth = |birth: Option<Birth>, process| Here { birth, process, ..here.clone() };
        let other_container = Some(Birth { numbering: "3f2c pid:[1]".into(), ..birth.clone() });
        // Nothing of it can be seen here, whatever has its number: only its time ends it.
        for process in [here.process, 0x7fff_fff0] {
            for birth in [other_container.clone(), None] {
                assert!(alive(&of_birth(birth.clone(), process), early));
                assert!(!alive(&of_birth(birth, process), late));
            }
        }
        let before = Some(Birth { started: birth.started + 1, ..birth.clone() });
        assert!(!alive(&of_birth(before, here.process), early), "the number is another process's now");
        assert!(!alive(&of_birth(Some(birth), 0x7fff_fff0), early), "it is gone");
    }

    #[test]
    fn a_lock_is_held_as_long_as_the_system_says_so() {
        let note = lease(&Here { process: 42, host: "web-1".into(), user: None, birth: None }).holder.note();
        let held = Holding::of_lock(RunLockState::Held(note.clone())).unwrap();
        assert_eq!((held.alive, held.holder.unwrap().process), (true, 42));
        assert!(!Holding::of_lock(RunLockState::Left(note)).unwrap().alive);
        let unknown = Holding::of_lock(RunLockState::Held(String::new())).unwrap();
        assert_eq!((unknown.alive, unknown.holder), (true, None));
        assert_eq!(Holding::of_lock(RunLockState::Free), None);
    }
}
