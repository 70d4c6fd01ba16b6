//! Has batches transformed by several instances at once. Batches come back in the order in which they went in.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{Builder, Scope};
use std::time::Duration;

use whimbrel_packed::CheckedBatch;

use super::guest::{Apply, Asked, Mapped, map};
use crate::interrupt::Interrupt;

/// Batches that one instance may have before it or behind it.
const AHEAD: usize = 2;
/// Stack of a thread: enough for an interpreter that calls itself for every call of a script.
const STACK: usize = 16 << 20;
/// How often somebody who waits for an instance looks for an interrupt.
const TICK: Duration = Duration::from_millis(50);

/// What makes an instance, on the thread that it is to work on; the interrupt stops it.
pub(super) type Start<'s, A> = &'s (dyn Fn(&Interrupt) -> Result<A, <A as Apply>::Error> + Sync);

/// Why no batch comes back.
pub(super) enum Lost<E> {
    /// The instance did not start.
    Start(E),
    /// Stopped from outside.
    Interrupted,
}

/// Instances at work. Batch number n goes to instance n modulo their number, so that the same run is the same again.
pub(super) struct Pool<A: Apply> {
    hands: Hands<A>,
    asked: Asked,
    sent: usize,
    received: usize,
    /// Fuel each instance has burnt.
    fuel: Vec<u64>,
    /// Raised to stop the instances, by whoever gives up.
    stop: Interrupt,
    interrupt: Interrupt,
}

enum Hands<A: Apply> {
    /// One instance on this thread, and what it has done.
    Own(Box<Option<A>>, Vec<Mapped<A::Error>>),
    Threads(Vec<Hand<A::Error>>),
}

struct Hand<E> {
    send: SyncSender<CheckedBatch>,
    receive: Receiver<Result<Mapped<E>, E>>,
}

impl<A: Apply> Pool<A> {
    /// Starts the instances: one on this thread, or several on threads of their own.
    pub(super) fn start<'scope, 'env>(
        scope: &'scope Scope<'scope, 'env>,
        jobs: usize,
        asked: Asked,
        interrupt: &Interrupt,
        start: Start<'env, A>,
    ) -> Result<Self, A::Error>
    where
        A: 'env,
    {
        let stop = Interrupt::new();
        let mut hands = Vec::new();
        for number in 0..jobs {
            if jobs == 1 {
                break;
            }
            let (send, work) = sync_channel::<CheckedBatch>(AHEAD);
            let (done, receive) = sync_channel(AHEAD);
            let (asked, stop) = (asked.clone(), stop.clone());
            let hand = move || {
                let mut guest = match start(&stop) {
                    Ok(guest) => guest,
                    Err(error) => {
                        // Whoever waits is told; if nobody does, nobody wants to know.
                        let _ = done.send(Err(error));
                        return;
                    }
                };
                while let Ok(batch) = work.recv() {
                    if done.send(Ok(map(&mut guest, batch, &asked))).is_err() {
                        return;
                    }
                }
            };
            match Builder::new().name(format!("transform {number}")).stack_size(STACK).spawn_scoped(scope, hand) {
                Ok(_) => hands.push(Hand { send, receive }),
                // Fewer threads do as well.
                Err(error) => tracing::warn!("a thread does not start: {error}"),
            }
        }
        let hands = if hands.is_empty() {
            Hands::Own(Box::new(Some(start(interrupt)?)), Vec::new())
        } else {
            Hands::Threads(hands)
        };
        let jobs = if let Hands::Threads(hands) = &hands { hands.len() } else { 1 };
        Ok(Self { hands, asked, sent: 0, received: 0, fuel: vec![0; jobs], stop, interrupt: interrupt.clone() })
    }

    /// Counts the batches that are on their way.
    pub(super) fn under_way(&self) -> usize {
        self.sent - self.received
    }

    /// Tells whether another batch can be sent without waiting.
    pub(super) fn has_room(&self) -> bool {
        let room = if let Hands::Threads(hands) = &self.hands { hands.len() * AHEAD } else { 1 };
        self.under_way() < room
    }

    /// Sends a batch; only when there is room.
    pub(super) fn send(&mut self, batch: CheckedBatch) {
        match &mut self.hands {
            Hands::Own(guest, done) => {
                if let Some(guest) = guest.as_mut() {
                    done.push(map(guest, batch, &self.asked));
                }
            }
            Hands::Threads(hands) => {
                let hand = &hands[self.sent % hands.len()];
                // An instance that did not start says so when it is asked for the batch.
                let _ = hand.send.send(batch);
            }
        }
        self.sent += 1;
    }

    /// Waits for the oldest batch that is on its way.
    pub(super) fn receive(&mut self) -> Result<Mapped<A::Error>, Lost<A::Error>> {
        let index = self.received % self.fuel.len();
        let mapped = match &mut self.hands {
            Hands::Own(_, done) => done.pop().ok_or(Lost::Interrupted)?,
            Hands::Threads(hands) => loop {
                match hands[index].receive.recv_timeout(TICK) {
                    Ok(Ok(mapped)) => break mapped,
                    Ok(Err(error)) => return Err(Lost::Start(error)),
                    Err(RecvTimeoutError::Timeout) if self.interrupt.is_raised() => self.stop.raise(),
                    Err(RecvTimeoutError::Timeout) => {}
                    // A thread that panics has told so itself; the scope passes the panic on.
                    Err(RecvTimeoutError::Disconnected) => return Err(Lost::Interrupted),
                }
            },
        };
        self.received += 1;
        self.fuel[index] = mapped.fuel;
        Ok(mapped)
    }

    /// Returns the fuel of all instances.
    pub(super) fn fuel(&self) -> u64 {
        self.fuel.iter().fold(0, |sum, fuel| sum.saturating_add(*fuel))
    }
}

impl<A: Apply> Drop for Pool<A> {
    fn drop(&mut self) {
        // Whatever the instances are at, nobody wants it any more.
        self.stop.raise();
    }
}
