//! Hostile shapes at full size, text to decision, on a stack of 512 KiB: the engine runs inside shells,
//! whose stack is not ours. A stack that overflows ends the test process, as it would end the shell.

use cmdai_effects::script::{Languages, NoLanguages};
use cmdai_effects::{Context, NoSession, analyse};
use cmdai_policy::{Layers, decide};
use cmdai_schema::{Decision, Dialect, Judgement};

use super::generate::quoted;
use super::support::{facts, subject};

const STACK: usize = 512 * 1024;
/// Code of other languages is read in a process of its own, by grammars that need more.
const READER_STACK: usize = 4 * STACK;
const TEXT: usize = 64 * 1024;
/// Most effects and calls of one text.
const MOST: usize = 1_024;

fn judged(text: &str, dialect: Dialect) -> Judgement {
    judged_with(text, dialect, &NoLanguages)
}

fn judged_with(text: &str, dialect: Dialect, languages: &dyn Languages) -> Judgement {
    let context = Context {
        dialect,
        cwd: "/home/user/project",
        home: "/home/user",
        user: "user",
        session: &NoSession,
        languages,
    };
    let analysis = analyse(text, &context);
    assert!(
        analysis.effects.len() <= MOST,
        "{} effects",
        analysis.effects.len()
    );
    assert!(
        analysis.invocations.len() <= MOST,
        "{} calls",
        analysis.invocations.len()
    );
    let judgement = decide(&analysis, text, &Layers::default(), &facts(), &subject());
    let json = serde_json::to_string(&judgement).unwrap();
    assert!(
        json.len() < 64 * 1024 * 1024,
        "{} bytes of JSON",
        json.len()
    );
    judgement
}

