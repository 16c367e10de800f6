//! A server with mutual TLS that checks what it is told.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use cmdai_api::ApiError;
use cmdai_api::machine::*;
use cmdai_bundle::{SigningKey, keys, sign_statement};
use cmdai_schema::{ChainWalk, Event, Hash};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, Issuer, KeyPair,
};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

pub(crate) const MACHINE: &str = "m-00000000000000a1";

#[derive(Default)]
pub(crate) struct Known {
    /// The machine's chain, as it came.
    pub(crate) walk: ChainWalk,
    pub(crate) events: Vec<Event>,
    pub(crate) opened: Vec<ApprovalOpen>,
    pub(crate) orders: Vec<Signed>,
    pub(crate) grants: Vec<Signed>,
    pub(crate) checkins: Vec<Checkin>,
    pub(crate) uploads: usize,
    pub(crate) conflicts: Vec<String>,
    /// Ask the machine to renew its certificate.
    pub(crate) renew: bool,
    /// Certificates given at a renewal; a wrong one of another authority first where `forge` says so.
    pub(crate) renewed: Vec<String>,
    pub(crate) forge: bool,
    /// Answer the next uploads with 429.
    pub(crate) busy: usize,
    /// Store the next uploads but lose the answer.
    pub(crate) lose_answers: usize,
    pub(crate) policy_version: String,
    pub(crate) repo: PathBuf,
    pub(crate) tuf_root: String,
    /// Releases come drop by drop, or (true) fast and without end.
    pub(crate) drip: Option<bool>,
}

pub(crate) struct Server {
    pub(crate) known: Arc<Mutex<Known>>,
    pub(crate) address: SocketAddr,
    pub(crate) pin: String,
    pub(crate) grant_key: SigningKey,
    pub(crate) order_key: SigningKey,
    shared: Shared,
    runtime: tokio::runtime::Runtime,
    tls: Arc<ServerConfig>,
    handle: Option<Handle<SocketAddr>>,
}

