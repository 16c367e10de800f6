//! A client of the console's API for programs: a bearer token, JSON in and out, errors in words.

use anyhow::{Context, Result, bail};
use cmdai_api::ApiError;
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A signed-in client.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    token: String,
    http: reqwest::Client,
}

impl Client {
    /// A client of `base` (such as `http://127.0.0.1:8440`) with a token.
    pub(crate) fn new(base: &str, token: String) -> Result<Self> {
        let http = http()?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            token,
            http,
        })
    }

    /// Signs in and makes a token.
    pub(crate) async fn sign_in(
        base: &str,
        login: &str,
        password: &str,
        name: &str,
        days: u32,
    ) -> Result<(Self, String)> {
        use cmdai_api::console::{NewToken, SignIn, TokenMade};
        let base = base.trim_end_matches('/');
        let http = http()?;
        let body = SignIn {
            login: login.to_owned(),
            password: password.to_owned(),
        };
        let signed_in = http
            .post(format!("{base}/api/v1/session"))
            .header("x-cmdai", "1")
            .json(&body)
            .send()
            .await
            .with_context(|| format!("the server at {base} does not answer; is it running?"))?;
        let signed_in = accept(signed_in).await.context("cannot sign in")?;
        let cookie = signed_in
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|value| value.to_str().ok()?.split(';').next().map(str::to_owned))
            .collect::<Vec<_>>()
            .join("; ");
        let made = http
            .post(format!("{base}/api/v1/tokens"))
            .header("x-cmdai", "1")
            .header("cookie", cookie)
            .json(&NewToken {
                name: name.to_owned(),
                days,
            })
            .send()
            .await?;
        let made: TokenMade = accept(made).await?.json().await?;
        Ok((
            Self {
                base: base.to_owned(),
                token: made.token,
                http,
            },
            made.expires,
        ))
    }

    /// The token, to be kept.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// `GET path` as JSON.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T> {
        let request = self.request(Method::GET, path).query(query);
        Ok(self.send(request).await?.json().await?)
    }

    /// `GET path` as a stream of bytes.
    pub(crate) async fn stream(&self, path: &str, query: &[(&str, String)]) -> Result<Response> {
        self.send(self.request(Method::GET, path).query(query))
            .await
    }

    /// `POST path` with a JSON body.
    pub(crate) async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T> {
        Ok(self
            .send(self.request(Method::POST, path).json(body))
            .await?
            .json()
            .await?)
    }

    /// `PUT path` with a JSON body.
    pub(crate) async fn put<B: Serialize>(&self, path: &str, body: &B) -> Result<()> {
        self.send(self.request(Method::PUT, path).json(body))
            .await?;
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1/{path}", self.base))
            .bearer_auth(&self.token)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.with_context(|| {
            format!(
                "the server at {} does not answer; is it running?",
                self.base
            )
        })?;
        accept(response).await
    }
}

fn http() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .context("cannot set up the HTTP client")
}

/// Turns an error answer into words.
async fn accept(response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    match serde_json::from_str::<ApiError>(&text) {
        Ok(error) => bail!("{} ({})", error.message, error.code),
        Err(_) => bail!(
            "the server answered {status}: {}",
            text.chars().take(300).collect::<String>()
        ),
    }
}
