//! A server as small as it can be: authority, releases, chains in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use cmdai_api::machine::{
    Authority, BatchHeader, Checkin, CheckinReply, EnrolReply, EnrolRequest, IngestReply,
};
use cmdai_bundle::Publisher;
use cmdai_schema::{Event, Hash, verify_chain};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, IsCa,
    KeyPair,
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use rustls::server::WebPkiClientVerifier;

struct Plane {
    authority: CertifiedIssuer<'static, KeyPair>,
    publisher: Publisher,
    chains: Mutex<BTreeMap<String, Vec<Event>>>,
    contacts: Mutex<BTreeMap<String, u32>>,
    policy_version: String,
    _folder: tempfile::TempDir,
}

pub(crate) struct Server {
    plane: Arc<Plane>,
    port: u16,
    handle: axum_server::Handle<std::net::SocketAddr>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

impl Server {
    pub(crate) async fn start(with_policy: bool) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])
            .unwrap()
            .signed_by(&key, &authority)
            .unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .allow_unauthenticated()
                .build()
                .unwrap();
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(
                vec![leaf.der().clone(), authority.der().clone()],
                PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
            )
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let publisher = Publisher::init(&folder.path().join("releases"), "acme")
            .await
            .unwrap();
        if with_policy {
            let authority = Authority {
                version: 1,
                ..Authority::default()
            };
            publisher
                .publish(include_str!("../policy.yaml"), 3, &authority)
                .await
                .unwrap();
        }
        let plane = Arc::new(Plane {
            authority,
            publisher,
            chains: Mutex::default(),
            contacts: Mutex::default(),
            policy_version: if with_policy {
                "3".to_owned()
            } else {
                String::new()
            },
            _folder: folder,
        });
        let app = Router::new()
            .route("/v1/enrol", post(enrol))
            .route("/v1/checkin", post(checkin))
            .route("/v1/ingest", post(ingest))
            .route("/v1/tuf/{folder}/{file}", get(file))
            .with_state(Arc::clone(&plane));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let handle = axum_server::Handle::new();
        let config = axum_server::tls_rustls::RustlsConfig::from_config(Arc::new(tls));
        let server = axum_server::from_tcp_rustls(listener, config)
            .unwrap()
            .handle(handle.clone());
        tokio::spawn(server.serve(app.into_make_service()));
        Self {
            plane,
            port,
            handle,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(crate) fn token(&self) -> String {
        format!(
            "cmdai1.t1.secret.{}",
            Hash::of(&[self.plane.authority.der()])
        )
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.plane
            .chains
            .lock()
            .unwrap()
            .values()
            .flatten()
            .cloned()
            .collect()
    }

    pub(crate) fn stored(&self) -> u64 {
        self.plane
            .chains
            .lock()
            .unwrap()
            .values()
            .map(|chain| chain.len() as u64)
            .sum()
    }

    /// Waits until every machine was heard three times.
    pub(crate) async fn until_lived(&self) {
        for _ in 0..600 {
            let contacts = self.plane.contacts.lock().unwrap().clone();
            if contacts.len() == 6 && contacts.values().all(|count| *count >= 3) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(
            std::hint::black_box(false),
            "the fleet did not live within 30 s"
        );
    }
}

async fn enrol(
    State(plane): State<Arc<Plane>>,
    Json(request): Json<EnrolRequest>,
) -> Json<EnrolReply> {
    let csr = CertificateSigningRequestParams::from_pem(&request.csr_pem).unwrap();
    let certificate = csr.signed_by(&plane.authority).unwrap();
    let id = Hash::of(&[request.csr_pem.as_bytes()]).to_hex();
    Json(EnrolReply {
        machine_id: format!("m-{}", &id[..16]),
        organisation: "acme".to_owned(),
        certificate_pem: certificate.pem(),
        ca_pem: plane.authority.pem(),
        tuf_root: plane.publisher.root_json().unwrap(),
        labels: BTreeMap::new(),
        teams: vec!["platform".to_owned()],
    })
}

async fn checkin(
    State(plane): State<Arc<Plane>>,
    Json(checkin): Json<Checkin>,
) -> Json<CheckinReply> {
    let machine = checkin.manifest.machine_id;
    let acked_seq = plane
        .chains
        .lock()
        .unwrap()
        .get(&machine)
        .map_or(0, |chain| chain.len() as u64);
    *plane.contacts.lock().unwrap().entry(machine).or_default() += 1;
    Json(CheckinReply {
        policy_version: plane.policy_version.clone(),
        acked_seq,
        ..CheckinReply::default()
    })
}

async fn ingest(State(plane): State<Arc<Plane>>, packed: Bytes) -> (StatusCode, Json<IngestReply>) {
    let text = String::from_utf8(zstd::decode_all(&packed[..]).unwrap()).unwrap();
    let mut lines = text.lines();
    let header: BatchHeader = serde_json::from_str(lines.next().unwrap()).unwrap();
    let events: Vec<Event> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), header.count as usize);
    let mut chains = plane.chains.lock().unwrap();
    let chain = chains.entry(header.machine_id).or_default();
    let have = chain.len() as u64;
    let head = chain
        .last()
        .map_or((0, Hash::default()), |event| (have, event.hash().unwrap()));
    let new: Vec<Event> = events
        .into_iter()
        .filter(|event| event.envelope.seq > have)
        .collect();
    match verify_chain(head, &new) {
        Ok((acked_seq, _)) => {
            chain.extend(new);
            (
                StatusCode::OK,
                Json(IngestReply {
                    acked_seq,
                    problem: None,
                }),
            )
        }
        Err(error) => (
            StatusCode::CONFLICT,
            Json(IngestReply {
                acked_seq: have,
                problem: Some(error.to_string()),
            }),
        ),
    }
}

async fn file(
    State(plane): State<Arc<Plane>>,
    Path((folder, file)): Path<(String, String)>,
) -> Result<Vec<u8>, StatusCode> {
    std::fs::read(plane.publisher.repo_dir().join(folder).join(file))
        .map_err(|_| StatusCode::NOT_FOUND)
}
