//! A server in a folder of its own, clients that sign in, machines that enrol.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cmdai_api::console::{EnrolmentToken, NewEnrolmentToken, NewUser, Role, SignIn};
use cmdai_api::machine::{BatchHeader, EnrolReply, EnrolRequest, IngestReply};
use cmdai_schema::{
    Absent, CommandInfo, Context, Decision, Event, EventType, Execution, Hash, MachineManifest,
    MachineRef, Origin, OriginKind, Payload, PolicyEvaluation, Risk, UserRef,
};
use cmdai_server::{Config, Running};
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Client, Method, Response, StatusCode};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) const PASSWORD: &str = "a password for tests";

pub(crate) struct Plant {
    pub(crate) running: Running,
    pub(crate) admin: Person,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn config(folder: &std::path::Path) -> Config {
    Config {
        console_listen: "127.0.0.1:0".parse().unwrap(),
        machine_listen: "127.0.0.1:0".parse().unwrap(),
        admin_password: Some(PASSWORD.to_owned()),
        ..Config::new(folder)
    }
}

pub(crate) async fn plant() -> Plant {
    plant_with(|_| {}).await
}

pub(crate) async fn plant_with(change: impl FnOnce(&mut Config)) -> Plant {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    change(&mut config);
    let running = cmdai_server::start(config).await.unwrap();
    let admin = Person::sign_in(running.console_url(), "admin", PASSWORD).await;
    Plant {
        running,
        admin,
        folder,
    }
}

impl Plant {
    /// A new account, signed in.
    pub(crate) async fn person(&self, login: &str, role: Role, person: &str) -> Person {
        let body = NewUser {
            login: login.to_owned(),
            role,
            person: person.to_owned(),
            password: PASSWORD.to_owned(),
            groups: None,
            your_password: Some(PASSWORD.to_owned()),
        };
        let made = self.admin.post("users", &body).await;
        assert_eq!(
            made.status(),
            StatusCode::OK,
            "{}",
            made.text().await.unwrap()
        );
        Person::sign_in(self.running.console_url(), login, PASSWORD).await
    }

    pub(crate) async fn token(&self, person: &str, uses: u32) -> String {
        let labels = BTreeMap::from([("env".to_owned(), "test".to_owned())]);
        let body = NewEnrolmentToken {
            person: person.to_owned(),
            teams: vec!["platform".to_owned()],
            labels,
            hours: 1,
            uses,
            password: Some(PASSWORD.to_owned()),
        };
        self.admin
            .post_as::<_, EnrolmentToken>("enrolment-tokens", &body)
            .await
            .token
    }

