//! Hears what one test tells `tracing` while others run beside it.

use tracing::{Dispatch, Subscriber};

/// Does the work with the subscriber listening on this thread.
///
/// While there is but one subscriber, `tracing` asks whichever thread comes first to a place in the code whether anybody
/// listens there, and remembers a "no" of a test beside this one. With a second subscriber it asks all of them.
pub(crate) fn listen<R>(subscriber: impl Subscriber + Send + Sync + 'static, work: impl FnOnce() -> R) -> R {
    let _second = Dispatch::new(tracing_subscriber::registry());
    tracing::subscriber::with_default(subscriber, work)
}
