//! A real Kubernetes cluster on loopback: etcd, kube-apiserver, kube-controller-manager,
//! kube-scheduler, and KWOK in the place of kubelets.

mod component;
mod drain;
mod node;
mod object;

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use eks_simulator::{ApplyOutcome, DeprecatedUse, DrainOutcome, Effects, NodeSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::LabError;
use crate::certificates::{ClusterCertificates, Identity};
use crate::gate::Gate;
use crate::port::ReservedPort;
use crate::process::{Process, ProcessGroup, has_exited};
use crate::tools::KubernetesTools;
use component::file;

/// How long a process may take to do what it is waited for. Generous, because test machines are
/// shared; a process that ends is noticed at once.
const PATIENCE: Duration = Duration::from_secs(90);

const POLL: Duration = Duration::from_millis(50);

/// The oldest minor that a 1.36 API server emulates (it refuses to start for older ones).
const EMULATED_MINORS: u32 = 3;

/// A cluster to start.
#[derive(Debug, Clone)]
pub struct ClusterSpec {
    /// Its name, used in kubeconfig and certificates.
    pub name: String,
    /// Kubernetes minor version, such as `1.35`; one of [`served_versions`].
    pub version: String,
    /// Range of service addresses.
    pub service_cidr: String,
    /// Issuer of service account tokens.
    pub issuer_url: String,
    /// Where the API server asks about bearer tokens (TokenReview v1).
    pub authentication_webhook_url: Option<String>,
    /// Where the API server asks about what RBAC did not allow (SubjectAccessReview v1).
    pub authorization_webhook_url: Option<String>,
}

impl ClusterSpec {
    /// A cluster without webhooks, with the address range EKS takes by default.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            service_cidr: "172.20.0.0/16".to_owned(),
            issuer_url: "https://kubernetes.default.svc".to_owned(),
            authentication_webhook_url: None,
            authorization_webhook_url: None,
        }
    }
}

/// The minors that the API server of release `binary` (such as `1.36.3`) serves, oldest first:
/// its own and, by `--emulated-version`, the three before it.
#[must_use]
pub fn served_versions(binary: &str) -> Vec<String> {
    let mut parts = binary.split('.');
    let (Some(major), Some(minor)) = (
        parts.next(),
        parts.next().and_then(|minor| minor.parse::<u32>().ok()),
    ) else {
        return Vec::new();
    };
    (minor.saturating_sub(EMULATED_MINORS)..=minor)
        .map(|minor| format!("{major}.{minor}"))
        .collect()
}

/// A running cluster. Its processes end and its data is removed when it is dropped, and also when
/// this process dies.
pub struct Cluster {
    spec: ClusterSpec,
    tools: KubernetesTools,
    endpoint: String,
    certificate_authority_pem: String,
    client: kube::Client,
    /// What there is to show, for those who must not wait for the control plane.
    shown: std::sync::Mutex<Shown>,
    // Dropped in this order: processes first, then the group, then the port they used.
    control_plane: Mutex<ControlPlane>,
    etcd: Process,
    group: ProcessGroup,
    port: ReservedPort,
}

/// The API server and its clients.
struct ControlPlane {
    version: String,
    kube_apiserver: Process,
    controllers: Vec<Process>,
    /// Never restarted: it holds the nodes' leases, and another process would have to wait for
    /// their end before it could play the nodes.
    kwok: Process,
}

impl ControlPlane {
    /// # Errors
    /// With the last log lines of a process that no longer runs.
    fn check(&mut self) -> Result<(), LabError> {
        self.kube_apiserver.check()?;
        self.controllers.iter_mut().try_for_each(Process::check)?;
        self.kwok.check()
    }
}

/// A version and the processes that were last started for it.
#[derive(Clone)]
struct Shown {
    version: String,
    processes: Vec<(String, u32)>,
}

impl Shown {
    fn of(etcd: &Process, control_plane: &ControlPlane) -> Self {
        let processes = [etcd, &control_plane.kube_apiserver]
            .into_iter()
            .chain(&control_plane.controllers)
            .chain([&control_plane.kwok]);
        Self {
            version: control_plane.version.clone(),
            processes: processes
                .map(|process| (process.name().to_owned(), process.id()))
                .collect(),
        }
    }
}

/// One process of a cluster, for people to look at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProcessReport {
    /// Program name.
    pub name: String,
    /// Process id.
    pub process_id: u32,
    /// Resident memory in KiB, if it is known.
    pub resident_kib: Option<u64>,
}

