//! Texts of all dialects to the decision and its JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cmdai_fuzz::judge(data));
