//! [`gotemplate_fuzz::encodings::toml`] on any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    gotemplate_fuzz::encodings::toml(data);
});
