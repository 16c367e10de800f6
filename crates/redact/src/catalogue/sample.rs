//! Secrets made up at random, and whether a piece of one is left in a text.

use crate::shapes::Alphabet;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SMALL: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const DIGITS: &[u8] = b"0123456789";
/// Characters that stand for themselves in an unquoted word, an address and JSON.
const PLAIN: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";
/// What may stand between double quotes besides.
const DOUBLE: &[u8] =
    b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789!#%^*_+=.,:?~-@&()[]{}<>|;";
/// What may stand between single quotes besides.
const SINGLE: &[u8] =
    b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789!#%^*_+=.,:?~-@&()[]{}<>|; $`";
/// Parts of passwords that people choose; none stands in a line of the catalogue.
const WORDS: &[&str] = &[
    "hunter",
    "Sommer",
    "dragon",
    "Tr0ub4dor",
    "letmein",
    "monkey",
    "correct",
    "battery",
    "Pa55w",
    "qwertz",
    "sunshine",
    "Liverpool",
    "staple",
    "zebra",
    "Winter",
];

/// Length of a piece that must not be left, in characters.
pub const PIECE: usize = 6;

/// Random numbers that are the same in every run.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Numbers that follow from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `below` (0 where that is 0).
    pub fn below(&mut self, below: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed.checked_rem(below as u64).unwrap_or(0)).unwrap_or(0)
    }

    fn text(&mut self, from: &[u8], length: usize) -> String {
        (0..length)
            .filter_map(|_| from.get(self.below(from.len())))
            .map(|byte| char::from(*byte))
            .collect()
    }

    fn word(&mut self) -> &'static str {
        let at = self.below(WORDS.len());
        WORDS.get(at).copied().unwrap_or("hunter")
    }
}

/// What kind of secret a shape carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// A password of any kind; with signs and blanks where the line quotes it.
    Password,
    /// At least 16 letters and digits at random: behind names that are as often those of something else.
    Random,
    /// What stands behind a vendor's prefix, by its row in the table.
    Token(usize),
    /// The body of a private key, of several lines.
    PrivateKey,
    /// A payment card: grouped, dashed or in one.
    Card,
    /// A US social security number.
    SocialSecurity,
}

/// How the place of the secret is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    None,
    Single,
    Double,
}

impl Secret {
    pub(super) fn make(self, dice: &mut Dice, quotes: Quotes) -> String {
        match self {
            Self::Password => password(dice, quotes),
            Self::Random => loop {
                let length = 16 + dice.below(24);
                let text = dice.text(ALNUM, length);
                // Of sixteen characters one in six hundred has fewer digits than a hash or a key does.
                if text.bytes().filter(u8::is_ascii_digit).count() >= 3 {
                    return text;
                }
            },
            Self::Token(row) => token(dice, row),
            Self::PrivateKey => (0..5)
                .map(|_| dice.text(ALNUM, 64))
                .collect::<Vec<_>>()
                .join("\n"),
            Self::Card => card(dice),
            Self::SocialSecurity => format!(
                "{:03}-{:02}-{:04}",
                100 + dice.below(500),
                1 + dice.below(99),
                1 + dice.below(9999)
            ),
        }
    }
}

fn password(dice: &mut Dice, quotes: Quotes) -> String {
    match dice.below(7) {
        0 | 1 => {
            let tail = 3 + dice.below(6);
            format!("{}{}", dice.word(), dice.text(PLAIN, tail))
        }
        2 => {
            let length = 8 + dice.below(17);
            dice.text(ALNUM, length)
        }
        3 => {
            let (first, second, third) = (dice.word(), dice.word(), dice.word());
            let joint = match (quotes, dice.below(2)) {
                (Quotes::None, _) | (_, 0) => '-',
                _ => ' ',
            };
            format!("{first}{joint}{second}{joint}{third}")
        }
        4 => {
            let length = 8 + dice.below(9);
            dice.text(SMALL, length)
        }
        5 => {
            let length = 8 + dice.below(13);
            let first = dice.text(LETTERS, 1);
            let rest = match quotes {
                Quotes::None => PLAIN,
                Quotes::Single => SINGLE,
                Quotes::Double => DOUBLE,
            };
            // Blanks at the end are cut from what is looked at, and are no secret.
            format!("{first}{}{}", dice.text(rest, length), dice.text(DIGITS, 1))
        }
        _ => {
            let length = 6 + dice.below(5);
            dice.text(DIGITS, length)
        }
    }
}

fn token(dice: &mut Dice, row: usize) -> String {
    let Some(shape) = crate::shapes::SHAPES.get(row) else {
        return String::new();
    };
    let letters: Vec<u8> = (b'!'..=b'~')
        .filter(|byte| shape.alphabet.has(*byte))
        // Padding and dots have their places, not any place.
        .filter(|byte| !matches!(byte, b'=' | b'.'))
        .collect();
    // Vendors give more than what is asked for as the least.
    let length = if shape.exact {
        shape.least
    } else {
        shape.least + 8
    };
    let mut body = dice.text(&letters, length);
    if shape.prefix == "sk-" {
        body = dice.text(ALNUM, length);
    }
    if shape.alphabet == Alphabet::Dotted && length > 40 {
        let at = body.len() / 2;
        body.replace_range(at..=at, ".");
    }
    body
}

fn card(dice: &mut Dice) -> String {
    let (start, length, groups): (&str, usize, &[usize]) = match dice.below(4) {
        0 => ("4", 16, &[4, 4, 4, 4]),
        1 => ("37", 15, &[4, 6, 5]),
        2 => ("52", 16, &[4, 4, 4, 4]),
        _ => ("6011", 16, &[4, 4, 4, 4]),
    };
    let body = format!("{start}{}", dice.text(DIGITS, length - 1 - start.len()));
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            match digit * (2 - at as u32 % 2) {
                double @ 10.. => double - 9,
                double => double,
            }
        })
        .sum();
    let number = format!("{body}{}", (10 - sum % 10) % 10);
    let joint = match dice.below(3) {
        0 => return number,
        1 => " ",
        _ => "-",
    };
    let mut rest = number.as_str();
    let mut parts = Vec::new();
    for group in groups {
        let (part, after) = rest.split_at_checked(*group).unwrap_or((rest, ""));
        parts.push(part);
        rest = after;
    }
    parts.join(joint)
}

/// Whether the secret, or a piece of it of [`PIECE`] characters, stands in `text` and did not stand in the
/// line around it.
pub fn survives(secret: &str, around: &str, text: &str) -> bool {
    let starts: Vec<usize> = secret
        .char_indices()
        .map(|(at, _)| at)
        .chain([secret.len()])
        .collect();
    let size = PIECE.min(starts.len().saturating_sub(1));
    size > 0
        && starts.windows(size + 1).any(|bounds| {
            let (Some(from), Some(to)) = (bounds.first(), bounds.last()) else {
                return false;
            };
            secret
                .get(*from..*to)
                .is_some_and(|piece| text.contains(piece) && !around.contains(piece))
        })
}
