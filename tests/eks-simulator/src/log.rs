//! The request log: every call that reached the endpoint, in order of its answer's start.

use std::collections::BTreeMap;
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

/// The log of one simulator.
#[derive(Clone, Default)]
pub struct RequestLog {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    last: u64,
    requests: Vec<LoggedRequest>,
}

impl RequestLog {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, mut request: LoggedRequest) {
        let mut inner = self.lock();
        inner.last += 1;
        request.sequence = inner.last;
        inner.requests.push(request);
    }

    /// All requests with a sequence number greater than `after`.
    pub fn after(&self, after: u64) -> Vec<LoggedRequest> {
        self.lock()
            .requests
            .iter()
            .filter(|request| request.sequence > after)
            .cloned()
            .collect()
    }

    /// All requests.
    pub fn all(&self) -> Vec<LoggedRequest> {
        self.after(0)
    }

    /// Counts over all requests.
    pub fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        for request in &self.lock().requests {
            counters.requests += 1;
            if request.write {
                counters.writes += 1;
                *counters
                    .writes_by_operation
                    .entry(format!("{}:{}", request.service, request.operation))
                    .or_default() += 1;
            }
        }
        counters
    }

    /// Forgets all requests and starts again at 1.
    pub fn reset(&self) {
        *self.lock() = Inner::default();
    }
}