    /// A machine, enrolled over TLS.
    pub(crate) async fn machine(&self, person: &str) -> Machine {
        let token = self.token(person, 1).await;
        Machine::enrol(self.running.machine_url(), &token, person)
            .await
            .unwrap()
    }
}

/// Somebody in front of a browser.
pub(crate) struct Person {
    pub(crate) base: String,
    cookie: String,
    http: Client,
}

impl Person {
    pub(crate) async fn sign_in(base: &str, login: &str, password: &str) -> Self {
        let http = Client::new();
        let body = SignIn {
            login: login.to_owned(),
            password: password.to_owned(),
        };
        let answer = http
            .post(format!("{base}/api/v1/session"))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(
            cookie.contains("HttpOnly")
                && cookie.contains("Secure")
                && cookie.contains("SameSite=Strict")
        );
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self {
            base: base.to_owned(),
            cookie,
            http,
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1/{path}", self.base))
            .header("cookie", &self.cookie)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub(crate) async fn get_as<T: DeserializeOwned>(&self, path: &str) -> T {
        read(self.get(path).await).await
    }

    pub(crate) async fn post<B: Serialize>(&self, path: &str, body: &B) -> Response {
        self.request(Method::POST, path)
            .header("x-cmdai", "1")
            .json(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post_as<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> T {
        read(self.post(path, body).await).await
    }
}

pub(crate) async fn read<T: DeserializeOwned>(answer: Response) -> T {
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A machine with its certificate and its chain.
pub(crate) struct Machine {
    pub(crate) id: String,
    pub(crate) person: String,
    pub(crate) reply: EnrolReply,
    pub(crate) base: String,
    pub(crate) http: Client,
    pub(crate) head: (u64, Hash),
}

static COUNTER: AtomicU64 = AtomicU64::new(1);

/// A client that trusts one authority and shows one certificate, or none.
pub(crate) fn tls(ca_pem: &str, identity: Option<(&str, &KeyPair)>) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        Some((pem, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()];
            builder
                .with_client_auth_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
                .unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    Client::builder()
        .tls_backend_preconfigured(config)
        .build()
        .unwrap()
}

/// The authority's certificate, as an administrator would hand it out.
pub(crate) fn ca_pem(plant: &Plant) -> String {
    std::fs::read_to_string(plant.folder.path().join("keys/ca.pem")).unwrap()
}

impl Machine {
    pub(crate) async fn enrol(
        base: &str,
        token: &str,
        person: &str,
    ) -> Result<Self, (StatusCode, String)> {
        let key = KeyPair::generate().unwrap();
        let csr_pem = CertificateParams::default()
            .serialize_request(&key)
            .unwrap()
            .pem()
            .unwrap();
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let manifest = MachineManifest {
            hostname: format!("dev-{number}"),
            platform: "linux-x86_64".to_owned(),
            person: person.to_owned(),
            ..MachineManifest::default()
        };
        let request = EnrolRequest {
            token: token.to_owned(),
            csr_pem,
            manifest,
        };
        // A sensor checks the hash in the token; here it is enough to look past the certificate once.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let first = Client::builder()
            .danger_accept_invalid_certs(true)
            .build()
            .unwrap();
        let answer = first
            .post(format!("{base}/v1/enrol"))
            .json(&request)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        if !status.is_success() {
            return Err((status, text));
        }
        let reply: EnrolReply = serde_json::from_str(&text).unwrap();
        let http = tls(&reply.ca_pem, Some((&reply.certificate_pem, &key)));
        Ok(Self {
            id: reply.machine_id.clone(),
            person: person.to_owned(),
            base: base.to_owned(),
            http,
            head: (0, Hash::default()),
            reply,
        })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Seals the next event of the chain.
    pub(crate) fn seal(&mut self, event_type: EventType, payload: Payload) -> Event {
        let time = jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
            .to_string();
        let id = uuid::Uuid::now_v7().to_string();
        let event = Event::seal(
            id,
            self.head.0 + 1,
            self.head.1,
            time,
            event_type,
            self.id.clone(),
            [7; 16],
            payload,
        )
        .unwrap();
        self.head = (event.envelope.seq, event.hash().unwrap());
        event
    }

    pub(crate) fn command(&mut self, text: &str, decision: Decision) -> Event {
        let payload = self.payload(text, decision);
        let event_type = if decision == Decision::Deny {
            EventType::CommandBlocked
        } else {
            EventType::CommandExecuted
        };
        self.seal(event_type, payload)
    }

    pub(crate) fn payload(&self, text: &str, decision: Decision) -> Payload {
        let risk_level = if decision == Decision::Deny {
            Risk::Critical
        } else {
            Risk::Safe
        };
        let violated_rules = if decision == Decision::Allow {
            Vec::new()
        } else {
            vec!["fs.delete-root".to_owned()]
        };
        Payload {
            machine: MachineRef {
                hostname: format!("host-{}", self.person),
                platform: "linux-x86_64".to_owned(),
                ip_address: None,
            },
            user: UserRef {
                user_id: self.person.clone(),
                team: Some("platform".to_owned()),
                ..UserRef::default()
            },
            command: Some(CommandInfo {
                command_id: uuid::Uuid::now_v7().to_string(),
                text: text.to_owned(),
                programs: text
                    .split_whitespace()
                    .next()
                    .map(str::to_owned)
                    .into_iter()
                    .collect(),
                ..CommandInfo::default()
            }),
            policy_evaluation: Some(PolicyEvaluation {
                decision,
                reason: "because".to_owned(),
                violated_rules,
                risk_level,
                ..PolicyEvaluation::default()
            }),
            execution: Some(Execution {
                allowed: decision != Decision::Deny,
                exit_code: Some(0),
                duration_ms: Some(3),
            }),
            context: Context {
                session_id: "s-1".to_owned(),
                origin: Origin {
                    kind: OriginKind::Human,
                    confidence: 900,
                    evidence: vec!["tty".to_owned()],
                },
                ..Context::default()
            },
            ..Payload::default()
        }
    }

    /// The bytes of an upload.
    pub(crate) fn batch(&self, events: &[Event]) -> Vec<u8> {
        self.batch_after(None, events)
    }

    /// The bytes of an upload that follows numbers that were dropped.
    pub(crate) fn batch_after(&self, dropped: Option<Absent>, events: &[Event]) -> Vec<u8> {
        let header = BatchHeader {
            version: 1,
            machine_id: self.id.clone(),
            first_seq: events.first().map_or(1, |event| event.envelope.seq),
            count: u32::try_from(events.len()).unwrap(),
            dropped,
        };
        let mut text = serde_json::to_string(&header).unwrap() + "\n";
        for event in events {
            text += &(serde_json::to_string(event).unwrap() + "\n");
        }
        zstd::encode_all(text.as_bytes(), 3).unwrap()
    }

    pub(crate) async fn send(&self, bytes: Vec<u8>) -> Response {
        self.http
            .post(self.url("/v1/ingest"))
            .body(bytes)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn upload(&self, events: &[Event]) -> IngestReply {
        read(self.send(self.batch(events)).await).await
    }

    pub(crate) async fn post<B: Serialize>(&self, path: &str, body: &B) -> Response {
        self.http
            .post(self.url(path))
            .json(body)
            .send()
            .await
            .unwrap()
    }
}

/// Tries again until it is so; ten seconds at most.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    for _ in 0..200 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not within ten seconds");
}
