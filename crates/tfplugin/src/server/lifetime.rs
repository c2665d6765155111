//! How long the work of handlers may go on.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::guard::Panicked;

/// The end of the server, and the work with effects that is under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifetime {
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Lifetime {
    /// Cancelled when the server is to end.
    pub(crate) fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// A stop signal for one session: given at the latest when the server is to end.
    pub(crate) fn session_stop(&self) -> CancellationToken {
        self.shutdown.child_token()
    }

    /// Runs a handler that has effects in a task of its own. A call is dropped with its
    /// connection; the task goes on, so that the handler comes to its next safe point.
    pub(crate) async fn run_to_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Panicked>> + Send + 'static,
    ) -> Result<T, Panicked> {
        match self.tasks.spawn(work).await {
            Ok(result) => result,
            // The work catches its own panics, so the runtime has dropped it: the process ends.
            Err(error) => Err(Panicked::elsewhere(error.to_string())),
        }
    }

    /// Waits until no such work is under way, for at most `grace`.
    pub(crate) async fn finish(&self, grace: Duration) {
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                operations = self.tasks.len(),
                "the process ends though operations have not come to a safe point"
            );
        }
    }
}

#[cfg(all(test, feature = "testing"))]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::cty::Value;
    use crate::diagnostics::Diagnostics;
    use crate::provider::{ConfigureRequest, Provider, ResourceEntry};
    use crate::resource::{
        Applied, Deleted, PlannedCreate, PlannedDelete, PlannedUpdate, ReadRequest, ReadResponse,
        Resource,
    };
    use crate::schema::{Attribute, Schema};
    use crate::server::Server;
    use crate::testing::{Core, Managed};
    use crate::{AttributeValue, Context, model};

    model! {
        pub struct Config {}

        pub struct Thing {
            pub name: AttributeValue<String>,
        }
    }

    /// A create that waits for its stop and then needs a moment to come to a safe point.
    #[derive(Clone, Default)]
    struct Slow {
        started: CancellationToken,
        safe: Arc<AtomicBool>,
    }

    impl Provider for Slow {
        type Config = Config;
        type Client = ();

        fn schema(&self) -> Schema {
            Schema::new("Slow.")
        }

        async fn configure(
            &self,
            _: ConfigureRequest<Config>,
        ) -> Result<((), Diagnostics), Diagnostics> {
            Ok(((), Diagnostics::new()))
        }

        fn resources(&self) -> Vec<ResourceEntry<()>> {
            vec![ResourceEntry::new("slow_thing", self.clone())]
        }
    }

    impl Resource for Slow {
        type Model = Thing;
        type Client = ();

        fn schema(&self) -> Schema {
            let name = Attribute::string().required().description("Name.");
            Schema::new("A thing.").attribute("name", name)
        }

        async fn read(&self, _: Context<()>, request: ReadRequest<Thing>) -> ReadResponse<Thing> {
            ReadResponse::found(request.state, request.private)
        }

        async fn create(
            &self,
            context: Context<()>,
            planned: PlannedCreate<Thing>,
        ) -> Applied<Thing> {
            self.started.cancel();
            let why = context.interrupted().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.safe.store(true, Ordering::SeqCst);
            Applied::partial(
                planned.planned,
                planned.private,
                Diagnostics::error("Interrupted", why.to_string()),
            )
        }

        async fn update(&self, _: Context<()>, planned: PlannedUpdate<Thing>) -> Applied<Thing> {
            Applied::done(planned.planned, planned.private)
        }

        async fn delete(&self, _: Context<()>, _: PlannedDelete<Thing>) -> Deleted<Thing> {
            Deleted::gone()
        }
    }

    /// A slow provider behind a socket, with a create under way.
    struct UnderWay {
        slow: Slow,
        lifetime: Lifetime,
        serving: tokio::task::JoinHandle<()>,
        creating: tokio::task::JoinHandle<(Managed, Diagnostics)>,
    }

    impl UnderWay {
        async fn start() -> Self {
            let slow = Slow::default();
            let server = Server::new(slow.clone());
            let lifetime = server.lifetime.clone();
            let debug = go_plugin::serve_debug(server.into_routes(), lifetime.shutdown())
                .await
                .unwrap();
            let socket = debug.address().address.clone();
            let serving = tokio::spawn(async move { debug.run().await.unwrap() });
            let mut core = Core::attach(&socket).await;
            core.configure(Value::object::<String>([])).await.unwrap();
            let mut thing = core.resource("slow_thing");
            drop(core);
            let creating = tokio::spawn(async move {
                let wanted = Value::object([("name", Value::from("a"))]);
                let error = thing.apply(wanted).await.unwrap_err();
                (thing, error)
            });
            slow.started.cancelled().await;
            Self {
                slow,
                lifetime,
                serving,
                creating,
            }
        }
    }

    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_lost_connection_stops_the_work_at_a_safe_point() {
        let under_way = UnderWay::start().await;
        // Drops the only client, and with it the connection.
        under_way.creating.abort();
        let _ = under_way.creating.await;
        under_way.lifetime.finish(LONG).await;
        assert!(under_way.slow.safe.load(Ordering::SeqCst));
        under_way.lifetime.shutdown().cancel();
        under_way.serving.await.unwrap();
    }

    #[tokio::test]
    async fn the_end_of_the_server_stops_the_work_and_the_answer_still_arrives() {
        let under_way = UnderWay::start().await;
        under_way.lifetime.shutdown().cancel();
        let (thing, error) = under_way.creating.await.unwrap();
        assert!(error.to_string().contains("stopped by the user"), "{error}");
        assert!(thing.stored().unwrap().tainted);
        under_way.serving.await.unwrap();
        under_way.lifetime.finish(LONG).await;
    }
}
