//! Code of another language on the command line.

use super::{Case, check};

const SEEN: &[Case] = &[
    (
        r#"python3 -c 'import os; os.system("rm -rf /")'"#,
        "delete / recursive force",
    ),
    (
        r#"python -c 'import subprocess; subprocess.call(["rm","-rf","/"])'"#,
        "delete / recursive force",
    ),
    (
        r#"python3 -c 'import shutil; shutil.rmtree("/")'"#,
        "delete / recursive force",
    ),
    (
        r#"perl -e 'system("rm -rf /")'"#,
        "delete / recursive force",
    ),
    (
        r#"perl -e 'exec "rm","-rf","/"'"#,
        "delete / recursive force",
    ),
    (
        r#"ruby -e 'system("rm -rf /")'"#,
        "delete / recursive force",
    ),
    ("ruby -e '`rm -rf /`'", "delete / recursive force"),
    (
        r#"node -e 'require("child_process").execSync("rm -rf /")'"#,
        "delete / recursive force",
    ),
    (
        r#"php -r 'system("rm -rf /");'"#,
        "delete / recursive force",
    ),
    (
        r#"lua -e 'os.execute("rm -rf /")'"#,
        "delete / recursive force",
    ),
    (
        r#"awk 'BEGIN { system("rm -rf /") }'"#,
        "delete / recursive force",
    ),
    (
        r#"echo 'import os; os.system("rm -rf /")' | python3"#,
        "delete / recursive force",
    ),
    (
        "python3 <<'E'\nimport os\nos.system('rm -rf /')\nE",
        "delete / recursive force",
    ),
    (
        r#"sudo -u x python3 -c 'import os; os.system("rm -rf /")'"#,
        "delete / recursive force",
    ),
    ("sed '1e rm -rf /' a", "delete / recursive force"),
    ("echo 'syscmd(rm -rf /)' | m4", "delete / recursive force"),
];

const CALM: &[&str] = &[
    r#"python3 -c 'print("rm -rf /")'"#,
    "perl -ne 'print if /rm -rf/' a",
    r#"ruby -e 'puts "rm -rf /"'"#,
    "node -e 'console.log(1)'",
    r#"awk '{print "rm"}' a"#,
    "awk '/rm -rf/ {n++} END {print n}' a",
    "php -r 'echo 1;'",
    "sed -n '/rm -rf/p' a",
    "python3 -m json.tool a.json",
    "python3 --version",
    "jq '.rm' a.json",
    "perl -v",
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
