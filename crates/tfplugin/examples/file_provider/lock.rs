//! The ephemeral resource `file_lock`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tfplugin::schema::{Attribute, Schema, validators};
use tfplugin::{
    AttributeValue, Context, Diagnostic, Diagnostics, EphemeralResource, Opened, Private, Renewed,
    model,
};
use tokio::io::AsyncWriteExt as _;

use crate::{Directory, attribute, cannot};

model! {
    /// The ephemeral resource.
    pub struct LockModel {
        /// Where the lock's file is.
        pub path: AttributeValue<String>,
        /// How often the file is touched.
        pub renew_seconds: AttributeValue<i64>,
        /// What tells this holder from others.
        pub token: AttributeValue<String>,
    }
}

/// A file that exists while Terraform works.
pub struct Lock;

/// What a holder must remember until the lock is closed.
struct Held {
    path: PathBuf,
    token: String,
    renew: Duration,
}

impl Held {
    fn of(private: &Private) -> Self {
        Self {
            path: private.get_as("path").unwrap_or_default(),
            token: private.get_as("token").unwrap_or_default(),
            renew: Duration::from_secs(private.get_as("renew_seconds").unwrap_or(60)),
        }
    }

    /// Fails when somebody took the lock away.
    async fn check(&self) -> Result<(), Diagnostics> {
        match tokio::fs::read_to_string(&self.path).await {
            Ok(token) if token == self.token => Ok(()),
            Ok(_) => Err(lost(&self.path, "it belongs to somebody else now")),
            Err(error) => Err(lost(&self.path, &error.to_string())),
        }
    }

    fn next(&self) -> SystemTime {
        SystemTime::now() + self.renew
    }
}

fn lost(path: &Path, why: &str) -> Diagnostics {
    Diagnostic::error("The lock is lost", format!("{}: {why}.", path.display()))
        .hint("Make sure that nobody removes the file, and run Terraform again.")
        .into()
}

impl EphemeralResource for Lock {
    type Model = LockModel;
    type Client = Directory;

    fn schema(&self) -> Schema {
        Schema::new("A lock on this machine, held while Terraform works.")
            .attribute(
                "path",
                Attribute::string().required().description(
                    "Where the lock's file is, relative to the provider's `directory`.",
                ),
            )
            .attribute(
                "renew_seconds",
                Attribute::number()
                    .optional()
                    .computed()
                    .default(60)
                    .description("How often the file is touched, in seconds. Default: 60.")
                    .validate(validators::integer_between(1..=3600)),
            )
            .attribute(
                "token",
                Attribute::string()
                    .computed()
                    .sensitive()
                    .description("Text in the file, different for each holder."),
            )
    }

    async fn open(
        &self,
        context: Context<Directory>,
        config: LockModel,
    ) -> Result<Opened<LockModel>, Diagnostics> {
        let path = context.client.resolve(&config.path)?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let token = format!("{}-{}", std::process::id(), now.as_nanos());
        let mut options = tokio::fs::OpenOptions::new();
        let mut file = match options.write(true).create_new(true).open(&path).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(Diagnostic::error(
                    "The lock is taken",
                    format!("{} exists: another run holds the lock.", path.display()),
                )
                .hint("Wait for that run, or remove the file when there is none.")
                .at(attribute("path"))
                .into());
            }
            Err(error) => return Err(cannot("make", &path, &error)),
        };
        let mut written = file.write_all(token.as_bytes()).await;
        if written.is_ok() {
            written = file.flush().await;
        }
        if let Err(error) = written {
            // Nothing is closed that could not be opened.
            let _ = tokio::fs::remove_file(&path).await;
            return Err(cannot("write", &path, &error));
        }
        let seconds = config.renew_seconds.known().copied().unwrap_or(60);
        let mut private = Private::new();
        private.insert("path", path.to_string_lossy());
        private.insert("token", token.as_str());
        private.insert("renew_seconds", seconds);
        let next = Held::of(&private).next();
        let result = LockModel {
            token: token.into(),
            ..config
        };
        Ok(Opened::new(result, private).renew_at(next))
    }

    async fn renew(&self, _: Context<Directory>, private: Private) -> Result<Renewed, Diagnostics> {
        let held = Held::of(&private);
        held.check().await?;
        let touched = std::fs::File::options()
            .write(true)
            .open(&held.path)
            .and_then(|file| file.set_modified(SystemTime::now()));
        touched.map_err(|error| cannot("touch", &held.path, &error))?;
        tracing::debug!(path = %held.path.display(), "renewed the lock");
        Ok(Renewed::until(private, held.next()))
    }

    async fn close(&self, _: Context<Directory>, private: Private) -> Diagnostics {
        let held = Held::of(&private);
        if let Err(diagnostics) = held.check().await {
            return diagnostics;
        }
        match tokio::fs::remove_file(&held.path).await {
            Ok(()) => Diagnostics::new(),
            Err(error) => cannot("remove", &held.path, &error),
        }
    }
}
