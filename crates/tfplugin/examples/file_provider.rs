//! A provider with one resource, a file on this machine, and one data source that reads a file.
//!
//! Run with `--debug` it prints how to make Terraform or OpenTofu use it. The configuration in
//! `tests/process.rs` uses all of it.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tfplugin::cty;
use tfplugin::schema::{Attribute, Schema, TimeoutDefaults, modifiers, validators};
use tfplugin::{
    Applied, AttributeValue, ConfigureRequest, Context, DataRead, DataSource, DataSourceEntry,
    Deleted, Diagnostic, Diagnostics, Imported, PlanInput, Planned, PlannedCreate, PlannedDelete,
    PlannedUpdate, Private, Provider, ReadRequest, ReadResponse, Resource, ResourceEntry,
    Sensitive, ServeOptions, Timeouts, model,
};
use tokio::io::AsyncWriteExt as _;

const DEFAULT_PERMISSIONS: &str = "0644";

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
        /// FNV-1a of the content, null when that is sensitive.
        pub checksum: AttributeValue<String>,
        /// Its length in bytes, null when the content is sensitive.
        pub size: AttributeValue<i64>,
        /// Whether to wait for the directory.
        pub wait_for_directory: AttributeValue<bool>,
        /// How long that may take.
        pub timeouts: AttributeValue<Timeouts>,
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

    /// The computed values that follow from the content. A checksum or a length would tell of a
    /// secret, so a sensitive content has none.
    fn describe(&mut self, content: &str) {
        if self.sensitive_content.is_null() {
            self.checksum = checksum(content).into();
            self.size = i64::try_from(content.len()).unwrap_or(i64::MAX).into();
        } else {
            self.checksum = AttributeValue::Null;
            self.size = AttributeValue::Null;
        }
    }
}

/// Why a file could not be written.
struct WriteFailure {
    diagnostics: Diagnostics,
    /// Whether the file is there all the same.
    exists: bool,
}

/// Makes a file, or gives one that exists another content.
async fn write(path: &Path, file: &File, new: bool) -> Result<(), WriteFailure> {
    let permissions = file.permissions.as_str().unwrap_or(DEFAULT_PERMISSIONS);
    let mode = u32::from_str_radix(permissions, 8).unwrap_or(0o644);
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).truncate(true).mode(mode);
    // Never takes over a file that somebody else made.
    let opened = options.create_new(new).open(path).await;
    let mut opened = opened.map_err(|error| WriteFailure {
        diagnostics: if error.kind() == ErrorKind::AlreadyExists {
            Diagnostic::error(
                "The file exists already",
                format!("{}: remove it, or import it by this path.", path.display()),
            )
            .at(attribute("path"))
            .into()
        } else {
            cannot("open", path, &error)
        },
        exists: !new,
    })?;
    let failed = |what: &str, error: std::io::Error| WriteFailure {
        diagnostics: cannot(what, path, &error),
        exists: true,
    };
    let content = file.wanted_content().unwrap_or_default();
    let written = opened.write_all(content.as_bytes()).await;
    written.map_err(|error| failed("write", error))?;
    let flushed = opened.flush().await;
    flushed.map_err(|error| failed("write", error))?;
    // The umask may have taken bits of the mode, and a file that existed has its own.
    tokio::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .await
        .map_err(|error| failed("set the permissions of", error))
}

/// Waits until the directory of a file exists, and looks at each turn whether it is to stop.
async fn directory_exists(context: &Context<Directory>, path: &Path) -> Result<(), Diagnostics> {
    let Some(directory) = path.parent() else {
        return Ok(());
    };
    while !tokio::fs::try_exists(directory).await.unwrap_or(false) {
        tokio::select! {
            why = context.interrupted() => {
                return Err(Diagnostics::error(
                    "The directory of the file does not exist",
                    format!("Waited for {}, but {why}.", directory.display()),
                ));
            }
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
    }
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
                    .default(DEFAULT_PERMISSIONS)
                    .description("Permission bits in octal. Default: `0644`.")
                    .validate(validators::string_that(
                        "must be three or four octal digits",
                        |text| {
                            matches!(text.len(), 3 | 4)
                                && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit))
                        },
                    ))
                    .semantically_equal(|before, after| {
                        let digits =
                            |value: &cty::Value| value.as_str().map(|text| format!("{text:0>4}"));
                        digits(before) == digits(after)
                    }),
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
                    .description("FNV-1a checksum of the content, unless that is sensitive."),
            )
            .attribute(
                "size",
                Attribute::number()
                    .computed()
                    .description("Length of the content in bytes, unless that is sensitive."),
            )
            .attribute(
                "wait_for_directory",
                Attribute::bool()
                    .optional()
                    .description("Whether to wait until something makes the file's directory."),
            )
            .timeouts(TimeoutDefaults::all(Duration::from_secs(600)))
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
                file.id = path.display().to_string().into();
                if file.sensitive_content.is_known() {
                    file.sensitive_content = Sensitive::new(content.clone()).into();
                } else {
                    file.content = content.as_str().into();
                }
                file.describe(&content);
                if let Ok(metadata) = tokio::fs::metadata(&path).await {
                    let mode = metadata.permissions().mode() & 0o7777;
                    file.permissions = format!("{mode:04o}").into();
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
        if file.wait_for_directory == AttributeValue::Known(true)
            && let Err(diagnostics) = directory_exists(&context, &path).await
        {
            return Applied::failed(diagnostics);
        }
        let written = write(&path, &file, true).await;
        let content = file.wanted_content().unwrap_or_default().to_owned();
        file.describe(&content);
        file.id = path.display().to_string().into();
        match written {
            Ok(()) => Applied::done(file, planned.private),
            // What exists must be in the state, or nobody would ever remove it.
            Err(failure) if failure.exists => {
                Applied::partial(file, planned.private, failure.diagnostics)
            }
            Err(failure) => Applied::failed(failure.diagnostics),
        }
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
        // The state before is kept, and the next plan reads how far this came.
        if let Err(failure) = write(&path, &file, false).await {
            return Applied::failed(failure.diagnostics);
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
        ServeOptions::new(
            "registry.terraform.io/example/file",
            env!("CARGO_PKG_VERSION"),
        ),
    )
}
