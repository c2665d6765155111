//! Running a provider as a process.

use std::error::Error;
use std::io::Write as _;
use std::os::unix::process::parent_id;
use std::process::ExitCode;
use std::time::Duration;

use go_plugin::logging::{self, LogConfig};
use go_plugin::{Address, Network, ServeConfig};
use serde_json::json;

use crate::provider::Provider;
use crate::server::Server;

/// Terraform's value of the variable by which a host says that it is one (public, the same for
/// every provider).
const MAGIC_COOKIE_KEY: &str = "TF_PLUGIN_MAGIC_COOKIE";
const MAGIC_COOKIE_VALUE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
const PROTOCOL_VERSION: u32 = 6;

/// How long creates, updates and deletes may go on after the serving has ended, which takes half a
/// second when calls are running: the host kills the process two seconds after its Shutdown.
const SAFE_POINT_GRACE: Duration = Duration::from_secs(1);

/// The same once the host is gone, when nobody kills the process.
const ORPHAN_GRACE: Duration = Duration::from_secs(30);

const TERRAFORM_REGISTRY: &str = "registry.terraform.io/";
const OPENTOFU_REGISTRY: &str = "registry.opentofu.org/";

/// What [`serve`] needs to know besides the provider.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    address: String,
    version: String,
    quiet_targets: Vec<String>,
}

impl ServeOptions {
    /// Options for the provider with this source address, host included, such as
    /// `registry.terraform.io/NAMESPACE/TYPE`, and this version, which is shown when the provider
    /// is started by hand.
    pub fn new(address: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            version: version.into(),
            quiet_targets: Vec::new(),
        }
    }

    /// Adds `tracing` targets, such as `kube_client`, whose events are logged only at the level
    /// trace, they and everything below them: those of libraries that would drown the provider's
    /// own lines. The libraries of the plugin protocol (h2, hyper, rustls, tonic, tower and so on)
    /// need not be listed.
    #[must_use]
    pub fn quiet_targets<T: Into<String>>(mut self, targets: impl IntoIterator<Item = T>) -> Self {
        self.quiet_targets
            .extend(targets.into_iter().map(Into::into));
        self
    }

    /// The last part of the address: the provider's type.
    fn name(&self) -> &str {
        self.address
            .rsplit_once('/')
            .map_or(self.address.as_str(), |(_, name)| name)
    }
}

/// Serves the provider until Terraform is done with it: the whole of a provider's `main`.
///
/// Started by Terraform or OpenTofu, it speaks the plugin protocol. With the argument `--debug` it
/// serves without being started by them, for a debugger, and prints the value of
/// `TF_REATTACH_PROVIDERS` that makes them use this process. Started by hand without arguments it
/// says what it is and fails.
///
/// It installs the panic hook and, when `TF_LOG_PROVIDER_<NAME>`, `TF_LOG_PROVIDER` or `TF_LOG`
/// asks for logs, the global `tracing` subscriber.
///
/// ```no_run
/// use std::process::ExitCode;
/// # use tfplugin::{ConfigureRequest, Diagnostics, Provider, ResourceEntry, model, schema::Schema};
/// # model! { pub struct Config {} }
/// # struct ExampleProvider;
/// # impl Provider for ExampleProvider {
/// #     type Config = Config;
/// #     type Client = ();
/// #     fn schema(&self) -> Schema { Schema::new("An example.") }
/// #     async fn configure(
/// #         &self,
/// #         _: ConfigureRequest<Config>,
/// #     ) -> Result<((), Diagnostics), Diagnostics> { Ok(((), Diagnostics::new())) }
/// #     fn resources(&self) -> Vec<ResourceEntry<()>> { Vec::new() }
/// # }
///
/// fn main() -> ExitCode {
///     tfplugin::serve(
///         ExampleProvider,
///         tfplugin::ServeOptions::new(
///             "registry.terraform.io/example/example",
///             env!("CARGO_PKG_VERSION"),
///         ),
///     )
/// }
/// ```
pub fn serve<P: Provider>(provider: P, options: ServeOptions) -> ExitCode {
    go_plugin::install_panic_hook();
    let variable = options.name().replace('-', "_").to_uppercase();
    logging::init(&LogConfig {
        level_variables: vec![
            format!("TF_LOG_PROVIDER_{variable}"),
            "TF_LOG_PROVIDER".to_owned(),
            "TF_LOG".to_owned(),
        ],
        quiet_targets: options.quiet_targets.clone(),
    });
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail("cannot start the asynchronous runtime", &error),
    };
    let debug = std::env::args_os()
        .skip(1)
        .any(|argument| argument == "--debug" || argument == "-debug");
    let server = Server::new(provider);
    let lifetime = server.lifetime();
    let parent = parent_id();
    let code = runtime.block_on(async {
        let code = if debug {
            serve_debug(server, &options).await
        } else {
            serve_host(server, &options).await
        };
        // Whatever ended the serving, work that still runs has been told to stop.
        lifetime.shutdown().cancel();
        lifetime
            .finish(if parent_id() == parent {
                SAFE_POINT_GRACE
            } else {
                ORPHAN_GRACE
            })
            .await;
        code
    });
    // Without waiting for blocking tasks.
    runtime.shutdown_background();
    code
}

