//! The committed object was built from the committed source.

use sha2::{Digest as _, Sha256};

#[test]
fn the_object_was_built_from_this_source() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("bpf");
    let built = std::fs::read_to_string(folder.join("exec.built")).unwrap();
    let mut checked = 0;
    for line in built.lines() {
        let (digest, name) = line.split_once("  ").unwrap();
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let found: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(digest, found, "{name} changed: run `cargo xtask bpf`");
        checked += 1;
    }
    assert_eq!(checked, 2);
}