impl ProcessReport {
    pub(crate) fn of(name: &str, process_id: u32) -> Self {
        Self {
            name: name.to_owned(),
            process_id,
            resident_kib: crate::process::resident_kib(process_id),
        }
    }
}

impl Cluster {
    /// Starts all processes and returns when the API server is ready and its controllers work
    /// (the default service account exists, without which no pod can be made).
    ///
    /// # Errors
    /// For a version the API server does not serve, and with the last log lines for a process
    /// that ends or does not get ready.
    pub async fn start(tools: &KubernetesTools, spec: ClusterSpec) -> Result<Self, LabError> {
        check_version(tools, &spec.version)?;
        let start = Instant::now();
        let group = ProcessGroup::new("cluster")?;
        let directory = group.directory().to_owned();
        // etcd needs no certificate, so it starts while they are made.
        let mut etcd = group.spawn("etcd", component::etcd(tools, &directory))?;
        let port = ReservedPort::take()?;
        let endpoint = format!("https://127.0.0.1:{}", port.number());
        let certificate_authority_pem = {
            let (directory, spec, endpoint) = (directory.clone(), spec.clone(), endpoint.clone());
            // RSA keys take a moment of computing that should not hold up the runtime.
            tokio::task::spawn_blocking(move || write_files(&directory, &spec, &endpoint))
                .await
                .map_err(|error| LabError::Unexpected(format!("making certificates: {error}")))??
        };
        let mut kube_apiserver = spawn_apiserver(tools, &group, &spec, &spec.version, &port)?;
        let client = client(&directory.join(file::KUBECONFIG)).await?;
        wait_listening(&mut kube_apiserver, &mut etcd, port.number()).await?;
        let mut controllers = spawn_controllers(tools, &group, &spec.version)?;
        let mut kwok = group.spawn("kwok", component::kwok(tools, &directory))?;
        wait_ready(&client, &mut kube_apiserver, &mut controllers, &mut kwok).await?;
        tracing::info!(
            cluster = spec.name,
            version = spec.version,
            elapsed_ms = start.elapsed().as_millis(),
            "cluster is ready"
        );
        let control_plane = ControlPlane {
            version: spec.version.clone(),
            kube_apiserver,
            controllers,
            kwok,
        };
        Ok(Self {
            shown: std::sync::Mutex::new(Shown::of(&etcd, &control_plane)),
            control_plane: Mutex::new(control_plane),
            spec,
            tools: tools.clone(),
            endpoint,
            certificate_authority_pem,
            client,
            etcd,
            group,
            port,
        })
    }

    /// Name of the cluster.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// `https://127.0.0.1:port`; the same for the cluster's whole life.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Certificate of the authority that signed the API server's certificate.
    #[must_use]
    pub fn certificate_authority_pem(&self) -> &str {
        &self.certificate_authority_pem
    }

    /// A gate before the API server, which counts the writing calls of those who come by it.
    pub(crate) async fn gate(&self, effects: Effects) -> Result<Gate, LabError> {
        let read = |name: &str| {
            let path = self.group.directory().join(name);
            fs::read_to_string(&path).map_err(LabError::io(format!("read {}", path.display())))
        };
        Gate::open(
            &self.endpoint,
            &self.certificate_authority_pem,
            &read(file::SERVING)?,
            &read(file::SERVING_KEY)?,
            effects,
        )
        .await
    }

