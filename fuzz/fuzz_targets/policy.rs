//! Policy documents: read, compile, load, decide.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cmdai_fuzz::policy(data));