async fn serve_host(server: Server, options: &ServeOptions) -> ExitCode {
    let config = ServeConfig {
        magic_cookie_key: MAGIC_COOKIE_KEY.to_owned(),
        magic_cookie_value: MAGIC_COOKIE_VALUE.to_owned(),
        protocol_version: PROTOCOL_VERSION,
        started_by_hand: format!(
            "This is version {} of the provider {} for Terraform and OpenTofu, which start it \
             themselves: it is not meant to be run by hand. Name it in a configuration's \
             required_providers block and run \"terraform init\", or start it with --debug to \
             attach a debugger.",
            options.version, options.address
        ),
    };
    let shutdown = server.lifetime().shutdown();
    match go_plugin::serve(config, server.into_routes(), shutdown).await {
        Ok(code) => code,
        Err(error) => fail("the provider could not serve", &error),
    }
}

async fn serve_debug(server: Server, options: &ServeOptions) -> ExitCode {
    let shutdown = server.lifetime().shutdown();
    let debug = match go_plugin::serve_debug(server.into_routes(), shutdown).await {
        Ok(debug) => debug,
        Err(error) => return fail("the provider could not serve", &error),
    };
    let reattach = reattach_providers(&options.address, debug.address(), debug.pid());
    // Quoted for a POSIX shell: JSON of these values holds no single quote but from TMPDIR.
    let quoted = reattach.replace('\'', r"'\''");
    let _ = writeln!(
        std::io::stdout().lock(),
        "The provider {} is running. To make Terraform or OpenTofu use this process, run them \
         with:\n\n    TF_REATTACH_PROVIDERS='{quoted}'\n\nStop it with Ctrl-C: operations that run are \
         told to stop and have ten seconds; a second Ctrl-C ends at once.",
        options.address
    );
    match debug.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail("the provider stopped serving", &error),
    }
}

/// The value of `TF_REATTACH_PROVIDERS`. A provider of Terraform's registry is listed under
/// OpenTofu's too, which is what the same short source address means there.
fn reattach_providers(address: &str, listener: &Address, pid: u32) -> String {
    let network = match listener.network {
        Network::Unix => "unix",
        Network::Tcp => "tcp",
    };
    let entry = json!({
        "Protocol": "grpc",
        "ProtocolVersion": PROTOCOL_VERSION,
        "Pid": pid,
        "Test": true,
        "Addr": { "Network": network, "String": listener.address },
    });
    let mut providers = serde_json::Map::new();
    providers.insert(address.to_owned(), entry.clone());
    if let Some(rest) = address.strip_prefix(TERRAFORM_REGISTRY) {
        providers.insert(format!("{OPENTOFU_REGISTRY}{rest}"), entry);
    }
    serde_json::Value::Object(providers).to_string()
}

fn fail(what: &str, error: &dyn Error) -> ExitCode {
    let mut text = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    // Terraform shows this in its logs, and the user who started it by hand sees it.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reattach_names_both_registries() {
        let listener = Address {
            network: Network::Unix,
            address: "/tmp/plugin1".to_owned(),
        };
        let entry = r#"{"Addr":{"Network":"unix","String":"/tmp/plugin1"},"Pid":7,"Protocol":"grpc","ProtocolVersion":6,"Test":true}"#;
        assert_eq!(
            reattach_providers("registry.terraform.io/a/b", &listener, 7),
            format!(
                r#"{{"registry.opentofu.org/a/b":{entry},"registry.terraform.io/a/b":{entry}}}"#
            ),
        );
        assert_eq!(
            reattach_providers("example.com/a/b", &listener, 7),
            format!(r#"{{"example.com/a/b":{entry}}}"#),
        );
    }
}