    /// A kubeconfig file whose user may do everything.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.group.directory().join(file::KUBECONFIG)
    }

    /// A client whose user may do everything.
    #[must_use]
    pub fn client(&self) -> &kube::Client {
        &self.client
    }

    /// The directory with the cluster's logs, data and certificates.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.group.directory()
    }

    /// `kubectl` with the rights of the cluster's administrator and no cache in the user's home.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.tools.kubectl);
        command
            .env("KUBECONFIG", self.kubeconfig())
            .env("KUBECACHEDIR", self.group.directory().join("kubectl-cache"));
        command
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The minor version that the API server emulates now; while it changes, the one before.
    #[must_use]
    pub fn version(&self) -> String {
        self.shown().version.clone()
    }

    /// Ends all processes and removes the data at once, whoever else holds the cluster; returns when
    /// both are gone. Calls that are under way fail.
    pub fn stop(&self) {
        self.group.end();
        // They were killed, and take a moment to end; whoever holds the cluster reaps them.
        let deadline = Instant::now() + PATIENCE;
        let shown = self.shown().clone();
        let ended = || shown.processes.iter().all(|(_, id)| has_exited(*id));
        while !ended() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Restarts everything but etcd and KWOK with another minor version; endpoint, certificates
    /// and objects stay. Does nothing if the version is already served. Calls about nodes wait
    /// meanwhile; other clients see refused connections.
    ///
    /// # Errors
    /// As [`Cluster::start`]. The version before is then served again, if it starts.
    pub async fn change_version(&self, version: &str) -> Result<(), LabError> {
        check_version(&self.tools, version)?;
        let mut control_plane = self.control_plane.lock().await;
        let before = control_plane.version.clone();
        if before == version && control_plane.check().is_ok() {
            return Ok(());
        }
        let result = self.restart(&mut control_plane, version).await;
        let Err(error) = result else {
            return Ok(());
        };
        if before != version
            && let Err(second) = self.restart(&mut control_plane, &before).await
        {
            return Err(LabError::NotRestored {
                cluster: self.spec.name.clone(),
                version: before,
                failure: second.to_string(),
                source: Box::new(error),
            });
        }
        Err(error)
    }

    async fn restart(
        &self,
        control_plane: &mut ControlPlane,
        version: &str,
    ) -> Result<(), LabError> {
        for process in &mut control_plane.controllers {
            process.kill();
        }
        control_plane.kube_apiserver.kill();
        control_plane.kube_apiserver =
            spawn_apiserver(&self.tools, &self.group, &self.spec, version, &self.port)?;
        wait_listening_alone(&mut control_plane.kube_apiserver, self.port.number()).await?;
        control_plane.controllers = spawn_controllers(&self.tools, &self.group, version)?;
        let ControlPlane {
            kube_apiserver,
            controllers,
            kwok,
            ..
        } = &mut *control_plane;
        wait_ready(&self.client, kube_apiserver, controllers, kwok).await?;
        control_plane.version = version.to_owned();
        *self.shown() = Shown::of(&self.etcd, control_plane);
        Ok(())
    }

    /// Makes a call about a node again while the API server cannot be reached, because it is down
    /// for a moment when its version changes. Such calls do the same again when repeated.
    async fn through_restarts<T, F>(&self, call: impl Fn() -> F) -> Result<T, LabError>
    where
        F: Future<Output = Result<T, LabError>>,
    {
        let mut unreachable_since = None;
        loop {
            let began = Instant::now();
            let error = match call().await {
                Err(error) if is_unreachable(&error) => error,
                result => return result,
            };
            // A call that went on for a while did reach the API server.
            if began.elapsed() > Duration::from_secs(1) {
                unreachable_since = None;
            }
            let since = unreachable_since.get_or_insert_with(Instant::now);
            if since.elapsed() > PATIENCE || self.group.has_ended() {
                return Err(error);
            }
            sleep(POLL).await;
        }
    }

    /// Creates the node or changes its labels and taints; returns when it is Ready.
    ///
    /// # Errors
    /// When the API server refuses, or the node does not get Ready.
    pub async fn apply_node(&self, node: &NodeSpec) -> Result<(), LabError> {
        self.through_restarts(|| node::apply(&self.client, node))
            .await?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let last = match node::ready(&self.client, &node.name).await {
                Ok(true) => return Ok(()),
                Ok(false) => "the node is not Ready".to_owned(),
                Err(LabError::Kubernetes { source, .. }) => source.to_string(),
                Err(error) => return Err(error),
            };
            if self.group.has_ended() {
                return Err(LabError::UnknownCluster(self.spec.name.clone()));
            }
            let mut control_plane = self.control_plane.lock().await;
            let kwok = &mut control_plane.kwok;
            kwok.check()?;
            if Instant::now() > deadline {
                return Err(not_ready(&format!("node {} Ready", node.name), last, kwok));
            }
            drop(control_plane);
            sleep(POLL).await;
        }
    }

    /// Cordons the node and evicts its pods for at most `timeout`; with `force`, what is left is
    /// deleted then.
    ///
    /// # Errors
    /// When the API server refuses anything but an eviction that a disruption budget forbids.
    pub async fn drain_node(
        &self,
        name: &str,
        timeout: Duration,
        force: bool,
    ) -> Result<DrainOutcome, LabError> {
        let deadline = Instant::now() + timeout;
        self.through_restarts(|| drain::drain(&self.client, name, deadline, force))
            .await
    }

    /// Removes the node and the pods that were on it.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn delete_node(&self, name: &str) -> Result<(), LabError> {
        self.through_restarts(|| node::delete(&self.client, name))
            .await
    }

    /// Applies an object by server-side apply as `manager`; with `dry_run` it only says how that
    /// would end.
    ///
    /// # Errors
    /// When the API server does not know the kind or refuses the object, but for conflicts.
    pub async fn apply_object(
        &self,
        object: &serde_json::Value,
        manager: &str,
        force: bool,
        dry_run: bool,
    ) -> Result<ApplyOutcome, LabError> {
        self.through_restarts(|| object::apply(&self.client, object, manager, force, dry_run))
            .await
    }

    /// The object of this `apiVersion`, `kind`, name and namespace.
    ///
    /// # Errors
    /// When the API server does not know the kind or refuses.
    pub async fn get_object(
        &self,
        reference: &serde_json::Value,
    ) -> Result<Option<serde_json::Value>, LabError> {
        self.through_restarts(|| object::get(&self.client, reference))
            .await
    }

    /// Deletes an object; one that is not there is no error.
    ///
    /// # Errors
    /// When the API server does not know the kind or refuses.
    pub async fn delete_object(&self, reference: &serde_json::Value) -> Result<(), LabError> {
        self.through_restarts(|| object::delete(&self.client, reference))
            .await
    }

    /// The uses of APIs that a later release removes, as the API server has seen them since its
    /// start.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn deprecated_uses(&self) -> Result<Vec<DeprecatedUse>, LabError> {
        self.through_restarts(|| object::deprecated_uses(&self.client))
            .await
    }

    /// Names of the nodes whose Ready condition is true, sorted.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn ready_nodes(&self) -> Result<Vec<String>, LabError> {
        node::ready_names(&self.client).await
    }

    /// The processes of the cluster with their memory.
    #[must_use]
    pub fn processes(&self) -> Vec<ProcessReport> {
        let shown = self.shown().clone();
        shown
            .processes
            .iter()
            .map(|(name, process_id)| ProcessReport::of(name, *process_id))
            .collect()
    }
}

