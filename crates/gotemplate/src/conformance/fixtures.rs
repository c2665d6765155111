//! Values and functions of cases. Each has its twin in `conformance/template.go`.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use serde_json::Value as Json;

use crate::error::Error;
use crate::function::{Args, Call, Function, Functions, Method, Signature};
use crate::json::base64;
use crate::print;
use crate::string::Str;
use crate::text::number::parse_float;
use crate::types::{FloatKind, IntKind, Kind, NamedType, Type, UintKind};
use crate::value::{List, Map, Object, Value};

/// The bytes of a text: see [`super::text`].
pub(super) fn bytes(text: &Json) -> Vec<u8> {
    if let Some(text) = text.as_str() {
        return text.as_bytes().to_vec();
    }
    let encoded = text["base64"].as_str().unwrap_or_default();
    base64::decode(encoded.as_bytes()).unwrap_or_default()
}

/// A value of a case: null, or an object with one member that is named after the kind.
#[must_use]
pub fn value(json: &Json) -> Value {
    let Some((kind, content)) = json.as_object().and_then(|members| members.iter().next()) else {
        return Value::Nil;
    };
    match kind.as_str() {
        "bool" => Value::Bool(content == &Json::Bool(true)),
        "string" => Value::String(bytes(content).into()),
        "bytes" => List::bytes(bytes(content)).into(),
        "complex128" => Value::Complex(float(&content[0]), float(&content[1])),
        "list" => {
            let element = type_of(&content[0]);
            match content[1].as_array() {
                None => List::nil(element),
                Some(items) => {
                    let items = items
                        .iter()
                        .map(|item| element_value(item, &element))
                        .collect();
                    List::new(element, items)
                }
            }
            .into()
        }
        "map" => {
            let element = type_of(&content[0]);
            match content[1].as_object() {
                None => Map::nil(element),
                Some(entries) => {
                    let entries = entries
                        .iter()
                        .map(|(key, item)| (key.as_str().into(), element_value(item, &element)))
                        .collect();
                    Map::new(element, entries)
                }
            }
            .into()
        }
        "host" => host(content.as_str().unwrap_or_default()),
        kind => scalar(kind, content),
    }
}

fn element_value(item: &Json, element: &Type) -> Value {
    if item.is_null() {
        Value::zero(element)
    } else {
        value(item)
    }
}

fn float(number: &Json) -> f64 {
    let text = number.as_str().unwrap_or_default();
    parse_float(text.as_bytes()).unwrap_or(f64::INFINITY)
}

fn scalar(kind: &str, content: &Json) -> Value {
    let text = content.as_str().unwrap_or_default();
    match type_named(kind) {
        Type::Int(kind) => Value::Int(kind, text.parse().unwrap_or(0)),
        Type::Uint(kind) => Value::Uint(kind, text.parse().unwrap_or(0)),
        Type::Float(kind) => Value::Float(kind, kind.round(float(content))),
        _ => Value::Nil,
    }
}

fn type_of(name: &Json) -> Type {
    type_named(name.as_str().unwrap_or_default())
}

fn type_named(name: &str) -> Type {
    if let Some(element) = name.strip_prefix("[]") {
        return Type::list(type_named(element));
    }
    if let Some(element) = name.strip_prefix("map[string]") {
        return Type::map(type_named(element));
    }
    match name {
        "bool" => Type::Bool,
        "int" => Type::INT,
        "int8" => Type::Int(IntKind::Int8),
        "int16" => Type::Int(IntKind::Int16),
        "int32" => Type::Int(IntKind::Int32),
        "int64" => Type::INT64,
        "uint" => Type::UINT,
        "uint8" => Type::UINT8,
        "uint16" => Type::Uint(UintKind::Uint16),
        "uint32" => Type::Uint(UintKind::Uint32),
        "uint64" => Type::Uint(UintKind::Uint64),
        "float32" => Type::Float(FloatKind::Float32),
        "float64" => Type::FLOAT64,
        "complex128" => Type::Complex,
        "string" => Type::String,
        _ => Type::Any,
    }
}

// Host values

struct Person {
    kind: Kind,
    nil: bool,
}

impl Person {
    fn name() -> Value {
        "Ann".into()
    }
}

