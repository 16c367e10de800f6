//! Word expansion against the real shell, on words that cannot do anything.

use std::process::{Command, Stdio};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestRunner},
};

/// Parts without side effects: no substitution, no redirection, no pattern.
const PARTS: &[&str] = &[
    "a",
    "b/c",
    "'q r'",
    "\"d e\"",
    "\\ ",
    "\\x",
    "$'\\t'",
    "$'\\x41'",
    "{a,b}",
    "{1..3}",
    "{x,'y z'}",
    "$v",
    "\"$v\"",
    "${v}",
    "${v:-d}",
    "${u:-d}",
    "\"${u:-d e}\"",
    "${v#o}",
    "${v%e}",
    "${v/n/N}",
    "${v^^}",
    "${#v}",
    "${v:1:2}",
    "''",
    "\"\"",
    "-",
    "=",
    "$((1+2))",
    "\"$((2*3))\"",
    "{c..a}",
    "$w",
    "\"$w\"",
    "${w// /_}",
    "{{a,b},c}",
    "{a}",
    "{,x}",
    ",",
    "~+",
    "\\{a,b\\}",
    "\"'\"",
    "'\"'",
    "${u}",
    "\"$u\"",
];

/// A shell without any variables of its own.
struct Bare;

impl cmdai_effects::Session for Bare {
    fn variable(&self, _name: &str) -> Option<std::borrow::Cow<'_, str>> {
        None
    }
    fn alias(&self, _name: &str) -> Option<std::borrow::Cow<'_, str>> {
        None
    }
    fn function(&self, _name: &str) -> Option<std::borrow::Cow<'_, str>> {
        None
    }
    fn is_live(&self) -> bool {
        true
    }
}

#[test]
fn expansion_agrees_with_bash() {
    if Command::new("bash")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cwd = folder.path().to_str().unwrap().to_owned();
    let word = proptest::collection::vec(proptest::sample::select(PARTS), 1..5)
        .prop_map(|parts| parts.concat());
    let lists = proptest::collection::vec(word, 1..4);
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let mut scripts = Vec::new();
    for _ in 0..3000 {
        let words = lists.new_tree(&mut runner).unwrap();
        scripts.push(proptest::strategy::ValueTree::current(&words).join(" "));
    }
    let setup = "v=one; w='two words'; unset u;";
    // One shell for all of them: each list ends in a mark of its own.
    let mut script = String::from(setup);
    for words in &scripts {
        script.push_str(&format!("\nprintf '%s\\0' {words} END"));
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &script).unwrap();
    let output = Command::new("bash")
        .args(["--norc", "--noprofile"])
        .arg(file.path())
        .current_dir(&folder)
        .env_clear()
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut fields = text.split('\0');
    for words in &scripts {
        let expected: Vec<&str> = fields
            .by_ref()
            .take_while(|field| *field != "END")
            .collect();
        let line = format!("{setup} probe {words}");
        let analysis = cmdai_effects::analyse(
            &line,
            &cmdai_effects::Context {
                dialect: cmdai_schema::Dialect::Bash,
                cwd: &cwd,
                home: "/",
                user: "u",
                session: &Bare,
                languages: &cmdai_languages::Grammars,
            },
        );
        let call = analysis.invocations.last().unwrap();
        let found: Vec<&str> = call.args.iter().map(cmdai_schema::Arg::text).collect();
        assert_eq!(found, expected, "{words}");
    }
}

