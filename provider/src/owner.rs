//! The owner that is written on everything we make: the identity of the Terraform state.
//!
//! A resource that a killed provider left behind is adopted by the next apply only when its owner
//! tag equals ours, so the owner has to be the same on each run of one state and another for each
//! other state. The backend and the workspace say which state it is; for a local state it is the
//! path. A copied working directory has another path, so it cannot take a live cluster.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The longest tag value that AWS takes is 256 characters; some of it is left for a digest.
const LONGEST: usize = 200;

/// Backend settings that say which state it is. Everything else (credentials, regions, endpoints,
/// lock tables) may change while the state stays the same one.
const IDENTIFYING: [&str; 16] = [
    "address",
    "bucket",
    "container_name",
    "hostname",
    "instance_name",
    "key",
    "namespace",
    "organization",
    "path",
    "prefix",
    "project",
    "resource_group_name",
    "schema_name",
    "secret_suffix",
    "storage_account_name",
    "workspaces",
];

/// The owner for a provider process that runs in `directory` with `environment`.
///
/// Reads `environment` (the workspace) and `terraform.tfstate` (the backend) in the data directory,
/// which is `.terraform` unless `TF_DATA_DIR` says otherwise. A file that is absent or unreadable
/// means the default: workspace `default`, a local state.
#[must_use]
pub fn owner(directory: &Path, environment: &BTreeMap<String, String>) -> String {
    if let Some(slug) = environment.get("TFC_WORKSPACE_SLUG") {
        return tag_value(&format!("cloud:{slug}"));
    }
    let data = directory.join(
        environment
            .get("TF_DATA_DIR")
            .map_or(".terraform", String::as_str),
    );
    let workspace = environment
        .get("TF_WORKSPACE")
        .cloned()
        .or_else(|| std::fs::read_to_string(data.join("environment")).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "default".to_owned());
    let backend = std::fs::read(data.join("terraform.tfstate"))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    tag_value(&describe(directory, backend.as_ref(), &workspace))
}

fn describe(directory: &Path, backend: Option<&Value>, workspace: &str) -> String {
    let kind = backend
        .and_then(|state| state["backend"]["type"].as_str())
        .unwrap_or("local");
    let settings: Vec<String> = IDENTIFYING
        .iter()
        .filter_map(|name| match &backend?["backend"]["config"][*name] {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        })
        .collect();
    if kind == "local" {
        let path = settings
            .first()
            .map_or_else(|| directory.to_path_buf(), |path| directory.join(path));
        return format!("local:{}@{workspace}", path.display());
    }
    format!("{kind}:{}@{workspace}", settings.join("/"))
}

/// Makes `text` a legal tag value: what AWS does not take becomes `_`, and a digest of the whole
/// keeps two different owners different.
fn tag_value(text: &str) -> String {
    let legal =
        |character: char| character.is_ascii_alphanumeric() || "+-=._:/@ ".contains(character);
    let cleaned: String = text
        .chars()
        .map(|character| if legal(character) { character } else { '_' })
        .collect();
    if cleaned == text && text.len() <= LONGEST {
        return cleaned;
    }
    let digest = Sha256::digest(text.as_bytes());
    let digest: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let kept: String = cleaned.chars().take(LONGEST).collect();
    format!("{kept}:{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_the_state() {
        let s3 = json!({"backend": {"type": "s3", "config": {
            "bucket": "states", "key": "prod/eks.tfstate", "region": "eu-west-1", "access_key": "AKIA"}}});
        let cloud = json!({"backend": {"type": "cloud", "config": {
            "organization": "acme", "hostname": null, "token": "secret", "workspaces": {"name": "prod"}}}});
        let local = json!({"backend": {"type": "local", "config": {"path": "state/prod.tfstate"}}});
        let cases = [
            (None, "default", "local:/work/dir@default"),
            (
                Some(&local),
                "default",
                "local:/work/dir/state/prod.tfstate@default",
            ),
            (Some(&s3), "blue", "s3:states/prod/eks.tfstate@blue"),
            (
                Some(&cloud),
                "default",
                "cloud:acme/{\"name\":\"prod\"}@default",
            ),
        ];
        for (backend, workspace, expected) in cases {
            assert_eq!(
                describe(Path::new("/work/dir"), backend, workspace),
                expected
            );
        }
    }

    #[test]
    fn is_a_legal_tag_value_and_stays_distinct() {
        assert_eq!(
            tag_value("s3:states/prod@default"),
            "s3:states/prod@default"
        );
        let quoted = tag_value("cloud:{\"a\"}");
        assert!(quoted.starts_with("cloud:__a__:"), "{quoted}");
        let long = tag_value(&"x".repeat(400));
        assert!(long.len() <= 256, "{}", long.len());
        assert_ne!(tag_value("a{"), tag_value("a}"));
    }

    #[test]
    fn reads_workspace_and_backend_from_the_data_directory() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        std::fs::create_dir(&data).unwrap();
        std::fs::write(data.join("environment"), "green\n").unwrap();
        std::fs::write(
            data.join("terraform.tfstate"),
            r#"{"backend":{"type":"gcs","config":{"bucket":"b","prefix":"p"}}}"#,
        )
        .unwrap();
        let mut environment = BTreeMap::from([("TF_DATA_DIR".to_owned(), "data".to_owned())]);
        assert_eq!(owner(directory.path(), &environment), "gcs:b/p@green");
        environment.insert("TF_WORKSPACE".to_owned(), "red".to_owned());
        assert_eq!(owner(directory.path(), &environment), "gcs:b/p@red");
        environment.insert("TFC_WORKSPACE_SLUG".to_owned(), "acme/prod".to_owned());
        assert_eq!(owner(directory.path(), &environment), "cloud:acme/prod");
    }
}
