//! What a handler answers when it does not do what it was asked.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cmdai_api::ApiError;
use cmdai_store::StoreError;

/// An error answer: status, stable code, words.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after_s: Option<u64>,
}

pub(crate) type Answer<T> = Result<T, Failure>;

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after_s: None,
        }
    }

    /// What is wrong, in words for whoever asked.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "sign in first")
    }

    pub(crate) fn wrong_password() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "login or password is wrong",
        )
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(crate) fn step_up() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "step_up_required",
            "the password is wrong; type your own password to confirm",
        )
    }

    /// The password was right; a second factor is missing, wrong or too weak.
    pub(crate) fn factor_required(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "factor_required", message)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no such {what}"),
        )
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid", message)
    }

    pub(crate) fn too_slow(limit: std::time::Duration) -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "invalid",
            format!(
                "the request took longer than {} s and was not carried out",
                limit.as_secs()
            ),
        )
    }

    pub(crate) fn too_many(message: impl Into<String>, retry_after_s: u64) -> Self {
        let mut failure = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message);
        failure.retry_after_s = Some(retry_after_s);
        failure
    }

    pub(crate) fn unavailable(message: impl Into<String>, retry_after_s: u64) -> Self {
        let mut failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, "internal", message);
        failure.retry_after_s = Some(retry_after_s);
        failure
    }

    /// An error whose cause goes to the log only.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!("request failed: {cause}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong here; the server's log says what",
        )
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => {
                tracing::error!("{error}");
                Self::unavailable(error.to_string(), 30)
            }
            StoreError::Conflict(_) => Self::conflict(error.to_string()),
            other => Self::internal(&other),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = ApiError {
            code: self.code.to_owned(),
            message: self.message,
        };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
