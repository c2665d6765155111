//! The simulator's time. Nothing else in the crate reads a clock or sleeps.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

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

    /// Lets `duration` of simulated time pass at once; false if this clock cannot be stepped.
    fn advance(&self, duration: Duration) -> bool {
        let _ = duration;
        false
    }
}

/// Simulated time that can be stepped: it runs with the machine's clock, or stands still, and jumps
/// by [`Clock::advance`], which wakes whoever slept for less.
#[derive(Debug)]
pub struct SteppedClock {
    start: Timestamp,
    /// When the clock was started; `None` if it stands still.
    running: Option<Instant>,
    /// What was stepped so far.
    stepped: watch::Sender<Duration>,
}

impl SteppedClock {
    /// The machine's time, until it is stepped.
    #[must_use]
    pub fn running() -> Self {
        Self::running_from(Timestamp::now())
    }

    /// Time that begins with `start` and runs with the machine's clock.
    #[must_use]
    pub fn running_from(start: Timestamp) -> Self {
        Self {
            running: Some(Instant::now()),
            ..Self::stopped_at(start)
        }
    }

    /// Time that begins with `start` and moves only when it is stepped.
    #[must_use]
    pub fn stopped_at(start: Timestamp) -> Self {
        Self {
            start,
            running: None,
            stepped: watch::Sender::new(Duration::ZERO),
        }
    }

    /// Simulated time since the start.
    fn passed(&self) -> Duration {
        let ran = self.running.map_or(Duration::ZERO, |at| at.elapsed());
        ran.saturating_add(*self.stepped.borrow())
    }
}

impl Default for SteppedClock {
    fn default() -> Self {
        Self::running()
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        SignedDuration::try_from(self.passed())
            .ok()
            .and_then(|passed| self.start.checked_add(passed).ok())
            .unwrap_or(Timestamp::MAX)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let until = self.passed().saturating_add(duration);
        let mut stepped = self.stepped.subscribe();
        Box::pin(async move {
            loop {
                let left = until.saturating_sub(self.passed());
                if left.is_zero() {
                    return;
                }
                let runs_out = async {
                    match self.running {
                        Some(_) => tokio::time::sleep(left).await,
                        None => std::future::pending().await,
                    }
                };
                // The sender lives as long as `self`, so a change is all that can be seen.
                tokio::select! {
                    () = runs_out => {}
                    _ = stepped.changed() => {}
                }
            }
        })
    }

    fn advance(&self, duration: Duration) -> bool {
        self.stepped
            .send_modify(|stepped| *stepped = stepped.saturating_add(duration));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleepers_wake_when_their_time_has_passed_and_not_before() {
        let start: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let clock = SteppedClock::stopped_at(start);
        let mut day = clock.sleep(Duration::from_secs(86_400));
        let pending = |poll: std::task::Poll<()>| poll.is_pending();
        assert!(pending(futures_poll(&mut day).await));
        assert!(clock.advance(Duration::from_secs(86_399)));
        assert!(pending(futures_poll(&mut day).await));
        assert!(clock.advance(Duration::from_secs(1)));
        day.await;
        assert_eq!(clock.now().to_string(), "2026-11-25T00:00:00Z");
        clock.sleep(Duration::ZERO).await;
    }

    async fn futures_poll(
        sleep: &mut Pin<Box<dyn Future<Output = ()> + Send + '_>>,
    ) -> std::task::Poll<()> {
        std::future::poll_fn(|context| std::task::Poll::Ready(sleep.as_mut().poll(context))).await
    }

    #[tokio::test]
    async fn a_running_clock_runs_and_jumps() {
        let clock = SteppedClock::running_from("2026-11-24T00:00:00Z".parse().unwrap());
        clock.sleep(Duration::from_millis(5)).await;
        let before = clock.now();
        assert!(before > clock.start);
        clock.advance(Duration::from_secs(3600));
        assert!(clock.now().duration_since(before) >= SignedDuration::from_hours(1));
    }
}
