//! Who may call what, over every path and method of the OpenAPI document.

use cmdai_api::console::{Me, NewToken, Role, TokenMade};
use reqwest::{Client, Method, StatusCode};

use crate::support::{PASSWORD, Person, plant, read};

/// Path, method and least role of every operation but signing in.
fn operations() -> Vec<(String, Method, Option<Role>)> {
    let document: serde_json::Value =
        serde_json::from_str(&cmdai_server::openapi::document().to_json().unwrap()).unwrap();
    let mut list = Vec::new();
    let mut signed = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let said = operation["description"].as_str().unwrap();
            if said.starts_with("nobody") {
                let signing_in = ["/api/v1/session", "/api/v1/session/challenge"];
                assert!(
                    signing_in.contains(&path.as_str()) && method == "post",
                    "{path}"
                );
                continue;
            }
            if said == "signed by another service" {
                signed.push(path.trim_start_matches("/api/v1/").to_owned());
                continue;
            }
            let role = [
                Role::Viewer,
                Role::Auditor,
                Role::Security,
                Role::Administrator,
            ]
            .into_iter()
            .find(|role| said == format!("role: {}", role.as_str()));
            assert!(
                role.is_some() || said == "any role",
                "{path} {method}: {said}"
            );
            let path = path.trim_start_matches("/api/v1/").replace(['{', '}'], "");
            list.push((path, method.to_uppercase().parse().unwrap(), role));
        }
    }
    assert!(list.len() >= 47, "{}", list.len());
    assert_eq!(
        signed,
        ["chat/slack"],
        "each is checked below by its handler's own rule"
    );
    list
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_an_account_a_role_and_the_header() {
    let plant = plant().await;
    let viewer = plant.person("vera", Role::Viewer, "vera").await;
    let auditor = plant.person("aldo", Role::Auditor, "aldo").await;
    let security = plant.person("sami", Role::Security, "sami").await;
    let stranger = Client::new();
    let unsigned = stranger
        .post(format!("{}/api/v1/chat/slack", plant.running.console_url()))
        .header("x-slack-signature", format!("v0={}", "0".repeat(64)))
        .header(
            "x-slack-request-timestamp",
            jiff::Timestamp::now().as_second(),
        )
        .body("payload={}")
        .send()
        .await
        .unwrap();
    assert_eq!(unsigned.status(), StatusCode::UNAUTHORIZED);
    for (path, method, role) in operations() {
        let url = format!("{}/api/v1/{path}", plant.running.console_url());
        let send = |request: reqwest::RequestBuilder| async move {
            request.send().await.unwrap().status()
        };
        let label = format!("{method} {path}");
        assert_eq!(
            send(stranger.request(method.clone(), &url)).await,
            StatusCode::UNAUTHORIZED,
            "{label}"
        );
        let forged = stranger
            .request(method.clone(), &url)
            .header("cookie", "cmdai_session=0000");
        assert_eq!(send(forged).await, StatusCode::UNAUTHORIZED, "{label}");
        let forged = stranger.request(method.clone(), &url).bearer_auth("0000");
        assert_eq!(send(forged).await, StatusCode::UNAUTHORIZED, "{label}");
        if method != Method::GET {
            assert_eq!(
                send(plant.admin.request(method.clone(), &path)).await,
                StatusCode::FORBIDDEN,
                "{label} without header"
            );
        }
        for (person, has) in [
            (&viewer, Role::Viewer),
            (&auditor, Role::Auditor),
            (&security, Role::Security),
        ] {
            if role.is_some_and(|needed| !has.may(needed)) {
                let status =
                    send(person.request(method.clone(), &path).header("x-cmdai", "1")).await;
                assert_eq!(status, StatusCode::FORBIDDEN, "{label} as {}", has.as_str());
            }
        }
    }
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_acts_for_its_account_and_a_session_ends() {
    let plant = plant().await;
    let made: TokenMade = plant
        .admin
        .post_as(
            "tokens",
            &NewToken {
                name: "ci".to_owned(),
                days: 1,
            },
        )
        .await;
    let base = plant.running.console_url().to_owned();
    let me = |bearer: String| {
        let base = base.clone();
        async move {
            Client::new()
                .get(format!("{base}/api/v1/session"))
                .bearer_auth(bearer)
                .send()
                .await
                .unwrap()
        }
    };
    let my: Me = read(me(made.token).await).await;
    assert_eq!(
        (my.login.as_str(), my.role, my.initial_password),
        ("admin", Role::Administrator, false)
    );
    let out = plant
        .admin
        .request(Method::DELETE, "session")
        .header("x-cmdai", "1")
        .send()
        .await
        .unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        plant.admin.get("session").await.status(),
        StatusCode::UNAUTHORIZED
    );
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_slowed_down() {
    let plant = plant().await;
    let url = format!("{}/api/v1/session", plant.running.console_url());
    let mut statuses = Vec::new();
    for _ in 0..7 {
        let body = serde_json::json!({"login": "nobody", "password": "guess"});
        statuses.push(
            Client::new()
                .post(&url)
                .json(&body)
                .send()
                .await
                .unwrap()
                .status(),
        );
    }
    assert_eq!(statuses[0], StatusCode::UNAUTHORIZED);
    assert_eq!(statuses[6], StatusCode::TOO_MANY_REQUESTS);
    // Another account is not locked out by it.
    Person::sign_in(plant.running.console_url(), "admin", PASSWORD).await;
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_carry_the_headers_that_protect_browsers() {
    let plant = plant().await;
    let page = Client::new()
        .get(format!("{}/search?q=x", plant.running.console_url()))
        .send()
        .await
        .unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self' 'nonce-"),
        "{policy}"
    );
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    let nonce = policy
        .split("'nonce-")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap()
        .to_owned();
    let text = page.text().await.unwrap();
    assert!(!text.contains("{{nonce}}"));
    assert!(text.contains(&format!("nonce=\"{nonce}\"")), "{text}");
    let api = plant.admin.get("overview").await;
    assert_eq!(api.headers()["cache-control"], "no-store");
    let none = Client::new()
        .get(format!("{}/assets/../../x", plant.running.console_url()))
        .send()
        .await
        .unwrap();
    assert!(none.status().is_success() || none.status() == StatusCode::NOT_FOUND);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_tries_neither_keep_a_person_out_nor_fill_the_trail() {
    let plant = plant().await;
    let vera = plant.person("vera", Role::Viewer, "vera").await;
    let url = format!("{}/api/v1/session", plant.running.console_url());
    let from = |address: [u8; 4]| {
        Client::builder()
            .local_address(std::net::IpAddr::from(address))
            .build()
            .unwrap()
    };
    let sign_in = |client: Client, login: String, password: &'static str| {
        let body = serde_json::json!({ "login": login, "password": password });
        let url = url.clone();
        async move { client.post(url).json(&body).send().await.unwrap().status() }
    };
    let (stranger, person) = (from([127, 0, 0, 2]), from([127, 0, 0, 3]));
    for _ in 0..5 {
        let status = sign_in(stranger.clone(), "vera".to_owned(), "wrong").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let status = sign_in(stranger.clone(), "vera".to_owned(), PASSWORD).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let status = sign_in(person, "vera".to_owned(), PASSWORD).await;
    assert_eq!(status, StatusCode::OK);
    for number in 0..110 {
        sign_in(stranger.clone(), format!("nobody{number}"), "wrong").await;
    }
    let trail: cmdai_api::console::EventPage =
        vera.get_as("events?q=type:admin_action&limit=500").await;
    let refused = trail
        .rows
        .iter()
        .filter(|row| row.text.contains("nobody"))
        .count();
    assert!(refused <= 100, "{refused}");
    let long = sign_in(stranger, "x".repeat(1_000_000), "wrong").await;
    assert_eq!(long, StatusCode::UNAUTHORIZED);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_no_token_and_a_feed_ends_with_its_account() {
    let plant = plant().await;
    let new = NewToken {
        name: "ci".to_owned(),
        days: 1,
    };
    let made: TokenMade = plant.admin.post_as("tokens", &new).await;
    let again = Client::new()
        .post(format!("{}/api/v1/tokens", plant.running.console_url()))
        .bearer_auth(made.token)
        .json(&new)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::FORBIDDEN);

    let vera = plant.person("vera", Role::Viewer, "vera").await;
    let mut feed = vera.get("live").await;
    assert!(feed.status().is_success());
    let gone = plant
        .admin
        .request(Method::DELETE, "users/vera")
        .header("x-cmdai", "1")
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let _: TokenMade = plant.admin.post_as("tokens", &new).await;
    let ended = async { while feed.chunk().await.is_ok_and(|chunk| chunk.is_some()) {} };
    tokio::time::timeout(std::time::Duration::from_secs(8), ended)
        .await
        .expect("the feed ends");
    plant.running.stop().await.unwrap();
}
