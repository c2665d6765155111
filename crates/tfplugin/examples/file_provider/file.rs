//! The resource `file_file`.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use tfplugin::schema::{Attribute, Schema, TimeoutDefaults, modifiers, validators};
use tfplugin::{
    Applied, AttributeValue, Context, Deferral, Deleted, Diagnostic, Diagnostics, Identified,
    IdentityAttribute, IdentitySchema, Imported, MoveRequest, MoveSource, Moved, PlanInput,
    Planned, PlannedCreate, PlannedDelete, PlannedUpdate, ReadRequest, ReadResponse, Resource,
    Sensitive, StateUpgrades, Timeouts, UpgradeRequest, cty, model,
};
use tokio::io::AsyncWriteExt as _;

use crate::{Directory, attribute, cannot};

const DEFAULT_PERMISSIONS: &str = "0644";

model! {
    /// The resource `file_file`.
    pub struct File {
        /// Where the file is, as configured.
        pub path: AttributeValue<String>,
        /// What is in it.
        pub content: AttributeValue<String>,
        /// What is in it, hidden in output.
        pub sensitive_content: AttributeValue<Sensitive<String>>,
        /// What is in it, stored nowhere.
        pub content_wo: AttributeValue<Sensitive<String>>,
        /// Changes when that does.
        pub content_wo_version: AttributeValue<i64>,
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

    /// The resource as the first version of the schema had it.
    pub struct FileVersion0 {
        /// Where the file is.
        pub path: AttributeValue<String>,
        /// What is in it.
        pub content: AttributeValue<String>,
        /// Its permission bits, a number that is read as octal: 644.
        pub mode: AttributeValue<i64>,
        /// The whole path.
        pub id: AttributeValue<String>,
    }

    /// What the provider hashicorp/local keeps of its `local_file`, as far as it matters.
    pub struct LocalFile {
        /// Where the file is.
        pub filename: AttributeValue<String>,
        /// What is in it.
        pub content: AttributeValue<String>,
        /// Its permission bits in octal.
        pub file_permission: AttributeValue<String>,
    }

    /// What Terraform keeps of its own `terraform_data`, as far as it matters.
    pub struct TerraformData {
        /// Where the file is, when somebody kept that there.
        pub input: AttributeValue<cty::Value>,
    }

    /// What tells a file from all others.
    pub struct FileIdentity {
        /// The whole path.
        pub path: AttributeValue<String>,
    }

    /// The identity as the first version of its schema had it.
    pub struct FileIdentityVersion0 {
        /// The whole path.
        pub file: AttributeValue<String>,
    }
}

pub struct FileResource;

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
    /// What is configured: a write-only value is in the configuration alone.
    fn configured_content(&self) -> &str {
        let sensitive = self.sensitive_content.known().or(self.content_wo.known());
        self.content
            .as_str()
            .or(sensitive.map(|secret| secret.reveal().as_str()))
            .unwrap_or_default()
    }

    /// The computed values that follow from the content. A checksum or a length would tell of a
    /// secret, so a sensitive content has none.
    fn describe(&mut self) {
        self.checksum = self.content.as_ref().map(|content| checksum(content));
        self.size = self
            .content
            .as_ref()
            .map(|content| i64::try_from(content.len()).unwrap_or(i64::MAX));
    }
}

/// Why a file could not be written.
struct WriteFailure {
    diagnostics: Diagnostics,
    /// Whether the file is there all the same.
    exists: bool,
}

