//! Properties of the codecs over generated types and values.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tfplugin_cty::{Number, Path, PathStep, Type, Value, json, msgpack};

fn concrete_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![Just(Type::String), Just(Type::Number), Just(Type::Bool)];
    leaf.prop_recursive(3, 12, 4, |inner| composite(inner.boxed()))
}

fn any_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::String),
        Just(Type::Number),
        Just(Type::Bool),
        Just(Type::Dynamic)
    ];
    leaf.prop_recursive(3, 12, 4, |inner| composite(inner.boxed()))
}

fn composite(inner: BoxedStrategy<Type>) -> impl Strategy<Value = Type> {
    prop_oneof![
        inner.clone().prop_map(Type::list),
        inner.clone().prop_map(Type::set),
        inner.clone().prop_map(Type::map),
        prop::collection::vec(inner.clone(), 0..4).prop_map(Type::Tuple),
        prop::collection::btree_map(name(), inner, 0..4).prop_map(Type::object),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z_]{1,5}", "\\PC{0,3}"]
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        prop::num::f64::NORMAL.prop_map(|float| Number::try_from(float).unwrap()),
        "-?[0-9]{1,25}(\\.[0-9]{1,25})?(e-?[0-9]{1,2})?".prop_map(|text| text.parse().unwrap()),
    ]
}

/// A value of type `ty`; `unknown` says whether parts of it may be unknown.
fn value_of(ty: &Type, unknown: bool) -> BoxedStrategy<Value> {
    let known = match ty {
        Type::String => any::<String>().prop_map(Value::string).boxed(),
        Type::Number => number().prop_map(Value::Number).boxed(),
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Dynamic => concrete_type()
            .prop_flat_map(move |ty| {
                value_of(&ty, unknown).prop_map(move |value| Value::dynamic(ty.clone(), value))
            })
            .boxed(),
        Type::List(element) => elements(element, unknown).prop_map(Value::List).boxed(),
        Type::Set(element) => elements(element, unknown).prop_map(Value::set).boxed(),
        Type::Map(element) => (elements(element, unknown), prop::collection::vec(name(), 4))
            .prop_map(|(elements, names)| Value::map(names.into_iter().zip(elements)))
            .boxed(),
        Type::Tuple(types) => {
            let elements: Vec<_> = types.iter().map(|ty| value_of(ty, unknown)).collect();
            elements.prop_map(Value::Tuple).boxed()
        }
        Type::Object(object) => {
            let attributes: Vec<_> = object
                .attributes()
                .values()
                .map(|ty| value_of(ty, unknown))
                .collect();
            let names: Vec<String> = object.attributes().keys().cloned().collect();
            attributes
                .prop_map(move |values| {
                    Value::Object(
                        names
                            .iter()
                            .cloned()
                            .zip(values)
                            .collect::<BTreeMap<_, _>>(),
                    )
                })
                .boxed()
        }
    };
    let unknown_weight = u32::from(unknown);
    prop_oneof![10 => known, 1 => Just(Value::Null), unknown_weight => Just(Value::Unknown)].boxed()
}

/// The elements of a collection. Where the schema says dynamic they must all have one type, so those are left empty.
fn elements(ty: &Type, unknown: bool) -> BoxedStrategy<Vec<Value>> {
    let most = if ty.has_dynamic() { 0 } else { 4 };
    prop::collection::vec(value_of(ty, unknown), 0..=most).boxed()
}

fn typed_value(unknown: bool) -> impl Strategy<Value = (Type, Value)> {
    any_type()
        .prop_flat_map(move |ty| value_of(&ty, unknown).prop_map(move |value| (ty.clone(), value)))
}

