//! `cargo +nightly fuzz run webhook`
#![no_main]

#[path = "../../crates/wire/tests/soup/mod.rs"]
#[expect(dead_code, reason = "each target runs one of the bodies")]
mod soup;

libfuzzer_sys::fuzz_target!(|data: &[u8]| soup::webhook(data));
