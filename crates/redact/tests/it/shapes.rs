//! Every shape of the catalogue with random secrets, and what stays of the lines around them.

use cmdai_redact::catalogue::{Dice, Group, shapes, survives};
use cmdai_redact::redact;

/// Secrets of each shape; `cargo xtask bench redact` takes thousands.
const TRIALS: u32 = 120;

#[test]
fn every_shape_of_the_catalogue() {
    let mut missed = Vec::new();
    let shapes = shapes();
    assert!(shapes.len() > 700, "{}", shapes.len());
    for shape in &shapes {
        let mut dice = Dice::new(7);
        let misses: Vec<String> = (0..TRIALS)
            .filter_map(|_| {
                let sample = shape.sample(&mut dice);
                let out = redact(&sample.text);
                sample
                    .survives_in(&out)
                    .then(|| format!("{}  =>  {out}", sample.text))
            })
            .collect();
        // One of 120 is what a shape that meets the bar may show by chance.
        if misses.len() > 1 {
            missed.push(format!(
                "{}: {}/{TRIALS}: {}",
                shape.name,
                misses.len(),
                misses[0]
            ));
        }
    }
    assert!(
        missed.is_empty(),
        "{} of {} shapes:\n{}",
        missed.len(),
        shapes.len(),
        missed.join("\n")
    );
}

#[test]
fn samples_carry_their_secret() {
    for shape in shapes() {
        let sample = shape.sample(&mut Dice::new(3));
        assert!(sample.text.contains(&sample.secret), "{}", shape.name);
        assert!(
            sample.survives_in(&sample.text),
            "{}: {}",
            shape.name,
            sample.text
        );
        assert!(!sample.survives_in(&sample.around), "{}", shape.name);
    }
    for group in Group::ALL {
        assert!(shapes().iter().any(|shape| shape.group == group));
    }
}

#[test]
fn private_keys() {
    let key = shapes()
        .into_iter()
        .find(|shape| shape.name == "PRIVATE KEY")
        .unwrap()
        .sample(&mut Dice::new(3));
    let lines: Vec<&str> = key.secret.lines().collect();
    for label in ["RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY"] {
        for joint in ["\n", "\\n"] {
            let text = format!(
                "cat > k <<EOF\n-----BEGIN {label}-----{joint}{}{joint}-----END {label}-----\nEOF",
                lines.join(joint)
            );
            let out = redact(&text);
            for line in &lines {
                assert!(!survives(line, "", &out), "{out}");
            }
            assert!(out.contains("-----END"), "{out}");
        }
        let open = format!("echo '-----BEGIN {label}-----\n{}", lines.join("\n"));
        assert!(!survives(lines[2], "", &redact(&open)));
    }
    let public = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----";
    assert_eq!(redact(public), public);
}

#[test]
fn numbers_of_other_things() {
    for other in [
        "echo 4111111111111112",
        "echo 1700000000000",
        "echo 000-12-3456",
        "date +%s 1732320000",
        "touch 2024-01-02-1234",
    ] {
        assert_eq!(redact(other), other);
    }
}

#[test]
fn the_rest_of_the_line_stays() {
    let secret = "Tr0ub4dor.3x";
    let line = format!("mysql -h db.example -u root -p{secret} shop -e 'select 1' && ls -la");
    assert_eq!(
        redact(&line),
        "mysql -h db.example -u root -p[redacted:password] shop -e 'select 1' && ls -la"
    );
    let line = format!("curl -H 'Authorization: Bearer {secret}' https://x.example/a?page=2");
    assert_eq!(
        redact(&line),
        "curl -H 'Authorization: Bearer [redacted:authorization]' https://x.example/a?page=2"
    );
    let line = format!("tool --password='{secret} x' --verbose");
    assert_eq!(
        redact(&line),
        "tool --password='[redacted:password]' --verbose"
    );
}

#[test]
fn code_beside_a_secret_stays() {
    for (line, left) in [
        (
            "bash -c 'password=hunter22; rm -rf /srv'",
            "bash -c 'password=[redacted:password]; rm -rf /srv'",
        ),
        (
            "sh -c \"TOKEN=abcdef rm -rf /srv\"",
            "sh -c \"TOKEN=[redacted:token] rm -rf /srv\"",
        ),
        (
            "eval \"token=abcdef;rm -rf /srv\"",
            "eval \"token=[redacted:token];rm -rf /srv\"",
        ),
        (
            "API_KEY=\"sk-abcdefghijkl$(rm -rf /srv)\" make",
            "API_KEY=\"[redacted:api-key]$(rm -rf /srv)\" make",
        ),
        (
            "mysql -phunter22`rm -rf /srv` shop",
            "mysql -p[redacted:password]`rm -rf /srv` shop",
        ),
        // Between single quotes it is the password that looks so.
        (
            "mysql -p'hunter22$(rm)' shop",
            "mysql -p'[redacted:password]' shop",
        ),
    ] {
        assert_eq!(redact(line), left);
    }
}
