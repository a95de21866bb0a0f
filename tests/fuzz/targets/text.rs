//! A file of any bytes.
#![no_main]

#[path = "mod.rs"]
mod shared;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::read(bytes, "表.txt"));
