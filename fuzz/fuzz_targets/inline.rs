//! Programs in other languages inside a line.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cmdai_fuzz::inline(data));
