//! The request log: every call that reached the endpoint, in the order of their effects.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedRequest {
    /// 1 for the first request after start or reset.
    pub sequence: u64,
    /// Simulated time, RFC 3339.
    pub time: String,
    /// Signing name of the service, `eks`, `iam`, ...; empty if the request was unsigned.
    pub service: String,
    /// Operation name; `Unknown` if it could not be told.
    pub operation: String,
    /// Whether the operation can change anything.
    pub write: bool,
    /// ARN of the principal; `None` if the request was not authenticated.
    pub principal: Option<String>,
    /// Path with query, without secrets (presigned parameters are left out).
    pub path: String,
    /// HTTP status; 0 if the connection was closed without an answer.
    pub status: u16,
    /// Error code of the answer, where there is one.
    pub error: Option<String>,
    /// Names of the faults that hit the call.
    pub faults: Vec<String>,
}

/// Counts since start or reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// All requests.
    pub requests: u64,
    /// Requests of operations that can change something, whatever their answer.
    pub writes: u64,
    /// Writes by `service:Operation`.
    pub writes_by_operation: BTreeMap<String, u64>,
}

/// How many requests are kept; a lab that stays up for days must not grow without end.
const KEPT: usize = 20_000;

/// The log of one simulator: the last 20,000 requests, and counters of all.
#[derive(Clone, Default)]
pub struct RequestLog {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    requests: VecDeque<LoggedRequest>,
    counters: Counters,
}

impl RequestLog {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, mut request: LoggedRequest) {
        let mut inner = self.lock();
        inner.counters.requests += 1;
        request.sequence = inner.counters.requests;
        if request.write {
            inner.counters.writes += 1;
            let name = format!("{}:{}", request.service, request.operation);
            *inner.counters.writes_by_operation.entry(name).or_default() += 1;
        }
        if inner.requests.len() == KEPT {
            inner.requests.pop_front();
        }
        inner.requests.push_back(request);
    }

    /// The kept requests with a sequence number greater than `after`.
    pub fn after(&self, after: u64) -> Vec<LoggedRequest> {
        self.lock()
            .requests
            .iter()
            .filter(|request| request.sequence > after)
            .cloned()
            .collect()
    }

    /// The kept requests.
    pub fn all(&self) -> Vec<LoggedRequest> {
        self.after(0)
    }

    /// Counts over all requests, those that are no longer kept included.
    pub fn counters(&self) -> Counters {
        self.lock().counters.clone()
    }

    /// Forgets all requests and starts again at 1.
    pub fn reset(&self) {
        *self.lock() = Inner::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_exact_when_requests_are_no_longer_kept() {
        let log = RequestLog::default();
        let write = |name: &str| LoggedRequest {
            sequence: 0,
            time: String::new(),
            service: "eks".to_owned(),
            operation: name.to_owned(),
            write: name.starts_with("Create"),
            principal: None,
            path: String::new(),
            status: 200,
            error: None,
            faults: Vec::new(),
        };
        for _ in 0..KEPT {
            log.add(write("CreateCluster"));
        }
        log.add(write("ListClusters"));
        let kept = log.all();
        assert_eq!(kept.len(), KEPT);
        assert_eq!(kept.first().map(|request| request.sequence), Some(2));
        let counters = log.counters();
        assert_eq!(counters.requests, KEPT as u64 + 1);
        assert_eq!(counters.writes, KEPT as u64);
        assert_eq!(
            counters.writes_by_operation,
            BTreeMap::from([("eks:CreateCluster".to_owned(), KEPT as u64)])
        );
        log.reset();
        assert_eq!(log.counters(), Counters::default());
    }
}
