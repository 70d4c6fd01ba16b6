//! How fast a transform in chunks may go, so that an application beside it finds room. Sleeps between chunks only.

use std::num::NonZeroU64;
use std::time::Duration;
#[cfg(feature = "wasm")]
use std::time::Instant;

#[cfg(feature = "wasm")]
use crate::interrupt::Interrupt;

#[cfg(feature = "wasm")]
/// How often somebody who waits looks for an interrupt.
const TICK: Duration = Duration::from_millis(20);
#[cfg(feature = "wasm")]
/// Longest wait between two chunks.
const LONGEST: Duration = Duration::from_secs(3600);

/// How fast a transform in chunks may go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Throttle {
    /// At most so many rows a second, the work itself included.
    RowsPerSecond(NonZeroU64),
    /// So long between two chunks, however long a chunk takes.
    Pause(Duration),
}

#[cfg(feature = "wasm")]
impl Throttle {
    /// Returns how long to wait after a chunk of so many rows that took so long.
    fn wait(self, rows: u64, took: Duration) -> Duration {
        let wait = match self {
            Self::Pause(pause) => pause,
            Self::RowsPerSecond(rate) => {
                let wanted = u128::from(rows) * 1_000_000 / u128::from(rate.get());
                Duration::from_micros(u64::try_from(wanted).unwrap_or(u64::MAX)).saturating_sub(took)
            }
        };
        wait.min(LONGEST)
    }

    /// Waits after a chunk, no longer than until an interrupt.
    pub(super) fn pause(self, rows: u64, took: Duration, interrupt: &Interrupt) {
        let until = Instant::now() + self.wait(rows, took);
        while !interrupt.is_raised() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(TICK));
        }
    }
}

#[cfg(all(test, feature = "wasm"))]
mod tests {
    use super::*;

    #[test]
    fn waits_for_what_is_left_of_the_time() {
        let rate = |rows| Throttle::RowsPerSecond(NonZeroU64::new(rows).unwrap());
        let ms = Duration::from_millis;
        let cases = [
            (Throttle::Pause(ms(50)), 1000, ms(900), ms(50)),
            (rate(1000), 500, ms(100), ms(400)),
            (rate(1000), 500, ms(900), ms(0)),
            (rate(1000), 0, ms(0), ms(0)),
            (rate(1), u64::MAX, ms(0), LONGEST),
            (Throttle::Pause(Duration::MAX), 1, ms(0), LONGEST),
        ];
        for (throttle, rows, took, expected) in cases {
            assert_eq!(throttle.wait(rows, took), expected, "{throttle:?} {rows}");
        }
    }
}
