//! Any bytes are decoded or refused, and what was decoded survives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfplugin_cty::msgpack;
use tfplugin_cty_fuzz::{check, split};

fuzz_target!(|data: &[u8]| {
    if let Some((ty, bytes)) = split(data)
        && let Ok(value) = msgpack::decode(bytes, &ty)
    {
        check(&value, &ty);
    }
});
