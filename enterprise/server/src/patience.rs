//! Clients that take their time: each stage of a connection ends by itself, so that slow ones cannot hold
//! all connections of a listener.
//!
//! | stage | bound |
//! |---|---|
//! | TLS handshake | [`Patience::handshake`] |
//! | first head, and telling HTTP/1 from HTTP/2 | [`Patience::head`] |
//! | each later head, and the time between two requests (HTTP/1) | [`Patience::head`] |
//! | an answer to a sign of life (HTTP/2) | [`Patience::head`] |
//! | body, until the answer begins | [`Patience::request`] |

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum_server::{Address, Server};

use crate::config::Patience;
use crate::failure::Failure;

/// Bounds the stages of a connection after the handshake.
pub(crate) fn bounded<A: Address, Acceptor>(
    server: Server<A, Acceptor>,
    patience: Patience,
) -> Server<A, Acceptor> {
    let mut server = server.first_request_timeout(patience.head);
    let builder = server.http_builder();
    builder.http1().header_read_timeout(patience.head);
    builder
        .http2()
        .keep_alive_interval(patience.head)
        .keep_alive_timeout(patience.head);
    server
}

/// Bounds a request until its answer begins.
pub(crate) async fn request(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => Failure::too_slow(limit).into_response(),
    }
}