/// Runs on a small stack; slow shapes are told with `--no-capture`.
fn small(texts: Vec<String>, dialects: &'static [Dialect]) {
    let work = move || {
        for text in texts {
            for &dialect in dialects {
                let started = std::time::Instant::now();
                judged(&text, dialect);
                let took = started.elapsed();
                if took.as_millis() > 300 {
                    println!(
                        "{took:?} {dialect:?} {:?}",
                        text.chars().take(40).collect::<String>()
                    );
                }
            }
        }
    };
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(work)
        .unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn filled(unit: &str) -> String {
    unit.repeat(TEXT / unit.len())
}

const POSIX: &[Dialect] = &[Dialect::Bash];
const FISH: &[Dialect] = &[Dialect::Fish];
const POWERSHELL: &[Dialect] = &[Dialect::Powershell];

#[test]
fn repeated_units() {
    let units = [
        "$(",
        "${",
        "${x:-",
        "((",
        "$((",
        "{",
        "(",
        "`",
        "\\`",
        "<<a ",
        "<<a\n",
        "<(",
        "\"$(",
        "if ",
        "if :; then ",
        "case x in ",
        "case x in x) ",
        "[[ (",
        "[[ ! ",
        "a|",
        "a;",
        "a&&",
        "a&",
        "eval ",
        "sudo ",
        "env ",
        "xargs ",
        "nice ",
        "timeout 5 ",
        "bash -c ",
        "ssh h ",
        "find . -exec ",
        "git -c alias.x=!",
        "trap ",
        "x=$x$x;",
        "a=($a $a);",
        "{a,b}",
        "{a,",
        "{1..1000000}",
        "{1..9}{a..z}",
        "printf %10000000s;",
        "printf %99999s x|",
        "$((1+",
        "$((2**",
        "$((1<<",
        "((x=",
        "f(){ ",
        "f(){ f;f;};f;",
        "function f { ",
        "while ",
        "for x in ",
        "for x in a b; do ",
        "until ",
        "select x in ",
        "!",
        "time ",
        "coproc ",
        "*",
        "?",
        "[",
        "**/",
        "@(a|",
        "~",
        "~/",
        "'",
        "\"",
        "\\",
        "\\\n",
        "$'",
        "$\"",
        "#",
        "\n",
        " ",
        "\r",
        "\0",
        "é",
        "$x",
        "${x}",
        "${!x}",
        "${x//a/",
        "$@",
        ">a ",
        "2>&1 ",
        "<<<",
        "&>",
        "<>",
        "alias a=b;",
        "alias a='a a';a ",
        "cd ..;",
        "rm a;",
        "rm -rf $x;",
        "echo a>f;sh f;",
        "export A=b;",
        "set -- a;",
        "shift;",
        "read x <<< a;",
        "a=b ",
        "a[0]=",
        "echo a|tr a b|",
        "base64 -d|",
        "rev|",
        "sed s/a/b/|",
        "python3 -c ",
        "psql -c ",
        "awk ",
        "tar --checkpoint-action=exec=",
    ];
    small(
        units.iter().map(|unit| filled(unit)).collect(),
        &[Dialect::Bash],
    );
    let short = |unit: &&str| unit.repeat(8 * 1024 / unit.len());
    small(units.iter().map(short).collect(), &[Dialect::Zsh]);
}

#[test]
fn repeated_units_of_fish() {
    let fish = [
        "(",
        "$(",
        "begin;",
        "begin ",
        "if ",
        "if a;",
        "while ",
        "for x in ",
        "switch ",
        "case ",
        "function f;",
        "$",
        "$$",
        "{",
        "{a,b}",
        "\"$(",
        "'",
        "\\",
        "$x[",
        "$x[1..",
        "and ",
        "not ",
        "a|",
        "a;",
        "end;",
        "eval ",
        "sudo ",
        "set x $x$x;",
        "(set x ",
        "fish -c ",
    ];
    small(fish.iter().map(|unit| filled(unit)).collect(), FISH);
}

#[test]
fn repeated_units_of_powershell() {
    let powershell = [
        "(",
        "$(",
        "@(",
        "@{",
        "{",
        "[",
        "if (",
        "if (1) {",
        "while (",
        "foreach ($x in ",
        "switch (",
        "function f {",
        "try {",
        "& {",
        ". {",
        "\"$(",
        "'",
        "`",
        "@\"\n",
        "@'\n",
        "$x.",
        "$x[",
        "$x::",
        "!",
        "-not ",
        "a|",
        "a;",
        "iex ",
        "% {",
        "? {",
        "$x=$x+$x;",
        "[a[",
        "<#",
        "${",
        "1+",
        "a -enc ",
    ];
    small(
        powershell.iter().map(|unit| filled(unit)).collect(),
        POWERSHELL,
    );
}

/// The text wrapped in itself, as often as fits.
fn nested(inner: &str, wrap: impl Fn(&str) -> String, most: usize) -> String {
    let mut text = inner.to_owned();
    for _ in 0..most {
        let next = wrap(&text);
        if next.len() > TEXT {
            break;
        }
        text = next;
    }
    text
}

#[test]
fn nested_and_growing_shapes() {
    let mut doubled = String::from("x=aaaaaaaa;");
    let mut arrays = String::from("a=(x y);");
    let mut branches = String::new();
    let mut calls = String::new();
    let mut aliases = String::new();
    let mut chained = String::new();
    for n in 0..60 {
        doubled.push_str("x=$x$x;");
        arrays.push_str("a=(\"${a[@]}\" \"${a[@]}\");");
        branches.push_str(&format!(
            "if $c; then v{n}=a$v; else v{n}=b$v; fi; v=$v{n};"
        ));
        calls.push_str(&format!("f{n}() {{ f{m}; f{m}; }};", m = n + 1));
        aliases.push_str(&format!("alias a{n}='a{m} a{m}';", m = (n + 1) % 60));
        chained.push_str(&format!("v{m}=$v{n}$v{n};", m = n + 1));
    }
    let loops = |most: usize| {
        nested(
            "rm -rf $x$y",
            |text| format!("for x in a b c d e f g h; do {text}; done"),
            most,
        )
    };
    small(
        vec![
            format!("{doubled} rm -rf $x"),
            format!("{arrays} rm -rf \"${{a[@]}}\""),
            format!("{branches} rm -rf $v"),
            format!("{calls} f0"),
            format!("{aliases}\na0"),
            format!("{chained} $v60"),
            loops(6),
            loops(40),
            format!("rm {}", "{a,b}".repeat(100)),
            format!("rm {{1..1000000}}{}", "{1..1000000}".repeat(20)),
            format!(
                "for x in {{1..1000000}}; do {}; done",
                "rm $x; ".repeat(5000)
            ),
            "printf -v x '%10000000s'; rm -rf $x/".to_owned(),
            "x=$(printf 'a%.0s' {1..100000}); eval $x$x$x".to_owned(),
            "f(){ f;f; };f".to_owned(),
            "f(){ f|f& };f".to_owned(),
            format!("{}x", "f(){ ".repeat(40)),
            format!("(( {} 1 ))", "1 + (".repeat(8000)),
            format!("echo $(({}))", "9**9**".repeat(3000)),
            format!("echo $(({}9))", "99999999999999999999*".repeat(2000)),
            nested(
                "rm -rf /srv",
                |text| format!("bash -c {}", quoted(text)),
                40,
            ),
            nested("rm -rf /srv", |text| format!("eval {}", quoted(text)), 40),
            nested("rm -rf /srv", |text| format!("$( {text} )"), 9000),
            nested("rm -rf /srv", |text| format!("sudo {text}"), 9000),
            nested("rm -rf /srv", |text| format!("{{ {text}; }}"), 9000),
            nested(
                "rm -rf /srv",
                |text| format!("if true; then {text}; fi"),
                9000,
            ),
            nested(
                "rm -rf /srv",
                |text| format!("bash <<E{len}\n{text}\nE{len}\n", len = text.len()),
                400,
            ),
            nested(
                "import os; os.system('rm -rf /')",
                |text| format!("exec({})", serde_json::to_string(text).unwrap()),
                12,
            ),
            format!("python3 -c {}", quoted(&"exec(".repeat(10_000))),
            format!("python3 -c {}", quoted(&"(".repeat(60_000))),
            format!("python3 -c {}", quoted(&"[[{".repeat(20_000))),
            format!("node -e {}", quoted(&"()=>{".repeat(12_000))),
            format!("perl -e {}", quoted(&"system(".repeat(9_000))),
            format!("psql -c {}", quoted(&"SELECT (".repeat(8_000))),
            format!("psql -c {}", quoted(&"DELETE FROM a;".repeat(4_000))),
            format!("psql -c {}", quoted(&"WITH a AS (".repeat(5_000))),
            format!(
                "psql -c {}",
                quoted(&format!("SELECT 1{}", "+1".repeat(30_000)))
            ),
            format!(
                "psql -c {}",
                quoted(&format!("SELECT {}1", "NOT ".repeat(15_000)))
            ),
            format!("awk {}", quoted(&"{ if (".repeat(10_000))),
            format!("sed {}", quoted(&"{".repeat(60_000))),
            format!("jq {}", quoted(&"[".repeat(60_000))),
            "touch a; rm -rf b;".repeat(3_000),
            "a".repeat(1024 * 1024),
            filled("$(").repeat(20),
            filled("set x $x$x;"),
            format!(
                "x={}; echo ${{x%%b*}}${{x//a/bb}}${{x^^a}}",
                "a".repeat(60_000)
            ),
            format!(
                "x={}; case $x in {}) ;; esac",
                "a".repeat(9_000),
                "*a".repeat(9_000)
            ),
            format!(
                "[[ {} == {} ]]",
                "a".repeat(9_000),
                "*(*(a|b)|c)".repeat(2_000)
            ),
            format!("[[ {} =~ {} ]]", "a".repeat(9_000), "(a*)*".repeat(2_000)),
        ],
        POSIX,
    );
}

#[test]
fn code_of_other_languages() {
    let deep = |open: &str, close: &str, depth: usize| {
        format!("{}x{}", open.repeat(depth), close.repeat(depth))
    };
    let pairs = [
        ("f(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("(1+", ")"),
        ("a[", "]"),
        ("!", ""),
        ("\"#{", "}\""),
    ];
    let units = [
        "system(",
        "exec(",
        "f(",
        "x=x+x\n",
        "x=x.x;",
        "if 1 {",
        "def f():\n ",
        "()=>{",
        "`",
        "\"",
        "\"#{",
        "'''",
        "/*",
        "<<E\n",
        "[[",
        "a.",
        "a+",
        "@",
        "$",
        "%w(",
    ];
    let mut texts = Vec::new();
    for host in [
        "python3 -c",
        "perl -e",
        "ruby -e",
        "node -e",
        "php -r",
        "lua -e",
    ] {
        for (open, close) in pairs {
            for depth in [40, 88, 1_000] {
                texts.push(format!("{host} {}", quoted(&deep(open, close, depth))));
            }
        }
        for unit in units {
            texts.push(format!(
                "{host} {}",
                quoted(&unit.repeat(6_000 / unit.len()))
            ));
        }
    }
    let work = move || {
        for text in texts {
            judged_with(&text, Dialect::Bash, &cmdai_languages::Grammars);
        }
    };
    let thread = std::thread::Builder::new()
        .stack_size(READER_STACK)
        .spawn(work)
        .unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// What lies behind a bound is not let through in silence.
#[test]
fn hiding_behind_a_bound_is_interrupted() {
    let hidden = [
        nested(
            "rm -rf /srv",
            |text| format!("bash -c {}", quoted(text)),
            14,
        ),
        nested("rm -rf /srv", |text| format!("( {text} )"), 60),
        nested("rm -rf /srv", |text| format!("$( {text} )"), 60),
        nested("rm -rf /srv", |text| format!("sudo {text}"), 100),
        nested("rm -rf /srv", |text| format!("eval {}", quoted(text)), 14),
        format!(
            "{} rm -rf /srv",
            (0..1_100)
                .map(|n| format!("touch a{n};"))
                .collect::<String>()
        ),
        format!("{} rm -rf /srv", "true;".repeat(5_000)),
        format!(
            "{} rm -rf /srv",
            (0..1_100).map(|n| format!("x{n} y;")).collect::<String>()
        ),
        format!("# {}\nrm -rf /srv", "a".repeat(70_000)),
        format!("for x in {} /; do rm -rf $x; done", "build ".repeat(70)),
        format!(
            "{}rm -rf $x{}",
            "for x in {1..60} /; do ".repeat(3),
            "; done".repeat(3)
        ),
        format!(
            "for x in {{1..60}}; do for y in {{1..60}}; do echo a; done; done; {} rm -rf /srv",
            "true;".repeat(900)
        ),
    ];
    let many = "a ".repeat(2_000);
    let more = [
        format!("x='{many} /srv'; rm -rf $x"),
        format!("a=({many} /srv); rm -rf \"${{a[@]}}\""),
        format!("a=(); a+=({many}); a+=(/srv); rm -rf \"${{a[@]}}\""),
        format!("set -- {many} /srv; rm -rf \"$@\""),
        format!("f() {{ rm -rf \"$@\"; }}; f {many} /srv"),
        format!("rm -rf {many} /srv"),
        format!("rm -rf {{{}/srv}}", "a,".repeat(2_000)),
        format!("echo {many} /srv | xargs rm -rf"),
        format!("for x in {many} /srv; do rm -rf $x; done"),
        format!(
            "v=/srv; {} rm -rf $v",
            (0..600).map(|n| format!("v{n}=a;")).collect::<String>()
        ),
        format!(
            "{} v=/srv; rm -rf $v",
            (0..600).map(|n| format!("v{n}=a;")).collect::<String>()
        ),
        format!(
            "{} f() {{ rm -rf /srv; }}; f",
            (0..600)
                .map(|n| format!("f{n}() {{ :; }};"))
                .collect::<String>()
        ),
        format!(
            "{} echo 'rm -rf /srv' > f; sh f",
            (0..100)
                .map(|n| format!("echo a > f{n};"))
                .collect::<String>()
        ),
    ];
    let fish = [
        format!("set x {many} /srv; rm -rf $x"),
        format!("rm -rf {{{}/srv}}", "a,".repeat(2_000)),
    ];
    let posix = hidden
        .into_iter()
        .chain(more)
        .map(|text| (text, Dialect::Bash));
    for (text, dialect) in posix.chain(fish.map(|text| (text, Dialect::Fish))) {
        let shown: String = text.chars().take(80).collect();
        let work = move || judged(&text, dialect).decision;
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(work)
            .unwrap();
        let decision = thread.join().unwrap();
        assert!(decision >= Decision::Confirm, "{decision:?}: {shown:?}…");
    }
}

/// Long but plain work stays calm.
#[test]
fn much_of_the_harmless_is_allowed() {
    for text in [
        "for i in {1..100}; do echo $i; done".to_owned(),
        "for x in {1..30}; do for y in {1..30}; do echo a$x$y; done; done".to_owned(),
        "true;".repeat(800),
        format!("cat > notes.txt <<'E'\n{}E\n", "plain text\n".repeat(3_000)),
        (0..400)
            .map(|n| format!("touch src/a{n};"))
            .collect::<String>(),
    ] {
        let decision = judged(&text, Dialect::Bash).decision;
        let shown: String = text.chars().take(80).collect();
        assert!(decision < Decision::Confirm, "{decision:?}: {shown:?}…");
    }
}
