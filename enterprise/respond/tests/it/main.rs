//! Webhooks against a receiver on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test by panicking"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cmdai_api::console::{Alert, Channel, Delivery};
use cmdai_respond::{Notifier, Settings, check_channel, verify};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// One request as the receiver saw it.
#[derive(Debug, Clone)]
struct Seen {
    head: String,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A receiver that gives these answers in turn (the last one again and again); `None` never answers.
async fn receiver(answers: Vec<Option<&'static str>>) -> (String, Arc<Mutex<Vec<Seen>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        let mut at = 0;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = answers[at.min(answers.len() - 1)];
            at += 1;
            let mut data = Vec::new();
            let request = loop {
                let mut chunk = [0; 4096];
                let read = stream.read(&mut chunk).await.unwrap();
                data.extend_from_slice(&chunk[..read]);
                let Some(cut) = data.windows(4).position(|four| four == b"\r\n\r\n") else {
                    continue;
                };
                let request = Seen {
                    head: String::from_utf8(data[..cut].to_vec()).unwrap(),
                    body: data[cut + 4..].to_vec(),
                };
                let length: usize = request.header("content-length").unwrap().parse().unwrap();
                if request.body.len() >= length {
                    break request;
                }
            };
            log.lock().unwrap().push(request);
            match answer {
                Some(status) => {
                    let text = format!(
                        "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    );
                    stream.write_all(text.as_bytes()).await.unwrap();
                }
                // Held open without a word.
                None => std::mem::forget(stream),
            }
        }
    });
    (url, seen)
}

fn channel(url: &str) -> Channel {
    Channel {
        id: "security".to_owned(),
        kind: "webhook".to_owned(),
        url: url.to_owned(),
        min_severity: "high".to_owned(),
        secret: Some("a secret of the channel".to_owned()),
        enabled: true,
    }
}

fn alert(severity: &str) -> Alert {
    Alert {
        id: "a-1".to_owned(),
        detection: "blocked-critical".to_owned(),
        title: "Critical command blocked".to_owned(),
        severity: severity.to_owned(),
        status: "open".to_owned(),
        summary: "alice on laptop-1 tried: echo <b> && rm -rf /".to_owned(),
        machine_id: Some("m-0000000000000001".to_owned()),
        hostname: Some("laptop-1".to_owned()),
        user: Some("alice".to_owned()),
        event_ids: vec!["e-1".to_owned()],
        count: 1,
        occurred: "2026-01-01T00:00:00.000Z".to_owned(),
        created: "2026-01-01T00:00:01.000Z".to_owned(),
        notified: None,
        assignee: None,
        disposition: None,
        notes: Vec::new(),
    }
}

fn notifier() -> Notifier {
    Notifier::new(Settings {
        timeout: Duration::from_millis(300),
        attempts: 3,
        first_delay: Duration::from_millis(5),
        longest_delay: Duration::from_millis(20),
        console: Some("https://console.example/".to_owned()),
    })
    .unwrap()
}

async fn told(channels: Vec<Channel>, severity: &str) -> (bool, Vec<Delivery>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&log);
    let taken = notifier()
        .notify(&channels, &alert(severity), move |one| {
            sink.lock().unwrap().push(one)
        })
        .await;
    let log = log.lock().unwrap().clone();
    (taken, log)
}

#[tokio::test]
async fn an_alert_arrives_signed() {
    let (url, seen) = receiver(vec![Some("204 No Content")]).await;
    let (taken, log) = told(vec![channel(&url)], "critical").await;
    assert!(taken);
    assert_eq!(log.len(), 1);
    assert_eq!(
        (log[0].attempt, log[0].status, log[0].error.as_deref()),
        (1, Some(204), None)
    );
    assert_eq!(
        (log[0].channel.as_str(), log[0].alert.as_str()),
        ("security", "a-1")
    );
    let request = seen.lock().unwrap()[0].clone();
    let time: u64 = request
        .header("webhook-timestamp")
        .unwrap()
        .parse()
        .unwrap();
    let id = request.header("webhook-id").unwrap();
    let signature = request.header("webhook-signature").unwrap();
    verify(
        "a secret of the channel",
        id,
        time,
        &request.body,
        signature,
        time + 1,
        300,
    )
    .unwrap();
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["type"], "alert");
    assert_eq!(body["data"]["id"], "a-1");
    assert_eq!(body["data"]["link"], "https://console.example/alerts/a-1");
    let text = body["text"].as_str().unwrap();
    assert!(text.contains("echo &lt;b&gt; &amp;&amp; rm"), "{text}");
}

