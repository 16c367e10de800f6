//! Programs that run another one by a setting or an option.

use super::{Case, check};

const SEEN: &[Case] = &[
    (
        "git -c core.editor='rm -rf /' commit",
        "delete / recursive force",
    ),
    (
        "git -c sequence.editor='rm -rf /' rebase -i HEAD~2",
        "delete / recursive force",
    ),
    (
        "git -c core.fsmonitor='rm -rf /' status",
        "delete / recursive force",
    ),
    (
        "git -c filter.x.clean='rm -rf /' add a",
        "delete / recursive force",
    ),
    (
        "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.pager GIT_CONFIG_VALUE_0='rm -rf /' git log",
        "delete / recursive force",
    ),
    (
        "X='rm -rf /' git --config-env=core.pager=X log",
        "delete / recursive force",
    ),
    (
        "git rebase --exec 'rm -rf /' main",
        "delete / recursive force",
    ),
    ("git bisect run rm -rf /", "delete / recursive force"),
    (
        "git filter-branch --tree-filter 'rm -rf /' HEAD",
        "delete / recursive force",
    ),
    (
        "git difftool -x 'rm -rf /' HEAD",
        "delete / recursive force",
    ),
    (
        "git -c credential.helper='!rm -rf /' fetch",
        "delete / recursive force",
    ),
    ("split --filter='rm -rf /' big", "delete / recursive force"),
    (
        "sort --compress-program='rm -rf /' a",
        "delete / recursive force",
    ),
    (
        "certbot renew --pre-hook 'rm -rf /'",
        "delete / recursive force",
    ),
    ("logrotate --mail='rm -rf /' c", "delete / recursive force"),
    (
        "apt-get -o Dpkg::Pre-Invoke::='rm -rf /' install x",
        "delete / recursive force",
    ),
    (
        "tar cf a b --use-compress-program='rm -rf /'",
        "delete / recursive force",
    ),
    (
        r#"TAR_OPTIONS="--checkpoint-action='exec=rm -rf /'" tar cf a b"#,
        "delete / recursive force",
    ),
    ("scrot -e 'rm -rf /'", "delete / recursive force"),
    ("gem open -e 'rm -rf /' rails", "delete / recursive force"),
    ("go test -exec 'rm -rf /' ./...", "delete / recursive force"),
    (
        "perf stat --pre 'rm -rf /' true",
        "delete / recursive force",
    ),
    (
        "hyperfine --prepare 'rm -rf /' true",
        "delete / recursive force",
    ),
    ("mosh --ssh='rm -rf /' host", "delete / recursive force"),
    ("gcc -wrapper rm,-rf,/ a.c", "delete / recursive force"),
    (
        "openvpn --dev null --script-security 2 --up 'rm -rf /'",
        "delete / recursive force",
    ),
];

const CALM: &[&str] = &[
    "git -c user.name=x commit -m 'rm -rf /'",
    "git -c core.pager=cat log",
    "git -c color.ui=always diff",
    "rg --pre-glob '*.pdf' needle",
    "tar czf a.tgz src --exclude='rm -rf'",
    "sort --parallel=4 a",
    "split -b 1M big",
    "certbot renew --dry-run",
    "vim +12 notes.txt",
    "man rm",
    "less -R a.log",
    "rsync -av --exclude=.git src/ dst/",
    "zip -r a.zip src",
    "GIT_PAGER=cat git diff",
    "EDITOR=vim git commit",
    "make -j4 test",
];

#[test]
fn seen_and_calm() {
    check(SEEN, CALM);
}
