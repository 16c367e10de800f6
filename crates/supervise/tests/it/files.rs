//! File rules that policy has for trees.

use crate::support::{POLICY, home, run, script, there};

fn has_landlock() -> bool {
    let rules = cmdai_supervise::FileRules {
        write: &["tmp".to_owned()],
        read_only: &[],
        cwd: std::path::Path::new("/"),
        home: std::path::Path::new("/"),
        own: &[],
    };
    match rules.ready() {
        Ok(_) => true,
        Err(why) => {
            eprintln!("skipped: {why}");
            false
        }
    }
}

const WORK: &str = "cd work 2>/dev/null
echo x >inside && echo wrote inside
mv inside sub/moved && echo moved
echo x >../home/outside && echo wrote outside
: >../home/kept && echo emptied
rm -f ../home/kept && echo removed
echo x >/dev/null && echo null
cat ../home/kept >/dev/null && echo read
python3 -c 'open(\"../home/outside\", \"w\")' 2>/dev/null && echo by python
exit 0
";

#[test]
fn a_tree_writes_where_policy_says_and_nowhere_else() {
    let Some(home) = home() else { return };
    if !has_landlock() {
        return;
    }
    std::fs::create_dir_all(home.work().join(".git")).unwrap();
    std::fs::create_dir_all(home.work().join("sub")).unwrap();
    std::fs::write(home.path().join("kept"), "kept").unwrap();
    script(&home, "work.sh", WORK);
    home.policy(&format!("{POLICY}supervise:\n  write: [project]\n"))
        .unwrap();
    let ran = run(&home, &["bash", "work.sh"]);
    assert_eq!(
        ran.printed, "wrote inside\nmoved\nnull\nread\n",
        "{}",
        ran.said
    );
    assert_eq!(
        std::fs::read_to_string(home.path().join("kept")).unwrap(),
        "kept"
    );
    assert!(there(&home, "sub/moved") && !home.path().join("outside").exists());

    // A rule for agents alone is none for a script.
    home.policy(&format!(
        "{POLICY}supervise:\n  write: [project]\n  applies_to: {{ origins: [agent] }}\n"
    ))
    .unwrap();
    assert!(
        run(&home, &["bash", "work.sh"])
            .printed
            .contains("wrote outside")
    );
    script(&home, "codex", &format!("#!/bin/bash\n{WORK}"));
    std::fs::write(home.path().join("kept"), "kept").unwrap();
    let ran = run(&home, &["./codex"]);
    assert_eq!(
        ran.printed, "wrote inside\nmoved\nnull\nread\n",
        "{}",
        ran.said
    );
}

#[test]
fn a_tree_reads_where_policy_says_and_nowhere_else() {
    let Some(home) = home() else { return };
    if !has_landlock() {
        return;
    }
    std::fs::create_dir_all(home.work().join(".git")).unwrap();
    std::fs::write(home.path().join("secret"), "s").unwrap();
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    std::fs::write(home.path().join("data/set"), "d\n").unwrap();
    script(
        &home,
        "work.sh",
        "cat ../home/data/set; cat ../home/secret; echo x >../home/data/set; ls / >/dev/null; exit 0\n",
    );
    home.policy(&format!(
        "{POLICY}supervise:\n  write: [project]\n  read_only: [~/data]\n"
    ))
    .unwrap();
    let ran = run(&home, &["bash", "work.sh"]);
    assert_eq!(ran.printed, "d\n", "{}", ran.said);
    assert_eq!(
        std::fs::read_to_string(home.path().join("data/set")).unwrap(),
        "d\n"
    );
    assert_eq!(
        ran.said.matches("Permission denied").count(),
        3,
        "{}",
        ran.said
    );
}
