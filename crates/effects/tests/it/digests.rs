//! The semantic digest.

use crate::support::look;

#[track_caller]
fn same(a: &str, b: &str) {
    assert_eq!(look(a).digest, look(b).digest, "{a:?} and {b:?}");
}

#[track_caller]
fn differ(a: &str, b: &str) {
    assert_ne!(look(a).digest, look(b).digest, "{a:?} and {b:?}");
}

#[test]
fn spelling_does_not_matter() {
    assert!(look("ls").digest.starts_with("v1:sha256:"));
    same("rm -rf /", "  rm   -rf    /  ");
    same("rm -rf /", "'rm' \"-rf\" \\/");
    same("echo a b", "echo $'a' \"b\"");
    same("a; b", "a\nb");
    same("if a; then b; fi", "if a\nthen\n  b\nfi");
    same("a && b", "a &&\n  b");
    same("echo \"$x\"", "echo \"\"\"$x\"");
    same("cat <<A\nx\nA", "cat <<B\nx\nB");
    same("echo a # note", "echo a");
    same("a 2>f", "a 2> f");
}

#[test]
fn meaning_does() {
    differ("echo a b", "echo 'a b'");
    differ("echo $x", "echo \"$x\"");
    differ("echo $x", "echo '$x'");
    differ("echo *", "echo '*'");
    differ("echo ~", "echo '~'");
    differ("echo {a,b}", "echo '{a,b}'");
    differ("a && b", "a || b");
    differ("a; b", "a & b");
    differ("a | b", "a; b");
    differ("(a)", "{ a; }");
    differ("a >f", "a >>f");
    differ("! a", "a");
    differ("A=1 b", "'A=1' b");
    differ("cat <<A\n$x\nA", "cat <<'A'\n$x\nA");
    differ("echo ''", "echo");
    differ("'if' a", "if a; then b; fi");
    differ("echo `a`", "echo a");
}

#[test]
fn secrets_are_not_in_it() {
    same(
        "mysql -u root -phunter22 shop",
        "mysql -u root -phunter33 shop",
    );
    differ(
        "mysql -u root -phunter22 shop",
        "mysql -u admin -phunter22 shop",
    );
}

#[test]
fn what_stands_beside_a_secret_counts() {
    same("mysql -phunter22 shop", "mysql -pcorrect-horse8 shop");
    differ("mysql -phunter22 shop", "mysql -phunter22 bank");
    differ(
        "bash -c 'password=hunter22; ls'",
        "bash -c 'password=hunter22; rm -rf /srv'",
    );
    differ(
        "bash <<EOF\nPGPASSWORD=hunter22 ls\nEOF",
        "bash <<EOF\nPGPASSWORD=hunter22 rm -rf /srv\nEOF",
    );
    differ(
        "API_KEY=\"sk-abcdefghijkl$(ls)\" make",
        "API_KEY=\"sk-abcdefghijkl$(rm -rf /srv)\" make",
    );
}
