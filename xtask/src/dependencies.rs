//! The check behind docs/design/dependencies.md: each direct dependency is in a table, and nothing
//! is in a table that is no dependency.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use devopsgenie_acceptance::workspace_root;

const PAGE: &str = "docs/design/dependencies.md";

/// Compares the tables of the page with the dependencies of the root manifest.
pub fn check() -> Result<()> {
    let read = |name: &str| {
        std::fs::read_to_string(workspace_root().join(name))
            .with_context(|| format!("cannot read {name}"))
    };
    let (used, explained) = (direct(&read("Cargo.toml")?), explained(&read(PAGE)?));
    let mut problems = Vec::new();
    for name in used.difference(&explained) {
        problems.push(format!(
            "{name} is a direct dependency and not in a table of {PAGE}"
        ));
    }
    for name in explained.difference(&used) {
        problems.push(format!(
            "{name} is in a table of {PAGE} and no direct dependency"
        ));
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    println!("    {} dependencies are explained", used.len());
    Ok(())
}

/// The dependencies from registries in `[workspace.dependencies]`.
fn direct(manifest: &str) -> BTreeSet<String> {
    manifest
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = "))
        .filter(|(_, value)| !value.contains("path = "))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The names in the first column of the tables.
fn explained(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{direct, explained};

    #[test]
    fn names_of_manifest_and_page() {
        let manifest = "[workspace.dependencies]\nours = { path = \"ours\" }\n\nserde = \"1\"\n\
                        tokio = { version = \"1\" }\n\n[profile.dev]\ndebug = 1\n";
        let page = "Uses `thing`.\n\n| dependency | why | rejected |\n|---|---|---|\n\
                    | `serde`, `tokio` | for `reasons` | `other` |\n";
        assert_eq!(direct(manifest), explained(page));
        assert_eq!(
            direct(manifest).into_iter().collect::<Vec<_>>(),
            ["serde", "tokio"]
        );
    }
}
