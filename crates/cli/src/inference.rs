//! Which models may be asked here: `inference:` of the organisation's policy and of the person's.

use cmdai_gate::Policies;
use cmdai_generate::Permit;

/// One permit for each loaded policy, the organisation's first. Where the organisation's policy
/// cannot be read, nobody outside this machine is asked.
pub(crate) fn permits(policies: &Policies, governed: bool) -> Vec<Permit> {
    let mut found = Vec::new();
    let layers = [
        ("the organisation's policy", policies.organisation()),
        ("your policy", policies.user()),
    ];
    for (layer, snapshot) in layers {
        let Some(snapshot) = snapshot else { continue };
        let inference = &snapshot.settings().inference;
        found.push(Permit {
            layer: layer.to_owned(),
            allowed_backends: inference.allowed_backends.clone(),
            blocked_backends: inference.blocked_backends.clone(),
            models: inference.model_allowlist.clone(),
            require_local: inference.require_local,
        });
    }
    if governed && policies.organisation().is_none() {
        found.push(Permit {
            layer: "an organisation's policy that cannot be read".to_owned(),
            require_local: true,
            ..Permit::default()
        });
    }
    found
}
