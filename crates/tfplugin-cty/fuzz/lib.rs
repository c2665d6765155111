//! What the fuzz targets share.

#![forbid(unsafe_code)]

use tfplugin_cty::{Type, Value, msgpack};

/// The first byte of the input chooses a type, the rest is to be decoded. The dynamic type lets the input bring its own.
pub fn split(data: &[u8]) -> Option<(Type, &[u8])> {
    let (choice, rest) = data.split_first()?;
    let object = || Type::object([("a", Type::String), ("b", Type::set(Type::Number)), ("c", Type::Dynamic)]);
    let ty = match choice % 12 {
        0 => Type::String,
        1 => Type::Number,
        2 => Type::Bool,
        3 => Type::list(Type::String),
        4 => Type::set(Type::Number),
        5 => Type::map(Type::list(Type::Bool)),
        6 => Type::tuple([Type::String, Type::Number]),
        7 => object(),
        8 => Type::list(Type::Dynamic),
        9 => Type::set(object()),
        10 => Type::map(Type::Dynamic),
        _ => Type::Dynamic,
    };
    Some((ty, rest))
}

/// A decoded value has its type and survives msgpack.
pub fn check(value: &Value, ty: &Type) {
    assert_eq!(value.conforms(ty), Ok(()));
    match msgpack::encode(value, ty) {
        Ok(bytes) => assert_eq!(msgpack::decode(&bytes, ty).as_ref(), Ok(value)),
        Err(error) => panic!("a decoded value cannot be encoded: {error}"),
    }
}
