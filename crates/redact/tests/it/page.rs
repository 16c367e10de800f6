//! `docs/redaction.md` says what the catalogue holds.

use std::fmt::Write as _;
use std::path::Path;

use cmdai_redact::catalogue::{Group, shapes};

const HEAD: &str = "# Secrets and personal data in commands

Before a command is written down or sent, cmdai replaces what is secret in it by `[redacted:KIND]`. It runs
in the shell, on every command; what it leaves is what the history, the spool, the server, searches,
alerts and reports see. The same holds for reasons of requests and for what a model is asked.

```console
$ mysql -u root -phunter22 shop        # recorded: mysql -u root -p[redacted:password] shop
$ echo hunter22 | sudo -S ls           # recorded: echo [redacted:password] | sudo -S ls
$ curl -u bob:hunter22 https://x.example/a?page=2
                                       # recorded: curl -u bob:[redacted:password] https://x.example/a?page=2
```

References are no secrets and stay: `$VAR`, `$(command)`, `@file`, `env:NAME`, placeholders such as
`<token>` and `***`. A secret that was found once is taken wherever else it stands in the same text.

What it cannot know: a password typed as the argument of a program that it has no entry for, behind a name
that says nothing, of a form that no vendor gives; what a script file holds. What programs print is not recorded.

## How much is missed

```sh
cargo xtask bench redact                      # our own harmless commands
cargo xtask bench redact --corpus FILE…       # yours: JSON Lines with a \"command\", or plain lines
cargo xtask bench redact --trials 10000 --all # a row for each shape
```

makes up random secrets for every shape below (passwords that people choose, phrases, numbers, random
characters with signs where the line quotes them, tokens of the vendor's length) and counts a miss where
six characters in a row of the secret are left. The bars: each shape below 1 % at 95 % confidence, at most
0.5 % of harmless commands touched, below 5 µs for a command. Beside it stand a set of regular expressions as
scanners of source text use it, and a plain copy of the text.

## What is found

Written by `CMDAI_WRITE_DOCS=1 cargo test -p cmdai-redact redaction_page` from the tables that redaction
uses; a test compares it.
";

fn page() -> String {
    let mut out = HEAD.to_owned();
    let shapes = shapes();
    for group in Group::ALL {
        let of: Vec<_> = shapes.iter().filter(|shape| shape.group == group).collect();
        let _ = writeln!(out, "\n### {} ({})\n", group.title(), of.len());
        if group == Group::Line {
            out.push_str("`{}` stands for the secret.\n\n```text\n");
            for shape in of {
                let _ = writeln!(out, "{}", shape.name.replace('\n', "⏎"));
            }
            out.push_str("```\n");
            continue;
        }
        let mut width = 0;
        for (number, shape) in of.iter().enumerate() {
            let comma = if number + 1 == of.len() { "\n" } else { "," };
            let name = format!("`{}`{comma}", shape.name);
            if width > 0 && width + name.len() > 108 {
                out.push('\n');
                width = 0;
            } else if width > 0 {
                out.push(' ');
                width += 1;
            }
            width += name.len();
            out.push_str(&name);
        }
        let _ = writeln!(
            out,
            "\nFor example: `{}`",
            of[0].lines[0].replace('\n', "⏎")
        );
    }
    out
}

#[test]
fn redaction_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/redaction.md");
    let page = page();
    if std::env::var_os("CMDAI_WRITE_DOCS").is_some() {
        std::fs::write(&path, page).unwrap();
        return;
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page,
        "docs/redaction.md is not what the catalogue holds; write it with: CMDAI_WRITE_DOCS=1 cargo test -p cmdai-redact redaction_page"
    );
}
