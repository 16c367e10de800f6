//! Every shape of secret that is looked for, with lines that carry it and secrets made up at random.
//!
//! The list follows from the tables that redaction itself uses: a row added there is measured, tested
//! and documented from then on. `cargo xtask bench redact` counts how many of each are missed.

mod lines;
mod sample;

pub use sample::{Dice, PIECE, Secret, survives};

use sample::Quotes;

use crate::names::{STRONG_ENDS, STRONG_PAIRS, WEAK_ENDS};
use crate::shapes::SHAPES;
use crate::tools::{How, SINK_FLAGS, TOOLS};

/// Where in a line a shape is at home; the groups of the documentation's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What vendors issue, told by its prefix, wherever it stands.
    Token,
    /// Values behind a name that says what they are.
    Name,
    /// Options of programs that take a secret.
    Option,
    /// What is piped or fed to a program that reads a secret.
    Input,
    /// Addresses with a user part.
    Address,
    /// Whole lines: places that only the program's own grammar tells, quoting, nesting.
    Line,
    /// Private keys, cards, numbers of people.
    Personal,
}

impl Group {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Token,
        Self::Name,
        Self::Option,
        Self::Input,
        Self::Address,
        Self::Line,
        Self::Personal,
    ];

    /// What the group is called.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Token => "Tokens that vendors issue",
            Self::Name => "Values behind a name",
            Self::Option => "Options of programs",
            Self::Input => "What a program reads",
            Self::Address => "Addresses",
            Self::Line => "Whole lines",
            Self::Personal => "Keys and numbers of people",
        }
    }
}

/// One shape.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Where it is at home.
    pub group: Group,
    /// What tells it from the others of its group.
    pub name: String,
    /// Lines with `{}` where the secret stands; any of them.
    pub lines: Vec<String>,
    /// What stands there.
    pub secret: Secret,
}

/// A line with a secret in it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The line.
    pub text: String,
    /// The line without the secret.
    pub around: String,
    /// The secret.
    pub secret: String,
}

impl Sample {
    /// Whether a piece of the secret stands in `text`.
    pub fn survives_in(&self, text: &str) -> bool {
        survives(&self.secret, &self.around, text)
    }
}

impl Shape {
    fn new(group: Group, name: impl Into<String>, lines: Vec<String>, secret: Secret) -> Self {
        Self {
            group,
            name: name.into(),
            lines,
            secret,
        }
    }

    /// A line of this shape with a secret of its own.
    pub fn sample(&self, dice: &mut Dice) -> Sample {
        let line = self
            .lines
            .get(dice.below(self.lines.len()))
            .map_or("{}", String::as_str);
        let quotes = if line.contains("'{}'") && line.matches('\'').count() == 2 {
            Quotes::Single
        } else if line.contains("\"{}\"") && line.matches(['"', '\'']).count() == 2 {
            Quotes::Double
        } else {
            Quotes::None
        };
        let secret = self.secret.make(dice, quotes);
        // The prefix of a token is no secret.
        let prefix = match self.secret {
            Secret::Token(row) => SHAPES.get(row).map_or("", |shape| shape.prefix),
            _ => "",
        };
        let around = line.replace("{}", prefix);
        Sample {
            text: line.replace("{}", &format!("{prefix}{secret}")),
            around,
            secret,
        }
    }
}