#[derive(Clone)]
struct Shared {
    known: Arc<Mutex<Known>>,
    ca_pem: String,
    ca_key: Arc<KeyPair>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "test authority");
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::from_params(&params, &ca_key);
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])
            .unwrap()
            .signed_by(&leaf_key, &issuer)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(ca.der().clone()).unwrap();
        let provider = Arc::new(default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .allow_unauthenticated()
                .build()
                .unwrap();
        let chain: Vec<CertificateDer<'static>> = vec![leaf.der().clone(), ca.der().clone()];
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, PrivateKeyDer::Pkcs8(leaf_key.serialize_der().into()))
            .unwrap();
        let known = Arc::new(Mutex::new(Known::default()));
        let shared = Shared {
            known: known.clone(),
            ca_pem: ca.pem(),
            ca_key: Arc::new(ca_key),
            requests: Arc::default(),
        };
        let mut server = Self {
            known,
            address: "127.0.0.1:0".parse().unwrap(),
            pin: Hash::of(&[ca.der()]).to_hex(),
            grant_key: SigningKey::from_bytes(&[11; 32]),
            order_key: SigningKey::from_bytes(&[12; 32]),
            shared,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap(),
            tls: Arc::new(tls),
            handle: None,
        };
        server.up();
        server
    }

    /// Listens, at the same address as before.
    pub(crate) fn up(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        self.address = listener.local_addr().unwrap();
        let handle = Handle::new();
        let app = Router::new()
            .route("/v1/enrol", post(enrol))
            .route("/v1/renew", post(renew))
            .route("/v1/checkin", post(checkin))
            .route("/v1/ingest", post(ingest))
            .route("/v1/approvals", post(approvals))
            .route("/v1/release", get(bundle))
            .route("/v1/tuf/{folder}/{name}", get(tuf))
            .with_state(self.shared.clone());
        let config = RustlsConfig::from_config(self.tls.clone());
        let _inside = self.runtime.enter();
        let serving = axum_server::from_tcp_rustls(listener, config)
            .unwrap()
            .handle(handle.clone())
            .serve(app.into_make_service());
        self.runtime.spawn(serving);
        self.handle = Some(handle);
    }

    /// Stops listening and drops every connection.
    pub(crate) fn down(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.shutdown();
        }
        std::thread::sleep(Duration::from_millis(50));
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.address.port())
    }

    pub(crate) fn token(&self) -> String {
        format!("cmdai1.t1.secret.{}", self.pin)
    }

    pub(crate) fn authority(&self) -> Authority {
        Authority {
            version: 1,
            grant_keys: vec![keys::public_base64(&self.grant_key)],
            order_keys: vec![keys::public_base64(&self.order_key)],
        }
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn order(&self, serial: u64, kind: &str) -> Signed {
        self.signed_order(&self.order_of(kind, serial))
    }

    pub(crate) fn order_of(&self, kind: &str, serial: u64) -> Order {
        Order {
            version: 1,
            serial,
            machine_id: MACHINE.into(),
            kind: kind.into(),
            subject: None,
            reason: "lost laptop".into(),
            issued_by: "maya".into(),
            issued: "2026-01-01T00:00:00Z".into(),
        }
    }

    pub(crate) fn signed_order(&self, order: &Order) -> Signed {
        sign_statement(&self.order_key, order).unwrap()
    }

    /// A decision about an opened request.
    pub(crate) fn decision(&self, open: &ApprovalOpen, granted: bool) -> Signed {
        let now = jiff::Timestamp::now();
        let until = open.request.exception.as_ref().map(|asked| {
            let lasts = i64::try_from(asked.duration_s).unwrap();
            (now + jiff::SignedDuration::from_secs(lasts)).to_string()
        });
        let grant = Grant {
            version: 1,
            grant_id: format!("g-{}", open.request_id),
            request_id: open.request_id.clone(),
            granted,
            machine_id: MACHINE.into(),
            user: open.request.user.clone(),
            binding_hash: open.binding_hash.clone(),
            approver: "maya".into(),
            factor: "password".into(),
            reason: "release day".into(),
            issued: now.to_string(),
            expires: "2999-01-01T00:00:00Z".into(),
            uses: 1,
            approvers: Vec::new(),
            until,
        };
        sign_statement(&self.grant_key, &grant).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}

fn error(status: StatusCode, message: &str) -> Response {
    (
        status,
        Json(ApiError {
            code: "invalid".into(),
            message: message.into(),
        }),
    )
        .into_response()
}

async fn enrol(State(shared): State<Shared>, Json(request): Json<EnrolRequest>) -> Response {
    if !request.token.starts_with("cmdai1.t1.secret.") {
        return error(StatusCode::FORBIDDEN, "this token is not known or used up");
    }
    let issuer = Issuer::from_ca_cert_pem(&shared.ca_pem, shared.ca_key.as_ref()).unwrap();
    let certificate = CertificateSigningRequestParams::from_pem(&request.csr_pem)
        .unwrap()
        .signed_by(&issuer)
        .unwrap();
    Json(EnrolReply {
        machine_id: MACHINE.into(),
        organisation: "acme-corp".into(),
        certificate_pem: certificate.pem(),
        ca_pem: shared.ca_pem.clone(),
        tuf_root: shared.known.lock().unwrap().tuf_root.clone(),
        labels: [("env".to_owned(), "dev".to_owned())].into(),
        teams: vec!["platform".into()],
    })
    .into_response()
}

async fn renew(State(shared): State<Shared>, Json(request): Json<RenewRequest>) -> Response {
    let forge = std::mem::take(&mut shared.known.lock().unwrap().forge);
    let request = CertificateSigningRequestParams::from_pem(&request.csr_pem).unwrap();
    let certificate = if forge {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        request
            .signed_by(&Issuer::from_params(&params, &key))
            .unwrap()
    } else {
        let issuer = Issuer::from_ca_cert_pem(&shared.ca_pem, shared.ca_key.as_ref()).unwrap();
        request.signed_by(&issuer).unwrap()
    };
    if !forge {
        let mut known = shared.known.lock().unwrap();
        known.renewed.push(certificate.pem());
    }
    Json(RenewReply {
        certificate_pem: certificate.pem(),
    })
    .into_response()
}

#[derive(serde::Deserialize)]
struct Wait {
    wait: u64,
}

async fn checkin(
    State(shared): State<Shared>,
    Query(Wait { wait }): Query<Wait>,
    Json(checkin): Json<Checkin>,
) -> Response {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    shared.known.lock().unwrap().checkins.push(checkin.clone());
    let until = Instant::now() + Duration::from_secs(wait.min(30));
    loop {
        let reply = {
            let known = shared.known.lock().unwrap();
            let serial = |signed: &&Signed| {
                serde_json::from_str::<Order>(&signed.payload)
                    .unwrap()
                    .serial
                    > checkin.order_serial
            };
            let asked = |signed: &&Signed| {
                let grant: Grant = serde_json::from_str(&signed.payload).unwrap();
                checkin.pending_requests.contains(&grant.request_id)
            };
            CheckinReply {
                release: String::new(),
                policy_version: known.policy_version.clone(),
                orders: known.orders.iter().filter(serial).cloned().collect(),
                grants: known.grants.iter().filter(asked).cloned().collect(),
                acked_seq: known.events.last().map_or(0, |event| event.envelope.seq),
                renew: known.renew && known.renewed.is_empty(),
            }
        };
        let news = !reply.orders.is_empty()
            || !reply.grants.is_empty()
            || reply.renew
            || reply.policy_version != checkin.policy_version;
        if news || Instant::now() >= until {
            return Json(reply).into_response();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn ingest(State(shared): State<Shared>, body: Bytes) -> Response {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let mut known = shared.known.lock().unwrap();
    known.uploads += 1;
    if known.busy > 0 {
        known.busy -= 1;
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "1".parse().unwrap());
        return (
            StatusCode::TOO_MANY_REQUESTS,
            headers,
            Json(ApiError {
                code: "too_many_requests".into(),
                message: "later".into(),
            }),
        )
            .into_response();
    }
    let text = String::from_utf8(zstd::decode_all(body.as_ref()).unwrap()).unwrap();
    let mut lines = text.lines();
    let header: BatchHeader = serde_json::from_str(lines.next().unwrap()).unwrap();
    let events: Vec<Event> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (
            header.version,
            header.machine_id.as_str(),
            header.count as usize
        ),
        (1, MACHINE, events.len())
    );
    assert_eq!(header.first_seq, events[0].envelope.seq);
    let mut walk = known.walk.clone();
    let head = walk.head();
    let new: Vec<Event> = events
        .into_iter()
        .filter(|event| event.envelope.seq > head.0)
        .collect();
    let mut dropped = header.dropped.filter(|dropped| dropped.to > head.0);
    if let Some(dropped) = &mut dropped {
        dropped.from = dropped.from.max(head.0 + 1);
    }
    let followed = new
        .iter()
        .try_for_each(|event| walk.follow(event, dropped.take()).map(drop));
    match followed.map(|()| walk.head()) {
        Ok(head) => {
            known.walk = walk;
            known.events.extend(new);
            if known.lose_answers > 0 {
                known.lose_answers -= 1;
                return error(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "stored, but nobody hears it",
                );
            }
            Json(IngestReply {
                acked_seq: head.0,
                problem: None,
            })
            .into_response()
        }
        Err(problem) => {
            known.conflicts.push(problem.to_string());
            (
                StatusCode::CONFLICT,
                Json(IngestReply {
                    acked_seq: head.0,
                    problem: Some(problem.to_string()),
                }),
            )
                .into_response()
        }
    }
}

async fn approvals(State(shared): State<Shared>, Json(open): Json<ApprovalOpen>) -> Response {
    let mut known = shared.known.lock().unwrap();
    let request_id = open.request_id.clone();
    if known
        .opened
        .iter()
        .all(|other| other.request_id != request_id)
    {
        known.opened.push(open);
    }
    Json(ApprovalOpened { request_id }).into_response()
}

/// No bundles here, so that machines fetch file by file; or one that never ends.
async fn bundle(State(shared): State<Shared>) -> Response {
    let drip = shared.known.lock().unwrap().drip;
    match drip {
        None => error(StatusCode::NOT_FOUND, "no such endpoint"),
        Some(fast) => {
            let stream = futures::stream::unfold((), move |()| async move {
                if !fast {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                let drop = vec![b' '; if fast { 1 << 20 } else { 1 }];
                Some((Ok::<_, std::io::Error>(drop), ()))
            });
            axum::body::Body::from_stream(stream).into_response()
        }
    }
}

async fn tuf(
    State(shared): State<Shared>,
    Path((folder, name)): Path<(String, String)>,
) -> Response {
    let repo = shared.known.lock().unwrap().repo.clone();
    match std::fs::read(repo.join(folder).join(name)) {
        Ok(bytes) => bytes.into_response(),
        Err(_) => error(StatusCode::NOT_FOUND, "no such file"),
    }
}
