//! The how-to about keys is run as it stands; then policy from a repository.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PASSWORD: &str = "a password for tests";

struct Server {
    child: Child,
    folder: tempfile::TempDir,
    console: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_cmdai-enterprise").into()
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        let child = Command::new(program())
            .args([
                "server",
                "--listen",
                "127.0.0.1:0",
                "--machines",
                "127.0.0.1:0",
            ])
            .arg("--data")
            .arg(folder.path().join("data"))
            .arg("--admin-password-file")
            .arg(folder.path().join("password"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        let note = folder.path().join("data/running.json");
        let console = loop {
            let state = std::fs::read(&note)
                .ok()
                .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
            if let Some(state) = state {
                break state["console_url"].as_str().unwrap().to_owned();
            }
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "the server does not start"
            );
            std::thread::sleep(Duration::from_millis(50));
        };
        Self {
            child,
            folder,
            console,
        }
    }

    /// Runs a script where `cmdai-enterprise` is signed in; its output.
    fn script(&self, text: &str) -> (bool, String) {
        let place = self.folder.path().join("desk");
        std::fs::create_dir_all(&place).unwrap();
        let path = format!(
            "{}:{}",
            program().parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let done = Command::new("bash")
            .args(["-euc", text])
            .current_dir(&place)
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .env("CMDAI_SERVER", &self.console)
            .env("CMDAI_PASSWORD", PASSWORD)
            .env("CMDAI_KEY_PASSPHRASE", "a passphrase for tests")
            .output()
            .unwrap();
        let both = [done.stdout, done.stderr].concat();
        (
            done.status.success(),
            String::from_utf8_lossy(&both).into_owned(),
        )
    }

    fn good(&self, text: &str) -> String {
        let (good, said) = self.script(text);
        assert!(good, "{text}\n{said}");
        said
    }
}

/// The blocks of a page that are to be typed.
fn blocks(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/how-to")
        .join(page);
    let text = std::fs::read_to_string(path).unwrap();
    text.split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_how_to_about_keys_works_as_it_stands() {
    let server = Server::start();
    server.good("cmdai-enterprise login --server $CMDAI_SERVER");
    let blocks = blocks("keys.md");
    assert_eq!(blocks.len(), 7);
    // Tries of a password are counted by the minute: the page takes longer to read than to run.
    for block in &blocks {
        for step in block.split_inclusive('\n') {
            let (good, said) = server.script(step);
            if !good && said.contains("too many") {
                std::thread::sleep(Duration::from_secs(61));
                server.good(step);
            } else if !good && step.trim_end().ends_with('\\') {
                // A line that goes on: the whole block is run instead.
                server.good(block);
                break;
            } else {
                assert!(good, "{step}\n{said}");
            }
        }
    }
    let keys = server.good("cmdai-enterprise policy keys show");
    assert!(
        keys.contains("signed by people") && keys.contains("version 5"),
        "{keys}"
    );
    assert!(
        keys.contains("pub-gil") && !keys.contains("pub-eli") && !keys.contains("root-chen"),
        "{keys}"
    );
    let releases = server.folder.path().join("data/releases/keys");
    assert!(!releases.join("targets.der").exists() && !releases.join("offline/root.der").exists());
    let shown = server.good("cmdai-enterprise policy rollout show");
    assert!(shown.contains("release 4 is done"), "{shown}");
    // Nobody else's signature counts, nor a wrong passphrase.
    let (good, said) = server.script("cmdai-enterprise policy sign --key pub-eli.key draft.json");
    assert!(!good || said.contains("already"), "{said}");
    let (good, said) =
        server.script("CMDAI_KEY_PASSPHRASE=wrong-passphrase cmdai-enterprise policy sign --key pub-gil.key draft.json");
    assert!(!good && said.contains("passphrase does not open"), "{said}");
    // A plain OpenSSL reads the key file, where there is one.
    if Command::new("openssl").arg("version").output().is_ok() {
        let text = server.good("openssl pkcs8 -in pub-gil.key -topk8 -passin env:CMDAI_KEY_PASSPHRASE -nocrypt 2>&1 || true");
        assert!(
            text.contains("PRIVATE KEY") || text.contains("rror"),
            "{text}"
        );
    }
}

#[test]
fn a_repository_is_planned_and_applied() {
    let server = Server::start();
    server.good("cmdai-enterprise login --server $CMDAI_SERVER");
    server.good(
        "git init --quiet repo && cd repo && git config user.email t@example.org && git config user.name t\n\
         cmdai-enterprise policy show > policy.yaml 2>/dev/null\n\
         git add policy.yaml && git commit --quiet -m 'as in force'\n\
         printf 'rules:\\n  - id: acme.deploy\\n    when:\\n      pattern: \"./deploy .*\"\\n    decision: require_approval\\n    risk: high\\n    reason: \"Deploys need a second person\"\\n' > rule\n\
         grep -q '^rules:' policy.yaml && tail -n +2 rule >> policy.yaml || cat rule >> policy.yaml; rm rule\n\
         git commit --quiet -am 'deploys need approval'",
    );
    let plan = server.good("cmdai-enterprise policy plan --repo repo");
    assert!(
        plan.contains("acme.deploy") && plan.contains("stricter"),
        "{plan}"
    );
    let (good, said) = server.script("cmdai-enterprise policy apply --repo repo");
    assert!(!good && said.contains("--yes"), "{said}");
    let applied = server.good("cmdai-enterprise policy apply --repo repo --yes");
    assert!(applied.contains("managed by"), "{applied}");
    let (good, said) =
        server.script("cmdai-enterprise policy publish repo/policy.yaml --note again");
    assert!(!good && said.contains("managed by"), "{said}");
    // What is gone from the repository is named as gone.
    server.good("cd repo && git revert --no-edit HEAD");
    let plan = server.good("cmdai-enterprise policy plan --repo repo");
    assert!(plan.contains("gone") && plan.contains("looser"), "{plan}");
    let (good, said) = server
        .script("echo '# more' >> repo/policy.yaml; cmdai-enterprise policy plan --repo repo");
    assert!(!good && said.contains("not committed"), "{said}");
    // Empty is not permission: a repository without a policy changes nothing.
    let (good, said) = server.script(
        "cd repo && git checkout --quiet policy.yaml && git rm --quiet policy.yaml && git commit --quiet -m gone && cmdai-enterprise policy apply --repo . --yes",
    );
    assert!(!good && said.contains("policy.yaml"), "{said}");
}
