//! The layouts that `crates/zsh-native` declares by hand, against zsh's own headers where they lie.

use std::path::Path;
use std::process::Command;

/// The numbers that `zsh-native` asserts about its own structures, asked of the headers.
const QUESTIONS: &str = r##"
#include <stddef.h>
#include "zsh.mdh"
#define AT(s, f, n) _Static_assert(offsetof(struct s, f) == n, #s "." #f)
AT(hashnode, nam, 8); AT(hashnode, flags, 16); AT(hashtable, getnode, 64);
AT(alias, text, 24); AT(shfunc, funcdef, 40); AT(funcstack, name, 8); AT(funcstack, tp, 48);
AT(builtin, handlerfunc, 24); AT(builtin, maxargs, 36); AT(builtin, defopts, 56);
AT(features, cd_list, 16); AT(features, n_abstract, 60);
_Static_assert(PM_UNDEFINED == 512 && ALIAS_GLOBAL == 2 && ZSIG_FUNC == 4, "marks");
_Static_assert(FS_FUNC == 1 && ERRFLAG_INT == 2 && SIGDEBUG == 33 && (unsigned char) Meta == 0x83, "values");
"##;

#[test]
fn the_headers_of_zsh_say_the_same() {
    let headers = Path::new("/usr/include/zsh");
    let compiler = Command::new("cc").arg("--version").output();
    if !headers.join("zsh.mdh").exists() || compiler.is_err() || cfg!(target_pointer_width = "32") {
        eprintln!("skipped: zsh's headers (zsh-dev) or a C compiler are not here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Asked for by the headers where zsh was built with it; nothing here needs it.
    std::fs::create_dir(folder.path().join("sys")).unwrap();
    std::fs::write(folder.path().join("sys/capability.h"), "").unwrap();
    let file = folder.path().join("layout.c");
    std::fs::write(&file, QUESTIONS).unwrap();
    let output = Command::new("cc")
        .args(["-fsyntax-only", "-I"])
        .arg(headers)
        .arg("-idirafter")
        .arg(folder.path())
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
