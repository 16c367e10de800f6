//! Texts as bash, zsh and POSIX sh: tree and spans.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cmdai_fuzz::posix(data));
