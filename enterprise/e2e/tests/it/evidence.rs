//! Searching, reports and proofs, with the README's own commands.

use std::time::Duration;

use cmdai_e2e::{Machine, Run, Server, eventually};

#[test]
fn a_query_a_report_and_its_proof() {
    let server = Server::start().unwrap();
    let machine = Machine::join(&server).unwrap();
    for line in ["true terraform plan", "true something else"] {
        Run::of(machine.cmdai().args(["run", "-c", line]))
            .unwrap()
            .good()
            .unwrap();
    }
    let person = eventually("the commands on the server", Duration::from_secs(8), || {
        let rows = server.query("terraform")?;
        let row = rows.first().ok_or_else(|| anyhow::anyhow!("not yet"))?;
        Ok(row["user"].as_str().unwrap_or_default().to_owned())
    })
    .unwrap();

    let found = server
        .admin(&[
            "query",
            "--user",
            &person,
            "--command-contains",
            "terraform",
            "--time-range",
            "last 90 days",
            "--format",
            "json",
        ])
        .unwrap();
    assert_eq!(found.lines().count(), 1, "{found}");
    let error = server
        .admin(&["query", "--time-range", "last few days"])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("time range") || error.contains("unit"),
        "{error}"
    );

    let folder = tempfile::tempdir().unwrap();
    let export = |format: &str, name: &str| {
        let output = folder.path().join(name);
        server
            .admin(&[
                "audit-export",
                "--start-date",
                "2020-01-01",
                "--end-date",
                "2099-12-31",
                "--compliance-framework",
                "SOC2",
                "--include-evidence",
                "--format",
                format,
                "--output",
                &output.to_string_lossy(),
            ])
            .unwrap();
        std::fs::read_to_string(output).unwrap()
    };
    let report: serde_json::Value = serde_json::from_str(&export("json", "soc2.json")).unwrap();
    let controls = report["controls"].as_array().unwrap();
    assert!(controls.len() >= 10, "{}", controls.len());
    let rows: u64 = controls
        .iter()
        .flat_map(|control| control["evidence"].as_array().unwrap())
        .filter_map(|item| item["rows"].as_u64())
        .sum();
    assert!(rows > 0, "evidence without rows");
    assert_eq!(report["completeness"]["verified"], true);
    let page = export("html", "soc2.html");
    assert!(
        page.contains("<html")
            && page.contains("CC6.8")
            && !page.to_lowercase().contains("compliant"),
        "{} bytes",
        page.len()
    );

    let evidence = folder.path().join("soc2.evidence.jsonl");
    let verified = server
        .admin(&["verify", &evidence.to_string_lossy()])
        .unwrap();
    assert!(verified.contains("whole"), "{verified}");

    let error = server
        .admin(&[
            "audit-export",
            "--start-date",
            "yesterday",
            "--end-date",
            "2026-01-01",
            "--compliance-framework",
            "SOC2",
            "--output",
            "/dev/null",
        ])
        .unwrap_err()
        .to_string();
    assert!(error.contains("2026-01-31"), "{error}");
}