impl Object for Person {
    fn type_name(&self) -> &str {
        match self.kind {
            Kind::Pointer => "*main.Person",
            _ => "main.Person",
        }
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn is_nil(&self) -> bool {
        self.nil
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        vec![
            ("Name".into(), Self::name()),
            ("Age".into(), Value::int(41)),
            ("Tags".into(), List::strings(["a", "b"]).into()),
            ("Any".into(), Value::float64(2.5)),
        ]
    }

    fn field_is_interface(&self, name: &[u8]) -> bool {
        name == b"Any"
    }

    fn method(&self, name: &[u8]) -> Option<Signature> {
        Some(match name {
            b"Greet" | b"Fail" => Signature::new([Type::String], Type::String),
            b"Older" => Signature::new([Type::INT], Type::INT),
            b"Join" => Signature::variadic([Type::String, Type::String], Type::String),
            b"Nothing" => Signature::new([], Type::Any),
            _ => return None,
        })
    }

    fn call(&self, name: &[u8], _call: &mut Call<'_>, args: Args<'_>) -> Result<Value, Error> {
        if self.nil {
            let name = String::from_utf8_lossy(name);
            return Err(format!(
                "value method main.Person.{name} called using nil *Person pointer"
            )
            .into());
        }
        Ok(match name {
            b"Greet" => [args.string(0)?, b", Ann".as_slice()].concat().into(),
            b"Older" => Value::int(41 + args.int(0)?),
            b"Fail" => return Err(format!("person failed: {}", args.string(0)?).into()),
            b"Join" => {
                let mut joined = b"Ann:".to_vec();
                joined.extend_from_slice(&join(args.rest(1), args.string(0)?));
                joined.into()
            }
            _ => Value::Nil,
        })
    }

    fn comparable(&self) -> bool {
        self.kind == Kind::Pointer
    }
}

struct Version;

impl Object for Version {
    fn type_name(&self) -> &str {
        "*main.Version"
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        vec![
            ("Major".into(), Value::int(1)),
            ("Minor".into(), Value::int(2)),
        ]
    }

    fn method(&self, name: &[u8]) -> Option<Signature> {
        (name == b"String").then(|| Signature::new([], Type::String))
    }

    fn call(&self, _name: &[u8], _call: &mut Call<'_>, _args: Args<'_>) -> Result<Value, Error> {
        Ok("v1.2".into())
    }

    fn text(&self) -> Option<Str> {
        Some("v1.2".into())
    }
}

/// A named number or string.
struct Named {
    name: &'static str,
    value: Value,
    /// What the method `String` gives.
    text: Option<String>,
    /// What the method `Shout` gives.
    shout: Option<&'static str>,
}

impl Object for Named {
    fn type_name(&self) -> &str {
        self.name
    }

    fn kind(&self) -> Kind {
        self.value.kind()
    }

    fn underlying(&self) -> Option<Value> {
        Some(self.value.clone())
    }

    fn renamed(&self, number: Value) -> Value {
        let text = self.text.as_ref().map(|_| level(&number));
        Value::object(Self {
            name: self.name,
            value: number,
            text,
            shout: self.shout,
        })
    }

    fn method(&self, name: &[u8]) -> Option<Signature> {
        let known = match name {
            b"String" => self.text.is_some(),
            b"Shout" => self.shout.is_some(),
            _ => false,
        };
        known.then(|| Signature::new([], Type::String))
    }

    fn call(&self, name: &[u8], _call: &mut Call<'_>, _args: Args<'_>) -> Result<Value, Error> {
        Ok(match name {
            b"String" => self.text.clone().unwrap_or_default().into(),
            _ => self.shout.unwrap_or_default().into(),
        })
    }

    fn text(&self) -> Option<Str> {
        self.text.clone().map(Str::from)
    }
}

fn level(number: &Value) -> String {
    format!("level-{}", print::shown(number))
}

struct Failure;

impl Object for Failure {
    fn type_name(&self) -> &str {
        "main.Failure"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        vec![("Code".into(), Value::int(9))]
    }

    fn method(&self, name: &[u8]) -> Option<Signature> {
        (name == b"Error").then(|| Signature::new([], Type::String))
    }

    fn call(&self, _name: &[u8], _call: &mut Call<'_>, _args: Args<'_>) -> Result<Value, Error> {
        Ok("failure 9".into())
    }