/// Whether the API server did not answer at all, or only to say that it does not serve yet.
fn is_unreachable(error: &LabError) -> bool {
    let LabError::Kubernetes { source, .. } = error else {
        return false;
    };
    match &**source {
        kube::Error::Api(status) => status.code == 503,
        kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => true,
        _ => false,
    }
}

fn check_version(tools: &KubernetesTools, version: &str) -> Result<(), LabError> {
    let served = served_versions(&tools.version);
    if served.iter().any(|known| known == version) {
        Ok(())
    } else {
        Err(LabError::UnsupportedVersion {
            version: version.to_owned(),
            served: served.join(", "),
        })
    }
}

/// Writes keys, certificates and configuration; returns the authority's certificate.
fn write_files(directory: &Path, spec: &ClusterSpec, endpoint: &str) -> Result<String, LabError> {
    let certificates = ClusterCertificates::generate(&spec.name)?;
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        fs::write(&path, text).map_err(LabError::io(format!("write {}", path.display())))
    };
    let write_identity = |identity: &Identity, certificate: &str, key: &str| {
        write(certificate, &identity.certificate_pem)?;
        write(key, &identity.key_pem)
    };
    write_identity(
        &certificates.authority,
        file::AUTHORITY,
        file::AUTHORITY_KEY,
    )?;
    write_identity(&certificates.serving, file::SERVING, file::SERVING_KEY)?;
    let keys = &certificates.service_account;
    write(file::SERVICE_ACCOUNT_PRIVATE, &keys.private_pem)?;
    write(file::SERVICE_ACCOUNT_PUBLIC, &keys.public_pem)?;
    for (user, kubeconfig) in [
        ("lab-administrator", file::KUBECONFIG),
        (
            "system:kube-controller-manager",
            file::CONTROLLER_MANAGER_KUBECONFIG,
        ),
        ("system:kube-scheduler", file::SCHEDULER_KUBECONFIG),
        ("kwok", file::KWOK_KUBECONFIG),
    ] {
        let identity = certificates.master(user)?;
        let (certificate, key) = (format!("{kubeconfig}.pem"), format!("{kubeconfig}.key"));
        write_identity(&identity, &certificate, &key)?;
        let text = component::kubeconfig(
            &spec.name,
            endpoint,
            directory,
            user,
            &directory.join(certificate),
            &directory.join(key),
        )?;
        write(kubeconfig, &text)?;
    }
    if let Some(url) = &spec.authentication_webhook_url {
        let text = component::webhook_kubeconfig(url)?;
        write(file::AUTHENTICATION_WEBHOOK, &text)?;
    }
    if let Some(url) = &spec.authorization_webhook_url {
        let text = component::webhook_kubeconfig(url)?;
        write(file::AUTHORIZATION_WEBHOOK, &text)?;
    }
    write(file::STAGES, component::STAGES)?;
    Ok(certificates.authority.certificate_pem)
}

