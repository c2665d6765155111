//! What all request handlers share.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::aws::Aws;
use crate::config::SimulatorConfig;
use crate::effects::Effects;
use crate::faults::Faults;
use crate::log::RequestLog;
use crate::principals::Keys;
use crate::server::StartError;
use crate::store::Store;
use crate::versions;

pub(crate) struct Core {
    pub config: SimulatorConfig,
    pub endpoint: String,
    pub effects: Effects,
    pub faults: Faults,
    pub log: RequestLog,
    pub keys: Keys,
    pub aws: Aws,
    pub default_version: String,
    store: Mutex<Store>,
    /// One lock a cluster, held while its control plane changes, so that the backend sees one
    /// control-plane call at a time.
    control_planes: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    stop: CancellationToken,
}

impl Core {
    pub(crate) fn new(
        config: SimulatorConfig,
        endpoint: String,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let served = versions::served(&config.backend.served_versions());
        let default_version = config
            .default_version
            .clone()
            .or_else(|| served.last().cloned())
            .unwrap_or_default();
        if !served.contains(&default_version) {
            return Err(StartError::DefaultVersion {
                version: default_version,
                served,
            });
        }
        Ok(Self {
            aws: Aws::new(&config)?,
            keys: Keys::new(&config),
            endpoint,
            effects: Effects::default(),
            faults: Faults::default(),
            log: RequestLog::default(),
            default_version,
            store: Mutex::new(Store::default()),
            control_planes: Mutex::default(),
            stop,
            config,
        })
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.config.clock.now()
    }

    /// Runs a transition until it ends or the simulator stops.
    pub(crate) fn spawn(self: &Arc<Self>, transition: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = transition => {}
            }
        });
    }

    /// The lock of a cluster's control plane.
    pub(crate) fn control_plane(&self, cluster: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.control_planes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(cluster.to_owned())
            .or_default()
            .clone()
    }

    pub(crate) fn arn(&self, resource: &str) -> String {
        format!(
            "arn:aws:eks:{}:{}:{resource}",
            self.config.region, self.config.account_id
        )
    }
}
