//! Who can sign: the root pair and the keys IAM and STS handed out through the proxy.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::config::SimulatorConfig;

/// Who a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    /// As GetCallerIdentity says it: user, root or assumed-role session.
    pub arn: String,
    pub account: String,
    /// `AIDA...`, the account id for root, `AROA...:session` for a session.
    pub user_id: String,
    /// The role behind a session with its path, where known.
    pub role_arn: Option<String>,
}

impl Principal {
    /// The ARN access entries use: the role for a session, else the ARN itself.
    /// Source: EKS user guide, access entries.
    pub(crate) fn entry_arn(&self) -> String {
        self.role_arn.clone().unwrap_or_else(|| self.arn.clone())
    }

    /// The role's or user's unique id, without the session name.
    pub(crate) fn unique_id(&self) -> &str {
        self.user_id
            .split_once(':')
            .map_or(self.user_id.as_str(), |(id, _)| id)
    }

    /// The session's name, if it is one.
    pub(crate) fn session_name(&self) -> Option<&str> {
        self.user_id.split_once(':').map(|(_, name)| name)
    }
}

/// A key that may sign.
#[derive(Clone)]
pub(crate) struct Key {
    pub secret_access_key: String,
    pub session_token: Option<String>,
    pub expires: Option<Timestamp>,
    pub principal: Principal,
}

/// All keys that may sign.
pub(crate) struct Keys {
    keys: Mutex<HashMap<String, (Key, bool)>>,
}

impl Keys {
    pub(crate) fn new(config: &SimulatorConfig) -> Self {
        let root = Key {
            secret_access_key: config.root.secret_access_key.clone(),
            session_token: None,
            expires: None,
            principal: Principal {
                arn: config.root_arn.clone(),
                account: config.account_id.clone(),
                user_id: config.account_id.clone(),
                role_arn: None,
            },
        };
        Self {
            keys: Mutex::new(HashMap::from([(
                config.root.access_key_id.clone(),
                (root, true),
            )])),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Key, bool)>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, id: &str) -> Option<Key> {
        let keys = self.lock();
        let (key, active) = keys.get(id)?;
        active.then(|| key.clone())
    }

    pub(crate) fn add(&self, id: String, key: Key) {
        self.lock().insert(id, (key, true));
    }

    pub(crate) fn set_active(&self, id: &str, active: bool) {
        if let Some(entry) = self.lock().get_mut(id) {
            entry.1 = active;
        }
    }

    pub(crate) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }
}
