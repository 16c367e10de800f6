//! The console's files: embedded, or from a folder while it is being worked on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse as _, Response};
use rust_embed::RustEmbed;

use crate::app::App;
use crate::failure::{Answer, Failure};
use crate::secrets;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/console"]
struct Embedded;

/// Placeholder in the page for the nonce of each answer.
const PLACEHOLDER: &str = "{{nonce}}";

/// A file, or the page for every path that is one of the console's own.
pub(super) async fn asset(State(app): State<Arc<App>>, uri: Uri) -> Answer<Response> {
    let path = uri.path().trim_start_matches('/');
    if !path.is_empty() && path != "index.html" {
        if let Some(bytes) = load(&app, path).await {
            // Built files carry their digest in their name, so a browser may keep them.
            let keep = if path.starts_with("assets/") {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            };
            let headers = [
                (header::CONTENT_TYPE, kind(path)),
                (header::CACHE_CONTROL, keep),
            ];
            return Ok((headers, bytes).into_response());
        }
        if path.starts_with("assets/") {
            return Err(Failure::not_found("file"));
        }
    }
    let page = load(&app, "index.html")
        .await
        .ok_or_else(|| Failure::not_found("console; build it first"))?;
    let nonce = secrets::hex(&secrets::random::<16>().map_err(|error| Failure::internal(&error))?);
    let page = String::from_utf8_lossy(&page).replace(PLACEHOLDER, &nonce);
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut response = (headers, page).into_response();
    let policy = HeaderValue::from_str(&policy).map_err(|error| Failure::internal(&error))?;
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

async fn load(app: &App, path: &str) -> Option<Vec<u8>> {
    let inside = path
        .split('/')
        .all(|part| !part.is_empty() && part != ".." && part != "." && !part.contains('\\'));
    if !inside {
        return None;
    }
    match &app.config.console_dist {
        Some(folder) => tokio::fs::read(folder.join(path)).await.ok(),
        None => Embedded::get(path).map(|file| file.data.into_owned()),
    }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" | "map" => "application/json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}
