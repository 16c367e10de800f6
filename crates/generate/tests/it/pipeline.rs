//! What passes the pipeline and what does not.

use std::sync::Arc;

use cmdai_generate::{
    Answer, Backend, BackendKind, Candidate, Chain, Checks, Forbidden, GenerateError, Generator,
    Intents, OpenAi, Os, Outcome, Parsed, Request, Tier, Verdict, pipeline,
};
use cmdai_schema::Dialect;

use crate::server::{Script, Server, completion};

/// Answers always the same.
struct Fixed(&'static str, Result<Outcome, GenerateError>);

impl Generator for Fixed {
    fn name(&self) -> &str {
        self.0
    }

    fn tier(&self) -> Tier {
        Tier::Retrieval
    }

    fn generate(
        &self,
        _request: &Request,
        _sink: &mut dyn FnMut(&str),
    ) -> Result<Outcome, GenerateError> {
        self.1.clone()
    }
}

fn commands(list: &[(&str, u16)]) -> Result<Outcome, GenerateError> {
    let candidate = |(command, confidence): &(&str, u16)| Candidate {
        command: (*command).to_owned(),
        tier: Tier::Retrieval,
        confidence: *confidence,
        explanation: String::new(),
        citations: Vec::new(),
    };
    Ok(Outcome::Candidates {
        candidates: list.iter().map(candidate).collect(),
    })
}

/// Complete unless a quote is open; a problem where there is a `)`.
fn parse(command: &str) -> Parsed {
    Parsed {
        complete: command.matches('\'').count().is_multiple_of(2),
        problems: command
            .contains(')')
            .then(|| "a stray bracket".to_owned())
            .into_iter()
            .collect(),
        programs: command
            .split(" | ")
            .filter_map(|part| part.split(' ').next())
            .map(str::to_owned)
            .collect(),
    }
}

fn run(words: &str, generators: Vec<Box<dyn Generator>>) -> Result<Answer<usize>, GenerateError> {
    let mut chain = Chain::new();
    for generator in generators {
        chain.push(generator);
    }
    let exists = |program: &str| program != "nosuch";
    let checks = Checks {
        parse: &parse,
        exists: Some(&exists),
        before: None,
    };
    pipeline(
        &Request::new(words, Os::Linux, Dialect::Bash),
        &chain,
        &checks,
        &|text| Verdict::free(text.len()),
        &mut |_| {},
    )
}

#[test]
fn only_what_parses_is_shown_best_first() {
    let list = [
        ("echo 'open", 999),
        ("nosuch -a", 990),
        ("a )", 980),
        ("ls", 500),
        ("ls -la", 700),
        ("ls", 400),
        ("a\nb", 300),
    ];
    let Ok(Answer::Suggestions {
        suggestions,
        dropped,
        ..
    }) = run("x", vec![Box::new(Fixed("one", commands(&list)))])
    else {
        panic!()
    };
    let shown: Vec<(&str, usize, usize)> = suggestions
        .iter()
        .map(|one| {
            (
                one.candidate.command.as_str(),
                one.judgement,
                one.missing.len(),
            )
        })
        .collect();
    assert_eq!(shown, [("ls -la", 6, 0), ("ls", 2, 0), ("nosuch -a", 9, 1)]);
    assert_eq!(dropped.len(), 3);
}

#[test]
fn the_next_generator_is_asked_where_one_has_nothing() {
    let failure = GenerateError::TimedOut {
        backend: "slow".to_owned(),
        seconds: 1,
    };
    let answer = run(
        "frobnicate the flux",
        vec![
            Box::new(Intents),
            Box::new(Fixed("slow", Err(failure.clone()))),
            Box::new(Fixed("broken", commands(&[("echo 'x", 900)]))),
            Box::new(Fixed("good", commands(&[("flux", 10)]))),
        ],
    );
    let Ok(Answer::Suggestions {
        suggestions,
        dropped,
        attempts,
    }) = answer
    else {
        panic!("{answer:?}")
    };
    assert_eq!(suggestions[0].generator, "good");
    assert_eq!(dropped[0].generator, "broken");
    let asked: Vec<&str> = attempts
        .iter()
        .map(|attempt| attempt.generator.as_str())
        .collect();
    assert_eq!(asked, ["intents", "slow", "broken"]);
    assert_eq!(
        run("x", vec![Box::new(Fixed("slow", Err(failure.clone())))]),
        Err(failure.clone())
    );
    assert_eq!(run("x", Vec::new()), Err(GenerateError::Empty));
    // One that abstains honestly is an answer, even where another failed.
    let answer = run(
        "frobnicate",
        vec![Box::new(Intents), Box::new(Fixed("slow", Err(failure)))],
    );
    assert!(
        matches!(&answer, Ok(Answer::Abstained { attempts, .. }) if attempts.len() == 2),
        "{answer:?}"
    );
}

#[test]
fn a_question_is_asked_rather_than_guessed() {
    let answer = run(
        "delete old stuff",
        vec![
            Box::new(Intents),
            Box::new(Fixed("wild", commands(&[("rm -rf ~", 999)]))),
        ],
    );
    assert!(matches!(answer, Ok(Answer::Ambiguous { .. })), "{answer:?}");
}

#[test]
fn words_the_engine_does_not_know_go_to_the_server() {
    let server = Server::start(Script::Answer(
        "200 OK",
        "application/json",
        completion("ffmpeg -i a.mp4 a.gif"),
    ));
    let backend = Backend {
        name: "local".to_owned(),
        kind: BackendKind::Openai,
        url: server.url(),
        model: "m".to_owned(),
        key_env: None,
        timeout_s: 5,
        connect_timeout_s: 2,
        stream: false,
    };
    let answer = run(
        "convert a.mp4 to a gif",
        vec![
            Box::new(Intents),
            Box::new(OpenAi::new(backend, Arc::new(str::to_owned))),
        ],
    );
    let Ok(Answer::Suggestions {
        suggestions,
        attempts,
        ..
    }) = answer
    else {
        panic!("{answer:?}")
    };
    assert_eq!(suggestions[0].candidate.command, "ffmpeg -i a.mp4 a.gif");
    assert_eq!(suggestions[0].candidate.citations, ["local: m"]);
    assert_eq!(attempts[0].generator, "intents");
}

#[test]
fn what_is_forbidden_is_not_offered_and_its_alternative_is() {
    let mut chain = Chain::new();
    let list = [("drop all", 900), ("ls", 500), ("erase", 400)];
    chain.push(Box::new(Fixed("one", commands(&list))));
    let checks = Checks {
        parse: &parse,
        exists: None,
        before: None,
    };
    let judge = |text: &str| {
        let forbidden = match text {
            "drop all" => Some(Some("drop --dry-run")),
            "erase" => Some(Some("drop all")),
            _ => None,
        };
        Verdict {
            judgement: text.len(),
            forbidden: forbidden.map(|instead| Forbidden {
                why: format!("{text} is not done here"),
                instead: instead.map(str::to_owned),
            }),
        }
    };
    let request = Request::new("x", Os::Linux, Dialect::Bash);
    let answer = pipeline(&request, &chain, &checks, &judge, &mut |_| {});
    let Ok(Answer::Suggestions {
        suggestions,
        dropped,
        ..
    }) = answer
    else {
        panic!("{answer:?}")
    };
    let shown: Vec<&str> = suggestions
        .iter()
        .map(|one| one.candidate.command.as_str())
        .collect();
    // An alternative that is forbidden itself is not offered either, and has none of its own.
    assert_eq!(shown, ["drop --dry-run", "ls"]);
    let left_out: Vec<(&str, bool)> = dropped
        .iter()
        .map(|one| (one.command.as_str(), one.forbidden))
        .collect();
    assert_eq!(
        left_out,
        [("drop all", true), ("erase", true), ("drop all", true)]
    );
}

#[test]
fn a_contributor_may_change_the_words_and_keep_them_from_a_generator() {
    struct Echo(&'static str);
    impl Generator for Echo {
        fn name(&self) -> &str {
            self.0
        }
        fn tier(&self) -> Tier {
            Tier::Retrieval
        }
        fn generate(
            &self,
            request: &Request,
            _: &mut dyn FnMut(&str),
        ) -> Result<Outcome, GenerateError> {
            commands(&[("", 1)])?;
            Ok(Outcome::Abstained {
                why: format!("saw {}", request.words),
            })
        }
    }
    let mut chain = Chain::new();
    chain.push(Box::new(Echo("near")));
    chain.push(Box::new(Echo("far")));
    let before = |words: &mut String, generator: &dyn Generator| {
        words.push_str(" politely");
        if generator.name() == "far" {
            Err("these words stay here".to_owned())
        } else {
            Ok(())
        }
    };
    let checks = Checks {
        parse: &parse,
        exists: None,
        before: Some(&before),
    };
    let request = Request::new("x", Os::Linux, Dialect::Bash);
    let judge = |_: &str| Verdict::free(());
    let answer = pipeline(&request, &chain, &checks, &judge, &mut |_| {});
    let Ok(Answer::Abstained { attempts, .. }) = answer else {
        panic!("{answer:?}")
    };
    let problems: Vec<&str> = attempts.iter().map(|one| one.problem.as_str()).collect();
    assert_eq!(
        problems,
        ["saw x politely", "not asked: these words stay here"]
    );
}