/// All shapes, in the order of their groups.
pub fn shapes() -> Vec<Shape> {
    let mut out = Vec::new();
    tokens(&mut out);
    names(&mut out);
    options(&mut out);
    inputs(&mut out);
    addresses(&mut out);
    for line in lines::LINES {
        out.push(Shape::new(
            Group::Line,
            *line,
            vec![(*line).to_owned()],
            Secret::Password,
        ));
    }
    personal(&mut out);
    out
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn tokens(out: &mut Vec<Shape>) {
    const PLACES: &[&str] = &[
        "tool {}",
        "x='{}'",
        "curl -H \"A: {}\" https://x.example",
        "echo {} >> f",
        "a {}, b",
        "printf \"{}\\n\"",
        "printf 'a\\n{}'",
        "cat > f <<EOF\n{}\nEOF",
    ];
    for (row, shape) in SHAPES.iter().enumerate() {
        out.push(Shape::new(
            Group::Token,
            shape.prefix,
            owned(PLACES),
            Secret::Token(row),
        ));
    }
}

fn names(out: &mut Vec<Shape>) {
    const PLACES: &[&str] = &[
        "export APP_NAME={}",
        "APP_NAME='{}' ./run",
        "env APP_NAME=\"{}\" ./run",
        "tool --app-name {} --verbose",
        "tool --app-name='{}'",
        "curl -d '{\"app_name\": \"{}\"}' https://x.example",
        "curl 'https://x.example/a?app_name={}&page=2'",
        "cat > c.yaml <<EOF\napp_name: {}\nEOF",
        "cat > .env <<EOF\nAPP_NAME={}\nEOF",
        "tool app.name={}",
    ];
    let forms = |parts: &[&str]| {
        let join = |joint: &str| parts.join(joint);
        let mut lines = Vec::new();
        for place in PLACES {
            lines.push(
                place
                    .replace("APP_NAME", &format!("APP_{}", join("_").to_uppercase()))
                    .replace("app-name", &format!("app-{}", join("-")))
                    .replace("app_name", &format!("app_{}", join("_")))
                    .replace("app.name", &format!("app.{}", join("_"))),
            );
        }
        lines
    };
    for end in STRONG_ENDS {
        out.push(Shape::new(
            Group::Name,
            *end,
            forms(&[end]),
            Secret::Password,
        ));
    }
    for (first, last) in STRONG_PAIRS {
        out.push(Shape::new(
            Group::Name,
            format!("{first}_{last}"),
            forms(&[first, last]),
            Secret::Password,
        ));
    }
    for (name, secret) in [("pw", Secret::Password)]
        .into_iter()
        .chain(WEAK_ENDS.iter().map(|end| (*end, Secret::Random)))
    {
        let lines = forms(&[name]);
        // Prose has such names too: only where a value follows by a sign.
        let lines = lines
            .into_iter()
            .filter(|line| !line.contains("c.yaml"))
            .collect();
        out.push(Shape::new(Group::Name, name, lines, secret));
    }
}

fn options(out: &mut Vec<Shape>) {
    for tool in TOOLS {
        for name in tool.names {
            for (flag, how) in tool.flags {
                let mut lines = Vec::new();
                let needs: &[&str] = if tool.needs.is_empty() {
                    &[""]
                } else {
                    tool.needs
                };
                for need in needs {
                    let start = format!("{name} {need}").trim_end().to_owned();
                    let value = match how {
                        How::Attached | How::Value | How::Apart => "{}",
                        How::Colon => "bob:{}",
                        How::Percent => "bob%{}",
                        How::Comma => "bob,{}",
                        How::Source => "pass:{}",
                        How::Pair => "db={}",
                        How::Cookie => "sid={}",
                    };
                    let short = flag.len() == 2;
                    if *how == How::Attached {
                        lines.push(format!("{start} {flag}{value} x"));
                        lines.push(format!("{start} {flag}'{value}' x"));
                        continue;
                    }
                    lines.push(format!("{start} {flag} {value} x"));
                    lines.push(format!("{start} -v {flag} '{value}' && ls"));
                    lines.push(format!("sudo {start} {flag} \"{value}\""));
                    if short && flag.starts_with('-') && *how != How::Apart {
                        lines.push(format!("{start} {flag}{value} x"));
                    } else if flag.starts_with("--") {
                        lines.push(format!("{start} {flag}={value} x"));
                    }
                }
                out.push(Shape::new(
                    Group::Option,
                    format!("{name} {flag}"),
                    lines,
                    Secret::Password,
                ));
            }
        }
    }
}

fn inputs(out: &mut Vec<Shape>) {
    const READERS: &[&str] = &[
        "sudo -S ls",
        "sudo passwd --stdin bob",
        "su - root -c id",
        "cryptsetup open /dev/sdb1 x",
        "smbpasswd -s bob",
        "kinit bob",
        "mkpasswd -s",
        "saslpasswd2 -p bob",
        "keyctl padd user k @u",
        "secret-tool store --label x a b",
        "vncpasswd -f",
        "wpa_passphrase home",
        "ecryptfs-add-passphrase",
        "veracrypt --text --stdin a.hc /mnt",
    ];
    let mut add = |name: &str, reader: &str| {
        out.push(Shape::new(
            Group::Input,
            name,
            [
                "echo {} | READER",
                "echo '{}' | READER",
                "printf '%s\\n' '{}' | READER",
                "echo -n \"{}\" | READER",
                "READER <<< {}",
                "READER <<< '{}'",
                "READER <<EOF\n{}\nEOF",
            ]
            .iter()
            .map(|line| line.replace("READER", reader))
            .collect(),
            Secret::Password,
        ));
    };
    for flag in SINK_FLAGS {
        let value = if *flag == "--passphrase-fd" { " 0" } else { "" };
        add(flag, &format!("tool login {flag}{value}"));
    }
    for reader in READERS {
        add(reader, reader);
    }
    for name in ["chpasswd", "chgpasswd"] {
        out.push(Shape::new(
            Group::Input,
            name,
            [
                "echo bob:{} | NAME",
                "echo 'bob:{}' | sudo NAME",
                "NAME <<< bob:{}",
                "NAME <<EOF\nbob:{}\nEOF",
            ]
            .iter()
            .map(|line| line.replace("NAME", name))
            .collect(),
            Secret::Password,
        ));
    }
}

fn addresses(out: &mut Vec<Shape>) {
    const SCHEMES: &[&str] = &[
        "https",
        "http",
        "ftp",
        "postgresql",
        "postgres",
        "mysql",
        "mongodb",
        "mongodb+srv",
        "redis",
        "rediss",
        "amqp",
        "amqps",
        "smb",
        "ldap",
        "ssh",
        "git+https",
        "jdbc:postgresql",
        "clickhouse",
        "mssql",
        "nats",
        "mqtt",
        "socks5",
        "s3",
        "oracle",
    ];
    for scheme in SCHEMES {
        out.push(Shape::new(
            Group::Address,
            format!("{scheme}://"),
            [
                "tool SCHEME://bob:{}@db.example:80/a",
                "tool --url 'SCHEME://bob:{}@db/a?b=c' x",
                "export X=SCHEME://bob:{}@10.0.0.5",
                "tool \"SCHEME://:{}@db.example\"",
            ]
            .iter()
            .map(|line| line.replace("SCHEME", scheme))
            .collect(),
            Secret::Password,
        ));
    }
    out.push(Shape::new(
        Group::Address,
        "token as user",
        owned(&[
            "git clone https://{}@git.example/a.git",
            "git clone https://{}:x-oauth-basic@git.example/a.git",
            "git push https://oauth2:{}@git.example/a.git",
        ]),
        Secret::Random,
    ));
    out.push(Shape::new(
        Group::Address,
        "user:password@host",
        owned(&["tool bob:{}@db.example", "tool corp/bob:{}@10.0.0.5 -x"]),
        Secret::Password,
    ));
}

fn personal(out: &mut Vec<Shape>) {
    for label in [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
    ] {
        out.push(Shape::new(
            Group::Personal,
            label,
            vec![
                format!("cat > k <<EOF\n-----BEGIN {label}-----\n{{}}\n-----END {label}-----\nEOF"),
                format!("echo '-----BEGIN {label}-----\n{{}}\n-----END {label}-----' > k"),
                format!("echo \"-----BEGIN {label}-----\n{{}}"),
            ],
            Secret::PrivateKey,
        ));
    }
    let places = owned(&[
        "echo {}",
        "curl -d 'number={}' https://x.example",
        "grep \"{}\" log",
        "x {}, y",
    ]);
    out.push(Shape::new(
        Group::Personal,
        "payment card",
        places.clone(),
        Secret::Card,
    ));
    out.push(Shape::new(
        Group::Personal,
        "US social security number",
        places,
        Secret::SocialSecurity,
    ));
}
