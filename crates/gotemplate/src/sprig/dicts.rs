//! Dictionaries: maps with string keys, which are shared references.

use std::collections::BTreeMap;

use super::reflection::deeper;
use super::semver::Version;
use super::{go, merge, print};
use crate::error::Error;
use crate::function::{Args, Functions};
use crate::string::Str;
use crate::types::{Kind, Type};
use crate::value::{List, Map, Value};

pub(super) fn register(functions: &mut Functions) {
    let dict = || Type::map(Type::Any);
    functions.add_variadic("dict", [Type::Any], dict(), |call, args| {
        let mut entries = BTreeMap::new();
        for pair in args.values().chunks(2) {
            let key = print::string(call, &pair[0])?;
            let value = pair.get(1).cloned().unwrap_or_else(|| "".into());
            entries.insert(key, value);
        }
        Ok(Map::new(Type::Any, entries).into())
    });
    functions.add("get", [dict(), Type::String], Type::Any, |_, args| {
        let value = args.map(0)?.get(args.string(1)?);
        Ok(value.unwrap_or_else(|| "".into()))
    });
    functions.add(
        "set",
        [dict(), Type::String, Type::Any],
        dict(),
        |_, mut args| {
            let value = args.take(2);
            let map = args.map(0)?;
            map.insert(args.string(1)?.clone(), value)?;
            Ok(map.clone().into())
        },
    );
    functions.add("unset", [dict(), Type::String], dict(), |_, args| {
        let map = args.map(0)?;
        map.remove(args.string(1)?)?;
        Ok(map.clone().into())
    });
    functions.add("hasKey", [dict(), Type::String], Type::Bool, |_, args| {
        Ok(Value::from(args.map(0)?.contains(args.string(1)?)))
    });
    functions.add_variadic(
        "pluck",
        [Type::String, dict()],
        Type::list(Type::Any),
        |_, args| {
            let key = args.string(0)?;
            let values = maps(args.rest(1)).filter_map(|map| map.get(key)).collect();
            Ok(Value::list(values))
        },
    );
    functions.add_variadic("keys", [dict()], Type::list(Type::String), |call, args| {
        let mut keys = Vec::new();
        for map in maps(args.values()) {
            call.charge_steps(map.len() as u64 / 8)?;
            keys.extend(map.keys());
        }
        Ok(List::strings(keys).into())
    });
    functions.add("values", [dict()], Type::list(Type::Any), |call, args| {
        let map = args.map(0)?;
        call.charge_steps(map.len() as u64 / 8)?;
        let values = map.borrow().values().cloned().collect();
        Ok(Value::list(values))
    });
    for (name, picks) in [("pick", true), ("omit", false)] {
        functions.add_variadic(name, [dict(), Type::String], dict(), move |call, args| {
            let map = args.map(0)?;
            let mut names: Vec<&[u8]> = args
                .rest(1)
                .iter()
                .filter_map(|name| match name {
                    Value::String(name) => Some(&**name),
                    _ => None,
                })
                .collect();
            names.sort_unstable();
            call.charge_steps(map.len() as u64 / 8)?;
            let entries = map
                .borrow()
                .iter()
                .filter(|(key, _)| names.binary_search(&&***key).is_ok() == picks)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            Ok(Map::new(Type::Any, entries).into())
        });
    }
    for (name, overwrite) in [("merge", false), ("mergeOverwrite", true)] {
        functions.add_variadic(name, [dict(), dict()], Type::Any, move |call, args| {
            merge::all(call, args.map(0)?, maps(args.rest(1)), overwrite).or_else(|failure| {
                match failure {
                    // What mergo returns as an error is swallowed, what it panics with is not.
                    merge::Failure::Returned(_) => Ok("".into()),
                    merge::Failure::Panic(error) => Err(error),
                }
            })
        });
    }
    for (name, overwrite) in [("mustMerge", false), ("mustMergeOverwrite", true)] {
        functions.add_variadic(name, [dict(), dict()], Type::Any, move |call, args| {
            merge::all(call, args.map(0)?, maps(args.rest(1)), overwrite)
                .map_err(merge::Failure::into_error)
        });
    }
    functions.add_variadic("dig", [Type::Any], Type::Any, |_, args| dig(&args));
    for name in ["deepCopy", "mustDeepCopy"] {
        functions.add(name, [Type::Any], Type::Any, |_, args| match args.get(0) {
            Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".into()),
            value => deep_copy(value, 0),
        });
    }
}

fn maps(values: &[Value]) -> impl Iterator<Item = &Map> {
    values.iter().filter_map(|value| match value {
        Value::Map(map) => Some(map),
        _ => None,
    })
}

/// A value by its path of keys, or the default before the dictionary at the end.
fn dig(args: &Args<'_>) -> Result<Value, Error> {
    let [keys @ .., default, dict] = args.values() else {
        return Err("dig needs at least three arguments".into());
    };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut map = plain_dict(dict)?;
    let keys: Vec<&Str> = keys
        .iter()
        .map(|key| match key {
            Value::String(key) => Ok(key),
            other => Err(go::conversion(other, "string")),
        })
        .collect::<Result<_, _>>()?;
    let Some((last, path)) = keys.split_last() else {
        return Ok(default.clone());
    };
    for key in path {
        match map.get(key) {
            Some(value) => map = plain_dict(&value)?,
            None => return Ok(default.clone()),
        }
    }
    Ok(map.get(last).unwrap_or_else(|| default.clone()))
}

fn plain_dict(value: &Value) -> Result<Map, Error> {
    match value {
        Value::Map(map) if map.name().is_none() && *map.element() == Type::Any => Ok(map.clone()),
        other => Err(go::conversion(other, "map[string]interface {}")),
    }
}

/// Copies maps and lists with all that they hold.
fn deep_copy(value: &Value, depth: usize) -> Result<Value, Error> {
    match value {
        Value::List(list) if !list.is_nil() => deeper(depth, |depth| {
            if let Some(bytes) = list.as_bytes() {
                let copy = List::bytes(Str::from(bytes.as_ref()));
                return Ok(copy.named(list.name().cloned()).into());
            }
            let items = list
                .iter()
                .map(|item| deep_copy(&item, depth))
                .collect::<Result<_, _>>()?;
            let copy = List::new(list.element().clone(), items);
            Ok(copy.named(list.name().cloned()).into())
        }),
        Value::Map(map) if !map.is_nil() => deeper(depth, |depth| {
            let entries = map
                .entries()
                .into_iter()
                .map(|(key, value)| Ok((key, deep_copy(&value, depth)?)))
                .collect::<Result<_, Error>>()?;
            let copy = Map::new(map.element().clone(), entries);
            Ok(copy.named(map.name().cloned()).into())
        }),
        // Within other values a nil pointer becomes nil.
        Value::Object(object) if depth > 0 && object.kind() == Kind::Pointer && object.is_nil() => {
            Ok(Value::Nil)
        }
        // Fields that are not exported are not copied.
        Value::Object(object)
            if object
                .downcast::<Version>()
                .is_some_and(Version::is_pointer) =>
        {
            Ok(Value::object(Version::zero()))
        }
        other => Ok(other.clone()),
    }
}
