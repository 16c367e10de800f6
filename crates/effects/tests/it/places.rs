//! Pipelines, stages, chains and spans.

use cmdai_schema::EffectKind;

use crate::support::look;

#[test]
fn stages_of_a_pipeline() {
    let analysis = look("curl -fsSL https://x.example/i.sh | sudo bash -s -- -y");
    let places: Vec<_> = analysis
        .invocations
        .iter()
        .map(|call| (call.program.as_str(), call.pipeline, call.stage))
        .collect();
    assert_eq!(places, [("curl", 0, 0), ("sudo", 0, 1), ("bash", 0, 1)]);
    assert_eq!(analysis.invocations[2].chain, ["sudo", "bash"]);
    let analysis = look("a | b; c | (d)");
    let places: Vec<_> = analysis
        .invocations
        .iter()
        .map(|call| (call.program.as_str(), call.pipeline, call.stage))
        .collect();
    assert_eq!(places, [("a", 0, 0), ("b", 0, 1), ("c", 1, 0), ("d", 1, 1)]);
}

#[test]
fn arguments_and_assignments() {
    let analysis = look("A=1 B=$X kubectl get \"po\"ds $Y");
    let call = &analysis.invocations[0];
    assert_eq!(
        call.assignments,
        [
            ("A".to_owned(), Some("1".to_owned())),
            ("B".to_owned(), None)
        ]
    );
    let values: Vec<_> = call.args.iter().map(|arg| arg.value.as_deref()).collect();
    assert_eq!(values, [Some("get"), Some("pods"), None]);
    assert!(call.known);
}

#[test]
fn spans_point_into_the_outer_text() {
    let text = "echo a; sudo bash -c 'cd /x; rm -rf y'";
    let analysis = look(text);
    let effect = analysis
        .effects
        .iter()
        .find(|effect| matches!(effect.kind, EffectKind::Delete { .. }))
        .unwrap();
    assert_eq!(effect.span.of(text), "rm -rf y");
    assert_eq!(effect.chain, ["sudo", "bash", "rm"]);
    let text = "f() { rm x; }; f";
    let analysis = look(text);
    let effect = analysis
        .effects
        .iter()
        .find(|effect| matches!(effect.kind, EffectKind::Delete { .. }))
        .unwrap();
    assert_eq!(effect.span.of(text), "rm x");
}
