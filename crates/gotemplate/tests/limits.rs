//! What a template may not do: each ends in an error, and none of them overflows the stack.

#![allow(clippy::panic, clippy::unwrap_used, missing_docs, reason = "test code")]

use std::thread;

use gotemplate::conformance::functions;
use gotemplate::{Error, Limit, Limits, Output, Sealed, Templates, Value};

fn run(text: &str, limits: Limits) -> Result<Output, Error> {
    let mut templates = Templates::new("t", functions());
    templates.parse("t", text)?;
    templates.execute("t", &Value::map([]), &mut Sealed, limits)
}

#[test]
fn limits_are_kept() {
    let forever = "{{range 1000000000}}{{end}}";
    let endless = r#"{{define "a"}}{{template "a"}}{{end}}{{template "a"}}"#;
    let large = "{{range 100}}{{range 100}}{{printf `%1000d` 1}}{{end}}{{end}}";
    let cyclic = "{{$m := dict}}{{$n := set $m `k` $m}}{{print $m}}";
    let doubling = "{{$l := list 1}}{{range 60}}{{$l = list $l $l}}{{end}}{{print $l}}";
    let cases = [
        (forever, Limit::Steps, "exceeded the limit of 100000 steps"),
        (
            endless,
            Limit::Depth,
            "exceeded maximum template depth (1000)",
        ),
        (large, Limit::Output, "exceeded the limit of 1000000 bytes"),
        (
            cyclic,
            Limit::Depth,
            "cannot print values nested more than 10000 deep",
        ),
        (
            doubling,
            Limit::Output,
            "exceeded the limit of 1000000 bytes",
        ),
    ];
    for (text, limit, message) in cases {
        let limits = Limits {
            depth: 1000,
            bytes: 1_000_000,
            steps: 100_000,
        };
        let error = run(text, limits).unwrap_err();
        assert_eq!(error.reached(), Some(limit), "{text}: {error}");
        assert!(error.message().contains(message), "{text}: {error}");
        assert!(error.message().starts_with("template: t:1:"), "{error}");
    }
}

/// Go's own bound, which takes more stack than there is.
#[test]
fn templates_within_templates_as_deep_as_in_go() {
    let text = r#"{{define "a"}}{{if true}}{{template "a"}}{{end}}{{end}}{{template "a"}}"#;
    let limits = Limits {
        depth: 100_000,
        ..Limits::default()
    };
    let error = run(text, limits).unwrap_err();
    assert!(
        error
            .message()
            .ends_with("exceeded maximum template depth (100000)"),
        "{error}"
    );
}

#[test]
fn deep_nesting_in_the_source() {
    let deep = |open: &str, inside: &str, close: &str, count: usize| {
        format!("{}{inside}{}", open.repeat(count), close.repeat(count))
    };
    let parentheses = |count| format!("{{{{{}}}}}", deep("(", "1", ")", count));
    let blocks = |count| deep("{{if 1}}", "x", "{{end}}", count);
    let defaults = Limits::default();
    assert_eq!(run(&parentheses(9_999), defaults).unwrap().text, b"1");
    assert_eq!(run(&blocks(19_000), defaults).unwrap().text, b"x");
    let error = run(&parentheses(10_001), defaults).unwrap_err();
    assert_eq!(
        error.message(),
        "template: t:1: max expression depth exceeded"
    );
    let error = run(&blocks(20_001), defaults).unwrap_err();
    assert_eq!(error.message(), "template: t:1: max nesting depth exceeded");
}

/// Values nested deeply are dropped without recursion.
#[test]
fn deep_values_are_dropped() {
    let text = "{{$l := list}}{{range 300000}}{{$l = list $l}}{{end}}{{len $l}}";
    assert_eq!(run(text, Limits::default()).unwrap().text, b"1");
}

#[test]
fn parsed_templates_are_shared_between_threads() {
    let mut templates = Templates::new("t", functions());
    templates.parse("t", "{{range 3}}{{.}}{{end}}").unwrap();
    let outputs: Vec<Vec<u8>> = thread::scope(|scope| {
        let handles: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    templates
                        .execute("t", &Value::Nil, &mut Sealed, Limits::default())
                        .unwrap()
                        .text
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .collect()
    });
    assert_eq!(outputs, vec![b"012".to_vec(); 4]);
}
