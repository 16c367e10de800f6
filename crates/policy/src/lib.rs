//! Policy documents to a compiled snapshot, and the decision about an analysed command.

#![forbid(unsafe_code)]
