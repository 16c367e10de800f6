//! Certificates: renewed, revoked, machines retired; whom a machine speaks for; clients that are slow.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use cmdai_api::console::{Machine as Shown, MachineEnd, Role};
use cmdai_api::machine::{Checkin, CheckinReply, RenewReply, RenewRequest};
use cmdai_schema::Decision;
use rcgen::{CertificateParams, KeyPair};
use reqwest::StatusCode;

use crate::support::{Machine, PASSWORD, Plant, eventually, plant, plant_with, read, tls};

fn end(reason: &str) -> MachineEnd {
    MachineEnd {
        reason: reason.to_owned(),
        password: PASSWORD.to_owned(),
    }
}

fn request(key: &KeyPair) -> RenewRequest {
    RenewRequest {
        csr_pem: CertificateParams::default()
            .serialize_request(key)
            .unwrap()
            .pem()
            .unwrap(),
    }
}

async fn asked_to_renew(machine: &Machine) -> bool {
    let reply: CheckinReply = read(machine.post("/v1/checkin", &Checkin::default()).await).await;
    reply.renew
}

/// Texts of the server's own chain with an action.
async fn told(plant: &Plant, action: &str) -> Vec<String> {
    let page: serde_json::Value = plant
        .admin
        .get_as(&format!("events?q=machine:server%20{action}&limit=100"))
        .await;
    page["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_and_a_lost_answer_locks_nobody_out() {
    let plant = plant_with(|config| config.machine_days = 1).await;
    let mut machine = plant.machine("ana").await;
    assert!(
        asked_to_renew(&machine).await,
        "one that ends soon is to be renewed"
    );
    let lost: RenewReply = read(
        machine
            .post("/v1/renew", &request(&KeyPair::generate().unwrap()))
            .await,
    )
    .await;
    assert!(lost.certificate_pem.contains("CERTIFICATE"));
    // The answer was lost: the old certificate still counts, and asking again works.
    let key = KeyPair::generate().unwrap();
    let next: RenewReply = read(machine.post("/v1/renew", &request(&key)).await).await;
    let event = machine.command("ls", Decision::Allow);
    machine.upload(std::slice::from_ref(&event)).await;
    // The new one is used: from then on the old one does not count.
    let old = std::mem::replace(
        &mut machine.http,
        tls(&machine.reply.ca_pem, Some((&next.certificate_pem, &key))),
    );
    let event = machine.command("ls -la", Decision::Allow);
    assert_eq!(machine.upload(&[event]).await.acked_seq, 2);
    let refused = old
        .post(machine.url("/v1/checkin"))
        .json(&Checkin::default())
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_certificate_is_left_alone_and_a_request_without_one_is_refused() {
    let plant = plant().await;
    let machine = plant.machine("ana").await;
    assert!(!asked_to_renew(&machine).await);
    let stranger = tls(&machine.reply.ca_pem, None);
    let refused = stranger
        .post(machine.url("/v1/renew"))
        .json(&request(&KeyPair::generate().unwrap()))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let nonsense = RenewRequest {
        csr_pem: "nonsense".to_owned(),
    };
    assert_eq!(
        machine.post("/v1/renew", &nonsense).await.status(),
        StatusCode::BAD_REQUEST
    );
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_machine_is_told_why_and_a_retired_one_is_refused() {
    let plant = plant().await;
    let (mut revoked, retired) = (plant.machine("ana").await, plant.machine("raj").await);
    let event = revoked.command("ls", Decision::Allow);
    revoked.upload(&[event]).await;
    let security = plant.person("sami", Role::Security, "sami").await;
    let wrong = MachineEnd {
        password: "not mine".to_owned(),
        ..end("laptop stolen")
    };
    let path = |id: &str, how: &str| format!("machines/{id}/{how}");
    assert_eq!(
        security
            .post(&path(&revoked.id, "revoke"), &wrong)
            .await
            .status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        security
            .post(&path(&revoked.id, "revoke"), &end(" "))
            .await
            .status(),
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        security
            .post(&path("m-nobody", "revoke"), &end("x"))
            .await
            .status(),
        StatusCode::NOT_FOUND
    );
    let shown: Shown = security
        .post_as(&path(&revoked.id, "revoke"), &end("laptop stolen"))
        .await;
    assert_eq!(
        (shown.state.as_str(), shown.revoked.as_deref()),
        ("revoked", Some("laptop stolen"))
    );
    let answer = revoked.post("/v1/checkin", &Checkin::default()).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let text = answer.text().await.unwrap();
    assert!(
        text.contains("laptop stolen") && text.contains("enrol it again"),
        "{text}"
    );
    assert_eq!(
        revoked
            .post("/v1/renew", &request(&KeyPair::generate().unwrap()))
            .await
            .status(),
        StatusCode::FORBIDDEN
    );
    // Only an administrator retires.
    assert_eq!(
        security
            .post(&path(&retired.id, "retire"), &end("sold"))
            .await
            .status(),
        StatusCode::FORBIDDEN
    );
    let shown: Shown = plant
        .admin
        .post_as(&path(&retired.id, "retire"), &end("sold"))
        .await;
    assert_eq!(shown.state, "retired");
    let answer = retired.post("/v1/checkin", &Checkin::default()).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(answer.text().await.unwrap().contains("retired"));

    // What it sent stays, both acts stand in the server's chain, and the call with the revoked
    // certificate is an alert.
    let page: serde_json::Value = plant
        .admin
        .get_as(&format!("events?q=machine:{}", revoked.id))
        .await;
    assert_eq!(page["rows"].as_array().unwrap().len(), 1);
    for action in ["machine.revoke", "machine.retire"] {
        eventually(action, || async {
            let word = if action.ends_with("revoke") {
                "revoked"
            } else {
                "retired"
            };
            (!told(&plant, word).await.is_empty()).then_some(())
        })
        .await;
    }
    eventually("the alert", || async {
        let list: serde_json::Value = plant.admin.get_as("alerts").await;
        list["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|alert| alert["detection"] == "revoked-machine")
            .then_some(())
    })
    .await;
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_speaks_for_another_person_is_found_and_its_events_are_kept() {
    let plant = plant().await;
    let (mut machine, _other) = (plant.machine("ana").await, plant.machine("raj").await);
    let speak = |machine: &mut Machine, login: &str| {
        let mut payload = machine.payload("cat notes", Decision::Allow);
        payload.user.user_id = login.to_owned();
        machine.seal(cmdai_schema::EventType::CommandExecuted, payload)
    };
    // Her own, a local account, and somebody whom nobody knows: no finding.
    let calm: Vec<_> = ["ana", "root", "postgres"]
        .iter()
        .map(|login| speak(&mut machine, login))
        .collect();
    assert_eq!(machine.upload(&calm).await.acked_seq, 3);
    let forged = speak(&mut machine, "raj");
    assert_eq!(
        machine.upload(&[forged]).await.acked_seq,
        4,
        "the event is stored all the same"
    );
    let again = speak(&mut machine, "raj");
    machine.upload(&[again]).await;
    let alerts = eventually("the alert", || async {
        let list: serde_json::Value = plant.admin.get_as("alerts").await;
        let found: Vec<serde_json::Value> = list["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|alert| alert["detection"] == "other-person")
            .cloned()
            .collect();
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!(alerts.len(), 1);
    assert!(alerts[0].to_string().contains("raj"), "{alerts:?}");
    let told = told(&plant, "enrolled").await;
    let entries = told.iter().filter(|row| row.contains("sent events of raj"));
    assert_eq!(entries.count(), 1, "{told:?}");
    assert!(!told.iter().any(|row| row.contains("sent events of root")));
    plant.running.stop().await.unwrap();
}

/// Reads until the server closes; how long that took.
fn closed_after(mut stream: std::net::TcpStream, begun: Instant) -> Duration {
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut sink = Vec::new();
    let ended = stream.read_to_end(&mut sink);
    assert!(
        !matches!(&ended, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
        "the server never closed: {sink:?}"
    );
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_cut_off_on_both_listeners_and_others_are_served() {
    let patience = cmdai_server::Patience {
        handshake: Duration::from_millis(600),
        head: Duration::from_millis(600),
        request: Duration::from_millis(900),
    };
    let plant = plant_with(|config| config.patience = patience).await;
    let port = |url: &str| -> u16 { url.rsplit(':').next().unwrap().parse().unwrap() };
    let (console, machines) = (
        port(plant.running.console_url()),
        port(plant.running.machine_url()),
    );
    let mut tries = Vec::new();
    // Silence, half a head, a head that drips, a body that never comes.
    for (to, first) in [
        (console, String::new()),
        (console, "GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: ".to_owned()),
        (
            console,
            "POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"
                .to_owned(),
        ),
        (machines, String::new()),
        (machines, "\u{16}\u{3}\u{1}".to_owned()),
    ] {
        for _ in 0..20 {
            let first = first.clone();
            tries.push(tokio::task::spawn_blocking(move || {
                let begun = Instant::now();
                let mut stream = std::net::TcpStream::connect(("127.0.0.1", to)).unwrap();
                stream.write_all(first.as_bytes()).unwrap();
                (closed_after(stream, begun), first)
            }));
        }
    }
    // A drop every 100 ms does not keep a connection.
    let drip = tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", console)).unwrap();
        for byte in "GET /healthz HTTP/1.1\r\nx-long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".bytes().cycle() {
            if stream.write_all(&[byte]).is_err() || begun.elapsed() > Duration::from_secs(25) {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        begun.elapsed()
    });
    // Meanwhile others are served.
    let machine = plant.machine("ana").await;
    assert!(
        machine
            .post("/v1/checkin", &Checkin::default())
            .await
            .status()
            .is_success()
    );
    assert_eq!(plant.admin.get("overview").await.status(), StatusCode::OK);
    for done in tries {
        let (took, first) = done.await.unwrap();
        assert!(took < Duration::from_secs(20), "{first:?}: {took:?}");
    }
    assert!(drip.await.unwrap() < Duration::from_secs(20));
    plant.running.stop().await.unwrap();
}
