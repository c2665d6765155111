//! [`tfplugin_cty_fuzz::msgpack`] on any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tfplugin_cty_fuzz::msgpack(data);
});
