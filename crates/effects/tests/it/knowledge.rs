//! Runs every example of the command knowledge.

use serde::Deserialize;

use cmdai_schema::Dialect;

use crate::support::{line, lines, look_as};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    program: Vec<Program>,
    #[serde(default)]
    api: Vec<Api>,
}

#[derive(Deserialize)]
struct Api {
    name: String,
    examples: Vec<Example>,
}

#[derive(Deserialize)]
struct Program {
    names: Vec<String>,
    #[serde(default)]
    style: String,
    #[serde(default)]
    examples: Vec<Example>,
}

#[derive(Deserialize)]
struct Example {
    run: String,
    effects: Vec<String>,
}

#[test]
fn examples_hold() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    let (mut wrong, mut count, mut programs) = (Vec::new(), 0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let file: File = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for api in file.api {
            for example in api.examples {
                count += 1;
                let (method, address) = example.run.split_once(' ').unwrap();
                let mut found = lines(&format!("curl -s -X {method} '{address}'"));
                found.retain(|line| !line.starts_with("download "));
                if found != example.effects {
                    wrong.push(format!(
                        "{}: {}\n  expected {:?}\n  found    {found:?}",
                        api.name, example.run, example.effects
                    ));
                }
            }
        }
        for program in file.program {
            programs += program.names.len();
            for example in program.examples {
                count += 1;
                // Programs of Windows take paths with backslashes.
                let dialect = match program.style.as_str() {
                    "cmdlet" | "slash" | "cmd" => Dialect::Powershell,
                    _ if path.ends_with("windows.toml") => Dialect::Powershell,
                    _ => Dialect::Bash,
                };
                let mut found: Vec<String> = look_as(&example.run, dialect)
                    .effects
                    .iter()
                    .map(line)
                    .collect();
                let mut expected = example.effects.clone();
                found.sort();
                expected.sort();
                if found != expected {
                    wrong.push(format!(
                        "{}: {}\n  expected {expected:?}\n  found    {found:?}",
                        program.names[0], example.run
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        count >= 100 && programs >= 200,
        "{count} examples, {programs} programs"
    );
}
