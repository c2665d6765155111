//! Lists: their parts, changes that give new lists, and searches.

use super::cast::{to_float64, to_int64};
use super::defaults::empty;
use super::{go, reflection};
use crate::error::Error;
use crate::function::{Args, Call, Functions};
use crate::types::{Kind, Type};
use crate::value::{List, Value};

type Body = fn(&mut Call<'_>, Args<'_>) -> Result<Value, Error>;

pub(super) fn register(functions: &mut Functions) {
    let list = || Type::list(Type::Any);
    for name in ["list", "tuple"] {
        functions.add_variadic(name, [Type::Any], list(), |_, args| {
            Ok(Value::list(args.values().to_vec()))
        });
    }
    let both = |functions: &mut Functions,
                names: &[&str],
                parameters: Vec<Type>,
                result: Type,
                body: Body| {
        for name in names {
            functions.add(name, parameters.clone(), result.clone(), body);
        }
    };
    both(
        functions,
        &["append", "push", "mustAppend", "mustPush"],
        vec![Type::Any, Type::Any],
        list(),
        |_, mut args| {
            let mut items = elements(args.get(0), "Cannot push on type")?.to_vec();
            items.push(args.take(1));
            Ok(Value::list(items))
        },
    );
    both(
        functions,
        &["prepend", "mustPrepend"],
        vec![Type::Any, Type::Any],
        list(),
        |_, mut args| {
            let rest = elements(args.get(0), "Cannot prepend on type")?;
            let mut items = vec![args.take(1)];
            items.extend(rest.iter());
            Ok(Value::list(items))
        },
    );
    both(
        functions,
        &["first", "mustFirst"],
        vec![Type::Any],
        Type::Any,
        |_, args| {
            let items = elements(args.get(0), "Cannot find first on type")?;
            Ok(items.get(0).unwrap_or_default())
        },
    );
    both(
        functions,
        &["last", "mustLast"],
        vec![Type::Any],
        Type::Any,
        |_, args| {
            let items = elements(args.get(0), "Cannot find last on type")?;
            Ok(items.iter().next_back().unwrap_or_default())
        },
    );
    both(
        functions,
        &["rest", "mustRest"],
        vec![Type::Any],
        list(),
        |_, args| {
            let items = elements(args.get(0), "Cannot find rest on type")?;
            Ok(part(&items, 1, items.len()))
        },
    );
    both(
        functions,
        &["initial", "mustInitial"],
        vec![Type::Any],
        list(),
        |_, args| {
            let items = elements(args.get(0), "Cannot find initial on type")?;
            Ok(part(&items, 0, items.len().saturating_sub(1)))
        },
    );
    both(
        functions,
        &["reverse", "mustReverse"],
        vec![Type::Any],
        list(),
        |_, args| {
            let items = elements(args.get(0), "Cannot find reverse on type")?;
            Ok(Value::list(items.iter().rev().collect()))
        },
    );
    both(
        functions,
        &["compact", "mustCompact"],
        vec![Type::Any],
        list(),
        |_, args| {
            let items = elements(args.get(0), "Cannot compact on type")?;
            Ok(Value::list(
                items.iter().filter(|item| !empty(item)).collect(),
            ))
        },
    );
    both(
        functions,
        &["uniq", "mustUniq"],
        vec![Type::Any],
        list(),
        |call, args| {
            let items = elements(args.get(0), "Cannot find uniq on type")?;
            let mut kept: Vec<Value> = Vec::new();
            for item in items.iter() {
                if !contains(call, &kept, &item)? {
                    kept.push(item);
                }
            }
            Ok(Value::list(kept))
        },
    );
    for name in ["without", "mustWithout"] {
        functions.add_variadic(name, [Type::Any, Type::Any], list(), |call, args| {
            let items = elements(args.get(0), "Cannot find without on type")?;
            let mut kept = Vec::new();
            for item in items.iter() {
                if !contains(call, args.rest(1), &item)? {
                    kept.push(item);
                }
            }
            Ok(Value::list(kept))
        });
    }
    both(
        functions,
        &["has", "mustHas"],
        vec![Type::Any, Type::Any],
        Type::Bool,
        |call, args| {
            if matches!(args.get(1), Value::Nil) {
                return Ok(Value::Bool(false));
            }
            let items = elements(args.get(1), "Cannot find has on type")?;
            contains(call, &items.to_vec(), args.get(0)).map(Value::from)
        },
    );
    for name in ["slice", "mustSlice"] {
        functions.add_variadic(name, [Type::Any, Type::Any], Type::Any, |_, args| {
            let items = elements(args.get(0), "list should be type of slice or array but")?;
            if items.is_empty() {
                return Ok(Value::Nil);
            }
            let start = args.rest(1).first().map_or(0, to_int64);
            let end = args.rest(2).first().map_or(go::int(items.len()), to_int64);
            // Go allows an end up to the capacity, which is taken for the length here.
            usize::try_from(start)
                .ok()
                .zip(usize::try_from(end).ok())
                .and_then(|(start, end)| items.slice(start, end))
                .map(Value::from)
                .ok_or_else(|| "reflect.Value.Slice: slice index out of bounds".into())
        });
    }
    functions.add_variadic("concat", [Type::Any], Type::Any, |call, args| {
        let mut all = Vec::new();
        for value in args.values() {
            let kind = go::kind_of_type(value)?;
            let Some(items) = reflection::elements(value) else {
                return Err(Error::new(format!(
                    "Cannot concat type {} as list",
                    kind.name()
                )));
            };
            call.charge_steps(items.len() as u64 / 8)?;
            all.extend(items.iter());
        }
        Ok(if all.is_empty() {
            List::nil(Type::Any).into()
        } else {
            Value::list(all)
        })
    });
    both(
        functions,
        &["chunk", "mustChunk"],
        vec![Type::INT, Type::Any],
        Type::list(list()),
        chunk,
    );
}

