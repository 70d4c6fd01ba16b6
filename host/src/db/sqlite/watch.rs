//! What the connection's callbacks and its session share: when to stop, what to allow, what was seen.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::hooks;

use super::asking;
use super::authorizer::Gate;
use super::heap::PrepareBound;
use super::meter::{Meter, OPERATIONS_PER_TICK};
use crate::db::{DbError, OpenOptions, TableChanges};
use crate::interrupt::Interrupt;

/// The part of a guest's memory that one statement may take while it is prepared.
const SHARE: u64 = 8;
/// What it may take for each byte of its text: about what a list of numbers takes.
const FOR_A_BYTE: u64 = 128;

/// Rows counted by table; nothing where nothing is counted.
pub(super) type Counted = Option<HashMap<String, TableChanges>>;

/// State shared by the session and the callbacks it installed on its connection.
pub(super) struct Watch {
    interrupt: Interrupt,
    lock_timeout: Duration,
    base: Instant,
    /// Nanoseconds after `base`; 0 is none.
    deadline: AtomicU64,
    deadline_passed: AtomicBool,
    /// What runs is not to be stopped in the middle.
    held: AtomicBool,
    /// Until when, if not without an end.
    held_until: Mutex<Option<Instant>>,
    /// Nobody's lock is waited for.
    hurried: AtomicBool,
    /// Since when the lock that SQLite asks about is waited for, in nanoseconds after `base`.
    waiting_since: AtomicU64,
    /// Operations used.
    pub(super) meter: Meter,
    /// What statements may do, and what the last one prepared was about to.
    gate: Mutex<Gate>,
    tables: Mutex<Counted>,
    /// Why a function that a migration brings has failed.
    function_error: Mutex<Option<DbError>>,
    /// The transaction that code of the program was lent is gone.
    transaction_lost: AtomicBool,
    /// Bytes that a statement may take while it is prepared, beside what its length gives it; 0 is no bound.
    prepare_memory: AtomicU64,
    /// The last statement that was prepared was refused memory for that.
    prepare_met: AtomicBool,
}

impl Watch {
    /// Installs the callbacks on a connection.
    pub(super) fn install(connection: &mut Connection, options: &OpenOptions) -> rusqlite::Result<Arc<Self>> {
        let watch = Arc::new(Self {
            interrupt: options.interrupt.clone(),
            lock_timeout: options.lock_timeout,
            base: Instant::now(),
            deadline: AtomicU64::new(0),
            deadline_passed: AtomicBool::new(false),
            held: AtomicBool::new(false),
            held_until: Mutex::default(),
            hurried: AtomicBool::new(false),
            waiting_since: AtomicU64::new(0),
            meter: Meter::default(),
            gate: Mutex::default(),
            tables: Mutex::new(options.record.then(HashMap::new)),
            function_error: Mutex::default(),
            transaction_lost: AtomicBool::new(false),
            prepare_memory: AtomicU64::new(0),
            prepare_met: AtomicBool::new(false),
        });
        let progress = Arc::clone(&watch);
        // At every tick: the clock, the flag and the budget.
        let stop = move || (progress.meter.tick() || progress.must_stop()) && !progress.is_held();
        connection.progress_handler(OPERATIONS_PER_TICK as i32, Some(stop))?;
        asking::begin_waiting(connection, &watch)?;
        if options.record {
            watch.ask(connection, true)?;
            let rows = Arc::clone(&watch);
            connection.update_hook(Some(move |action, database: &str, table: &str, _rowid| {
                rows.count(action, database, table, 1);
            }))?;
            watch.gate().recording = true;
        }
        Ok(watch)
    }

    /// Has SQLite ask about every access of every statement, or not.
    pub(super) fn ask(self: &Arc<Self>, connection: &Connection, wanted: bool) -> rusqlite::Result<()> {
        if wanted {
            asking::begin(connection, self)?;
        } else {
            asking::end(connection)?;
        }
        self.gate().is_asked = wanted;
        Ok(())
    }

