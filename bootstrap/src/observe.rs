//! What a Read finds: which objects are gone, and which of our fields others have changed.

use devopsgenie_kubernetes::{Cluster, Error};
use futures::{StreamExt as _, TryStreamExt as _};

use crate::plan::{Records, Salt};

const PARALLEL: usize = 8;

/// Compares every recorded object with the cluster and notes the differences in the records.
///
/// # Errors
/// The first call that fails: nothing is known then, and the records are unchanged.
pub async fn observe(cluster: &Cluster, records: &mut Records, salt: &Salt) -> Result<(), Error> {
    let calls: Vec<_> = records
        .iter()
        .map(|(key, record)| (key.clone(), record.reference.clone()))
        .map(
            |(key, reference)| async move { Ok::<_, Error>((key, cluster.get(&reference).await?)) },
        )
        .collect();
    let live: Vec<_> = futures::stream::iter(calls)
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await?;
    for (key, live) in live {
        if let Some(record) = records.get_mut(&key) {
            record.observe(live.as_ref(), salt);
        }
    }
    Ok(())
}
