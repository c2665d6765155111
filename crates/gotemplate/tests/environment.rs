//! What functions get from the caller, and what the output says of it.

#![allow(clippy::panic, clippy::unwrap_used, missing_docs, reason = "test code")]

use std::any::Any;

use gotemplate::{
    Environment, Error, Functions, Limits, Sealed, Templates, Type, UnixTime, Used, Value,
};

struct Fixed(&'static str);

impl Environment for Fixed {
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        bytes.fill(7);
        Ok(())
    }

    fn now(&mut self) -> Result<UnixTime, Error> {
        Ok(UnixTime {
            seconds: 1_000,
            nanoseconds: 0,
        })
    }

    fn host(&self) -> Option<&dyn Any> {
        Some(&self.0)
    }
}

fn templates(text: &str) -> Templates {
    let mut functions = Functions::new();
    functions.add("random", [], Type::UINT8, |call, _| {
        let mut byte = [0];
        call.random(&mut byte)?;
        Ok(Value::Uint(gotemplate::UintKind::Uint8, u64::from(byte[0])))
    });
    functions.add("now", [], Type::INT64, |call, _| {
        Ok(Value::int64(call.now()?.seconds))
    });
    functions.add("host", [], Type::String, |call, _| {
        Ok(call
            .host::<&'static str>()
            .copied()
            .unwrap_or("none")
            .into())
    });
    functions.add("include", [Type::String], Type::String, |call, args| {
        Ok(call.execute(args.string(0)?, &Value::Nil)?.into())
    });
    let mut templates = Templates::new("t", functions);
    templates.parse("t", text).unwrap();
    templates
}

#[test]
fn outputs_say_what_they_depend_on() {
    let used = |random, clock| Used { random, clock };
    let cases = [
        ("text", "text", used(false, false)),
        ("{{host}}", "given", used(false, false)),
        ("{{random}}", "7", used(true, false)),
        ("{{now}}", "1000", used(false, true)),
        ("{{if false}}{{random}}{{end}}", "", used(false, false)),
        (
            r#"{{define "a"}}{{now}}{{random}}{{end}}{{include "a"}}"#,
            "10007",
            used(true, true),
        ),
    ];
    for (text, expected, used) in cases {
        let output = templates(text)
            .execute("t", &Value::Nil, &mut Fixed("given"), Limits::default())
            .unwrap();
        assert_eq!(output.text, expected.as_bytes(), "{text}");
        assert_eq!(output.used, used, "{text}");
    }
}

#[test]
fn without_environment_there_is_neither() {
    for (text, message) in [
        ("{{random}}", "no random source was given to this execution"),
        ("{{now}}", "no clock was given to this execution"),
    ] {
        let error = templates(text)
            .execute("t", &Value::Nil, &mut Sealed, Limits::default())
            .unwrap_err();
        assert!(error.message().ends_with(message), "{error}");
    }
}
