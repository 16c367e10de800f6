//! Code that is made to be a burden: it is read or left unread, in bounds, without a crash.

use cmdai_effects::script::{Language, Languages as _, MAX_NODES, Script};
use cmdai_languages::{Grammars, MAX_CODE};

use crate::support::{line, look};

fn whole(script: &Script) {
    assert!(script.is_sound());
    let text = serde_json::to_string(script).unwrap();
    assert_eq!(serde_json::from_str::<Script>(&text).unwrap(), *script);
}

#[test]
fn anything_is_bounded() {
    let mut codes: Vec<String> = Vec::new();
    for mark in [
        "(", "{", "`", "$", "a", ";", "f(", "\"#{", "<<E\n", "é", "1+",
    ] {
        codes.push(mark.repeat(MAX_CODE / mark.len()));
    }
    for open in ["(", "[", "f("] {
        codes.push(format!("{}1{}", open.repeat(9_000), ")".repeat(9_000)));
    }
    for language in Language::ALL {
        for code in &codes {
            if let Some(script) = Grammars.read(language, code) {
                whole(&script);
            }
        }
        assert_eq!(Grammars.read(language, &"a".repeat(MAX_CODE + 1)), None);
    }
    const { assert!(MAX_NODES < 1 << 20) };
}

#[test]
fn looking_through_is_bounded() {
    for (interpreter, code) in [
        ("python3", "def f():\n    f()\n    f()\nf()".to_owned()),
        ("python3", format!("x = 'a'\n{}", "x = x + x\n".repeat(200))),
        ("python3", "for a in range(60):\n for b in range(60):\n  for c in range(60):\n   for d in range(60): print(a)".to_owned()),
        ("python3", format!("x = {}", "lambda: ".repeat(3_000))),
        ("python3", format!("exec({:?})", "exec('x')".repeat(3_000))),
        ("python3", format!("print({}1{})", "(".repeat(5_000), ")".repeat(5_000))),
        ("python3", "x = [0]\nfor i in range(50): x = [x, x]\nprint(x)".to_owned()),
        ("python3", "x = 'ab'\nfor i in range(50): x = ''.join([x, x])\nprint(x)".to_owned()),
        ("node", "const f = () => f(f(f())); f()".to_owned()),
        ("ruby", "def f; f; f; end; f".to_owned()),
        ("perl", "sub f { f(); f() } f();".to_owned()),
        ("php", "function f() { f(); f(); } f();".to_owned()),
        ("lua -", "function f() f() f() end f()".to_owned()),
    ] {
        look(&line(interpreter, &code));
    }
}

/// What lies too deep is unread, which is not harmless where it looks dangerous.
#[test]
fn deep_code_is_unknown() {
    let code = format!(
        "import os\nx = {}os.system('rm -rf /'){}",
        "(".repeat(400),
        ")".repeat(400)
    );
    assert!(look(&line("python3", &code)).unknown);
    let broken = "import os\nos.system('rm -rf /'\nif if if os.system(";
    let found = look(&line("python3", broken));
    assert!(!found.effects.is_empty());
}

/// A scanner in C that never comes back is left behind, and the others go on. In a process of its
/// own, as what is given up stays so.
#[test]
fn a_grammar_that_does_not_come_back_is_given_up() {
    let own = std::env::current_exe().unwrap();
    let status = std::process::Command::new(own)
        .args(["--exact", "hostile::given_up_here", "--ignored"])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "run by the test above in a process of its own"]
fn given_up_here() {
    assert!(Grammars.read(Language::Perl, "print 1;").is_some());
    // Were this mended in the grammar, it would simply be read.
    let _ = Grammars.read(Language::Perl, "<<\"C\";\n$a");
    assert!(Grammars.read(Language::Python, "print(1)").is_some());
}
