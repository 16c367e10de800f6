//! Code of other languages read in the process and by a reader process: the same.

use std::path::Path;
use std::process::Command;

use cmdai_effects::script::Languages;
use cmdai_effects::{Context, NoSession, analyse};
use cmdai_gate::CodeReader;
use cmdai_languages::Grammars;
use cmdai_schema::Dialect;

const LINES: &[&str] = &[
    "python3 -c 'import shutil; shutil.rmtree(\"/x-made-up\")'",
    "python3 -c 'import os; os.system(\"rm -rf \" + \"/x-made-up\")'",
    "python3 - <<'E'\nfor p in ['/x', '/y']:\n    print(f'{p}')\nE",
    "python3 -c 'exec(\"import os; os.remove(1)\")'",
    "python3 -c 'if if ('",
    "node -e 'const {exec: e} = require(\"child_process\"); e(`rm -rf ${\"/x\"}`)'",
    "node -p '[1, 2].map(x => x * 2)'",
    "ruby -e '%w[/x /y].each { |f| File.delete(f) }'",
    "ruby -e 'puts \"h\u{e9}llo #{1 + 1}\"'",
    "perl -e 'unlink glob(\"/x/*\"); print \"a$b\";'",
    "php -r 'foreach (glob(\"/x/*\") as $f) { unlink($f); }'",
    "lua -e 'os.execute([[rm -rf /x]])'",
];

fn analysed(line: &str, languages: &dyn Languages) -> String {
    let analysis = analyse(
        line,
        &Context {
            dialect: Dialect::Bash,
            cwd: "/home/user/project",
            home: "/home/user",
            user: "user",
            session: &NoSession,
            languages,
        },
    );
    serde_json::to_string(&analysis).unwrap()
}

#[test]
fn both_ways_give_the_same() {
    let reader = CodeReader::by(Path::new(env!("CARGO_BIN_EXE_cmdai")));
    for line in LINES {
        assert_eq!(analysed(line, &reader), analysed(line, &Grammars), "{line}");
    }
}

#[test]
fn what_is_no_language_is_refused() {
    let status = Command::new(env!("CARGO_BIN_EXE_cmdai"))
        .args(["read-code", "cobol"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(1));
    assert!(status.stdout.is_empty());
}