proptest! {
    #[test]
    fn types_survive_their_json(ty in any_type()) {
        prop_assert_eq!(Type::from_json(&ty.to_json()).unwrap(), ty);
    }

    #[test]
    fn values_survive_msgpack((ty, value) in typed_value(true)) {
        prop_assert_eq!(value.conforms(&ty), Ok(()));
        let bytes = msgpack::encode(&value, &ty).unwrap();
        prop_assert_eq!(msgpack::decode(&bytes, &ty).unwrap(), value);
    }

    #[test]
    fn known_values_survive_json((ty, value) in typed_value(false)) {
        let bytes = json::encode(&value, &ty).unwrap();
        prop_assert_eq!(json::decode(&bytes, &ty).unwrap(), value);
    }

    #[test]
    fn json_refuses_exactly_the_unknown((ty, value) in typed_value(true)) {
        prop_assert_eq!(json::encode(&value, &ty).is_ok(), value.is_wholly_known());
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(ty in any_type(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = msgpack::decode(&bytes, &ty) {
            prop_assert_eq!(value.conforms(&ty), Ok(()));
            prop_assert_eq!(msgpack::decode(&msgpack::encode(&value, &ty).unwrap(), &ty).unwrap(), value);
        }
        let _ = json::decode(&bytes, &ty);
        let _ = Type::from_json(&bytes);
    }

    #[test]
    fn damaged_bytes_are_read_or_refused(
        (ty, value) in typed_value(true), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = msgpack::encode(&value, &ty).unwrap();
        *at.get_mut(&mut bytes) = byte;
        if let Ok(value) = msgpack::decode(&bytes, &ty) {
            prop_assert_eq!(value.conforms(&ty), Ok(()));
            prop_assert_eq!(msgpack::decode(&msgpack::encode(&value, &ty).unwrap(), &ty).unwrap(), value);
        }
    }

    #[test]
    fn numbers_survive_their_text_and_order_as_text_does(left in number(), right in number()) {
        prop_assert_eq!(left.to_string().parse::<Number>().unwrap(), left.clone());
        prop_assert!(!left.to_string().contains(['e', 'E']));
        prop_assert_eq!(left == right, left.to_string() == right.to_string());
        prop_assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
        if left < right {
            prop_assert!(left.as_f64() <= right.as_f64());
        }
    }

    #[test]
    fn floats_survive(float in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO) {
        let number = Number::try_from(float).unwrap();
        prop_assert_eq!(number.as_f64(), float);
        if let Some(exact) = number.as_exact_f64() {
            prop_assert_eq!(exact, float);
        }
    }

    #[test]
    fn every_visited_part_can_be_read_and_put_back((ty, value) in typed_value(true)) {
        let mut parts: Vec<(Path, Value)> = Vec::new();
        value.walk(|path, part| {
            parts.push((path.clone(), part.clone()));
            true
        });
        for (path, part) in parts {
            let in_set_of_unknowns = path.steps().iter().any(|step| match step {
                PathStep::Element(element) => !element.is_wholly_known(),
                _ => false,
            });
            prop_assert_eq!(value.get(&path), Some(&part));
            let mut changed = value.clone();
            prop_assert!(changed.set_at(&path, part).is_ok(), "{} of {}", path, ty);
            if !in_set_of_unknowns {
                prop_assert_eq!(&changed, &value);
            }
        }
    }

    #[test]
    fn a_transform_that_changes_nothing_changes_nothing((_, value) in typed_value(true)) {
        prop_assert_eq!(value.clone().transform(|_, part| part), value);
    }

    #[test]
    fn a_difference_is_where_the_parts_differ(
        (left, right) in any_type().prop_flat_map(|ty| (value_of(&ty, true), value_of(&ty, true))),
    ) {
        let paths = left.diff(&right);
        prop_assert_eq!(paths.is_empty(), left == right);
        for path in &paths {
            prop_assert_ne!(left.get(path), right.get(path), "{}", path);
        }
        // Taking over all differences that exist on both sides leaves those that do not.
        let mut merged = left.clone();
        for path in &paths {
            if let (Some(_), Some(part)) = (left.get(path), right.get(path)) {
                merged.set_at(path, part.clone()).unwrap();
            }
        }
        let rest: Vec<Path> =
            paths.into_iter().filter(|path| left.get(path).is_none() || right.get(path).is_none()).collect();
        prop_assert_eq!(merged.diff(&right), rest);
    }
}
