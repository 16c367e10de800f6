//! Texts as zsh keeps them.

#![allow(unsafe_code, reason = "texts of a running zsh are raw pointers")]

use std::ffi::{CStr, CString, c_char};

/// Most elements of an array that are looked at: one more than the analysis tells apart.
const MOST_ELEMENTS: usize = 1_025;
/// Longest value or body that is looked at.
const LONGEST: usize = 1024 * 1024;

/// The name, where reading that parameter changes nothing and says something about the line.
pub(crate) fn readable(name: &str) -> Option<CString> {
    const OWN: [&str; 15] = [
        "RANDOM",
        "SECONDS",
        "EPOCHREALTIME",
        "EPOCHSECONDS",
        "LINENO",
        "TTYIDLE",
        "ERRNO",
        "_",
        "argv",
        "ARGC",
        "funcstack",
        "functrace",
        "status",
        "pipestatus",
        "ZSH_DEBUG_CMD",
    ];
    let mut bytes = name.bytes();
    let plain = bytes
        .next()
        .is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    (plain && !OWN.contains(&name))
        .then(|| CString::new(name).ok())
        .flatten()
}

/// Announces a byte that zsh writes in two.
const MARK: u8 = 0x83;

/// A copy of a text of zsh's, which writes some bytes in two; what is not UTF-8 is replaced.
pub(crate) fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: zsh's texts are terminated.
    let bytes = unsafe { CStr::from_ptr(pointer) }.to_bytes();
    let bytes = bytes.get(..LONGEST).unwrap_or(bytes);
    if !bytes.contains(&MARK) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match (*byte, rest.as_slice().first()) {
            (MARK, Some(hidden)) => {
                plain.push(hidden ^ 32);
                rest.next();
            }
            (byte, _) => plain.push(byte),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Copies of the texts of a list of zsh's; nothing for null.
///
/// # Safety
/// The pointer is null or points to a list of terminated texts that ends in null.
pub(crate) unsafe fn texts(list: *const *const c_char) -> Option<Vec<String>> {
    if list.is_null() {
        return None;
    }
    let mut copies = Vec::new();
    let mut next = list;
    // SAFETY: demanded of the caller.
    while let Some(entry) = unsafe { next.as_ref() }.filter(|entry| !entry.is_null()) {
        if copies.len() == MOST_ELEMENTS {
            break;
        }
        copies.push(text(*entry));
        // SAFETY: the list goes on until its null.
        next = unsafe { next.add(1) };
    }
    Some(copies)
}

/// A text as zsh writes it.
pub(crate) fn packed(text: &str) -> Option<CString> {
    let mut bytes = Vec::with_capacity(text.len() + 1);
    for byte in text.bytes() {
        if byte == 0 || (MARK..=0xa2).contains(&byte) {
            bytes.extend([MARK, byte ^ 32]);
        } else {
            bytes.push(byte);
        }
    }
    CString::new(bytes).ok()
}
