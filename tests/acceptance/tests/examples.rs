//! The registry examples, which the registry pages show, are valid together.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use devopsgenie_acceptance::{Core, Workspace, provider_binary, workspace_root};

fn validate() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let core = Core::default_binary()?;
    let workspace = Workspace::new(directory.path(), core, provider_binary()?, BTreeMap::new())?;
    let examples = workspace_root().join("examples");
    let mut folders = vec![examples.join("provider")];
    for kind in ["resources", "data-sources"] {
        for entry in std::fs::read_dir(examples.join(kind))? {
            folders.push(entry?.path());
        }
    }
    for folder in folders {
        let name = folder
            .strip_prefix(&examples)
            .context("the folder is below the examples")?
            .display()
            .to_string()
            .replace('/', "-");
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("tf") => std::fs::copy(&path, directory.path().join(format!("{name}.tf")))?,
                Some("yaml") => {
                    let file = path.file_name().context("a file has a name")?;
                    std::fs::copy(&path, directory.path().join(file))?
                }
                _ => continue,
            };
        }
    }
    workspace.ok(&["init", "-no-color"])?;
    workspace.ok(&["validate", "-no-color"])?;
    workspace.ok(&["fmt", "-check", "-diff", "-no-color"])?;
    Ok(())
}

#[test]
fn are_valid_and_formatted() {
    validate().unwrap();
}
