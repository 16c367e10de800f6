//! Prints the OpenAPI document: `cargo run -p cmdai-server --example openapi > api/openapi.json`.

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn main() -> Result<(), serde_json::Error> {
    println!("{}", cmdai_server::openapi::document().to_pretty_json()?);
    Ok(())
}
