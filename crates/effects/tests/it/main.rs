//! What texts are found to do.

mod corpus_shapes;
mod knowledge;
mod support;