async fn client(kubeconfig: &Path) -> Result<kube::Client, LabError> {
    let unexpected = |error: &dyn std::fmt::Display| {
        LabError::Unexpected(format!("cannot use the lab's kubeconfig: {error}"))
    };
    let kubeconfig = Kubeconfig::read_from(kubeconfig).map_err(|error| unexpected(&error))?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|error| unexpected(&error))?;
    kube::Client::try_from(config).map_err(LabError::kubernetes("accept a client"))
}

fn spawn_apiserver(
    tools: &KubernetesTools,
    group: &ProcessGroup,
    spec: &ClusterSpec,
    version: &str,
    port: &ReservedPort,
) -> Result<Process, LabError> {
    let command = component::kube_apiserver(tools, group.directory(), spec, version, port.number());
    group.spawn("kube-apiserver", command)
}

fn spawn_controllers(
    tools: &KubernetesTools,
    group: &ProcessGroup,
    version: &str,
) -> Result<Vec<Process>, LabError> {
    let directory = group.directory();
    Ok(vec![
        group.spawn(
            "kube-controller-manager",
            component::kube_controller_manager(tools, directory, version),
        )?,
        group.spawn(
            "kube-scheduler",
            component::kube_scheduler(tools, directory, version),
        )?,
    ])
}

async fn wait_listening(
    kube_apiserver: &mut Process,
    etcd: &mut Process,
    port: u16,
) -> Result<(), LabError> {
    tokio::select! {
        result = wait_listening_alone(kube_apiserver, port) => result,
        error = async {
            loop {
                if let Err(error) = etcd.check() {
                    return error;
                }
                sleep(POLL).await;
            }
        } => Err(error),
    }
}

/// The controllers give up when nobody listens, and only compete for the processor before.
async fn wait_listening_alone(kube_apiserver: &mut Process, port: u16) -> Result<(), LabError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        kube_apiserver.check()?;
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                let last = error.to_string();
                return Err(not_ready("kube-apiserver listening", last, kube_apiserver));
            }
            Err(_) => sleep(POLL).await,
        }
    }
}

async fn wait_ready(
    client: &kube::Client,
    kube_apiserver: &mut Process,
    controllers: &mut [Process],
    kwok: &mut Process,
) -> Result<(), LabError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        kube_apiserver.check()?;
        kwok.check()?;
        for controller in &mut *controllers {
            controller.check()?;
        }
        match ready(client).await {
            Ok(()) => return Ok(()),
            Err(last) if Instant::now() > deadline => {
                return Err(not_ready("a ready control plane", last, kube_apiserver));
            }
            Err(_) => sleep(POLL).await,
        }
    }
}

async fn ready(client: &kube::Client) -> Result<(), String> {
    let request = http::Request::get("/readyz")
        .body(Vec::new())
        .map_err(|error| error.to_string())?;
    client
        .request_text(request)
        .await
        .map_err(|error| format!("/readyz: {error}"))?;
    Api::<ServiceAccount>::namespaced(client.clone(), "default")
        .get("default")
        .await
        .map_err(|error| format!("the service account default: {error}"))?;
    Ok(())
}

fn not_ready(what: &str, last: String, process: &Process) -> LabError {
    LabError::NotReady {
        what: what.to_owned(),
        seconds: PATIENCE.as_secs(),
        last,
        log: process.log().to_owned(),
        tail: process.log_tail(),
    }
}

#[cfg(test)]
mod tests {
    use super::served_versions;

    #[test]
    fn the_own_minor_and_three_before_are_served() {
        assert_eq!(served_versions("1.36.3"), ["1.33", "1.34", "1.35", "1.36"]);
        assert_eq!(served_versions("nonsense"), Vec::<String>::new());
    }
}