    /// Takes the callbacks off a connection again.
    pub(super) fn remove(connection: &mut Connection) -> rusqlite::Result<()> {
        connection.progress_handler(0, None::<fn() -> bool>)?;
        // First that of the connection's owner, which `rusqlite` keeps.
        connection.busy_handler(None::<fn(i32) -> bool>)?;
        asking::end_waiting(connection)?;
        asking::end(connection)?;
        connection.update_hook(None::<fn(hooks::Action, &str, &str, i64)>)?;
        connection.commit_hook(None::<fn() -> bool>)?;
        connection.rollback_hook(None::<fn()>)
    }

    #[inline]
    pub(super) fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps why a function has failed, until the statement that called it is told of.
    pub(super) fn keep_function_error(&self, error: DbError) {
        self.function_error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Takes why a function has failed.
    pub(super) fn take_function_error(&self) -> Option<DbError> {
        self.function_error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Notes that SQLite has rolled back the transaction by itself. Another one may be open since.
    pub(super) fn lose_transaction(&self) {
        self.transaction_lost.store(true, Ordering::Relaxed);
    }

    /// Tells whether the transaction was lost, whatever is open now.
    pub(super) fn has_lost_transaction(&self) -> bool {
        self.transaction_lost.load(Ordering::Relaxed)
    }

    /// Forgets that a transaction was lost: its loss is dealt with.
    pub(super) fn forget_lost_transaction(&self) {
        self.transaction_lost.store(false, Ordering::Relaxed);
    }

    /// Has statements prepared within a share of this much memory, or without a bound.
    pub(super) fn share_memory(&self, bytes: Option<u64>) {
        self.prepare_memory.store(bytes.map_or(0, |bytes| (bytes / SHARE).max(1)), Ordering::Relaxed);
        self.prepare_met.store(false, Ordering::Relaxed);
    }

    /// Bounds the memory that this statement takes until it is prepared, unless it was prepared under the same rules before, or
    /// cannot take much for its length.
    /// Callbacks look at the clock while it runs, and hardly any is called before.
    pub(super) fn preparing(&self, sql: &str, is_known: bool) -> Option<PrepareBound<'_>> {
        let share = self.prepare_memory.load(Ordering::Relaxed);
        // Without rules every statement counts as known.
        if share == 0 {
            return None;
        }
        let mut gate = self.gate();
        if gate.restriction.is_some() && (is_known || !gate.may_grow(sql)) {
            return None;
        }
        drop(gate);
        let bytes = share.saturating_add(FOR_A_BYTE.saturating_mul(sql.len() as u64));
        Some(PrepareBound::begin(bytes, &self.prepare_met))
    }

    /// Tells whether the last statement that was prepared was refused memory for that.
    pub(super) fn take_prepare_met(&self) -> bool {
        self.prepare_met.swap(false, Ordering::Relaxed)
    }

    pub(super) fn lock_timeout(&self) -> Duration {
        self.lock_timeout
    }

    pub(super) fn set_deadline(&self, deadline: Option<Instant>) {
        let nanos = deadline.map_or(0, |deadline| {
            let after = deadline.saturating_duration_since(self.base).as_nanos();
            u64::try_from(after).unwrap_or(u64::MAX).max(1)
        });
        self.deadline.store(nanos, Ordering::Relaxed);
        self.deadline_passed.store(false, Ordering::Relaxed);
    }

    /// Returns when statements must stop.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let nanos = self.deadline.load(Ordering::Relaxed);
        (nanos != 0).then(|| self.base + Duration::from_nanos(nanos))
    }

    /// Tells whether the deadline stopped a statement.
    pub(super) fn deadline_passed(&self) -> bool {
        self.deadline_passed.load(Ordering::Relaxed)
    }

    /// Lets statements run to their end, or not any more. Waiting for a lock still stops.
    pub(super) fn hold(&self, held: bool) {
        *self.held_until() = None;
        self.held.store(held, Ordering::Relaxed);
    }

