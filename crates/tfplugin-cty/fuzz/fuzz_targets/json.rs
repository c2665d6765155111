//! Any text is decoded or refused as a value and as a type, and what was decoded survives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfplugin_cty::{CodecErrorKind, Type, json};
use tfplugin_cty_fuzz::{check, split};

fuzz_target!(|data: &[u8]| {
    if let Ok(ty) = Type::from_json(data) {
        assert_eq!(Type::from_json(&ty.to_json()), Ok(ty));
    }
    let Some((ty, bytes)) = split(data) else {
        return;
    };
    let Ok(value) = json::decode(bytes, &ty) else {
        return;
    };
    check(&value, &ty);
    match json::encode(&value, &ty) {
        Ok(text) => assert_eq!(json::decode(&text, &ty), Ok(value)),
        Err(error) => assert_eq!(error.kind, CodecErrorKind::InfinityInJson),
    }
});
