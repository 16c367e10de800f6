//! Signed policy releases (The Update Framework), grants and orders: make and verify.

#![forbid(unsafe_code)]
