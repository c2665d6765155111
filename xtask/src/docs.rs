//! `cargo xtask docs`: the registry pages, made from the schema as Core reports it and from the
//! examples.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use devopsgenie_acceptance::{Core, Workspace, provider_binary, workspace_root};
use devopsgenie_lifecycle::permissions::{ALL, Grant, Scope};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Change nothing; fail when a page differs from what the schema says
    #[arg(long)]
    pub check: bool,
}

/// Writes the pages, or compares them.
pub fn run(arguments: &Arguments) -> Result<()> {
    let root = workspace_root();
    let mut pages = pages(&provider_schema()?, &root.join("examples"))?;
    pages.insert(PathBuf::from("design/iam-permissions.md"), permissions());
    let mut different = Vec::new();
    for (name, text) in &pages {
        let path = root.join("docs").join(name);
        if std::fs::read_to_string(&path).is_ok_and(|current| &current == text) {
            continue;
        }
        different.push(format!("docs/{}", name.display()));
        if !arguments.check {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    for directory in ["resources", "data-sources"] {
        for stale in stale_pages(&root.join("docs").join(directory), directory, &pages)? {
            different.push(format!(
                "{} (no such object in the schema)",
                stale.display()
            ));
            if !arguments.check {
                std::fs::remove_file(&stale)?;
            }
        }
    }
    if arguments.check && !different.is_empty() {
        bail!(
            "these pages differ from the schema; run `cargo xtask docs` and commit them: {}",
            different.join(", ")
        );
    }
    println!(
        "    {} pages, {} {}",
        pages.len(),
        different.len(),
        if arguments.check {
            "different"
        } else {
            "written"
        }
    );
    Ok(())
}

fn stale_pages(
    directory: &Path,
    name: &str,
    pages: &BTreeMap<PathBuf, String>,
) -> Result<Vec<PathBuf>> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut stale = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if !pages.contains_key(&Path::new(name).join(entry.file_name())) {
            stale.push(entry.path());
        }
    }
    Ok(stale)
}

/// The provider's part of `providers schema -json`.
fn provider_schema() -> Result<Value> {
    let directory = tempfile::tempdir()?;
    let workspace = Workspace::new(
        directory.path(),
        Core::default_binary()?,
        provider_binary()?,
        BTreeMap::new(),
    )?;
    workspace.write(
        "main.tf",
        "terraform {\n  required_providers {\n    devopsgenie = { source = \"devopsgenie/devopsgenie\" }\n  }\n}\n",
    )?;
    workspace.ok(&["init"])?;
    let run = workspace.ok(&["providers", "schema", "-json"])?;
    let document: Value = serde_json::from_str(&run.stdout)?;
    let schemas = document["provider_schemas"]
        .as_object()
        .context("no provider_schemas in the answer")?;
    schemas
        .values()
        .next()
        .cloned()
        .context("the answer names no provider")
}

/// All pages by their path below `docs`.
fn pages(schema: &Value, examples: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut pages = BTreeMap::new();
    let provider = Page {
        title: "devopsgenie Provider".to_owned(),
        block: &schema["provider"]["block"],
        example: Some(read(&examples.join("provider/provider.tf"))?),
        import: None,
    };
    pages.insert(PathBuf::from("index.md"), provider.render());
    for (kind, directory, label, file) in [
        ("resource_schemas", "resources", "Resource", "resource.tf"),
        (
            "data_source_schemas",
            "data-sources",
            "Data Source",
            "data-source.tf",
        ),
    ] {
        let Some(objects) = schema[kind].as_object() else {
            continue;
        };
        for (name, object) in objects {
            let folder = examples.join(directory).join(name);
            let page = Page {
                title: format!("{name} ({label})"),
                block: &object["block"],
                example: Some(read(&folder.join(file))?),
                import: (kind == "resource_schemas")
                    .then(|| read(&folder.join("import.sh")))
                    .transpose()?,
            };
            let short = name.strip_prefix("devopsgenie_").unwrap_or(name);
            pages.insert(
                Path::new(directory).join(format!("{short}.md")),
                page.render(),
            );
        }
    }
    Ok(pages)
}

