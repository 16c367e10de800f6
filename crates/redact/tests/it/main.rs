//! Redaction, end to end: every shape, harmless lines, and properties over generated lines.

mod harmless;
mod properties;
mod shapes;
mod speed;
