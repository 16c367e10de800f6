//! Reports from plan to page.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test by panicking"
)]

use cmdai_api::console::{Alert, Completeness, EventRow, Report};
use cmdai_report::{
    EvidenceQuery, EvidenceResult, Facts, SAMPLE, assemble, frameworks, html, json, plan,
    style_hash,
};
use cmdai_schema::Hash;

fn hash(n: u64) -> Hash {
    Hash::of(&[&n.to_be_bytes()])
}

fn row(n: u64, text: &str) -> EventRow {
    EventRow {
        event_id: format!("e-{n}"),
        row: n,
        time: "2026-01-02T03:04:05.000Z".to_owned(),
        received: "2026-01-02T03:04:06.000Z".to_owned(),
        event_type: "command_blocked".to_owned(),
        machine_id: "m-0000000000000001".to_owned(),
        hostname: format!("laptop-{}", n % 5),
        user: "alice".to_owned(),
        team: None,
        origin: "agent".to_owned(),
        agent: Some("codex".to_owned()),
        text: text.to_owned(),
        decision: Some("deny".to_owned()),
        risk: Some("critical".to_owned()),
        rule: Some("fs.delete-root".to_owned()),
        reason: None,
        exit_code: None,
        session_id: "s".to_owned(),
        seq: n,
    }
}

fn run(query: &EvidenceQuery, rows: impl IntoIterator<Item = u64>) -> EvidenceResult {
    let mut population = query.population();
    for n in rows {
        population.add(&hash(n), &format!("laptop-{}", n % 5), || {
            row(n, "rm -rf / <script>alert('x')</script>")
        });
    }
    population.finish()
}

fn alert(status: &str) -> Alert {
    Alert {
        id: "a".to_owned(),
        detection: "d".to_owned(),
        title: "t".to_owned(),
        severity: "critical".to_owned(),
        status: status.to_owned(),
        summary: String::new(),
        machine_id: None,
        hostname: None,
        user: None,
        event_ids: Vec::new(),
        count: 1,
        occurred: String::new(),
        created: String::new(),
        notified: Some("2026-01-01T00:00:00Z".to_owned()),
        assignee: None,
        disposition: None,
        notes: Vec::new(),
    }
}

fn facts() -> Facts {
    Facts {
        generated: "2026-04-01T00:00:00Z".to_owned(),
        generated_by: "auditor".to_owned(),
        events: 1_000,
        completeness: Completeness {
            machines: 5,
            gaps: 2,
            missing: 9,
            tree_size: 1_234,
            root: hash(7).to_hex(),
            verified: true,
        },
        compliance: 9_875,
        alerts: vec![alert("open"), alert("closed")],
        retention_days: Some(400),
        oldest: Some("2025-12-01T00:00:00Z".to_owned()),
    }
}

/// A report in which the queries with an odd place have rows.
fn report(framework: &str, organisation: &str) -> Report {
    let plan = plan(
        framework,
        organisation,
        "2026-01-01T00:00:00Z",
        "2026-03-31T23:59:59Z",
    )
    .unwrap();
    let results = plan
        .queries
        .iter()
        .enumerate()
        .map(|(at, query)| run(query, 0..if at % 2 == 1 { 60 } else { 0 }))
        .collect();
    assemble(plan, results, facts()).unwrap()
}

#[test]
fn the_sample_is_reproducible_and_does_not_depend_on_order() {
    let of = |organisation: &str| plan("SOC2", organisation, "a", "b").unwrap().queries[0].clone();
    let forward = run(&of("acme"), 0..500);
    let again = run(&of("acme"), 0..500);
    assert_eq!(forward, again);
    let backward = run(&of("acme"), (0..500).rev());
    let ids = |result: &EvidenceResult| {
        let mut ids: Vec<_> = result
            .sample
            .iter()
            .map(|row| row.event_id.clone())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&forward), ids(&backward));
    assert_eq!(forward.sample.len(), SAMPLE);
    assert_ne!(
        forward.sha256, backward.sha256,
        "the hash is over the rows in order"
    );
    assert_ne!(
        ids(&forward),
        ids(&run(&of("other"), 0..500)),
        "another seed, another sample"
    );
    // By hand: the rows with the smallest draws.
    let seed = of("acme").seed;
    let mut draws: Vec<_> = (0..500)
        .map(|n| (Hash::of(&[seed.as_bytes(), &hash(n).0]), n))
        .collect();
    draws.sort();
    let mut expected: Vec<_> = draws[..SAMPLE]
        .iter()
        .map(|(_, n)| format!("e-{n}"))
        .collect();
    expected.sort();
    assert_eq!(ids(&forward), expected);
    assert_eq!(
        run(&of("acme"), 0..3).sample.len(),
        3,
        "all where there are few"
    );
}

