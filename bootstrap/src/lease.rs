//! Mutual exclusion of applies by a Lease, as leader election does it: a holder that stops renewing
//! loses it. Only our own clock's durations are used, never the renew time that another wrote.

use std::future::Future;
use std::time::Duration;

use devopsgenie_kubernetes::{Cluster, Error, ObjectReference, Preconditions, Propagation};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::EngineError;
use crate::inventory::{SetIdentity, claim_namespace, ensure_namespace, new_identifier};

/// A holder that has not renewed for so long is dead.
const DURATION: Duration = Duration::from_secs(15);
const RENEW_EVERY: Duration = Duration::from_secs(4);

/// A holder that could not renew for so long stops, before another takes it for dead.
const RENEW_WITHIN: Duration = Duration::from_secs(10);
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How long a Lease that is being renewed is waited for.
const WAIT_FOR_LIVING: Duration = Duration::from_secs(30);

/// The Lease, held and renewed until [`Held::release`] or drop.
pub(crate) struct Held {
    cluster: Cluster,
    reference: ObjectReference,
    me: String,
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
        let released = tokio::time::timeout(DURATION, self.delete()).await;
        if let Ok(Err(error)) = released {
            tracing::warn!(error = %error, "the Lease could not be deleted; it ends by itself");
        }
    }

    /// Deletes the Lease as long as it is ours: another may have taken it a moment ago.
    async fn delete(&self) -> Result<(), Error> {
        loop {
            let Some(live) = self.cluster.get(&self.reference).await? else {
                return Ok(());
            };
            if text(&live, "/spec/holderIdentity") != self.me {
                return Ok(());
            }
            let preconditions = Preconditions::unchanged(&live);
            match self
                .cluster
                .delete(&self.reference, Propagation::Background, preconditions)
                .await
            {
                Err(Error::Changed { .. }) => {}
                other => return other.map(|_| ()),
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Runs a step, unless the run ends before it does. What the step was doing is then unknown; it is in the
/// inventory, and the next apply looks at it again.
pub(crate) async fn unless_over<T>(
    deadline: Instant,
    stop: &CancellationToken,
    step: impl Future<Output = T>,
) -> Result<T, EngineError> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(EngineError::Cancelled),
        () = tokio::time::sleep_until(deadline) => Err(EngineError::TimedOut),
        outcome = step => Ok(outcome),
    }
}

/// Makes the namespace of the inventory, and takes the Lease of the set in it.
pub(crate) async fn acquire(
    cluster: &Cluster,
    set: &SetIdentity,
    deadline: Instant,
    stop: &CancellationToken,
) -> Result<Held, EngineError> {
    loop {
        let attempt = async {
            ensure_namespace(cluster, set, deadline, stop).await?;
            let held = match take(cluster, set, deadline, stop).await {
                // A namespace whose deletion begins right now takes nothing new.
                Err(error) if is_refused(&error) && is_going(cluster, set).await? => {
                    return Ok(None);
                }
                other => other?,
            };
            if claim_namespace(cluster, set, &held.me).await? {
                return Ok(Some(held));
            }
            Ok::<_, EngineError>(None)
        };
        // At the deadline itself a Lease of another is an error that names its holder.
        if let Some(held) = unless_over(deadline + 2 * ASK_EVERY, stop, attempt).await?? {
            return Ok(held);
        }
    }
}

fn is_refused(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Cluster(Error::Forbidden { .. } | Error::Api { code: 404, .. })
    )
}

async fn is_going(cluster: &Cluster, set: &SetIdentity) -> Result<bool, EngineError> {
    let reference = ObjectReference::new("v1", "Namespace", None, &set.namespace);
    let live = cluster.get(&reference).await?;
    Ok(live.is_none_or(|live| live.pointer("/metadata/deletionTimestamp").is_some()))
}

async fn take(
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
        let (cluster, reference, me) = (cluster.clone(), reference.clone(), me.clone());
        let (work, lost) = (work.clone(), lost.clone());
        let field_manager = set.field_manager.clone();
        tokio::spawn(async move {
            let mut renewed = Instant::now();
            loop {
                tokio::time::sleep(RENEW_EVERY).await;
                let asked = Instant::now();
                let renewal = renew(&cluster, &reference, &me, &field_manager);
                match tokio::time::timeout_at(renewed + RENEW_WITHIN, renewal).await {
                    Ok(Ok(true)) => renewed = asked,
                    Ok(Err(_)) if renewed.elapsed() < RENEW_WITHIN => {}
                    Ok(Ok(false) | Err(_)) | Err(_) => {
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
        me,
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
    loop {
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
            Ok(_) => return Ok(true),
            // Perhaps by our own call, whose answer was lost.
            Err(Error::Changed { .. }) => {}
            Err(error) => return Err(error),
        }
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
