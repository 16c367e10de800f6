//! `inference:` of a policy, from the command line to the wire: who is refused is never called.

use cmdai_testkit::{ModelServer, Turn};

use crate::world::World;

fn configured(world: &World, servers: &[(&str, &str)]) {
    let mut text = "[generate]\nbackends = [\"intents\"".to_owned();
    for (name, _) in servers {
        text.push_str(&format!(", \"{name}\""));
    }
    text.push_str("]\n");
    for (name, url) in servers {
        text.push_str(&format!(
            "[[backend]]\nname = \"{name}\"\nkind = \"openai\"\nurl = \"{url}\"\nmodel = \"m\"\n"
        ));
    }
    std::fs::write(world.home.path().join(".config/cmdai/config.toml"), text).unwrap();
}

fn model(command: &str) -> ModelServer {
    ModelServer::start(vec![Turn::Text(command.to_owned()); 3]).unwrap()
}

const WORDS: &str = "greet my grandmother in morse";

#[test]
fn the_organisation_decides_who_is_asked_and_says_so() {
    let world = World::governed(
        "version: \"1.0\"\norganization: \"acme\"\ninference: { allowed_backends: [near], require_local: true }\n",
    );
    let (far, near) = (model("echo far"), model("echo near"));
    // The same machine, by an address that is none of the loopback.
    let outside = far.url().replace("127.0.0.1", "0.0.0.0");
    configured(
        &world,
        &[
            ("far", &far.url()),
            ("outside", &outside),
            ("near", &near.url()),
        ],
    );
    let said = world.cmdai(&["--print", WORDS]);
    assert_eq!(said.stdout.trim(), "echo near", "{}", said.stderr);
    assert!(far.seen().is_empty(), "{:?}", far.seen());
    // Asked for by name, it is refused in words.
    let said = world.cmdai(&["--print", "--backend", "far", WORDS]);
    assert_eq!((said.code, said.stdout.as_str()), (1, ""));
    assert!(
        said.stderr
            .contains("far: not asked: the organisation's policy allows near only"),
        "{}",
        said.stderr
    );
    // The look for what is wrong does not call it either.
    let said = world.cmdai(&["doctor"]);
    assert!(said.stdout.contains("far not asked"), "{}", said.stdout);
    assert!(far.seen().is_empty(), "{:?}", far.seen());
}

#[test]
fn a_proxy_does_not_lead_out() {
    let world = World::governed(
        "version: \"1.0\"\norganization: \"acme\"\ninference: { require_local: true }\n",
    );
    let (proxy, near) = (model("echo proxy"), model("echo near"));
    configured(
        &world,
        &[("near", &near.url().replace("127.0.0.1", "localhost"))],
    );
    let mut world = world;
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        world = world.with(name, &proxy.url());
    }
    let said = world.cmdai(&["--print", WORDS]);
    assert_eq!(said.stdout.trim(), "echo near", "{}", said.stderr);
    assert!(proxy.seen().is_empty());
}

#[test]
fn both_layers_count_and_neither_lifts_the_other() {
    let world = World::governed(
        "version: \"1.0\"\norganization: \"acme\"\ninference: { blocked_backends: [far] }\n",
    );
    world
        .home
        .policy("version: \"1.0\"\ninference: { allowed_backends: [far] }\n")
        .unwrap();
    let (far, near) = (model("echo far"), model("echo near"));
    configured(&world, &[("far", &far.url()), ("near", &near.url())]);
    let said = world.cmdai(&["--print", WORDS]);
    assert_eq!((said.code, said.stdout.as_str()), (1, ""));
    assert!(
        said.stderr
            .contains("the organisation's policy blocks `far`")
            && said.stderr.contains("your policy allows far only"),
        "{}",
        said.stderr
    );
    assert!(far.seen().is_empty() && near.seen().is_empty());
}

#[test]
fn without_a_readable_policy_nothing_leaves_a_governed_machine() {
    let world = World::new();
    world.home.govern(b"damaged").unwrap();
    let (far, near) = (model("echo far"), model("echo near"));
    let outside = far.url().replace("127.0.0.1", "0.0.0.0");
    configured(&world, &[("outside", &outside), ("near", &near.url())]);
    let said = world.cmdai(&["--print", WORDS]);
    assert_eq!(said.stdout.trim(), "echo near", "{}", said.stderr);
    assert!(said.stderr.contains("cannot be read"), "{}", said.stderr);
    assert!(far.seen().is_empty());
}

#[test]
fn a_forbidden_command_of_a_model_is_not_offered_and_the_next_one_is_asked() {
    let world = World::governed(
        "version: \"1.0\"\norganization: \"acme\"\nrules:\n  - { id: acme.morse, when: { program: frobnicate }, decision: deny, reason: \"Not here\" }\n",
    );
    let (first, second) = (model("frobnicate --loud"), model("echo second"));
    configured(
        &world,
        &[("first", &first.url()), ("second", &second.url())],
    );
    let said = world.cmdai(&["--print", WORDS]);
    assert_eq!(said.stdout.trim(), "echo second", "{}", said.stderr);
    assert_eq!((first.seen().len(), second.seen().len()), (1, 1));
}
