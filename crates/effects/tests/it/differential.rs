//! Word expansion against the real shell, on words that cannot do anything.

use std::process::{Command, Stdio};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestRunner},
};

/// Parts without side effects: no substitution, no redirection, no pattern.
const PARTS: &[&str] = &[
    "a",
    "b/c",
    "'q r'",
    "\"d e\"",
    "\\ ",
    "\\x",
    "$'\\t'",
    "$'\\x41'",
    "{a,b}",
    "{1..3}",
    "{x,'y z'}",
    "$v",
    "\"$v\"",
    "${v}",
    "${v:-d}",
    "${u:-d}",
    "\"${u:-d e}\"",
    "${v#o}",
    "${v%e}",
    "${v/n/N}",
    "${v^^}",
    "${#v}",
    "${v:1:2}",
    "''",
    "\"\"",
    "-",
    "=",
    "$((1+2))",
    "\"$((2*3))\"",
    "{c..a}",
    "$w",
    "\"$w\"",
    "${w// /_}",
    "{{a,b},c}",
    "{a}",
    "{,x}",
    ",",
    "~+",
    "\\{a,b\\}",
    "\"'\"",
    "'\"'",
    "${u}",
    "\"$u\"",
];

/// A shell without any variables of its own.
struct Bare;

impl cmdai_effects::Session for Bare {
    fn variable(&self, _name: &str) -> Option<std::borrow::Cow<'_, str>> {
        None
    }
    fn alias(&self, _name: &str) -> Option<std::borrow::Cow<'_, str>> {
        None
    }
    fn function(&self, _name: &str) -> Option<std::borrow::Cow<'_, str>> {
        None
    }
    fn is_live(&self) -> bool {
        true
    }
}

#[test]
fn expansion_agrees_with_bash() {
    if Command::new("bash")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cwd = folder.path().to_str().unwrap().to_owned();
    let word = proptest::collection::vec(proptest::sample::select(PARTS), 1..5)
        .prop_map(|parts| parts.concat());
    let lists = proptest::collection::vec(word, 1..4);
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let mut scripts = Vec::new();
    for _ in 0..3000 {
        let words = lists.new_tree(&mut runner).unwrap();
        scripts.push(proptest::strategy::ValueTree::current(&words).join(" "));
    }
    let setup = "v=one; w='two words'; unset u;";
    // One shell for all of them: each list ends in a mark of its own.
    let mut script = String::from(setup);
    for words in &scripts {
        script.push_str(&format!("\nprintf '%s\\0' {words} END"));
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &script).unwrap();
    let output = Command::new("bash")
        .args(["--norc", "--noprofile"])
        .arg(file.path())
        .current_dir(&folder)
        .env_clear()
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut fields = text.split('\0');
    for words in &scripts {
        let expected: Vec<&str> = fields
            .by_ref()
            .take_while(|field| *field != "END")
            .collect();
        let line = format!("{setup} probe {words}");
        let analysis = cmdai_effects::analyse(
            &line,
            &cmdai_effects::Context {
                dialect: cmdai_schema::Dialect::Bash,
                cwd: &cwd,
                home: "/",
                user: "u",
                session: &Bare,
                languages: &cmdai_languages::Grammars,
            },
        );
        let call = analysis.invocations.last().unwrap();
        let found: Vec<&str> = call.args.iter().map(cmdai_schema::Arg::text).collect();
        assert_eq!(found, expected, "{words}");
    }
}
