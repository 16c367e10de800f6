//! The console listener: handlers behind the one table of endpoints.

mod alerts;
mod approvals;
mod assets;
mod attestation;
mod channels;
mod chat;
mod convert;
mod emergencies;
mod events;
mod exceptions;
mod export;
mod fleet;
mod headers;
mod live;
mod overview;
pub(crate) mod policy;
mod release;
mod reports;
pub(crate) mod review;
pub(crate) mod second;
pub(crate) mod security_keys;
mod session;
pub(crate) mod terms;
mod tokens;
mod users;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, delete, get, post, put};
use axum::{Json, Router, middleware};

use crate::app::App;
use crate::endpoints::{ENDPOINTS, Operation};
use crate::failure::Failure;
use crate::guard;
use crate::openapi;

pub(crate) use approvals::{expire, refuse, tell as tell_approval};
pub(crate) use convert::alert_wire;
pub(crate) use emergencies::{late, opened as emergency};
pub(crate) use fleet::quarantine;

/// Largest body that people send, in bytes: a policy document with its note.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// The router of the console listener.
pub(crate) fn router(app: Arc<App>) -> Router {
    let limit = app.config.patience.request;
    let mut api: Router<Arc<App>> = Router::new();
    for endpoint in ENDPOINTS {
        let guarded = handler(endpoint.operation).layer(middleware::from_fn_with_state(
            (Arc::clone(&app), endpoint),
            guard::guard,
        ));
        api = api.route(endpoint.path, guarded);
    }
    api.route(
        "/api/{*path}",
        get(|| async { Failure::not_found("endpoint") }),
    )
    .route(
        "/healthz",
        get(|| async { axum::http::StatusCode::NO_CONTENT }),
    )
    .fallback(get(assets::asset))
    .layer(DefaultBodyLimit::max(MAX_BODY))
    .layer(middleware::from_fn(move |incoming, next| {
        crate::patience::request(limit, incoming, next)
    }))
    .layer(middleware::from_fn(headers::secure))
    .with_state(app)
}

/// Every operation has its handler: the compiler checks that none is missing.
fn handler(operation: Operation) -> MethodRouter<Arc<App>> {
    match operation {
        Operation::SignIn => post(session::sign_in),
        Operation::ChallengeSignIn => post(session::challenge),
        Operation::GetSession => get(session::me),
        Operation::SignOut => delete(session::sign_out),
        Operation::MakeToken => post(session::make_token),
        Operation::ListTokens => get(tokens::list),
        Operation::DeleteToken => delete(tokens::remove),
        Operation::ChangePassword => post(users::change_password),
        Operation::ListFactors => get(second::list),
        Operation::AddTotp => post(second::add_totp),
        Operation::ConfirmTotp => post(second::confirm_totp),
        Operation::RemoveFactor => post(second::remove),
        Operation::AddSecurityKey => post(security_keys::add),
        Operation::ConfirmSecurityKey => post(security_keys::confirm),
        Operation::MakeChallenge => post(security_keys::challenge),
        Operation::GetOverview => get(overview::overview),
        Operation::SearchEvents => get(events::search),
        Operation::GetHistogram => get(events::histogram),
        Operation::GetEvent => get(events::event),
        Operation::Live => get(live::live),
        Operation::ListAlerts => get(alerts::list),
        Operation::ChangeAlert => post(alerts::change),
        Operation::ListApprovals => get(approvals::list),
        Operation::GetApproval => get(approvals::get),
        Operation::DecideApproval => post(approvals::decide),
        Operation::ListExceptions => get(exceptions::list),
        Operation::RevokeException => post(exceptions::revoke),
        Operation::ListEmergencies => get(emergencies::list),
        Operation::ReviewEmergency => post(emergencies::review),
        Operation::SlackAction => post(chat::slack),
        Operation::ListMachines => get(fleet::list),
        Operation::GetMachine => get(fleet::one),
        Operation::QuarantineMachine => post(fleet::change_quarantine),
        Operation::RevokeMachine => post(fleet::revoke),
        Operation::RetireMachine => post(fleet::retire),
        Operation::MakeEnrolmentToken => post(fleet::make_token),
        Operation::GetPolicy => get(policy::show),
        Operation::SimulatePolicy => post(policy::simulate),
        Operation::CheckPolicy => post(policy::check),
        Operation::PublishPolicy => post(policy::publish),
        Operation::SteerRollout => post(release::steer),
        Operation::GetDraft => get(release::draft),
        Operation::SignDraft => post(release::sign),
        Operation::ReviewDraft => post(review::decide),
        Operation::DropDraft => delete(release::drop_draft),
        Operation::GetKeys => get(release::keys),
        Operation::GetApprovers => get(release::approvers),
        Operation::PublishApprovers => post(release::publish_approvers),
        Operation::PutRoot => post(release::put_root),
        Operation::ExportRelease => get(release::export),
        Operation::ListDetections => get(alerts::detections),
        Operation::ListFrameworks => get(reports::frameworks),
        Operation::GetReport => get(reports::report),
        Operation::GetReportPage => get(reports::page),
        Operation::Export => get(export::export),
        Operation::GetLedger => get(export::ledger),
        Operation::ListChannels => get(channels::list),
        Operation::PutChannel => put(channels::put),
        Operation::DeleteChannel => delete(channels::remove),
        Operation::TestChannel => post(channels::test),
        Operation::ListDeliveries => get(channels::deliveries),
        Operation::ListUsers => get(users::list),
        Operation::AddUser => post(users::add),
        Operation::ChangeUser => post(users::change),
        Operation::DeleteUser => delete(users::remove),
        Operation::GetOpenapi => get(|| async { Json(openapi::document()) }),
    }
}
