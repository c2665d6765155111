//! The check behind "plan is pure": the planning modules import nothing that can have an effect.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use devopsgenie_acceptance::workspace_root;

/// Directories (or single files) of pure code, relative to the workspace root.
const PURE: [&str; 24] = [
    "bootstrap/src/plan",
    "crates/kubernetes/src/readiness",
    "crates/lifecycle/src/cluster/model",
    "crates/lifecycle/src/cluster/names",
    "crates/lifecycle/src/cluster/plan",
    "crates/lifecycle/src/cluster/refusal",
    "crates/lifecycle/src/permissions",
    "crates/lifecycle/src/policy_document",
    "crates/lifecycle/src/workload_role/model",
    "crates/lifecycle/src/workload_role/names",
    "crates/lifecycle/src/workload_role/plan",
    "crates/gotemplate/src",
    "crates/tfplugin-cty/src",
    "crates/tfplugin/src/lint/applied",
    "crates/tfplugin/src/lint/planned",
    "crates/tfplugin/src/lint/state",
    "crates/tfplugin/src/plan",
    "crates/tfplugin/src/schema",
    "provider/src/addon_set/plan",
    "provider/src/addon_set/schema",
    "provider/src/cluster/plan",
    "provider/src/cluster/schema",
    "provider/src/workload_role/plan",
    "provider/src/workload_role/schema",
];

/// What pure code does not name: runtimes, clients, clocks, files, sockets, processes.
const FORBIDDEN: [&str; 25] = [
    ".await",
    "::now()",
    "Instant",
    "RandomState",
    "SystemTime",
    "Tcp",
    "Udp",
    "async ",
    "aws_config",
    "aws_runtime",
    "aws_sdk",
    "aws_smithy",
    "env::",
    "fs::",
    "hyper::",
    "kube::",
    "process::",
    "rand::",
    "reqwest",
    "std::{",
    "thread::",
    "tokio",
    "tonic",
    "tracing",
    "uuid::",
];

/// Reads each pure module and names the lines that break the rule.
pub fn check() -> Result<()> {
    let root = workspace_root();
    let mut offences = Vec::new();
    let mut files = 0;
    for entry in PURE {
        let found = rust_files(&root, entry)?;
        if found.is_empty() {
            bail!("{entry} is listed as pure and holds no Rust file: correct xtask/src/purity.rs");
        }
        for path in found {
            files += 1;
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let shown = path
                .strip_prefix(&root)
                .unwrap_or(&path)
                .display()
                .to_string();
            offences.extend(
                offending_lines(&text).map(|(line, word)| format!("{shown}:{line}: {word}")),
            );
        }
    }
    if !offences.is_empty() {
        bail!(
            "pure modules name what has effects:\n{}",
            offences.join("\n")
        );
    }
    println!("    {files} files are pure");
    Ok(())
}

fn offending_lines(text: &str) -> impl Iterator<Item = (usize, &'static str)> + '_ {
    // Tests may do what they like: a module of them ends the file, or is another file.
    let tests = text
        .find("\n#[cfg(test)]\nmod tests {")
        .unwrap_or(text.len());
    text[..tests]
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .flat_map(|(index, line)| {
            FORBIDDEN
                .iter()
                .filter(move |word| line.contains(**word))
                .map(move |word| (index + 1, *word))
        })
}

fn rust_files(root: &Path, entry: &str) -> Result<Vec<PathBuf>> {
    let directory = root.join(entry);
    let file = root.join(format!("{entry}.rs"));
    let mut found = Vec::new();
    if file.is_file() {
        found.push(file);
    }
    let mut pending = if directory.is_dir() {
        vec![directory]
    } else {
        Vec::new()
    };
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.is_dir() {
                if path.file_name() != Some("tests".as_ref()) {
                    pending.push(path);
                }
            } else if path.file_name() != Some("tests.rs".as_ref())
                && path.extension().is_some_and(|extension| extension == "rs")
            {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::offending_lines;

    #[test]
    fn names_each_offending_line_and_skips_comments_and_tests() {
        let cases: [(&str, &[(usize, &str)]); 7] = [
            ("use std::collections::BTreeMap;\n", &[]),
            ("use tokio::sync::Mutex;\n", &[(1, "tokio")]),
            (
                "// kube::Client lives elsewhere\nlet f = std::fs::read(p);\n",
                &[(2, "fs::")],
            ),
            ("use std::{env, fs};\n", &[(1, "std::{")]),
            (
                "async fn a() {\n    b().await;\n}\n",
                &[(1, "async "), (2, ".await")],
            ),
            (
                "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    use std::fs::read;\n}\n",
                &[],
            ),
            (
                "#[cfg(test)]\nmod tests;\nuse std::fs::read;\n",
                &[(3, "fs::")],
            ),
        ];
        for (input, expected) in cases {
            assert_eq!(
                offending_lines(input).collect::<Vec<_>>(),
                expected,
                "{input}"
            );
        }
    }
}
