//! The simulator's time. Nothing else in the crate reads a clock or sleeps.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;

/// A source of time. State transitions wait with [`Clock::sleep`] and stamp with [`Clock::now`];
/// signatures and tokens are judged by [`Clock::wall`], because real clients make them with the
/// machine's clock whatever the simulated time is.
pub trait Clock: Send + Sync + 'static {
    /// Simulated time, for `createdAt` and the like.
    fn now(&self) -> Timestamp;

    /// The time real clients sign with; the machine's time unless overridden.
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Resolves when `duration` of simulated time has passed.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The machine's clock: simulated time is real time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
