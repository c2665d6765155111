//! The data source `file_content`.

use tfplugin::schema::{Attribute, Schema};
use tfplugin::{AttributeValue, Context, DataRead, DataSource, Diagnostics, model};

use crate::{Directory, cannot};

model! {
    /// The data source.
    pub struct Content {
        /// Where the file is.
        pub path: AttributeValue<String>,
        /// What is in it.
        pub content: AttributeValue<String>,
    }
}

pub struct ContentSource;

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
        let path = context.client.resolve(&config.path)?;
        let content = tokio::fs::read_to_string(&path)
            .await
            .map_err(|error| cannot("read", &path, &error))?;
        Ok(DataRead::new(Content {
            content: content.into(),
            ..config
        }))
    }
}
