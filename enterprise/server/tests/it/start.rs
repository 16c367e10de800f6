//! Starting: what is made, what is told, what survives.

use std::os::unix::fs::PermissionsExt as _;

use cmdai_api::console::Me;

use crate::support::{Person, config, plant};

#[tokio::test(flavor = "multi_thread")]
async fn a_first_password_is_made_and_kept_private() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = config(folder.path());
    settings.admin_password = None;
    let running = cmdai_server::start(settings.clone()).await.unwrap();
    let password = running.first_password().unwrap().to_owned();
    let file = folder.path().join("first-login.txt");
    assert!(std::fs::read_to_string(&file).unwrap().contains(&password));
    for name in [
        "first-login.txt",
        "keys/ca.key",
        "keys/grant.der",
        "keys/order.der",
        "keys/ledger.der",
    ] {
        let mode = std::fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    let admin = Person::sign_in(running.console_url(), "admin", &password).await;
    let me: Me = admin.get_as("session").await;
    assert!(me.initial_password);
    running.stop().await.unwrap();
    let again = cmdai_server::start(settings).await.unwrap();
    assert_eq!(again.first_password(), None);
    Person::sign_in(again.console_url(), "admin", &password).await;
    again.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn troubles_are_told_in_one_line_with_a_cure() {
    let plant = plant().await;
    let other = tempfile::tempdir().unwrap();
    let mut taken = config(other.path());
    taken.console_listen = plant
        .running
        .console_url()
        .trim_start_matches("http://")
        .parse()
        .unwrap();
    let error = format!("{:#}", cmdai_server::start(taken).await.err().unwrap());
    assert!(
        error.contains("is in use") && !error.contains('\n'),
        "{error}"
    );

    let mut nowhere = config(std::path::Path::new("/proc/nowhere"));
    nowhere.admin_password = None;
    let error = format!("{:#}", cmdai_server::start(nowhere).await.err().unwrap());
    assert!(
        error.contains("cannot write in the data folder") && !error.contains('\n'),
        "{error}"
    );

    let folder = plant.folder;
    plant.running.stop().await.unwrap();
    let mut foreign = config(folder.path());
    foreign.organisation = "other".to_owned();
    let error = format!("{:#}", cmdai_server::start(foreign).await.err().unwrap());
    assert!(
        error.contains("belongs to the organisation \"acme\""),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_loopback_the_console_speaks_tls_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = config(folder.path());
    settings.console_listen = "0.0.0.0:0".parse().unwrap();
    let running = cmdai_server::start(settings).await.unwrap();
    let url = running.console_url().to_owned();
    assert!(url.starts_with("https://localhost:"), "{url}");
    let ca = std::fs::read_to_string(folder.path().join("keys/ca.pem")).unwrap();
    let client = crate::support::tls(&ca, None);
    assert!(client.get(&url).send().await.unwrap().status().is_success());
    assert!(
        client
            .get(url.replace("https", "http"))
            .send()
            .await
            .is_err()
    );
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_the_organisation_join_the_built_in_ones() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "alerts:\n  - name: \"Any sudo\"\n    condition: \"program == sudo\"\n    severity: low\n";
    std::fs::write(folder.path().join("detections.yaml"), text).unwrap();
    let running = cmdai_server::start(config(folder.path())).await.unwrap();
    let admin = Person::sign_in(running.console_url(), "admin", crate::support::PASSWORD).await;
    let list: cmdai_api::console::DetectionList = admin.get_as("detections").await;
    assert!(list.detections.iter().any(|rule| rule.id == "any-sudo"));
    let silent = list
        .detections
        .iter()
        .find(|rule| rule.id == "sensor-silent")
        .unwrap();
    assert_eq!(silent.condition, "silent_for > 300 seconds");
    running.stop().await.unwrap();
    std::fs::write(
        folder.path().join("detections.yaml"),
        "alerts: [{name: x, condition: nonsense}]",
    )
    .unwrap();
    let error = format!(
        "{:#}",
        cmdai_server::start(config(folder.path()))
            .await
            .err()
            .unwrap()
    );
    assert!(error.contains("detections.yaml"), "{error}");
}
