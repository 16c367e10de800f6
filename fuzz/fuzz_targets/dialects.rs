//! Texts as fish and PowerShell: tree and spans.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cmdai_fuzz::dialects(data));