    /// Lets statements run to their end if that comes before this moment.
    pub(super) fn hold_until(&self, until: Instant) {
        *self.held_until() = Some(until);
        self.held.store(true, Ordering::Relaxed);
    }

    /// Lets statements run to their end while `work` does, whatever holds them before and after.
    pub(super) fn holding<R>(&self, work: impl FnOnce() -> R) -> R {
        let until = self.held_until().take();
        let held = self.held.swap(true, Ordering::Relaxed);
        let done = work();
        *self.held_until() = until;
        self.held.store(held, Ordering::Relaxed);
        done
    }

    fn held_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.held_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether statements run to their end.
    pub(super) fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed) && self.held_until().is_none_or(|until| Instant::now() < until)
    }

    /// Waits for nobody's lock, or as usual.
    pub(super) fn hurry(&self, hurried: bool) {
        self.hurried.store(hurried, Ordering::Relaxed);
    }

    /// Tells whether statements must stop now.
    pub(super) fn must_stop(&self) -> bool {
        if self.interrupt.is_raised() {
            return true;
        }
        let deadline = self.deadline.load(Ordering::Relaxed);
        if deadline != 0 && self.base.elapsed().as_nanos() >= u128::from(deadline) {
            self.deadline_passed.store(true, Ordering::Relaxed);
            return true;
        }
        false
    }

    /// Waits a little for the lock that SQLite asks about, for which it has asked so many times; `false` when it has been long
    /// enough.
    pub(super) fn goes_on_waiting(&self, times: i32) -> bool {
        if times == 0 {
            let now = u64::try_from(self.base.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.waiting_since.store(now, Ordering::Relaxed);
        }
        let since = Duration::from_nanos(self.waiting_since.load(Ordering::Relaxed));
        self.wait(times, self.base + since)
    }

    /// Waits a little for another connection's lock; `false` when it has been long enough.
    pub(super) fn wait(&self, times: i32, since: Instant) -> bool {
        if self.hurried.load(Ordering::Relaxed) || self.must_stop() || since.elapsed() >= self.lock_timeout {
            return false;
        }
        let pause = Duration::from_millis(1 << times.clamp(0, 5));
        std::thread::sleep(pause.min(self.lock_timeout));
        true
    }

    /// Counts changed rows of a table of the database itself.
    pub(super) fn count(&self, action: hooks::Action, database: &str, table: &str, rows: u64) {
        if database != "main" {
            return;
        }
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tables) = tables.as_mut() else { return };
        if !tables.contains_key(table) {
            let changes = TableChanges { table: table.to_owned(), ..TableChanges::default() };
            tables.insert(table.to_owned(), changes);
        }
        if let Some(changes) = tables.get_mut(table) {
            match action {
                hooks::Action::SQLITE_INSERT => changes.inserted += rows,
                hooks::Action::SQLITE_UPDATE => changes.updated += rows,
                hooks::Action::SQLITE_DELETE => changes.deleted += rows,
                _ => {}
            }
        }
    }

    /// Returns what was counted so far, to go back to if what comes next is undone; nothing where nothing is counted.
    pub(super) fn counted(&self) -> Counted {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes back to what was counted before.
    pub(super) fn count_again_from(&self, counted: Counted) {
        *self.tables.lock().unwrap_or_else(PoisonError::into_inner) = counted;
    }

    /// Sums the rows counted so far, all tables together.
    pub(super) fn rows_counted(&self) -> u64 {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = tables.iter().flat_map(HashMap::values);
        tables.map(|changes| changes.inserted + changes.updated + changes.deleted).sum()
    }

    /// Returns the rows counted by table, in the order of their names, and starts anew.
    pub(super) fn take_tables(&self) -> Vec<TableChanges> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = tables.as_mut().map(std::mem::take).unwrap_or_default();
        let mut taken: Vec<TableChanges> = taken.into_values().collect();
        taken.sort_by(|a, b| a.table.cmp(&b.table));
        taken
    }
}
