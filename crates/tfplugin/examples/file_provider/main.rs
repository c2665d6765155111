//! A provider of files on this machine, which shows each part of the framework once:
//!
//! - `file.rs`: the resource `file_file`, with plan, timeouts, a write-only attribute, import by id
//!   and by identity, states of an older version, and states of other types;
//! - `content.rs`: the data source `file_content`;
//! - `lock.rs`: the ephemeral resource `file_lock`;
//! - `functions.rs`: the functions `base_name` and `join`.
//!
//! Run with `--debug` it prints how to make Terraform or OpenTofu use it. The configurations in
//! `tests/process/real_core.rs` use all of it.

mod content;
mod file;
mod functions;
mod lock;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tfplugin::schema::{Attribute, Schema};
use tfplugin::{
    AttributeValue, ConfigureRequest, DataSourceEntry, Diagnostic, Diagnostics,
    EphemeralResourceEntry, FunctionEntry, Provider, ResourceEntry, ServeOptions, cty, model,
};

model! {
    /// The provider's configuration.
    pub struct ProviderConfig {
        /// Where relative paths begin.
        pub directory: AttributeValue<String>,
    }
}

struct FileProvider;

/// What the resources work with.
pub struct Directory {
    /// Not known in a plan whose provider configuration is not.
    path: Option<PathBuf>,
}

impl Directory {
    fn resolve(&self, path: &AttributeValue<String>) -> Result<PathBuf, Diagnostics> {
        let directory = self.path.as_ref().ok_or_else(|| {
            Diagnostics::error(
                "The directory is not known yet",
                "The provider's `directory` is known only after an apply, and is needed before. \
                 Apply what it depends on first, with -target.",
            )
        })?;
        Ok(directory.join(path.as_str().unwrap_or_default()))
    }
}

impl Provider for FileProvider {
    type Config = ProviderConfig;
    type Client = Directory;

    fn schema(&self) -> Schema {
        Schema::new("Manages files on the machine that runs Terraform.").attribute(
            "directory",
            Attribute::string()
                .optional()
                .description("Where relative paths begin. Default: the working directory."),
        )
    }

    async fn configure(
        &self,
        request: ConfigureRequest<ProviderConfig>,
    ) -> Result<(Directory, Diagnostics), Diagnostics> {
        let path = match request.config.directory {
            AttributeValue::Unknown => None,
            directory => Some(PathBuf::from(directory.known_or(".".to_owned()))),
        };
        Ok((Directory { path }, Diagnostics::new()))
    }

    fn resources(&self) -> Vec<ResourceEntry<Directory>> {
        vec![ResourceEntry::identified("file_file", file::FileResource)]
    }

    fn data_sources(&self) -> Vec<DataSourceEntry<Directory>> {
        vec![DataSourceEntry::new("file_content", content::ContentSource)]
    }

    fn ephemeral_resources(&self) -> Vec<EphemeralResourceEntry<Directory>> {
        vec![EphemeralResourceEntry::new("file_lock", lock::Lock)]
    }

    fn functions(&self) -> Vec<FunctionEntry> {
        vec![
            FunctionEntry::new("base_name", functions::BaseName),
            FunctionEntry::new("join", functions::Join),
            FunctionEntry::new("count", functions::Count),
        ]
    }
}

/// The path of an attribute, for diagnostics.
fn attribute(name: &str) -> cty::Path {
    cty::Path::root().attribute(name)
}

/// The error of an operation on a file.
fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Diagnostics {
    Diagnostic::error(
        format!("Cannot {what} the file"),
        format!("{}: {error}.", path.display()),
    )
    .at(attribute("path"))
    .into()
}

fn main() -> ExitCode {
    tfplugin::serve(
        FileProvider,
        ServeOptions::new(
            "registry.terraform.io/example/file",
            env!("CARGO_PKG_VERSION"),
        ),
    )
}
