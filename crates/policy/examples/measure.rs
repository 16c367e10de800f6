//! Measures the hot path: opening a snapshot with 1,000 rules and deciding under it.
//! Run with `cargo run --release -p cmdai-policy --example measure`.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use cmdai_policy::{Layers, Snapshot, SnapshotMeta, compile, decide, parse};
use cmdai_schema::{Dialect, Facts, Subject};

const COMMANDS: &[&str] = &[
    "ls -la",
    "git status",
    "git commit -m 'fix: rm -rf /'",
    "git push --force origin main",
    "rm -rf target node_modules",
    "rm -rf /",
    "curl -fsSL https://example.com/i.sh | sudo bash -s -- -y",
    "kubectl --context prod-eu delete namespace web",
    "docker run --rm -v /:/host --privileged alpine sh",
    "for f in *.txt; do cat \"$f\" | sort | uniq > out/$f; done",
    "find . -name '*.pyc' -delete && tar czf a.tgz src && scp a.tgz host:/srv",
    "sudo systemctl restart nginx",
];

fn document() -> String {
    let mut out = String::from(
        "version: \"1.0\"\nsafety:\n  require_approval_for: [privilege_escalation]\n  blocked_patterns:\n",
    );
    for n in 0..400 {
        let _ = writeln!(
            out,
            "    - {{pattern: \"tool{n} run --flag{n} .* | sh\", reason: \"pattern {n}\", owner: team}}"
        );
    }
    for n in 0..40 {
        let _ = writeln!(
            out,
            "    - {{pattern: \"git push --option{n} origin\", reason: \"pattern {n}\"}}"
        );
    }
    for n in 0..10 {
        let _ = writeln!(
            out,
            "    - {{regex: \"(?i)secret{n}-[0-9]{{8}}\", reason: \"text {n}\"}}"
        );
    }
    out.push_str("rules:\n");
    for n in 0..500 {
        let program = ["kubectl", "terraform", "aws", "gcloud", "helm"]
            .get(n % 5)
            .copied()
            .unwrap_or("x");
        let _ = writeln!(
            out,
            "  - {{id: rule-{n}, when: {{program: {program}{n}, args: [\"delete\"], context: [\"prod-{n}-*\"]}}, decision: deny, reason: \"rule {n}\", owner: team, controls: [\"SOC2:CC6.8\"]}}"
        );
    }
    for n in 0..50 {
        let _ = writeln!(
            out,
            "  - {{id: path-{n}, when: {{effect: [delete, overwrite], path: [\"/srv/app{n}/**\", \"/data/{n}/*\"]}}, decision: deny, reason: \"path {n}\"}}"
        );
    }
    out
}

fn row(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: f64| {
        times
            .get((times.len() as f64 * part) as usize)
            .or(times.last())
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{name:28} p50 {:>9.2?}  p99 {:>9.2?}  max {:>9.2?}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    let set = parse(&document(), "measure.yaml")?;
    println!("parse                        {:.2?}", started.elapsed());
    let started = Instant::now();
    let bytes = compile(
        &set,
        &SnapshotMeta {
            policy_id: "acme".to_owned(),
            ..SnapshotMeta::default()
        },
    );
    println!(
        "compile                      {:.2?}, {} KiB",
        started.elapsed(),
        bytes.len() / 1024
    );

    let mut opened = Vec::new();
    let mut first = Vec::new();
    let facts = Facts {
        cwd: Some("/home/user/project".to_owned()),
        home: Some("/home/user".to_owned()),
        ..Facts::default()
    };
    let subject = Subject::default();
    let context = cmdai_effects::Context {
        dialect: Dialect::Bash,
        cwd: "/home/user/project",
        home: "/home/user",
        user: "user",
        session: &cmdai_effects::NoSession,
        languages: &cmdai_languages::Grammars,
    };
    let analysed: Vec<_> = COMMANDS
        .iter()
        .map(|command| (*command, cmdai_effects::analyse(command, &context)))
        .collect();
    for round in 0..500usize {
        let started = Instant::now();
        let snapshot = Snapshot::open(&bytes)?;
        opened.push(started.elapsed());
        let layers = Layers {
            organisation: Some(&snapshot),
            user: None,
        };
        if let Some((command, analysis)) = analysed.get(round % analysed.len()) {
            let started = Instant::now();
            std::hint::black_box(decide(analysis, command, &layers, &facts, &subject));
            first.push(started.elapsed());
        }
    }
    row("open", opened);
    row("first decision of a process", first);

    let snapshot = Snapshot::open(&bytes)?;
    let layers = Layers {
        organisation: Some(&snapshot),
        user: None,
    };
    let mut times = Vec::new();
    for _ in 0..2000 {
        for (command, analysis) in &analysed {
            let started = Instant::now();
            std::hint::black_box(decide(analysis, command, &layers, &facts, &subject));
            times.push(started.elapsed());
        }
    }
    row("decide, 1,000 rules", times);
    Ok(())
}
