//! `cargo +nightly fuzz run id_list`
#![no_main]

#[path = "../../crates/wire/tests/soup/mod.rs"]
#[expect(dead_code, reason = "each target runs one of the bodies")]
mod soup;

libfuzzer_sys::fuzz_target!(|data: &[u8]| soup::id_list(data));