/// What the generated words are made of: no side effects, no files.
const FORMS: &[&str] = &[
    // Parameters.
    "${u:-\"a b\"}",
    "${u:-a b}",
    "\"${u:-a b}\"",
    "${u-x}",
    "${e:-x}",
    "${e-x}",
    "${v:+y}",
    "${e:+y}",
    "${e+y}",
    "${u+z}",
    "${v+\"a b\"}",
    "${v#o}",
    "${w#* }",
    "${w##*o}",
    "${w%o*}",
    "${w%%o*}",
    "${p##*/}",
    "${p%/*}",
    "${p#*/}",
    "${p%.*}",
    "${p##*.}",
    "${w/o/0}",
    "${w//o/0}",
    "${w/#t/T}",
    "${w/%s/S}",
    "${w/o*d/X}",
    "${w//[aeiou]/_}",
    "${w/ /}",
    "${v^}",
    "${v^^}",
    "${V,}",
    "${V,,}",
    "${v^^[on]}",
    "${#w}",
    "${w:2}",
    "${w:2:3}",
    "${w: -3}",
    "${w: -3:2}",
    "${w:1:-2}",
    "${w:n:n+1}",
    "${!r}",
    "${!r#o}",
    "${v@Q}",
    "\"${w@Q}\"",
    "${v@U}",
    "${v@u}",
    "${V@L}",
    "\"${b@E}\"",
    "${v:-${u:-z}}",
    "${v#\"$v\"}",
    "${w#\"two \"}",
    "\"${g}\"",
    "\"${g//\\*/-}\"",
    "\"${g//\"*\"/s}\"",
    "${w/two/&&}",
    "${w//o/<&>}",
    "\"${w/o/\\&}\"",
    "${v/one/$w}",
    "\"${v/one/'q'}\"",
    "${u:=}",
    "${v:0:0}",
    "${w#?}",
    "${w%[a-z]}",
    "${w##[!o]*}",
    "${#u}",
    "${v:1}${v:0:1}",
    "${p//\\//:}",
    "${p////-}",
    "\"${#p}\"",
    "\"${w%% *}\"",
    "\"${u-$w}\"",
    "${u-$w}",
    "${u:-'q r'}",
    "\"${u:-'q r'}\"",
    "${v%%*}",
    "${v:-'}'}",
    // Arrays and arguments.
    "${a[0]}",
    "${a[1]}",
    "${a[-1]}",
    "\"${a[@]}\"",
    "${a[@]}",
    "\"${a[*]}\"",
    "${a[*]}",
    "${#a[@]}",
    "${#a[1]}",
    "\"${a[@]:1}\"",
    "\"${a[@]:1:1}\"",
    "\"${!a[@]}\"",
    "\"${a[@]/o/0}\"",
    "\"${a[@]^^}\"",
    "${a[i]}",
    "${a[i+1]}",
    "${a[$i]}",
    "${a[n-1]}",
    "${m[k]}",
    "\"${m[two words]}\"",
    "${m[$v]}",
    "\"${m[\"k\"]}\"",
    "${#m[@]}",
    "\"${s[@]}\"",
    "\"${!s[@]}\"",
    "${s[5]}",
    "${s[-1]}",
    "\"${z[@]}\"",
    "\"x${a[@]}y\"",
    "\"$@\"",
    "$*",
    "\"$*\"",
    "$#",
    "$1",
    "\"${@:2}\"",
    "\"${@:1:1}\"",
    "${!#}",
    "\"${*:2}\"",
    "${#1}",
    "$@",
    "\"${a[@]: -1}\"",
    "\"${@%e}\"",
    "\"${a[@]#t}\"",
    "$a",
    "\"$a\"",
    "\"${@: -1}\"",
    // Braces.
    "{a,b}{1,2}",
    "{1..5}",
    "{5..1}",
    "{01..03}",
    "{1..10..3}",
    "{a..e..2}",
    "{-2..2}",
    "{a,{b,c}d}",
    "x{,y}",
    "{1..}",
    "{a..}",
    "'{a,b}'",
    "\"{a,b}\"",
    "{$v,b}",
    "{a,}b",
    "{007..9..2}",
    "{z..w}",
    "{10..1..4}",
    "{a,b,}",
    "{,}",
    "{'a b',c}",
    "{a\\,b,c}",
    "{{1..2},x}",
    "a{b}c",
    "{}",
    "{a,b",
    "a,b}",
    "{-05..5..5}",
    "{3..-3..3}",
    // Quotes.
    "$'a\\tb'",
    "$'\\101\\x42\\u0043'",
    "$\"abc\"",
    "'a'\"b\"\\c",
    "\"a\\\"b\"",
    "\"a\\\\b\"",
    "\"a\\$v\"",
    "\"a\\`b\"",
    "\\\"",
    "\\'",
    "\\\\",
    "\"a\\nb\"",
    "$'it\\'s'",
    "$'\\e[0m'",
    "''\"\"",
    "\"$v\"'$v'",
    "a\\\nb",
    // Arithmetic.
    "$((n+1))",
    "$((n*(i-4)))",
    "$((2**10))",
    "$((n>2?1:0))",
    "$((16#ff+0x10+010))",
    "$((n<<2|1))",
    "$((-7/2))",
    "$((-7%3))",
    "$((!n))",
    "$((~n))",
    "$((n==3&&i==1))",
    "$((a[3]+1))",
    "$((1,2))",
    "$((n&i^5))",
    "$[n+1]",
    "$((i<n))",
    "$(( n >= 3 ))",
    "$(($n+${i}))",
    "$((unsetname+1))",
    "$((36#z))",
    // Substitutions.
    "$(echo a b)",
    "\"$(echo a  b)\"",
    "`echo $v`",
    "$(printf '%s\\n' x y)",
    "\"$(printf '%03d' 7)\"",
    "$(echo $(echo n))",
    "\"$(printf %b 'a\\tb')\"",
    "\"$(echo -e 'a\\nb')\"",
    "\"$(printf '%-5s|' a)\"",
    "$(echo abc | tr a-c A-C)",
    "$(echo abc | rev)",
    "$(echo a:b:c | cut -d: -f2)",
    "$(echo abcdef | cut -c2-4)",
    "$(printf 'a\\nb\\nc\\n' | head -1)",
    "$(printf 'a\\nb\\nc\\n' | tail -n 1)",
    "$(seq 3)",
    "$(seq 1 2 7)",
    "$(basename /a/b.c .c)",
    "$(dirname /a/b/c)",
    "$(dirname a)",
    "$(echo aGk= | base64 -d)",
    "$(echo hi | base64)",
    "$(printf 'b\\na\\n' | sort)",
    "$(printf 'b\\na\\n' | sort -r)",
    "$(printf 'a\\na\\nb\\n' | uniq)",
    "$(expr 1 + 2)",
    "$(expr substr abc 2 1)",
    "$(expr length abc)",
    "$(echo abc | sed s/b/X/)",
    "$(echo aXbX | sed 's/X/-/g')",
    "$(echo a b c | awk '{print $2}')",
    "$(printf 'a\\nb\\n' | tac)",
    "$(printf 'a\\nb\\n' | paste -sd,)",
    "$(echo abcd | fold -w2)",
    "$(echo AbC | tr '[:upper:]' '[:lower:]')",
    "$(echo aabb | tr -s a)",
    "$(echo a1b2 | tr -d 0-9)",
    "$(echo a1b2 | tr -cd '0-9')",
    "$(cat <<< x)",
    "$(echo hello | head -c 2)",
    "$(true && echo y)",
    "$(false || echo n)",
    "$(if true; then echo t; fi)",
    "$(for q in 1 2; do echo $q; done)",
    "$(printf '%s' \"$w\")",
    "\"$(echo \"$w\")\"",
    "$(printf '%x' 255)",
    "$(printf '\\x41\\102')",
    "$(printf '%s,' a b c)",
    "$(echo x; echo y)",
    "\"$(printf 'a\\n\\n')\"",
    "$(echo \"${a[@]}\")",
    "$(:)",
    "$(echo -n z)",
    "$(printf '%c' xyz)",
    "$(echo '$v')",
    "$(echo \"\\$v\")",
    "$(printf %q 'a b')",
    "$(echo a | wc -l)",
    "$(printf 'x\\ny\\n' | sed -n 2p)",
    "$(echo a-b | tr - _)",
    "$(echo a,b | awk -F, '{print $2 $1}')",
    "$(printf 'c a b' | tr ' ' '\\n' | sort | tr '\\n' ' ')",
    "$(yes ab | head -2)",
    "$(echo 'a.b' | sed 's/\\./-/')",
];