    fn text(&self) -> Option<Str> {
        Some("failure 9".into())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.downcast::<Self>().is_some()
    }
}

static NAMES: LazyLock<Arc<NamedType>> = LazyLock::new(|| {
    let has = Method::new(
        Signature::new([Type::String], Type::Bool),
        |_, receiver, args| {
            let name = args.string(0)?;
            let Value::List(names) = receiver else {
                return Ok(false.into());
            };
            let found = names
                .iter()
                .any(|known| matches!(&known, Value::String(known) if known == name));
            Ok(found.into())
        },
    );
    Arc::new(NamedType {
        name: "main.Names".into(),
        underlying: Type::list(Type::String),
        methods: vec![("Has".into(), has)],
    })
});

static SETTINGS: LazyLock<Arc<NamedType>> = LazyLock::new(|| {
    let keys = Method::new(Signature::new([], Type::INT), |_, receiver, _| {
        let Value::Map(map) = receiver else {
            return Ok(Value::int(0));
        };
        Ok(length(map.len()))
    });
    Arc::new(NamedType {
        name: "main.Settings".into(),
        underlying: Type::map(Type::Any),
        methods: vec![("Keys".into(), keys)],
    })
});

fn join(words: &[Value], separator: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> = words
        .iter()
        .map(|word| match word {
            Value::String(word) => word.as_bytes(),
            _ => &[],
        })
        .collect();
    words.join(separator)
}

fn length(length: usize) -> Value {
    Value::int(i64::try_from(length).unwrap_or(i64::MAX))
}

fn host(name: &str) -> Value {
    let person = |kind, nil| Value::object(Person { kind, nil });
    match name {
        "person" => person(Kind::Struct, false),
        "pointer" => person(Kind::Pointer, false),
        "nobody" => person(Kind::Pointer, true),
        "version" => Value::object(Version),
        "level" => Value::object(Named {
            name: "main.Level",
            value: Value::int(3),
            text: Some(level(&Value::int(3))),
            shout: None,
        }),
        "mode" => Value::object(Named {
            name: "main.Mode",
            value: Value::Uint(UintKind::Uint8, 7),
            text: None,
            shout: None,
        }),
        "label" => Value::object(Named {
            name: "main.Label",
            value: "red".into(),
            text: None,
            shout: Some("RED"),
        }),
        "failure" => Value::object(Failure),
        "names" => List::strings(["x", "y"])
            .named(Some(Arc::clone(&NAMES)))
            .into(),
        "settings" => {
            let entries = [("k".into(), "v".into()), ("n".into(), Value::int(1))];
            Map::new(Type::Any, entries.into())
                .named(Some(Arc::clone(&SETTINGS)))
                .into()
        }
        "function" => Value::Function(Arc::clone(&REPEAT)),
        _ => Value::Nil,
    }
}

static REPEAT: LazyLock<Arc<Function>> = LazyLock::new(|| {
    Arc::new(Function::new(
        Signature::new([Type::String, Type::INT], Type::String),
        |call, args| {
            let text = args.string(0)?;
            let count = usize::try_from(args.int(1)?)
                .map_err(|_| Error::new("strings: negative Repeat count"))?;
            call.charge_bytes(text.len().saturating_mul(count))?;
            Ok(text.repeat(count).into())
        },
    ))
});

// Functions

static FUNCTIONS: LazyLock<Arc<Functions>> = LazyLock::new(|| Arc::new(make_functions()));

/// The functions of cases.
#[must_use]
pub fn functions() -> Arc<Functions> {
    Arc::clone(&FUNCTIONS)
}

fn make_functions() -> Functions {
    let mut functions = Functions::new();
    add_collections(&mut functions);
    add_scalars(&mut functions);
    add_templates(&mut functions);
    functions
}

fn add_collections(functions: &mut Functions) {
    let any_map = || Type::map(Type::Any);
    functions.add_variadic("dict", [Type::Any], any_map(), |_, args| {
        Ok(Value::map(args.values().chunks_exact(2).map(|pair| {
            (print::shown(&pair[0]).into(), pair[1].clone())
        })))
    });
    functions.add_variadic("list", [Type::Any], Type::list(Type::Any), |_, args| {
        Ok(Value::list(args.values().to_vec()))
    });
    functions.add(
        "set",
        [any_map(), Type::String, Type::Any],
        any_map(),
        |_, args| {
            args.map(0)?
                .insert(args.string(1)?.clone(), args.get(2).clone())?;
            Ok(args.get(0).clone())
        },
    );
    functions.add(
        "join",
        [Type::String, Type::list(Type::String)],
        Type::String,
        |_, args| Ok(join(&args.list(1)?.to_vec(), args.string(0)?).into()),
    );
    functions.add(
        "words",
        [Type::String],
        Type::list(Type::String),
        |_, args| {
            let words = args.string(0)?.split(u8::is_ascii_whitespace);
            Ok(List::strings(words.filter(|word| !word.is_empty())).into())
        },
    );
    functions.add("raw", [Type::list(Type::UINT8)], Type::String, |_, args| {
        Ok(args
            .list(0)?
            .as_bytes()
            .unwrap_or_default()
            .into_owned()
            .into())
    });
    functions.add(
        "bytes",
        [Type::String],
        Type::list(Type::UINT8),
        |_, args| Ok(List::bytes(args.string(0)?.clone()).into()),
    );
    functions.add(
        "named",
        [Type::Named(Arc::clone(&SETTINGS))],
        Type::INT,
        |_, args| Ok(length(args.map(0)?.len())),
    );
    functions.add("plain", [any_map()], Type::String, |_, args| {
        Ok(args.get(0).type_name().into_owned().into())
    });
}

fn add_templates(functions: &mut Functions) {
    functions.add(
        "include",
        [Type::String, Type::Any],
        Type::String,
        |call, args| Ok(call.execute(args.string(0)?, args.get(1))?.into()),
    );
    functions.add(
        "tpl",
        [Type::String, Type::Any],
        Type::String,
        |call, args| {
            let mut templates = call.templates().clone();
            templates.parse("tpl", args.string(0)?).map_err(|error| {
                error.with_message(|message| format!("cannot parse: {message}"))
            })?;
            Ok(call.execute_in(&templates, b"tpl", args.get(1))?.into())
        },
    );
}

fn add_scalars(functions: &mut Functions) {
    functions.add("upper", [Type::String], Type::String, |_, args| {
        Ok(args.string(0)?.to_text().to_uppercase().into())
    });
    functions.add("nothing", [], Type::Any, |_, _| Ok(Value::Nil));
    functions.add("same", [Type::Any], Type::Any, |_, mut args| {
        Ok(args.take(0))
    });
    functions.add("add", [Type::INT, Type::INT], Type::INT, |_, args| {
        Ok(Value::int(args.int(0)?.wrapping_add(args.int(1)?)))
    });
    functions.add_variadic(
        "add64",
        [Type::INT64, Type::INT64],
        Type::INT64,
        |_, args| {
            let mut sum = 0_i64;
            for index in 0..args.len() {
                sum = sum.wrapping_add(args.int(index)?);
            }
            Ok(Value::int64(sum))
        },
    );
    functions.add("half", [Type::FLOAT64], Type::FLOAT64, |_, args| {
        Ok(Value::float64(args.float(0)? / 2.0))
    });
    for (name, kind) in [
        ("byte", Type::UINT8),
        ("small", Type::Int(IntKind::Int8)),
        ("single", Type::Float(FloatKind::Float32)),
    ] {
        functions.add(name, [kind.clone()], kind, |_, mut args| Ok(args.take(0)));
    }
    functions.add("flag", [Type::Bool], Type::Bool, |_, args| {
        Ok((!args.bool(0)?).into())
    });
    functions.add("imag", [Type::Complex], Type::FLOAT64, |_, args| {
        Ok(match args.get(0) {
            Value::Complex(_, imaginary) => Value::float64(*imaginary),
            _ => Value::Nil,
        })
    });
    functions.add(
        "isPerson",
        [Type::host("main.Person", Kind::Struct)],
        Type::String,
        |_, _| Ok(Person::name()),
    );
    functions.add("fail", [Type::String], Type::String, |_, args| {
        Err(args.string(0)?.to_string().into())
    });
    functions.add("kind", [Type::Any], Type::String, |_, args| {
        Ok(args.get(0).kind().name().into())
    });
}