/// The IAM permissions of each object, as a table and as a policy.
fn permissions() -> String {
    let mut text = "<!-- Generated by `cargo xtask docs` from crates/lifecycle/src/permissions.rs. -->\n\n\
        # IAM permissions\n\nThe least that the credentials of the provider need, for each of its objects. An acceptance test \
        holds the table against the calls of a life of all objects in the lab: it fails on a call that is not listed for \
        them, and on an action that none of them needs. The lab does not \
        evaluate policies, so the policies below have not been tried against AWS itself.\n\nReplace `ACCOUNT` by the \
        account, and narrow `*` to your names where you can. `sts:GetCallerIdentity` needs no permission. Add \
        `sts:AssumeRole` on the role of `assume_role` to whoever assumes it.\n"
        .to_owned();
    for one in ALL {
        let _ = write!(text, "\n## {}\n\n", one.object);
        text.push_str("| for | actions |\n|---|---|\n");
        for grant in one.grants {
            let actions: Vec<String> = grant.actions.iter().map(|one| format!("`{one}`")).collect();
            let _ = writeln!(text, "| {} | {} |", grant.purpose, actions.join(", "));
        }
        let statements: Vec<Value> = one.grants.iter().map(statement).collect();
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        let _ = write!(text, "\n```json\n{policy:#}\n```\n");
    }
    text
}

fn statement(grant: &Grant) -> Value {
    let role = "arn:aws:iam::ACCOUNT:role";
    let (resource, condition) = match grant.scope {
        Scope::Any => (json!("*"), None),
        Scope::Eks => (
            json!([
                "arn:aws:eks:*:ACCOUNT:cluster/*",
                "arn:aws:eks:*:ACCOUNT:nodegroup/*",
                "arn:aws:eks:*:ACCOUNT:access-entry/*"
            ]),
            None,
        ),
        Scope::Roles => (json!(format!("{role}/*")), None),
        Scope::PassedRoles => (
            json!(format!("{role}/*")),
            Some(json!({ "StringEquals": { "iam:PassedToService": "eks.amazonaws.com" } })),
        ),
        Scope::OidcProviders => (json!("arn:aws:iam::ACCOUNT:oidc-provider/oidc*"), None),
        Scope::ServiceLinkedRoles => (
            json!(format!("{role}/aws-service-role/eks*.amazonaws.com/*")),
            None,
        ),
    };
    let mut statement = json!({ "Effect": "Allow", "Action": grant.actions, "Resource": resource });
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    statement
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| {
        format!(
            "each documented object needs the example {}",
            path.display()
        )
    })
}

struct Page<'a> {
    title: String,
    block: &'a Value,
    example: Option<String>,
    import: Option<String>,
}

impl Page<'_> {
    fn render(&self) -> String {
        let description = self.block["description"].as_str().unwrap_or_default();
        let first = description.lines().next().unwrap_or_default();
        let mut text = format!(
            "---\npage_title: \"{}\"\ndescription: |-\n  {first}\n---\n\n<!-- Generated by `cargo xtask docs` from the schema and the examples. -->\n\n# {}\n\n{description}\n",
            self.title, self.title
        );
        if let Some(example) = &self.example {
            let _ = write!(
                text,
                "\n## Example Usage\n\n```terraform\n{}\n```\n",
                example.trim_end()
            );
        }
        text.push_str("\n## Schema\n");
        let mut nested = Vec::new();
        object(&mut text, &self.block["attributes"], "", "###", &mut nested);
        while !nested.is_empty() {
            for (path, attributes) in std::mem::take(&mut nested) {
                let _ = write!(
                    text,
                    "\n<a id=\"nestedatt--{}\"></a>\n### Nested Schema for `{path}`\n",
                    path.replace('.', "--")
                );
                object(&mut text, attributes, &path, "####", &mut nested);
            }
        }
        if let Some(import) = &self.import {
            let _ = write!(
                text,
                "\n## Import\n\n```shell\n{}\n```\n",
                import.trim_end()
            );
        }
        text
    }
}