#[tokio::test]
async fn a_failing_receiver_is_tried_again_with_the_same_id() {
    let (url, seen) = receiver(vec![
        Some("500 Oops"),
        Some("429 Slow\r\nretry-after: 9999"),
        Some("200 OK"),
    ])
    .await;
    let (taken, log) = told(vec![channel(&url)], "high").await;
    assert!(taken);
    assert_eq!(
        log.iter().map(|one| one.status).collect::<Vec<_>>(),
        [Some(500), Some(429), Some(200)]
    );
    assert_eq!(
        log.iter().map(|one| one.attempt).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(
        log[0].error.as_deref(),
        Some("the receiver answered 500 Internal Server Error")
    );
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].header("webhook-id"), seen[2].header("webhook-id"));
}

#[tokio::test]
async fn a_silent_receiver_times_out() {
    let (url, seen) = receiver(vec![None]).await;
    let (taken, log) = told(vec![channel(&url)], "high").await;
    assert!(!taken);
    assert_eq!(log.len(), 3);
    assert_eq!(log[2].error.as_deref(), Some("no answer within 300 ms"));
    assert_eq!(seen.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn refusals_and_redirects_are_not_tried_again() {
    for status in ["410 Gone", "302 Found\r\nlocation: http://127.0.0.1:9/"] {
        let (url, seen) = receiver(vec![Some(status)]).await;
        let (taken, log) = told(vec![channel(&url)], "high").await;
        assert!(!taken);
        assert_eq!((log.len(), seen.lock().unwrap().len()), (1, 1));
        assert!(log[0].error.is_some());
    }
}

#[tokio::test]
async fn severity_and_switch_decide_who_is_told_and_one_slow_channel_delays_nobody() {
    let (good, seen) = receiver(vec![Some("200 OK")]).await;
    let (silent, _) = receiver(vec![None]).await;
    let off = Channel {
        enabled: false,
        ..channel(&good)
    };
    assert_eq!(
        told(vec![channel(&good), off], "medium").await,
        (false, Vec::new())
    );
    assert!(seen.lock().unwrap().is_empty());
    let (taken, log) = told(vec![channel(&silent), channel(&good)], "high").await;
    assert!(taken);
    assert_eq!(log[0].status, Some(200), "the good one answers first");
}

#[tokio::test]
async fn nobody_listening_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
    drop(listener);
    let (taken, log) = told(vec![channel(&url)], "high").await;
    assert!(!taken);
    let error = log[0].error.clone().unwrap();
    assert!(error.to_lowercase().contains("refused"), "{error}");
    assert!(!error.contains("secret-path"), "{error}");
}

#[tokio::test]
async fn the_test_button_tries_once() {
    let (url, seen) = receiver(vec![Some("500 Oops")]).await;
    let mut off = channel(&url);
    off.enabled = false;
    off.secret = None;
    let delivery = notifier().test(&off, "acme").await;
    assert_eq!(
        (delivery.attempt, delivery.status, delivery.alert.as_str()),
        (1, Some(500), "test")
    );
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("webhook-signature"), None);
}

#[test]
fn channels_are_checked() {
    check_channel(&channel("https://hooks.example/x")).unwrap();
    for url in [
        "http://hooks.example/x",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "no address",
    ] {
        assert!(check_channel(&channel(url)).is_err(), "{url}");
    }
    assert!(
        check_channel(&Channel {
            kind: "pager".to_owned(),
            ..channel("https://x.example")
        })
        .is_err()
    );
    assert!(
        check_channel(&Channel {
            min_severity: "loud".to_owned(),
            ..channel("https://x.example")
        })
        .is_err()
    );
}
