//! What all request handlers share.

use tokio_util::sync::CancellationToken;

use crate::config::SimulatorConfig;
use crate::faults::Faults;
use crate::log::RequestLog;
use crate::server::StartError;

pub(crate) struct Core {
    pub config: SimulatorConfig,
    pub endpoint: String,
    pub faults: Faults,
    pub log: RequestLog,
    pub stop: CancellationToken,
}

impl Core {
    pub(crate) fn new(
        config: SimulatorConfig,
        endpoint: String,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        Ok(Self {
            config,
            endpoint,
            faults: Faults::default(),
            log: RequestLog::default(),
            stop,
        })
    }
}
