//! A provider with one resource, a file on this machine, and one data source that reads a file.
//!
//! Run with `--debug` it prints how to make Terraform or OpenTofu use it. The configuration in
//! `tests/process.rs` uses all of it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tfplugin::cty;
use tfplugin::schema::{Attribute, Schema, modifiers, validators};
use tfplugin::{
    Applied, AttributeValue, ConfigureRequest, Context, DataRead, DataSource, DataSourceEntry,
    Deleted, Diagnostic, Diagnostics, Imported, PlanInput, Planned, PlannedCreate, PlannedDelete,
    PlannedUpdate, Private, Provider, ReadRequest, ReadResponse, Resource, ResourceEntry,
    Sensitive, model,
};

model! {
    /// The provider's configuration.
    pub struct ProviderConfig {
        /// Where relative paths begin.
        pub directory: AttributeValue<String>,
    }

    /// The resource `file_file`.
    pub struct File {
        /// Where the file is, as configured.
        pub path: AttributeValue<String>,
        /// What is in it.
        pub content: AttributeValue<String>,
        /// What is in it, hidden in output.
        pub sensitive_content: AttributeValue<Sensitive<String>>,
        /// Its permission bits in octal.
        pub permissions: AttributeValue<String>,
        /// The whole path.
        pub id: AttributeValue<String>,
        /// FNV-1a of the content.
        pub checksum: AttributeValue<String>,
        /// Its length in bytes.
        pub size: AttributeValue<i64>,
    }

    /// The data source `file_content`.
    pub struct Content {
        /// Where the file is.
        pub path: AttributeValue<String>,
        /// What is in it.
        pub content: AttributeValue<String>,
    }
}

struct FileProvider;

/// What the resources work with.
struct Directory(PathBuf);

impl Directory {
    fn resolve(&self, path: &str) -> PathBuf {
        self.0.join(path)
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
        let directory = request.config.directory.as_str().unwrap_or(".");
        Ok((Directory(directory.into()), Diagnostics::new()))
    }

    fn resources(&self) -> Vec<ResourceEntry<Directory>> {
        vec![ResourceEntry::new("file_file", FileResource)]
    }

    fn data_sources(&self) -> Vec<DataSourceEntry<Directory>> {
        vec![DataSourceEntry::new("file_content", ContentSource)]
    }
}

struct FileResource;

fn attribute(name: &str) -> cty::Path {
    cty::Path::root().attribute(name)
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Diagnostics {
    Diagnostic::error(
        format!("Cannot {what} the file"),
        format!("{}: {error}.", path.display()),
    )
    .at(attribute("path"))
    .into()
}

/// A checksum that needs no dependency: FNV-1a, 64 bits.
fn checksum(content: &str) -> String {
    let hash = content
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{hash:016x}")
}

impl File {
    fn wanted_content(&self) -> Option<&str> {
        self.content.as_str().or_else(|| {
            self.sensitive_content
                .known()
                .map(|secret| secret.reveal().as_str())
        })
    }

    /// The computed values that follow from the content.
    fn describe(&mut self, content: &str) {
        self.checksum = checksum(content).into();
        self.size = i64::try_from(content.len()).unwrap_or(i64::MAX).into();
    }
}

async fn write(path: &Path, file: &File) -> Result<(), Diagnostics> {
    let content = file.wanted_content().unwrap_or_default();
    tokio::fs::write(path, content)
        .await
        .map_err(|error| cannot("write", path, &error))?;
    set_permissions(path, file.permissions.as_str().unwrap_or("0644")).await
}

#[cfg(unix)]
async fn set_permissions(path: &Path, octal: &str) -> Result<(), Diagnostics> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = u32::from_str_radix(octal, 8).unwrap_or(0o644);
    tokio::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .await
        .map_err(|error| cannot("set the permissions of", path, &error))
}

#[cfg(not(unix))]
async fn set_permissions(_: &Path, _: &str) -> Result<(), Diagnostics> {
    Ok(())
}

impl Resource for FileResource {
    type Model = File;
    type Client = Directory;

