//! What the fuzz targets do. `tests/fuzz_seeds.rs` of the crate runs it on the seeds with the stable compiler.

#![forbid(unsafe_code)]

use tfplugin_cty::{CodecErrorKind, Type, Value};

/// The types that [`split`] chooses from. The dynamic type lets the input bring its own.
pub fn types() -> [Type; 12] {
    let object = || {
        Type::object([
            ("a", Type::String),
            ("b", Type::set(Type::Number)),
            ("c", Type::Dynamic),
        ])
    };
    [
        Type::String,
        Type::Number,
        Type::Bool,
        Type::list(Type::String),
        Type::set(Type::Number),
        Type::map(Type::list(Type::Bool)),
        Type::tuple([Type::String, Type::Number]),
        object(),
        Type::list(Type::Dynamic),
        Type::set(object()),
        Type::map(Type::Dynamic),
        Type::Dynamic,
    ]
}

/// The first byte of the input chooses a type, the rest is to be decoded.
fn split(data: &[u8]) -> Option<(Type, &[u8])> {
    let (choice, rest) = data.split_first()?;
    let types = types();
    let choice = usize::from(*choice) % types.len();
    types.into_iter().nth(choice).map(|ty| (ty, rest))
}

/// Any bytes are decoded or refused, and what was decoded survives. Says whether they were decoded.
pub fn msgpack(data: &[u8]) -> bool {
    let Some((ty, bytes)) = split(data) else {
        return false;
    };
    let Ok(value) = tfplugin_cty::msgpack::decode(bytes, &ty) else {
        return false;
    };
    check(&value, &ty);
    true
}

/// Any text is decoded or refused as a value and as a type, and what was decoded survives. Says whether a value was
/// decoded.
pub fn json(data: &[u8]) -> bool {
    if let Ok(ty) = Type::from_json(data) {
        assert_eq!(Type::from_json(&ty.to_json()), Ok(ty));
    }
    let Some((ty, bytes)) = split(data) else {
        return false;
    };
    let Ok(value) = tfplugin_cty::json::decode(bytes, &ty) else {
        return false;
    };
    check(&value, &ty);
    match tfplugin_cty::json::encode(&value, &ty) {
        Ok(text) => assert_eq!(tfplugin_cty::json::decode(&text, &ty), Ok(value)),
        Err(error) => assert_eq!(error.kind, CodecErrorKind::InfinityInJson),
    }
    true
}

/// A decoded value has its type and survives msgpack.
fn check(value: &Value, ty: &Type) {
    assert_eq!(value.conforms(ty), Ok(()));
    match tfplugin_cty::msgpack::encode(value, ty) {
        Ok(bytes) => assert_eq!(
            tfplugin_cty::msgpack::decode(&bytes, ty).as_ref(),
            Ok(value)
        ),
        Err(error) => panic!("a decoded value cannot be encoded: {error}"),
    }
}