fn object<'a>(
    text: &mut String,
    attributes: &'a Value,
    prefix: &str,
    heading: &str,
    nested: &mut Vec<(String, &'a Value)>,
) {
    let Some(attributes) = attributes.as_object() else {
        return;
    };
    let flag = |attribute: &Value, name: &str| attribute[name].as_bool().unwrap_or(false);
    for (title, wanted) in [("Required", 0), ("Optional", 1), ("Read-Only", 2)] {
        let group: Vec<_> = attributes
            .iter()
            .filter(|(_, attribute)| {
                let group = match () {
                    () if flag(attribute, "required") => 0,
                    () if flag(attribute, "optional") => 1,
                    () => 2,
                };
                group == wanted
            })
            .collect();
        if group.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{heading} {title}\n\n");
        for (name, attribute) in group {
            let path = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}.{name}")
            };
            let mut kind = type_name(attribute);
            for (property, label) in [
                ("sensitive", "Sensitive"),
                ("write_only", "Write-only"),
                ("deprecated", "Deprecated"),
            ] {
                if flag(attribute, property) {
                    let _ = write!(kind, ", {label}");
                }
            }
            let description = attribute["description"]
                .as_str()
                .unwrap_or_default()
                .replace('\n', " ");
            let _ = write!(text, "- `{name}` ({kind}) {description}");
            if attribute["nested_type"].is_object() {
                let _ = write!(
                    text,
                    " (see [below for nested schema](#nestedatt--{}))",
                    path.replace('.', "--")
                );
                nested.push((path, &attribute["nested_type"]["attributes"]));
            }
            text.push('\n');
        }
    }
}

fn type_name(attribute: &Value) -> String {
    if let Some(mode) = attribute["nested_type"]["nesting_mode"].as_str() {
        return match mode {
            "single" => "Attributes".to_owned(),
            "map" => "Attributes Map".to_owned(),
            "list" => "Attributes List".to_owned(),
            _ => "Attributes Set".to_owned(),
        };
    }
    plain_type_name(&attribute["type"])
}

fn plain_type_name(ty: &Value) -> String {
    match ty {
        Value::String(name) if name == "bool" => "Boolean".to_owned(),
        Value::String(name) => {
            let mut characters = name.chars();
            characters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(characters).collect()
            })
        }
        Value::Array(parts) => match (parts.first().and_then(Value::as_str), parts.get(1)) {
            (Some("object"), _) => "Object".to_owned(),
            (Some(name), Some(element)) => {
                let outer = plain_type_name(&Value::String(name.to_owned()));
                format!("{outer} of {}", plain_type_name(element))
            }
            _ => "Dynamic".to_owned(),
        },
        _ => "Dynamic".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_attributes_by_group_with_nested_schemas_below() {
        let block = json!({"description": "A thing.", "attributes": {
            "name": {"type": "string", "required": true, "description": "Its name."},
            "secret": {"type": "string", "optional": true, "sensitive": true, "description": "A secret."},
            "size": {"nested_type": {"nesting_mode": "single", "attributes": {
                "minimum": {"type": "number", "optional": true, "description": "At least."}}},
                "optional": true, "description": "How large."},
            "zones": {"type": ["set", "string"], "computed": true, "description": "Where."}}});
        let page = Page {
            title: "x_thing (Resource)".to_owned(),
            block: &block,
            example: None,
            import: None,
        };
        let text = page.render();
        let schema = text.split("## Schema\n").nth(1).unwrap();
        assert_eq!(
            schema,
            "\n### Required\n\n- `name` (String) Its name.\n\n### Optional\n\n\
             - `secret` (String, Sensitive) A secret.\n\
             - `size` (Attributes) How large. (see [below for nested schema](#nestedatt--size))\n\n\
             ### Read-Only\n\n- `zones` (Set of String) Where.\n\n<a id=\"nestedatt--size\"></a>\n\
             ### Nested Schema for `size`\n\n#### Optional\n\n- `minimum` (Number) At least.\n"
        );
    }
}
