//! What policies say about who may be asked, against servers that count who calls.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cmdai_generate::{
    Answer, Chain, Checks, Config, GenerateError, Generator as _, OpenAi, Os, Parsed, Permit,
    Request, Verdict, pipeline,
};
use cmdai_schema::Dialect;

/// Counts connections and gives each the same bytes.
struct Counting {
    port: u16,
    calls: Arc<AtomicUsize>,
}

impl Counting {
    fn start(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let mut buffer = [0; 16 * 1024];
                let _ = stream.read(&mut buffer);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { port, calls }
    }

    fn model() -> Self {
        let body = crate::server::completion("flux --capacitor");
        Self::start(format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ))
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn config(backends: &[(&str, String, &str)]) -> Config {
    let order: Vec<String> = backends
        .iter()
        .map(|(name, ..)| format!("\"{name}\""))
        .collect();
    let mut text = format!("[generate]\nbackends = [{}]\n", order.join(", "));
    for (name, url, model) in backends {
        text.push_str(&format!(
            "[[backend]]\nname = \"{name}\"\nkind = \"openai\"\nurl = \"{url}\"\nmodel = \"{model}\"\nstream = false\n"
        ));
    }
    Config::parse(&text).unwrap()
}

fn organisation() -> Permit {
    Permit {
        layer: "the organisation's policy".to_owned(),
        ..Permit::default()
    }
}

fn ask(config: &Config, permits: &[Permit]) -> Result<Answer<()>, GenerateError> {
    let chain = Chain::from_config(config, &(Arc::new(str::to_owned) as _), permits);
    let checks = Checks {
        parse: &|_| Parsed {
            complete: true,
            ..Parsed::default()
        },
        exists: None,
        before: None,
    };
    pipeline(
        &Request::new("charge the flux", Os::Linux, Dialect::Bash),
        &chain,
        &checks,
        &|_| Verdict::free(()),
        &mut |_| {},
    )
}

#[test]
fn a_refused_backend_is_never_called_and_the_layer_is_named() {
    let list = |entries: &[&str]| {
        entries
            .iter()
            .map(|entry| (*entry).to_owned())
            .collect::<Vec<_>>()
    };
    for (permit, said) in [
        (
            Permit {
                blocked_backends: list(&["far"]),
                ..organisation()
            },
            "blocks `far`",
        ),
        (
            Permit {
                blocked_backends: list(&["external-api"]),
                ..organisation()
            },
            "blocks `external-api`",
        ),
        (
            Permit {
                allowed_backends: list(&["near", "vllm"]),
                ..organisation()
            },
            "allows near, vllm only",
        ),
        (
            Permit {
                models: list(&["small*"]),
                ..organisation()
            },
            "allows the models small* only, not big",
        ),
        (
            Permit {
                require_local: true,
                ..organisation()
            },
            "lets nothing leave this machine, and far is at 0.0.0.0",
        ),
    ] {
        // A listener of this machine under an address that is none of the loopback.
        let (far, near) = (Counting::model(), Counting::model());
        let config = config(&[
            ("far", format!("http://0.0.0.0:{}", far.port), "big"),
            (
                "near",
                format!("http://127.0.0.1:{}", near.port),
                "small:1b",
            ),
        ]);
        let answer = ask(&config, &[Permit::default(), permit]);
        let Ok(Answer::Suggestions {
            suggestions,
            attempts,
            ..
        }) = answer
        else {
            panic!("{said}: {answer:?}")
        };
        assert_eq!(suggestions[0].generator, "near");
        assert_eq!(attempts[0].generator, "far");
        assert!(attempts[0].refused());
        assert!(
            attempts[0].problem.contains(said)
                && attempts[0].problem.contains("the organisation's policy"),
            "{}",
            attempts[0].problem
        );
        assert_eq!((far.calls(), near.calls()), (0, 1), "{said}");
    }
}

#[test]
fn where_everybody_is_refused_nobody_is_asked_and_that_is_the_answer() {
    let far = Counting::model();
    let config = config(&[("far", format!("http://127.0.0.1:{}", far.port), "big")]);
    let permit = Permit {
        allowed_backends: vec!["near".to_owned()],
        ..organisation()
    };
    let answer = ask(&config, &[permit]);
    assert!(
        matches!(&answer, Ok(Answer::Abstained { why, attempts, .. }) if why == "nobody may be asked" && attempts.len() == 1),
        "{answer:?}"
    );
    assert_eq!(far.calls(), 0);
}

#[test]
fn a_redirect_does_not_lead_out() {
    let elsewhere = Counting::model();
    let here = Counting::start(format!(
        "HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{}/v1/chat/completions\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        elsewhere.port
    ));
    let config = config(&[("near", format!("http://127.0.0.1:{}", here.port), "m")]);
    let permit = Permit {
        require_local: true,
        ..organisation()
    };
    let answer = ask(&config, &[permit]);
    assert!(
        matches!(&answer, Err(GenerateError::Refused { status: 307, .. })),
        "{answer:?}"
    );
    assert_eq!((here.calls(), elsewhere.calls()), (1, 0));
}

/// The check before and the connection are two look-ups: a name may change its mind in between.
#[test]
fn the_connection_itself_goes_to_the_loopback_only() {
    let far = Counting::model();
    let config = config(&[("far", format!("http://0.0.0.0:{}", far.port), "m")]);
    let backend = config.backends[0].clone();
    let free = OpenAi::new(backend.clone(), Arc::new(str::to_owned));
    let request = Request::new("x", Os::Linux, Dialect::Bash);
    assert!(free.generate(&request, &mut |_| {}).is_ok());
    assert_eq!(far.calls(), 1);
    let bound = OpenAi::new(backend, Arc::new(str::to_owned)).on_this_machine();
    let error = bound.generate(&request, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("0.0.0.0"), "{error}");
    assert!(bound.health().is_err());
    assert_eq!(far.calls(), 1);
}
