//! The client against scripted servers.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cmdai_generate::{
    Backend, BackendKind, Failed, GenerateError, Generator, OpenAi, Os, Outcome, Request, Turn,
};
use cmdai_schema::Dialect;

use crate::server::{Script, Server, completion, events};

fn backend(url: String) -> Backend {
    Backend {
        name: "local".to_owned(),
        kind: BackendKind::Openai,
        url,
        model: "tiny".to_owned(),
        key_env: None,
        timeout_s: 5,
        connect_timeout_s: 2,
        stream: true,
    }
}

fn client(url: String) -> OpenAi {
    OpenAi::new(
        backend(url),
        Arc::new(|text| text.replace("hunter22", "[redacted:password]")),
    )
}

fn request() -> Request {
    Request::new("list files", Os::Linux, Dialect::Bash)
}

fn ask(script: Script) -> (Result<Outcome, GenerateError>, Vec<String>) {
    let server = Server::start(script);
    let mut pieces = Vec::new();
    let outcome =
        client(server.url()).generate(&request(), &mut |piece| pieces.push(piece.to_owned()));
    (outcome, pieces)
}

fn command(outcome: Result<Outcome, GenerateError>) -> String {
    match outcome {
        Ok(Outcome::Candidates { candidates }) => candidates[0].command.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_whole_answer() {
    let (outcome, pieces) = ask(Script::Answer(
        "200 OK",
        "application/json",
        completion("```bash\nls -la\n```"),
    ));
    assert_eq!(command(outcome), "ls -la");
    assert_eq!(pieces.len(), 1);
}

#[test]
fn a_stream_comes_piece_by_piece() {
    let server = Server::start(Script::Chunks(
        events(&["ls", " -", "la"], true),
        Duration::from_millis(60),
    ));
    let start = Instant::now();
    let mut times = Vec::new();
    let outcome = client(server.url()).generate(&request(), &mut |piece| {
        times.push((piece.to_owned(), start.elapsed()))
    });
    assert_eq!(command(outcome), "ls -la");
    let pieces: Vec<&str> = times.iter().map(|(piece, _)| piece.as_str()).collect();
    assert_eq!(pieces, ["ls", " -", "la"]);
    // The first piece is handed on before the last one was sent.
    assert!(
        times[2].1 - times[0].1 >= Duration::from_millis(60),
        "{times:?}"
    );
}

#[test]
fn a_stream_that_ends_early_is_no_command() {
    let (outcome, pieces) = ask(Script::Chunks(
        events(&["rm -r /tmp", "/x"], false),
        Duration::ZERO,
    ));
    assert!(
        matches!(outcome, Err(GenerateError::Garbled { .. })),
        "{outcome:?}"
    );
    assert_eq!(pieces.len(), 2);
}

#[test]
fn silence_ends_in_time() {
    let server = Server::start(Script::Silence);
    let mut backend = backend(server.url());
    backend.timeout_s = 1;
    let start = Instant::now();
    let outcome = OpenAi::new(backend, Arc::new(str::to_owned)).generate(&request(), &mut |_| {});
    assert_eq!(
        outcome,
        Err(GenerateError::TimedOut {
            backend: "local".to_owned(),
            seconds: 1
        })
    );
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_stream_that_stalls_ends_in_time() {
    let server = Server::start(Script::Chunks(
        events(&["ls", " -la"], true),
        Duration::from_millis(900),
    ));
    let mut backend = backend(server.url());
    backend.timeout_s = 1;
    let outcome = OpenAi::new(backend, Arc::new(str::to_owned)).generate(&request(), &mut |_| {});
    assert!(
        matches!(outcome, Err(GenerateError::TimedOut { .. })),
        "{outcome:?}"
    );
}

#[test]
fn refusals_say_what_to_do() {
    for (status, cure) in [
        ("500 Oops", "log"),
        ("401 No", "key_env"),
        ("404 Gone", "model"),
        ("429 Slow", "wait"),
        ("302 Found", "redirects"),
    ] {
        let (outcome, _) = ask(Script::Answer(
            status,
            "application/json",
            r#"{"error":{"message":"no model hunter22"}}"#.to_owned(),
        ));
        let message = outcome.expect_err(status).to_string();
        assert!(
            message.contains(cure)
                && message.contains(&status[..3])
                && message.contains("no model"),
            "{message}"
        );
        assert!(!message.contains("hunter22"), "{message}");
    }
}

#[test]
fn garbage_is_an_error() {
    for script in [
        Script::Answer("200 OK", "application/json", "not json".to_owned()),
        Script::Answer("200 OK", "application/json", "{}".to_owned()),
        Script::Answer("200 OK", "text/html", "<html>".to_owned()),
        Script::Answer(
            "200 OK",
            "text/event-stream",
            "data: {\"choices\": oops}\n\n".to_owned(),
        ),
        Script::Answer(
            "200 OK",
            "text/event-stream",
            "nothing of use\n\n".to_owned(),
        ),
        Script::Answer(
            "200 OK",
            "application/json",
            r#"{"error":"model is loading"}"#.to_owned(),
        ),
        Script::Answer(
            "200 OK",
            "application/json",
            completion(&"x".repeat(300_000)),
        ),
        Script::Raw(b"\x00\x01\x02 hello"),
        Script::Cut(completion("ls")),
    ] {
        let (outcome, _) = ask(script);
        assert!(
            matches!(
                outcome,
                Err(GenerateError::Garbled { .. } | GenerateError::Unreachable { .. })
            ),
            "{outcome:?}"
        );
    }
}

#[test]
fn prose_is_no_command() {
    for text in [
        "To list files you would usually open a terminal first.",
        "# this needs a graphical program",
        "I'm sorry, I cannot do that.",
        "",
    ] {
        let (outcome, _) = ask(Script::Answer(
            "200 OK",
            "application/json",
            completion(text),
        ));
        assert!(
            matches!(outcome, Ok(Outcome::Abstained { .. })),
            "{text}: {outcome:?}"
        );
    }
}

#[test]
fn nobody_there() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let outcome = client(format!("http://127.0.0.1:{port}")).generate(&request(), &mut |_| {});
    let Err(error @ GenerateError::Unreachable { .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        error.to_string().contains(&port.to_string())
            && error.to_string().contains("start the server"),
        "{error}"
    );
}

#[test]
fn what_is_sent() {
    let server = Server::start(Script::Answer(
        "200 OK",
        "application/json",
        completion("ls"),
    ));
    let mut request = request();
    request.words = "connect with hunter22".to_owned();
    request.history = vec!["mysql -phunter22".to_owned()];
    request.earlier = vec![Turn {
        words: "use hunter22".to_owned(),
        command: "echo hunter22".to_owned(),
    }];
    request.last_failed = Some(Failed {
        command: "curl -u a:hunter22 x".to_owned(),
        exit_code: 7,
        output: "bad hunter22".to_owned(),
    });
    let mut backend = backend(server.url());
    backend.key_env = Some("CARGO_PKG_NAME".to_owned()); // a variable that the test runner sets
    let outcome = OpenAi::new(
        backend,
        Arc::new(|text| text.replace("hunter22", "[redacted]")),
    )
    .generate(&request, &mut |_| {});
    assert_eq!(command(outcome), "ls");
    let (head, body) = server.request();
    assert!(
        head.starts_with("POST /v1/chat/completions HTTP/1.1"),
        "{head}"
    );
    assert!(
        head.to_lowercase()
            .contains("authorization: bearer cmdai-generate"),
        "{head}"
    );
    assert!(
        !body.contains("hunter22") && body.contains("[redacted]"),
        "{body}"
    );
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (body["model"].as_str(), body["stream"].as_bool()),
        (Some("tiny"), Some(true))
    );
    assert_eq!(body["messages"].as_array().unwrap().len(), 4);
}

#[test]
fn a_missing_key_is_told_before_anything_is_sent() {
    let mut backend = backend("http://127.0.0.1:9".to_owned());
    backend.key_env = Some("CMDAI_TEST_NO_SUCH_VARIABLE".to_owned());
    let outcome = OpenAi::new(backend, Arc::new(str::to_owned)).generate(&request(), &mut |_| {});
    assert!(
        matches!(outcome, Err(GenerateError::NoKey { .. })),
        "{outcome:?}"
    );
}

#[test]
fn health_lists_models() {
    let server = Server::start(Script::Answer(
        "200 OK",
        "application/json",
        r#"{"data":[{"id":"tiny:latest"},{"id":"other"}]}"#.to_owned(),
    ));
    let health = client(server.url()).health().unwrap();
    assert_eq!(health.models, ["tiny:latest", "other"]);
    assert!(health.has_model);
    assert!(server.request().0.starts_with("GET /v1/models "));
    let server = Server::start(Script::Answer(
        "200 OK",
        "application/json",
        "{}".to_owned(),
    ));
    assert!(matches!(
        client(server.url()).health(),
        Err(GenerateError::Garbled { .. })
    ));
}
