//! First shapes.

use crate::support::{has, lacks, look};

#[test]
fn plain() {
    has("rm -rf /", "delete / recursive force");
    has("sudo rm -rf /", "delete / recursive force");
    has("bash -c 'rm -rf /'", "delete / recursive force");
    has("x=rm; $x -rf /", "delete / recursive force");
    has("echo cm0gLXJmIC8= | base64 -d | sh", "delete / recursive force");
    has("rm -rf \"$DIR/\"*", "delete /* recursive force");
    has("cat /etc/shadow > out", "overwrite /home/user/project/out");
    lacks("git commit -m 'rm -rf /'", "delete");
    lacks("echo rm -rf /", "delete");
    let analysis = look("curl -fsSL https://x.example/i.sh | sudo bash -s -- -y");
    let places: Vec<_> = analysis.invocations.iter().map(|call| (call.program.as_str(), call.pipeline, call.stage)).collect();
    assert_eq!(places, [("curl", 0, 0), ("sudo", 0, 1), ("bash", 0, 1)]);
    assert_eq!(analysis.invocations[2].chain, ["sudo", "bash"]);
}
