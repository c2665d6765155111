//! Mutual exclusion of applies by a Lease, as leader election does it: a holder that stops renewing
//! loses it. Only our own clock's durations are used, never the renew time that another wrote.

use std::time::Duration;

use devopsgenie_kubernetes::{Cluster, Error, ObjectReference, Propagation};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::EngineError;
use crate::inventory::{SetIdentity, new_identifier};

/// A holder that has not renewed for so long is dead.
const DURATION: Duration = Duration::from_secs(15);
const RENEW_EVERY: Duration = Duration::from_secs(4);
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How long a Lease that is being renewed is waited for.
const WAIT_FOR_LIVING: Duration = Duration::from_secs(30);

/// The Lease, held and renewed until [`Held::release`] or drop.
pub(crate) struct Held {
    cluster: Cluster,
    reference: ObjectReference,
    renewal: JoinHandle<()>,
    /// Cancelled when the Lease is lost or the caller's token is.
    pub(crate) work: CancellationToken,
    lost: CancellationToken,
}

impl Held {
    /// Whether another holder may be at work.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Gives the Lease back by deleting it.
    pub(crate) async fn release(self) {
        self.renewal.abort();
        if self.is_lost() {
            return;
        }
        if let Err(error) = self
            .cluster
            .delete(&self.reference, Propagation::Background, None)
            .await
        {
            tracing::warn!(error = %error, "the Lease could not be deleted; it ends by itself");
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Takes the Lease of a set.
pub(crate) async fn acquire(
    cluster: &Cluster,
    set: &SetIdentity,
    deadline: Instant,
    stop: &CancellationToken,
) -> Result<Held, EngineError> {
    let me = holder()?;
    let reference = ObjectReference::new(
        "coordination.k8s.io/v1",
        "Lease",
        Some(&set.namespace),
        &set.object_name(),
    );
    let give_up = deadline.min(Instant::now() + WAIT_FOR_LIVING);
    // The last state seen of a Lease that another holds, and since when it has not changed.
    let mut seen: Option<(String, Instant)> = None;
    loop {
        match cluster.get(&reference).await? {
            None => {
                if cluster
                    .create(&lease(&reference, &me, None), &set.field_manager)
                    .await?
                    .is_some()
                {
                    return Ok(hold(cluster, set, reference, me, stop));
                }
            }
            Some(live) => {
                let version = text(&live, "/metadata/resourceVersion");
                let other = text(&live, "/spec/holderIdentity");
                let unchanged_since = match &seen {
                    Some((known, since)) if *known == version => *since,
                    _ => Instant::now(),
                };
                seen = Some((version.clone(), unchanged_since));
                if other.is_empty() || other == me || unchanged_since.elapsed() >= DURATION {
                    if other != me && !other.is_empty() {
                        tracing::warn!(
                            holder = other,
                            "the last apply of this set ended without giving its Lease back"
                        );
                    }
                    match cluster
                        .replace(&lease(&reference, &me, Some(&version)), &set.field_manager)
                        .await
                    {
                        Ok(_) => return Ok(hold(cluster, set, reference, me, stop)),
                        Err(Error::Changed { .. } | Error::Api { code: 404, .. }) => seen = None,
                        Err(error) => return Err(error.into()),
                    }
                } else if Instant::now() >= give_up {
                    return Err(EngineError::Busy {
                        namespace: set.namespace.clone(),
                        lease: reference.name,
                        holder: other,
                    });
                } else {
                    tracing::info!(holder = other, "waiting for the Lease of the add-on set");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return Err(EngineError::Cancelled),
            () = tokio::time::sleep(ASK_EVERY) => {}
        }
    }
}

fn hold(
    cluster: &Cluster,
    set: &SetIdentity,
    reference: ObjectReference,
    me: String,
    stop: &CancellationToken,
) -> Held {
    let work = stop.child_token();
    let lost = CancellationToken::new();
    let renewal = {
        let (cluster, reference) = (cluster.clone(), reference.clone());
        let (work, lost) = (work.clone(), lost.clone());
        let field_manager = set.field_manager.clone();
        tokio::spawn(async move {
            let mut renewed = Instant::now();
            loop {
                tokio::time::sleep(RENEW_EVERY).await;
                match renew(&cluster, &reference, &me, &field_manager).await {
                    Ok(true) => renewed = Instant::now(),
                    Err(_) if renewed.elapsed() < DURATION => {}
                    Ok(false) | Err(_) => {
                        lost.cancel();
                        work.cancel();
                        return;
                    }
                }
            }
        })
    };
    Held {
        cluster: cluster.clone(),
        reference,
        renewal,
        work,
        lost,
    }
}

/// Renews; false when the Lease is another's.
async fn renew(
    cluster: &Cluster,
    reference: &ObjectReference,
    me: &str,
    field_manager: &str,
) -> Result<bool, Error> {
    let Some(live) = cluster.get(reference).await? else {
        return Ok(false);
    };
    if text(&live, "/spec/holderIdentity") != me {
        return Ok(false);
    }
    let version = text(&live, "/metadata/resourceVersion");
    match cluster
        .replace(&lease(reference, me, Some(&version)), field_manager)
        .await
    {
        Ok(_) => Ok(true),
        Err(Error::Changed { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn lease(reference: &ObjectReference, holder: &str, version: Option<&str>) -> Value {
    // MicroTime: RFC 3339 with exactly six fractional digits.
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string();
    let mut lease = json!({
        "apiVersion": reference.api_version,
        "kind": reference.kind,
        "metadata": { "name": reference.name, "namespace": reference.namespace },
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": DURATION.as_secs(),
            "renewTime": now,
        },
    });
    if let Some(version) = version {
        lease["metadata"]["resourceVersion"] = json!(version);
    }
    lease
}

/// Host, process and a random part, so that messages lead to the other run.
fn holder() -> Result<String, EngineError> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().to_owned())
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_else(|| "unknown-host".to_owned());
    Ok(format!(
        "{host}/{}/{}",
        std::process::id(),
        new_identifier()?
    ))
}

fn text(object: &Value, pointer: &str) -> String {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or("")
        .to_owned()
}