#[test]
fn the_hash_is_the_documented_one() {
    let query = plan("SOC2", "acme", "a", "b").unwrap().queries[0].clone();
    let expected = Hash::of(&[&hash(0).0, &hash(1).0, &hash(2).0]);
    assert_eq!(run(&query, 0..3).sha256, expected);
    assert_eq!(run(&query, 0..0).sha256, Hash::of(&[]));
}

#[test]
fn every_framework_gives_a_whole_report() {
    for framework in frameworks().unwrap() {
        let report = report(&framework.id, "acme");
        assert_eq!(report.controls.len() as u64, framework.controls);
        assert!(
            report
                .controls
                .iter()
                .all(|control| !control.evidence.is_empty())
        );
        for text in [html(&report), json(&report).unwrap()] {
            assert!(
                !text.to_lowercase().contains("compliant"),
                "{}",
                framework.id
            );
        }
        assert!(serde_json::from_str::<Report>(&json(&report).unwrap()).is_ok());
    }
}

#[test]
fn what_stands_out_is_said_in_sentences() {
    let soc2 = report("SOC2", "acme");
    let all: Vec<_> = soc2
        .controls
        .iter()
        .flat_map(|control| &control.evidence)
        .flat_map(|item| item.exceptions.clone())
        .collect();
    for part in [
        "2 gaps are recorded in the period; 9 records are missing in them.",
        "1 of 2 alerts raised in the period are still open, 1 of them critical.",
        "1 alerts were closed without saying how they ended.",
        "This has to be shown by evidence from elsewhere.",
        "(laptop-0: 12, laptop-1: 12, laptop-2: 12, 2 more machines)",
    ] {
        assert!(
            all.iter().any(|text| text.contains(part)),
            "{part}: {all:#?}"
        );
    }
    let hipaa = json(&report("HIPAA", "acme")).unwrap();
    assert!(hipaa.contains("Records are kept for 400 days; this control asks for 2190."));
    let pci = json(&report("PCI DSS", "acme")).unwrap();
    assert!(!pci.contains("this control asks for"));
}

#[test]
fn missing_results_are_an_error() {
    let plan = plan("SOC2", "acme", "a", "b").unwrap();
    let results = plan
        .queries
        .iter()
        .skip(1)
        .map(|query| run(query, 0..0))
        .collect();
    assert!(assemble(plan, results, facts()).is_err());
}

#[test]
fn nothing_from_machines_becomes_markup() {
    let page = html(&report(
        "SOC2",
        "<img src=x onerror=alert(1)> \"&' \u{202e}",
    ));
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt; &quot;&amp;&#39; \\u{202e}"));
    // No attribute but those this crate writes, and no style or script from elsewhere.
    assert!(!page.contains("onclick") && !page.contains(" style=") && !page.contains("http"));
    assert_eq!(page.matches("<style>").count(), 1);
    assert!(style_hash().starts_with("'sha256-"));
}

#[test]
fn the_page_is_the_one_that_was_looked_at() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/hipaa.html");
    let page = html(&report("HIPAA", "acme"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden, &page).unwrap();
    }
    let expected = std::fs::read_to_string(golden).unwrap();
    assert!(
        page == expected,
        "the page changed: look at it, then run again with UPDATE_GOLDEN=1"
    );
}

#[test]
fn anchors_lead_somewhere() {
    let page = html(&report("SOC2", "acme"));
    for link in page.split("href=\"#").skip(1) {
        let name = link.split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
    }
}