/// The elements of a slice.
fn elements(value: &Value, failure: &str) -> Result<List, Error> {
    let kind = go::kind_of_type(value)?;
    reflection::elements(value)
        .filter(|_| kind == Kind::Slice)
        .ok_or_else(|| Error::new(format!("{failure} {}", kind.name())))
}

/// Some elements as a `[]interface {}`; nil of an empty list.
fn part(items: &List, from: usize, to: usize) -> Value {
    if items.is_empty() {
        return List::nil(Type::Any).into();
    }
    Value::list(items.iter().take(to).skip(from).collect())
}

fn contains(call: &mut Call<'_>, items: &[Value], wanted: &Value) -> Result<bool, Error> {
    call.charge_steps(items.len() as u64 / 8)?;
    for item in items {
        if reflection::deep_equal(wanted, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Lists of `size` elements; the last may have fewer. Sizes below 1 end as the arithmetic with
/// floats in Sprig has them end.
fn chunk(_: &mut Call<'_>, args: Args<'_>) -> Result<Value, Error> {
    let size = args.int(0)?;
    let items = elements(args.get(1), "Cannot chunk type")?;
    let length = go::int(items.len());
    let (length_float, size_float) = (
        to_float64(&Value::int(length)),
        to_float64(&Value::int(size)),
    );
    let chunks = (to_float64(&Value::int(length - 1)) / size_float).floor() + 1.0;
    let chunks = go::length(super::cast::truncate(chunks))?;
    let mut lists = Vec::new();
    for index in 0..chunks {
        let mut count = size;
        if index + 1 == chunks {
            count = super::cast::truncate((length_float % size_float).floor());
            if count == 0 {
                count = size;
            }
        }
        let count = go::length(count)?;
        let start = usize::try_from(size).unwrap_or(0).saturating_mul(index);
        lists.push(Value::list(items.iter().skip(start).take(count).collect()));
    }
    Ok(List::new(Type::list(Type::Any), lists).into())
}
