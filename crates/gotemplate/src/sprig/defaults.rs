//! Defaults for empty values, choices, and JSON.

use super::go;
use crate::error::Error;
use crate::function::{Args, Call, Functions};
use crate::json::{self, Style};
use crate::string::Str;
use crate::types::{Kind, Type};
use crate::value::Value;

pub(super) fn register(functions: &mut Functions) {
    functions.add_variadic(
        "default",
        [Type::Any, Type::Any],
        Type::Any,
        |_, mut args| {
            let given = args.len() > 1 && !empty(args.get(1));
            Ok(args.take(usize::from(given)))
        },
    );
    functions.add("empty", [Type::Any], Type::Bool, |_, args| {
        Ok(Value::from(empty(args.get(0))))
    });
    functions.add_variadic("coalesce", [Type::Any], Type::Any, |_, args| {
        Ok(args
            .values()
            .iter()
            .find(|value| !empty(value))
            .cloned()
            .unwrap_or_default())
    });
    functions.add_variadic("all", [Type::Any], Type::Bool, |_, args| {
        Ok(Value::from(!args.values().iter().any(empty)))
    });
    functions.add_variadic("any", [Type::Any], Type::Bool, |_, args| {
        Ok(Value::from(args.values().iter().any(|value| !empty(value))))
    });
    functions.add(
        "ternary",
        [Type::Any, Type::Any, Type::Bool],
        Type::Any,
        |_, mut args| {
            let index = usize::from(!args.bool(2)?);
            Ok(args.take(index))
        },
    );
    functions.add("fail", [Type::String], Type::String, |_, args| {
        Err(Error::new(go::lossy(args.string(0)?)))
    });
    functions.add("hello", [], Type::String, |_, _| Ok("Hello!".into()));

    functions.add("fromJson", [Type::String], Type::Any, |_, args| {
        Ok(json::unmarshal_all(args.string(0)?).0)
    });
    functions.add("mustFromJson", [Type::String], Type::Any, |_, args| {
        json::unmarshal(args.string(0)?)
    });
    for (name, style) in [
        (
            "toJson",
            Style {
                escape_html: true,
                indent: None,
            },
        ),
        (
            "toPrettyJson",
            Style {
                escape_html: true,
                indent: Some("  "),
            },
        ),
    ] {
        functions.add(name, [Type::Any], Type::String, move |call, args| {
            Ok(to_json(call, &args, style).unwrap_or(Value::String(Str::EMPTY)))
        });
    }
    for (name, style) in [
        (
            "mustToJson",
            Style {
                escape_html: true,
                indent: None,
            },
        ),
        (
            "mustToPrettyJson",
            Style {
                escape_html: true,
                indent: Some("  "),
            },
        ),
        (
            "toRawJson",
            Style {
                escape_html: false,
                indent: None,
            },
        ),
        (
            "mustToRawJson",
            Style {
                escape_html: false,
                indent: None,
            },
        ),
    ] {
        functions.add(name, [Type::Any], Type::String, move |call, args| {
            to_json(call, &args, style)
        });
    }
}

fn to_json(call: &mut Call<'_>, args: &Args<'_>, style: Style<'_>) -> Result<Value, Error> {
    let text = json::marshal_with(args.get(0), style)?;
    call.charge_bytes(text.len())?;
    Ok(text.into())
}

/// Whether a value is the zero value of its type, or has no element.
pub(super) fn empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => match object.kind() {
            Kind::Struct => false,
            Kind::Pointer | Kind::Func | Kind::Interface => object.is_nil(),
            _ => object.underlying().is_none_or(|plain| empty(&plain)),
        },
        _ => !value.truth(),
    }
}
