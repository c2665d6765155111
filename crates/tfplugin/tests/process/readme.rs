//! What the README says.

use crate::example;
use crate::real_core::{APPLY, Workspace};

/// The blocks of the README in this language.
fn readme_blocks(language: &str) -> Vec<&'static str> {
    include_str!("../../README.md")
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'))
        .collect()
}

#[test]
fn the_readme_shows_the_example() {
    let code = readme_blocks("rust,no_run");
    let example = include_str!("../../examples/greeting.rs");
    assert!(
        matches!(code[..], [code] if example.ends_with(code)),
        "README.md and examples/greeting.rs differ"
    );
}

#[test]
#[ignore = "needs terraform on PATH, or TF_BINARY"]
fn the_readme_under_a_real_core() {
    let [cli_configuration, configuration] = readme_blocks("hcl")[..] else {
        panic!("the README has two blocks of configuration");
    };
    let workspace = Workspace::of(
        &example("greeting"),
        "greeting",
        configuration,
        Some(cli_configuration),
    );
    workspace.succeed(&["plan", "-no-color"]);
    let text = workspace.succeed(&APPLY);
    assert!(text.contains("text = \"Hello world!\""), "{text}");
    workspace.assert_plan_is_empty();
}
