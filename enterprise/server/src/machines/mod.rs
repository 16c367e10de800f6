//! The machine listener: enrolment, contacts, uploads, requests, releases.

mod checkin;
mod enrol;
mod peer;
mod release;
mod renew;
mod request;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};

use crate::app::App;
use crate::failure::Failure;

/// Largest JSON body of a machine, in bytes.
const MAX_BODY: usize = 256 * 1024;

pub(crate) use release::{GRANT_MS, Given, sign_decision};

/// The router of the machine listener.
pub(crate) fn router(app: Arc<App>) -> Router {
    let limit = app.config.patience.request;
    Router::new()
        .route("/v1/renew", post(renew::renew))
        .route("/v1/enrol", post(enrol::enrol))
        .route("/v1/checkin", post(checkin::checkin))
        .route("/v1/approvals", post(request::open))
        .route("/v1/release", get(release::bundle))
        .route("/v1/tuf/{folder}/{file}", get(release::file))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .route(
            "/v1/ingest",
            post(upload::ingest).layer(DefaultBodyLimit::max(cmdai_collector::MAX_PACKED)),
        )
        .route("/v1/health", get(|| async { StatusCode::NO_CONTENT }))
        .layer(axum::middleware::from_fn(move |incoming, next| {
            crate::patience::request(limit, incoming, next)
        }))
        .fallback(|| async { Failure::not_found("endpoint") })
        .with_state(app)
}