/// Makes a file, or gives one that exists another content.
async fn write(path: &Path, file: &File, content: &str, new: bool) -> Result<(), WriteFailure> {
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
                format!("{} was not made by this resource.", path.display()),
            )
            .hint("Remove it, or import it by this path.")
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
            .version(1)
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
                "content_wo",
                Attribute::string().optional().write_only().description(
                    "What is in the file, stored nowhere. Needs Terraform or OpenTofu 1.11.",
                ),
            )
            .attribute(
                "content_wo_version",
                Attribute::number()
                    .optional()
                    .description(
                        "Write the file anew when this changes; a version before replaces it.",
                    )
                    .plan_modifier(modifiers::requires_replace_if(
                        "A version before needs a new file.",
                        |input| match (input.prior.as_i64(), input.planned.as_i64()) {
                            (Some(before), Some(after)) => after < before,
                            _ => false,
                        },
                    )),
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
            .validate(validators::exactly_one_of([
                "content",
                "sensitive_content",
                "content_wo",
            ]))
    }

    fn defer(&self, _: Option<&File>, client: Option<&Directory>) -> Option<Deferral> {
        client
            .is_some_and(|directory| directory.path.is_none())
            .then_some(Deferral::ProviderConfigUnknown)
    }

    fn plan(&self, input: PlanInput<'_, File, Directory>) -> Result<Planned<File>, Diagnostics> {
        let mut state = input.proposed;
        // What follows from the content need not wait for the apply.
        if !state.content.is_unknown() {
            state.describe();
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
        let path = match context.client.resolve(&file.path) {
            Ok(path) => path,
            Err(diagnostics) => return ReadResponse::failed(request, diagnostics),
        };
        match tokio::fs::read_to_string(&path).await {
            Ok(content) => {
                // A write-only content is not looked at; after an import nothing else is known.
                let write_only = file.content.is_null() && !file.id.is_null();
                if file.sensitive_content.is_known() {
                    file.sensitive_content = Sensitive::new(content).into();
                } else if !write_only {
                    file.content = content.into();
                }
                file.id = path.display().to_string().into();
                file.describe();
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
        let path = match context.client.resolve(&file.path) {
            Ok(path) => path,
            Err(diagnostics) => return Applied::failed(diagnostics),
        };
        if file.wait_for_directory == AttributeValue::Known(true)
            && let Err(diagnostics) = directory_exists(&context, &path).await
        {
            return Applied::failed(diagnostics);
        }
        let content = planned.config.configured_content();
        let written = write(&path, &file, content, true).await;
        file.describe();
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
        let path = match context.client.resolve(&file.path) {
            Ok(path) => path,
            Err(diagnostics) => return Applied::failed(diagnostics),
        };
        // The state before is kept, and the next plan reads how far this came.
        let content = planned.config.configured_content();
        if let Err(failure) = write(&path, &file, content, false).await {
            return Applied::failed(failure.diagnostics);
        }
        file.describe();
        Applied::done(file, planned.private)
    }

    async fn delete(
        &self,
        context: Context<Directory>,
        planned: PlannedDelete<File>,
    ) -> Deleted<File> {
        let path = match context.client.resolve(&planned.prior.path) {
            Ok(path) => path,
            Err(diagnostics) => return Deleted::failed(diagnostics),
        };
        match tokio::fs::remove_file(&path).await {
            Ok(()) => Deleted::gone(),
            Err(error) if error.kind() == ErrorKind::NotFound => Deleted::gone(),
            Err(error) => Deleted::failed(cannot("remove", &path, &error)),
        }
    }

    async fn import(&self, _: Context<Directory>, id: &str) -> Result<Imported<File>, Diagnostics> {
        Ok(Imported::new(File {
            path: id.into(),
            ..File::default()
        }))
    }

    fn upgrade_state(&self, request: UpgradeRequest) -> Result<File, Diagnostics> {
        StateUpgrades::new()
            .step(0, |old: FileVersion0| {
                Ok(File {
                    path: old.path,
                    content: old.content,
                    permissions: old.mode.map(|mode| format!("{mode:04}")),
                    id: old.id,
                    ..File::default()
                })
            })
            .run(request)
    }

    fn move_sources(&self) -> Vec<MoveSource> {
        vec![
            MoveSource::new("hashicorp/local", "local_file"),
            MoveSource::new("builtin/terraform", "terraform_data"),
            // How this provider's own resource was once called.
            MoveSource::new("example/file", "file_text"),
        ]
    }

    fn move_state(&self, request: MoveRequest) -> Result<Moved<File>, Diagnostics> {
        if request.type_name == "file_text" {
            let version = request.schema_version;
            let state = request.state;
            return self
                .upgrade_state(UpgradeRequest { version, state })
                .map(Moved::new);
        }
        if request.type_name == "terraform_data" {
            let data: TerraformData = request.state.model()?;
            let input = data.input.known().map(cty::Value::inner);
            let Some(path) = input.and_then(cty::Value::as_str) else {
                return Err(Diagnostic::error(
                    "Not a file",
                    "The input of the terraform_data is not the path of a file.",
                )
                .into());
            };
            return Ok(Moved::new(File {
                path: path.into(),
                ..File::default()
            }));
        }
        let local: LocalFile = request.state.model()?;
        Ok(Moved::new(File {
            path: local.filename,
            content: local.content,
            permissions: local.file_permission,
            ..File::default()
        }))
    }
}

impl Identified for FileResource {
    type Identity = FileIdentity;

    fn identity_schema(&self) -> IdentitySchema {
        IdentitySchema::new().version(1).attribute(
            "path",
            IdentityAttribute::required_for_import(cty::Type::String, "The whole path."),
        )
    }

    fn identity(&self, _: Option<&Directory>, file: &File) -> FileIdentity {
        FileIdentity {
            path: file.id.clone(),
        }
    }

    async fn import_by_identity(
        &self,
        context: Context<Directory>,
        identity: FileIdentity,
    ) -> Result<Imported<File>, Diagnostics> {
        let path = identity.path.as_str().unwrap_or_default();
        if !Path::new(path).is_absolute() {
            return Err(Diagnostic::error(
                "Not an identity",
                format!("The path {path:?} is relative, and an identity holds the whole path."),
            )
            .into());
        }
        // The whole path is the same wherever relative paths begin.
        self.import(context, path).await
    }

    fn upgrade_identity(&self, request: UpgradeRequest) -> Result<FileIdentity, Diagnostics> {
        if request.version != 0 {
            return Err(request.too_old());
        }
        let old: FileIdentityVersion0 = request.state.model()?;
        Ok(FileIdentity { path: old.file })
    }
}