    fn schema(&self) -> Schema {
        Schema::new("A text file.")
            .attribute(
                "path",
                Attribute::string()
                    .required()
                    .description("Where the file is, relative to the provider's `directory`.")
                    .validate(validators::string_length_between(1, 4096))
                    .plan_modifier(modifiers::requires_replace()),
            )
            .attribute(
                "content",
                Attribute::string()
                    .optional()
                    .description("What is in the file."),
            )
            .attribute(
                "sensitive_content",
                Attribute::string()
                    .optional()
                    .sensitive()
                    .description("What is in the file, hidden in output."),
            )
            .attribute(
                "permissions",
                Attribute::string()
                    .optional()
                    .computed()
                    .default("0644")
                    .description("Permission bits in octal. Default: `0644`.")
                    .validate(validators::string_that(
                        "must be three or four octal digits",
                        |text| {
                            matches!(text.len(), 3 | 4)
                                && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit))
                        },
                    )),
            )
            .attribute(
                "id",
                Attribute::string()
                    .computed()
                    .description("The whole path.")
                    .plan_modifier(modifiers::use_state_for_unknown()),
            )
            .attribute(
                "checksum",
                Attribute::string()
                    .computed()
                    .description("FNV-1a checksum of the content."),
            )
            .attribute(
                "size",
                Attribute::number()
                    .computed()
                    .description("Length of the content in bytes."),
            )
            .validate(validators::exactly_one_of(["content", "sensitive_content"]))
    }

    fn plan(&self, input: PlanInput<'_, File, Directory>) -> Result<Planned<File>, Diagnostics> {
        let mut state = input.proposed;
        // What follows from the content need not wait for the apply.
        if let Some(content) = state.wanted_content().map(str::to_owned) {
            state.describe(&content);
        }
        Ok(Planned {
            state,
            requires_replace: Vec::new(),
            private: input.prior_private.clone(),
            diagnostics: Diagnostics::new(),
        })
    }

    async fn read(
        &self,
        context: Context<Directory>,
        request: ReadRequest<File>,
    ) -> ReadResponse<File> {
        let mut file = request.state.clone();
        let path = context
            .client
            .resolve(file.path.as_str().unwrap_or_default());
        match tokio::fs::read_to_string(&path).await {
            Ok(content) => {
                file.describe(&content);
                file.id = path.display().to_string().into();
                if file.sensitive_content.is_known() {
                    file.sensitive_content = Sensitive::new(content).into();
                } else {
                    file.content = content.into();
                }
                if file.permissions.is_null() {
                    file.permissions = "0644".into();
                }
                ReadResponse::found(file, request.private)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => ReadResponse::gone(),
            Err(error) => ReadResponse::failed(request, cannot("read", &path, &error)),
        }
    }

    async fn create(
        &self,
        context: Context<Directory>,
        planned: PlannedCreate<File>,
    ) -> Applied<File> {
        let mut file = planned.planned;
        let path = context
            .client
            .resolve(file.path.as_str().unwrap_or_default());
        if let Err(diagnostics) = write(&path, &file).await {
            return Applied::failed(diagnostics);
        }
        let content = file.wanted_content().unwrap_or_default().to_owned();
        file.describe(&content);
        file.id = path.display().to_string().into();
        Applied::done(file, planned.private)
    }

    async fn update(
        &self,
        context: Context<Directory>,
        planned: PlannedUpdate<File>,
    ) -> Applied<File> {
        let mut file = planned.planned;
        let path = context
            .client
            .resolve(file.path.as_str().unwrap_or_default());
        if let Err(diagnostics) = write(&path, &file).await {
            return Applied::failed(diagnostics);
        }
        let content = file.wanted_content().unwrap_or_default().to_owned();
        file.describe(&content);
        Applied::done(file, planned.private)
    }

    async fn delete(
        &self,
        context: Context<Directory>,
        planned: PlannedDelete<File>,
    ) -> Deleted<File> {
        let path = context
            .client
            .resolve(planned.prior.path.as_str().unwrap_or_default());
        match tokio::fs::remove_file(&path).await {
            Ok(()) => Deleted::gone(),
            Err(error) if error.kind() == ErrorKind::NotFound => Deleted::gone(),
            Err(error) => Deleted::failed(cannot("remove", &path, &error)),
        }
    }

    async fn import(&self, _: Context<Directory>, id: &str) -> Result<Imported<File>, Diagnostics> {
        Ok(Imported {
            state: File {
                path: id.into(),
                ..File::default()
            },
            private: Private::new(),
            diagnostics: Diagnostics::new(),
        })
    }
}

struct ContentSource;

impl DataSource for ContentSource {
    type Model = Content;
    type Client = Directory;

    fn schema(&self) -> Schema {
        Schema::new("The content of a text file.")
            .attribute(
                "path",
                Attribute::string()
                    .required()
                    .description("Where the file is, relative to the provider's `directory`."),
            )
            .attribute(
                "content",
                Attribute::string()
                    .computed()
                    .description("What is in the file."),
            )
    }

    async fn read(
        &self,
        context: Context<Directory>,
        config: Content,
    ) -> Result<DataRead<Content>, Diagnostics> {
        let path = context
            .client
            .resolve(config.path.as_str().unwrap_or_default());
        let content = tokio::fs::read_to_string(&path)
            .await
            .map_err(|error| cannot("read", &path, &error))?;
        Ok(DataRead::new(Content {
            content: content.into(),
            ..config
        }))
    }
}

fn main() -> ExitCode {
    tfplugin::serve(
        FileProvider,
        tfplugin::ServeOptions {
            address: "registry.terraform.io/example/file".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..tfplugin::ServeOptions::default()
        },
    )
}
