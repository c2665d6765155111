//! Turns a panic in a handler into an error diagnostic.
//!
//! Without it a panic resets the call, and Core takes an update that ends so for one that lost its
//! private data. The panic hook is told to stay quiet for guarded calls: a line on stderr that
//! begins with "panic: " makes Core print a crash report.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll};

use futures::future::BoxFuture;

use crate::diagnostics::{Diagnostic, Diagnostics};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static LAST_PANIC: RefCell<Option<Panicked>> = const { RefCell::new(None) };
}

/// Where and how a handler panicked.
#[derive(Debug)]
pub(crate) struct Panicked {
    message: String,
    place: String,
}

/// What a panic left behind, for the end of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// The call has no effects.
    NothingChanged,
    /// A create.
    Created,
    /// An update.
    Updated,
    /// A delete.
    Deleted,
    /// Work on the answer, after the effects.
    Finished,
    /// An ephemeral resource was opened, renewed or closed.
    Ephemeral,
}

impl Aftermath {
    const fn sentence(self) -> &'static str {
        match self {
            Self::NothingChanged => "Nothing was changed.",
            Self::Created => {
                "The object may exist, in part or as a whole: the state holds it as it was planned \
                 and marks it as tainted, so that the next apply replaces it. Look at what was \
                 really made before that."
            }
            Self::Updated => {
                "The state keeps the values from before, though a part of the update may be done: \
                 run terraform plan to see what is left to do."
            }
            Self::Deleted => {
                "The object stays in the state, though a part of it may be gone: run terraform \
                 plan to see what is left."
            }
            Self::Ephemeral => "What was opened may stay open until it ends by itself.",
            Self::Finished => "The state holds what the operation itself returned.",
        }
    }
}

impl Panicked {
    /// The end of a task that told nothing of itself.
    pub(crate) fn elsewhere(message: String) -> Self {
        Self {
            message,
            place: "at an unknown place".to_owned(),
        }
    }

    /// The diagnostic for the user. `during` completes "… while …".
    pub(crate) fn into_diagnostics(self, during: &str, aftermath: Aftermath) -> Diagnostics {
        Diagnostic::error(
            "Provider bug: the provider panicked",
            format!("{} {}", self.to_sentence(during), aftermath.sentence()),
        )
        .into()
    }

    /// What happened. `during` completes "… while …".
    pub(crate) fn to_sentence(&self, during: &str) -> String {
        format!(
            "The provider stopped at a bug of its own while {during}: {} ({}). Please report this \
             to the provider's developers.",
            self.message, self.place
        )
    }
}

/// Puts a hook before the present one that collects the panics of guarded calls.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                before(info);
                return;
            }
            let message = info
                .payload_as_str()
                .unwrap_or("a panic without a message")
                .to_owned();
            let place = info
                .location()
                .map_or_else(|| "at an unknown place".to_owned(), ToString::to_string);
            tracing::error!(
                message,
                place,
                backtrace = %std::backtrace::Backtrace::capture(),
                "a handler panicked"
            );
            LAST_PANIC.set(Some(Panicked { message, place }));
        }));
    });
}

/// Runs `call` and catches a panic in it.
pub(crate) fn guard<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(outer);
    result.map_err(|_| {
        LAST_PANIC
            .take()
            .unwrap_or_else(|| Panicked::elsewhere("a panic without a message".to_owned()))
    })
}

/// Runs a handler to its end and catches a panic in it, also one before its first await.
pub(crate) async fn guard_async<'a, T>(
    handler: impl FnOnce() -> BoxFuture<'a, T>,
) -> Result<T, Panicked> {
    Guarded(guard(handler)?).await
}

struct Guarded<'a, T>(BoxFuture<'a, T>);

impl<T> Future for Guarded<'_, T> {
    type Output = Result<T, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match guard(|| self.0.as_mut().poll(context)) {
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panicked) => Poll::Ready(Err(panicked)),
        }
    }
}