/// Lines that set something up, and then say what came of it.
const LINES: &[&str] = &[
    "IFS=,; x=a,b,,c; probe $x",
    "IFS=:; x=:a:b:; probe $x",
    "IFS=' :'; x='a : b :c'; probe $x",
    "IFS=; x='a b'; probe $x",
    "IFS=,; set -- a b; probe \"$*\" $*",
    "IFS=,; probe $(echo a,b)",
    "IFS=-; a=(1 2); probe \"${a[*]}\"",
    "read x y <<< 'a b c'; probe \"$x\" \"$y\"",
    "IFS=: read x y <<< a:b:c; probe \"$x\" \"$y\"",
    "read -r x <<< 'a\\b'; probe \"$x\"",
    "read x <<< 'a\\b'; probe \"$x\"",
    "read -a q <<< 'a b c'; probe \"${q[@]}\"",
    "read x <<< '  a  '; probe \"$x\"",
    "IFS= read x <<< '  a  '; probe \"$x\"",
    "IFS=, read x y <<< 'a,b,'; probe \"$x\" \"$y\"",
    "read -n 2 x <<< abc; probe $x",
    "read -d , x <<< a,b; probe $x",
    "mapfile -t q < <(printf 'a\\nb\\n'); probe \"${q[@]}\"",
    "{ read x; read y; } <<< $'1\\n2'; probe $x $y",
    "while read x; do q+=$x-; done <<< $'1\\n2\\n3'; probe $q",
    "for x in a b; do q=$q$x; done; probe $q",
    "for ((k=0;k<4;k++)); do q+=$k; done; probe $q",
    "k=3; while ((k>0)); do q+=$k; ((k--)); done; probe $q",
    "k=0; until [ $k -ge 3 ]; do k=$((k+1)); done; probe $k",
    "for x in {1..4}; do [ $x = 3 ] && break; q+=$x; done; probe $q",
    "for x in 1 2 3; do if [ $x = 2 ]; then continue; fi; q+=$x; done; probe $q",
    "case abc in a*) q=1;; *) q=2;; esac; probe $q",
    "case x in a|x) q=1;& b) q+=2;; c) q+=3;; esac; probe $q",
    "case ab in a*) q=1;;& *b) q+=2;; esac; probe $q",
    "if [ a = b ]; then q=1; elif [ 2 -lt 3 ]; then q=2; else q=3; fi; probe $q",
    "[[ abc == a* ]] && q=y || q=n; probe $q",
    "[[ abc == \"a*\" ]] && q=y || q=n; probe $q",
    "[[ -z '' && ! -n '' ]] && q=y; probe $q",
    "((3>2)) && q=y; probe $q",
    "f() { echo \"$1-$2\"; }; probe $(f a b)",
    "f() { local q=in; g; }; g() { echo $q; }; q=out; probe $(f) $q",
    "f() { q=$1; }; f x; probe $q",
    "f() { shift; echo \"$@\" $#; }; probe $(f a b c)",
    "f() { local q=$1; q=2; }; q=1; f 3; probe $q",
    "f() { return; q=1; }; q=0; f; probe $q",
    "f() { declare -n ref=$1; ref=new; }; q=old; f q; probe $q",
    "declare -n r2=q; q=5; probe $r2",
    "declare -i q=3; q+=4; probe $q",
    "declare -u q=abc; probe $q",
    "declare -l q=ABC; probe $q",
    "declare -A h; h[a]=1; h[b]=2; probe ${h[a]}${h[b]} ${#h[@]}",
    "declare -A h=([x]=1 [y z]=2); probe ${h[y z]}",
    "q=(a b); q+=(c); q[5]=f; probe \"${q[@]}\" ${#q[@]} \"${!q[@]}\"",
    "q=([2]=c [0]=a); probe \"${q[@]}\"",
    "q=(a b c); unset 'q[1]'; probe \"${q[@]}\"",
    "q=abc; q+=def; probe $q",
    "q=(1 2 3); probe $((q[0]+q[2]))",
    "printf -v q '%02d' 5; probe $q",
    "printf -v 'q[1]' x; probe ${q[1]}",
    "set -- a b c; shift 2; probe $1 $#",
    "set -- 'a b' c; probe \"$@\"",
    "set -- -a -b val; while getopts ab: o; do q+=$o$OPTARG; done; probe $q",
    "eval 'q=1'; probe $q",
    "eval \"eval 'q=2'\"; probe $q",
    "q='a b'; eval set -- $q; probe $#",
    "q=x; x=y; y=z; eval probe \\$$q",
    "let q=2+3; probe $q",
    "let 'q=2*3' r=1; probe $q",
    "((q=5, q++)); probe $q",
    "q=5; ((q+=2)); probe $q",
    "q=1; : $((q+=4)); probe $q",
    "k=2; q=$((k++ + ++k)); probe $q $k",
    "x=3+4; probe $((x*2))",
    ": ${q:=def}; probe $q",
    "q=${u:-$(echo z)}; probe $q",
    "cd /usr; probe $PWD",
    "cd /usr; cd lib; cd ..; probe $PWD",
    "(cd /usr); cd /etc; cd /tmp; probe $OLDPWD",
    "cd /usr; cd /; probe ~-",
    "q=1; (q=2); probe $q",
    "q=1; { q=2; }; probe $q",
    "q=1; echo x | q=2; probe $q",
    "q=1; q=$(q=3; echo $q)$q; probe $q",
    "x=a y=$x; probe \"$y\"",
    "a1=x a2=y; probe \"${!a1*}\" \"${!a2@}\"",
    "q='$v'; probe $q",
    "q=\"a'b\"; probe $q",
    "cat <<E > /dev/null\nx\nE\nprobe after",
    "q=$(cat <<E\na $v\nE\n); probe \"$q\"",
    "q=$(cat <<'E'\na $v\nE\n); probe \"$q\"",
    "q=$(cat <<-E\n\t\ta\n\tE\n); probe \"$q\"",
    "probe \"$(echo \"a\"'b')\" c\\ d",
    "q=a; q=$q$q; q=$q$q; probe $q",
    "unset v; probe \"${v-unset}\"",
    "true && q=1 || q=2; probe $q",
    "false && q=1 || q=2; probe $q",
    "! true || q=1; probe \"$q\"",
    "q=0; for x in; do q=1; done; probe $q",
    "select_=1; probe $select_",
    "function g { echo $1; }; probe $(g hi)",
    "probe $(exit; echo no) end",
    "s2='/ fr- mr'; q=; for ((k=${#s2}-1;k>=0;k--)); do q+=${s2:k:1}; done; probe \"$q\"",
    "coded=6; probe $(printf \"\\\\$(printf %o $((60+coded)))\")",
    "x=abc; probe ${x:$((1)):1}",
    "x=(a b c); k=1; probe ${x[k]} ${x[$k]} ${x[k+1]}",
    "set -f; x='*'; probe $x",
    "f() { f2() { echo in; }; }; f; probe $(f2)",
    "x=1; f() { x=2; }; $(f); probe $x",
    "shopt -s extglob; x=aab; probe ${x##+(a)} ${x/@(a|b)/Z}",
    "x='a  b'; y=$x; probe \"$y\" $y",
    "q=1; if true; then q=2; fi; probe $q",
    "q=(x); f() { local q=(a b); echo ${#q[@]}; }; probe $(f) ${#q[@]}",
    "exec 3<<< 'a b'; read x y <&3; probe $y",
    "exec 3<<< $'1\\n2'; read x <&3; read -u 3 y; probe $x $y",
];

