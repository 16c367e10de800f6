//! Who works at the organisation.

use fastrand::Rng;

/// What somebody does, and so what they type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Developer,
    Operator,
    Data,
    Finance,
}

/// A person with a machine.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) login: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) team: &'static str,
    pub(crate) department: &'static str,
    pub(crate) hostname: String,
    pub(crate) platform: &'static str,
    pub(crate) shell: &'static str,
    pub(crate) home: String,
    pub(crate) address: String,
    /// Agents that they use.
    pub(crate) agents: Vec<&'static str>,
}

const FIRST: &[&str] = &[
    "amara", "bruno", "chen", "dana", "elif", "felix", "grace", "hugo", "ines", "jonas", "keiko",
    "luca", "maya", "nils", "olga", "priya", "quinn", "rosa", "sven", "tara", "uma", "viktor",
    "wanda", "xavi", "yara", "zoe",
];
const LAST: &[&str] = &[
    "adler", "brandt", "costa", "diaz", "ekman", "fischer", "garcia", "haas", "ito", "jansen",
    "kowalski", "lindt", "moreau", "novak", "okafor", "park", "rossi", "silva", "tanaka", "ueda",
    "vega", "weber", "yilmaz", "zhang",
];
const AGENTS: &[&str] = &[
    "claude-code",
    "codex",
    "gemini-cli",
    "copilot-cli",
    "opencode",
];

/// The person of machine `number`.
pub(crate) fn person(seed: u64, number: u32) -> Person {
    let mut rng = Rng::with_seed(seed ^ (u64::from(number) << 20) ^ 0x7065_6f70);
    let (first, last) = (pick(&mut rng, FIRST), pick(&mut rng, LAST));
    // Names repeat in a large fleet; logins do not.
    let login = format!("{}{}{}", first.get(..1).unwrap_or("x"), last, number);
    let (role, team, department) = match number % 10 {
        0..=4 => (
            Role::Developer,
            pick(&mut rng, &["payments", "checkout", "search", "mobile"]),
            "engineering",
        ),
        5 | 6 => (Role::Operator, "platform", "engineering"),
        7 | 8 => (Role::Data, pick(&mut rng, &["analytics", "ml"]), "data"),
        _ => (Role::Finance, "finance-systems", "finance"),
    };
    let mac = number % 3 == 1;
    let agents = match role {
        Role::Finance => Vec::new(),
        _ => {
            let main = pick(&mut rng, AGENTS);
            if rng.u8(..) < 200 {
                vec![main]
            } else {
                vec![main, "claude-code"]
            }
        }
    };
    Person {
        email: format!("{first}.{last}{number}@acme.example"),
        role,
        team,
        department,
        hostname: format!("{}-{number:04}", if mac { "mbp" } else { "ws" }),
        platform: if mac { "macos-aarch64" } else { "linux-x86_64" },
        shell: if mac { "zsh" } else { "bash" },
        home: if mac {
            format!("/Users/{login}")
        } else {
            format!("/home/{login}")
        },
        address: format!(
            "10.{}.{}.{}",
            20 + number / 65_025 % 200,
            number / 255 % 255,
            number % 255
        ),
        agents,
        login,
    }
}

/// One of the words, all as likely.
pub(crate) fn pick<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words
        .get(rng.usize(..words.len().max(1)))
        .copied()
        .unwrap_or("")
}
