//! A client of the console's API for programs: a bearer token, JSON in and out, errors in words.

use anyhow::{Context, Result, bail};
use cmdai_api::ApiError;
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Variable with the code of a second factor.
const CODE: &str = "CMDAI_CODE";

/// A signed-in client.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    token: String,
    /// A person's session, for what no token may do.
    cookie: Option<String>,
    http: reqwest::Client,
}

impl Client {
    /// A client of `base` (such as `http://127.0.0.1:8440`) with a token.
    pub(crate) fn new(base: &str, token: String) -> Result<Self> {
        let http = http()?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            token,
            cookie: None,
            http,
        })
    }

    /// Signs in as a person, for as long as this program runs.
    pub(crate) async fn session(base: &str, login: &str, password: &str) -> Result<Self> {
        use cmdai_api::console::SignIn;
        let base = base.trim_end_matches('/');
        let http = http()?;
        let body = SignIn {
            login: login.to_owned(),
            password: password.to_owned(),
        };
        let post = async |code: Option<&str>| {
            let request = http
                .post(format!("{base}/api/v1/session"))
                .header("x-cmdai", "1")
                .json(&body);
            let request = match code {
                Some(code) => request.header("x-cmdai-code", code.trim()),
                None => request,
            };
            let answer = request
                .send()
                .await
                .with_context(|| format!("the server at {base} does not answer; is it running?"))?;
            accept(answer).await
        };
        let signed_in = match post(None).await {
            // Asked for only where the account has one: a code counts once, and what follows may
            // need the next.
            Err(error) if error.to_string().ends_with("(factor_required)") => {
                anstream::eprintln!("{error:#}");
                let code = crate::account::secret(CODE, "code: ")?;
                post(Some(&code)).await
            }
            other => other,
        };
        let signed_in = signed_in.context("cannot sign in")?;
        let cookie = signed_in
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|value| value.to_str().ok()?.split(';').next().map(str::to_owned))
            .collect::<Vec<_>>()
            .join("; ");
        Ok(Self {
            base: base.to_owned(),
            token: String::new(),
            cookie: Some(cookie),
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
        use cmdai_api::console::{NewToken, TokenMade};
        let session = Self::session(base, login, password).await?;
        let new = NewToken {
            name: name.to_owned(),
            days,
        };
        let made: TokenMade = session.post("tokens", &new).await?;
        Ok((
            Self {
                token: made.token,
                cookie: None,
                ..session
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
        Ok(self.post_raw(path, body).await?.json().await?)
    }

    /// `POST path` where nothing comes back.
    pub(crate) async fn post_nothing<B: Serialize>(&self, path: &str, body: &B) -> Result<()> {
        self.post_raw(path, body).await.map(drop)
    }

    /// Asks for the code of a second factor where the server wants one and somebody can be asked.
    async fn post_raw<B: Serialize>(&self, path: &str, body: &B) -> Result<Response> {
        let request = || self.request(Method::POST, path).json(body);
        let given = std::env::var(CODE).ok();
        let first = match &given {
            Some(code) => request().header("x-cmdai-code", code),
            None => request(),
        };
        match self.send(first).await {
            Err(error)
                if given.is_none()
                    && error.to_string().ends_with("(factor_required)")
                    && std::io::IsTerminal::is_terminal(&std::io::stdin()) =>
            {
                anstream::eprintln!("{error:#}");
                let code = crate::account::secret(CODE, "code: ")?;
                self.send(request().header("x-cmdai-code", code.trim()))
                    .await
            }
            other => other,
        }
    }

    /// `DELETE path`.
    pub(crate) async fn delete(&self, path: &str) -> Result<()> {
        self.send(self.request(Method::DELETE, path))
            .await
            .map(drop)
    }

    /// `PUT path` with a JSON body.
    pub(crate) async fn put<B: Serialize>(&self, path: &str, body: &B) -> Result<()> {
        self.send(self.request(Method::PUT, path).json(body))
            .await?;
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}/api/v1/{path}", self.base))
            .header("x-cmdai", "1");
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request.bearer_auth(&self.token),
        }
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