fn shell(text: &str, cwd: &str) -> cmdai_schema::Analysis {
    cmdai_effects::analyse(
        text,
        &cmdai_effects::Context {
            dialect: cmdai_schema::Dialect::Bash,
            cwd,
            home: "/",
            user: "u",
            session: &Bare,
            languages: &cmdai_languages::Grammars,
        },
    )
}

/// What is claimed to be known is what the shell says; how much is known has a floor.
#[test]
fn known_words_are_right() {
    if Command::new("bash")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cwd = folder.path().to_str().unwrap().to_owned();
    let setup = "v=one; w='two words'; V=Three; e=; p=/a/b.c/d.tar.gz; n=3; i=1; r=v; b='x\\ty'; g='a*b'; \
                 a=(zero 'one two' three 4); declare -A m=([k]=val [one]=1 ['two words']=tw); s=([2]=c [5]=f); z=(); \
                 set -- uno 'dos tres' cuatro;";
    let one = proptest::sample::select(FORMS);
    let word = proptest::collection::vec(one, 1..4).prop_map(|parts| parts.concat());
    let lists = proptest::collection::vec(word, 1..3);
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let mut lines: Vec<String> = FORMS
        .iter()
        .map(|form| format!("{setup} probe {form}"))
        .collect();
    for _ in 0..1_200 {
        let words = lists.new_tree(&mut runner).unwrap();
        let words = proptest::strategy::ValueTree::current(&words).join(" ");
        lines.push(format!("{setup} probe {words}"));
    }
    lines.extend(LINES.iter().map(|line| format!("v=one; {line}")));
    // One shell for all of them: each line ends in a mark of its own.
    let mut script = String::from("probe() { printf '%s\\0' \"$@\"; }\n");
    for line in &lines {
        script.push_str(&format!("( {line}\n) 2>/dev/null; printf 'END\\0'\n"));
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &script).unwrap();
    let output = Command::new("bash")
        .args(["--norc", "--noprofile"])
        .arg(file.path())
        .current_dir(&folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut fields = text.split('\0');
    let (mut known, mut all) = (0, 0);
    let mut wrong = Vec::new();
    for line in &lines {
        let expected: Vec<&str> = fields
            .by_ref()
            .take_while(|field| *field != "END")
            .collect();
        let analysis = shell(line, &cwd);
        all += 1;
        let Some(call) = analysis
            .invocations
            .iter()
            .rev()
            .find(|call| call.program == "probe")
        else {
            wrong.push(format!("{line}\n  is not called"));
            continue;
        };
        if call.args.iter().any(|arg| arg.value.is_none()) {
            continue;
        }
        known += 1;
        let found: Vec<&str> = call.args.iter().map(cmdai_schema::Arg::text).collect();
        // Without arguments `printf` prints one empty field.
        let expected = if found.is_empty() && expected == [""] {
            Vec::new()
        } else {
            expected
        };
        if found != expected {
            wrong.push(format!(
                "{}\n  here {found:?}\n  bash {expected:?}",
                line.trim_start_matches(setup)
            ));
        }
    }
    println!("known: {known} of {all}");
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(known * 100 > all * 90, "only {known} of {all} are known");
}
