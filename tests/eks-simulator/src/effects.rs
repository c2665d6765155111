//! External effects in their order, and the interruption of one of them.
//!
//! An effect is a call that can change something outside the process that makes it: a writing AWS
//! call, or (where the backend's API servers are behind a gate of the same [`Effects`]) a writing
//! call of the Kubernetes API. A test that knows how many there are can interrupt each in turn.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// One call that can change something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// 1 for the first effect after start or reset, in the order in which the calls arrived.
    pub sequence: u64,
    /// Signing name of the AWS service, or `kubernetes`.
    pub service: String,
    /// Operation name, or the HTTP method of a Kubernetes call.
    pub operation: String,
    /// Path of the request, without its query.
    pub path: String,
}

/// How one effect is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interruption {
    /// The caller is killed before the effect happens.
    KilledBefore,
    /// The caller is killed after the effect happened and before it sees the answer.
    KilledAfter,
    /// The effect happens, and the connection is closed without an answer; the caller lives.
    AnswerLost,
}

/// The log of effects of one lab, and the interruption that waits for one of them.
#[derive(Clone, Default)]
pub struct Effects {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    effects: Vec<Effect>,
    waiting: Option<Waiting>,
}

struct Waiting {
    sequence: u64,
    how: Interruption,
    kill: Box<dyn FnOnce(&Effect) + Send>,
}

impl Effects {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All effects since start or reset.
    pub fn all(&self) -> Vec<Effect> {
        self.lock().effects.clone()
    }

    /// Forgets all effects, starts again at 1, and calls a waiting interruption off.
    pub fn reset(&self) {
        *self.lock() = Inner::default();
    }

    /// Interrupts the effect of this number, once. `kill` is called where the caller shall be
    /// killed, and has to return when it is dead. Replaces an interruption that still waits.
    pub fn interrupt(
        &self,
        sequence: u64,
        how: Interruption,
        kill: impl FnOnce(&Effect) + Send + 'static,
    ) {
        self.lock().waiting = Some(Waiting {
            sequence,
            how,
            kill: Box::new(kill),
        });
    }

    /// Whether an interruption waits for its effect.
    pub fn is_waiting(&self) -> bool {
        self.lock().waiting.is_some()
    }

    /// Counts an effect and makes it happen, unless it is interrupted before. `None` when the
    /// caller gets no answer.
    pub async fn perform<T>(
        &self,
        service: &str,
        operation: &str,
        path: &str,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let (effect, waiting) = {
            let mut inner = self.lock();
            let effect = Effect {
                sequence: inner.effects.len() as u64 + 1,
                service: service.to_owned(),
                operation: operation.to_owned(),
                path: path.to_owned(),
            };
            inner.effects.push(effect.clone());
            let waiting = inner
                .waiting
                .take_if(|waiting| waiting.sequence == effect.sequence);
            (effect, waiting)
        };
        let Some(Waiting { how, kill, .. }) = waiting else {
            return Some(work.await);
        };
        if how == Interruption::KilledBefore {
            kill(&effect);
            return None;
        }
        work.await;
        if how == Interruption::KilledAfter {
            kill(&effect);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn the_effect_of_the_number_is_interrupted_once() {
        // How, whether the work happens, whether the caller is killed.
        let table = [
            (Interruption::KilledBefore, false, true),
            (Interruption::KilledAfter, true, true),
            (Interruption::AnswerLost, true, false),
        ];
        for (how, happens, killed) in table {
            let effects = Effects::default();
            let kills = Arc::new(AtomicU32::new(0));
            let counter = kills.clone();
            effects.interrupt(2, how, move |effect| {
                assert_eq!(effect.operation, "second");
                counter.fetch_add(1, Ordering::SeqCst);
            });
            let done = AtomicU32::new(0);
            let mut answers = Vec::new();
            for operation in ["first", "second", "third"] {
                let work = async { done.fetch_add(1, Ordering::SeqCst) };
                answers.push(effects.perform("eks", operation, "/", work).await.is_some());
            }
            assert_eq!(answers, [true, false, true], "{how:?}");
            assert_eq!(
                done.load(Ordering::SeqCst),
                2 + u32::from(happens),
                "{how:?}"
            );
            assert_eq!(kills.load(Ordering::SeqCst), u32::from(killed), "{how:?}");
            assert!(!effects.is_waiting());
            let sequences: Vec<u64> = effects.all().iter().map(|effect| effect.sequence).collect();
            assert_eq!(sequences, [1, 2, 3]);
        }
    }
}
