//! What a handler may use while it works: the client, the stop signal and the deadline.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use crate::schema::timeouts::Operation;
use crate::schema::timeouts::format_duration;

/// Handed to every operation that may have effects.
///
/// The work watches [`Context::interrupted`] at its safe points and then returns the state that was
/// reached **with an error**, since Core takes a success for finished.
///
/// A create, update or delete is not cut off while the process lives, even when the connection is
/// lost or the user ends Core by a second Ctrl-C: `stop` is cancelled and the work goes on. After
/// that Ctrl-C it has about a second until the process ends, and the work with it, since Core kills
/// the process after two; when Core is gone it has half a minute. Its answer no longer reaches the state, so an object
/// must be found again without it. The same holds for the opening and closing of an ephemeral
/// resource. All other operations are dropped with their connection.
#[derive(Debug)]
pub struct Context<C> {
    /// What [`Provider::configure`](crate::Provider::configure) made, one per connection.
    pub client: Arc<C>,
    /// Cancelled when the user asks to stop (Core's StopProvider, the first Ctrl-C), when the
    /// connection is lost, and when the process is to end.
    pub stop: CancellationToken,
    /// What is done.
    pub operation: Operation,
    /// How long it may take in all.
    pub timeout: Duration,
    /// When that time is over.
    pub deadline: Instant,
}

impl<C> Clone for Context<C> {
    fn clone(&self) -> Self {
        Self {
            client: Arc::clone(&self.client),
            stop: self.stop.clone(),
            operation: self.operation,
            timeout: self.timeout,
            deadline: self.deadline,
        }
    }
}

/// Why an operation is to end before it is finished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interruption {
    /// The user asked to stop.
    #[error("the operation was stopped by the user")]
    Stopped,
    /// The operation's time is over.
    #[error("the operation took longer than its timeout of {}", format_duration(*.0))]
    TimedOut(Duration),
}

impl<C> Context<C> {
    /// A context that starts now.
    pub fn new(
        client: Arc<C>,
        stop: CancellationToken,
        operation: Operation,
        timeout: Duration,
    ) -> Self {
        let now = Instant::now();
        Self {
            client,
            stop,
            operation,
            timeout,
            // A timeout of centuries must not overflow the clock.
            deadline: now
                .checked_add(timeout)
                .unwrap_or_else(|| now + Duration::from_secs(30 * 365 * 24 * 3600)),
        }
    }

    /// How much time is left, zero when none is.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Why the work is to end now, if it is: to be asked between two effects.
    ///
    /// # Errors
    /// The reason.
    pub fn check(&self) -> Result<(), Interruption> {
        if self.stop.is_cancelled() {
            Err(Interruption::Stopped)
        } else if self.remaining().is_zero() {
            Err(Interruption::TimedOut(self.timeout))
        } else {
            Ok(())
        }
    }

    /// Waits until the work is to end early: for `tokio::select!` around a wait.
    pub async fn interrupted(&self) -> Interruption {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Interruption::Stopped,
            () = tokio::time::sleep_until(self.deadline) => Interruption::TimedOut(self.timeout),
        }
    }
}
