//! Words of a request, patterns over them and typed slots.
//!
//! A pattern is a row of elements: `list|show` (one of these words), `files?` written as
//! `file|files`, a trailing `?` for an element that may be missing, and slots such as `{num}`. Each
//! match uses its words up; an intent is believed only when every word is used up.

/// Most words that are looked at.
pub(crate) const MOST_WORDS: usize = 60;

#[derive(Debug, Clone)]
struct Token {
    raw: String,
    low: String,
    quoted: bool,
    used: bool,
}

/// The words of one request.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    tokens: Vec<Token>,
}

/// Words without meaning of their own here.
const FILLERS: &[&str] = &[
    "the", "a", "an", "please", "pls", "just", "me", "i", "you", "can", "could", "want", "need",
    "would", "like", "quickly", "simply", "kindly",
];
/// Openings that say only that something is asked.
const OPENINGS: &[&[&str]] = &[
    &["how", "do"],
    &["how", "to"],
    &["how"],
    &["what", "command"],
    &["tell"],
    &["help"],
    &["let"],
];
/// Words that may stay over.
const LOOSE: &[&str] = &[
    "all",
    "that",
    "which",
    "are",
    "is",
    "were",
    "was",
    "have",
    "has",
    "been",
    "and",
    "any",
    "every",
    "there",
    "now",
    "currently",
    "existing",
    "its",
    "their",
    "do",
    "does",
    "be",
    "then",
    "what",
    "of",
    "my",
    "it",
    "right",
    "exist",
    "also",
    "only",
    "but",
    "this",
];

impl Words {
    /// Splits a request. Nothing where it is empty, too long or holds control characters.
    pub(crate) fn new(text: &str) -> Option<Self> {
        if text.len() > 2000
            || text
                .chars()
                .any(|char| char.is_control() && !matches!(char, '\n' | '\t' | '\r'))
        {
            return None;
        }
        let mut tokens = Vec::new();
        let mut rest = text.trim();
        while let Some(first) = rest.chars().next() {
            let close = match first {
                '"' | '\'' | '`' => Some(first),
                '“' => Some('”'),
                '‘' => Some('’'),
                _ => None,
            };
            let inner = rest.get(first.len_utf8()..).unwrap_or("");
            if let Some(end) = close.and_then(|close| inner.find(close)) {
                let raw = inner.get(..end).unwrap_or("").to_owned();
                let after = inner
                    .get(end..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(0, char::len_utf8);
                rest = inner
                    .get(end + after..)
                    .unwrap_or("")
                    .trim_start_matches([',', '?', '!', '.'])
                    .trim_start();
                if raw.is_empty() || raw.contains(['\n', '\r']) {
                    return None;
                }
                tokens.push(Token {
                    low: raw.to_lowercase(),
                    raw,
                    quoted: true,
                    used: false,
                });
                continue;
            }
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let word = rest.get(..end).unwrap_or("");
            rest = rest.get(end..).unwrap_or("").trim_start();
            let word = if word == "." || word == ".." {
                word
            } else {
                word.trim_end_matches(['?', '!', ',', ';', ':'])
            };
            let word = if word.len() > 2 && word.ends_with('.') && !word.ends_with("..") {
                word.trim_end_matches('.')
            } else {
                word
            };
            if !word.is_empty() {
                tokens.push(Token {
                    raw: word.to_owned(),
                    low: word.to_lowercase().replace('’', "'"),
                    quoted: false,
                    used: false,
                });
            }
        }
        // `what's` is two words.
        tokens = tokens
            .into_iter()
            .flat_map(|token| {
                let stem = ["what's", "who's", "where's"]
                    .iter()
                    .find(|word| !token.quoted && token.low == **word)
                    .and_then(|word| word.strip_suffix("'s"));
                let plain = |word: &str| Token {
                    raw: word.to_owned(),
                    low: word.to_owned(),
                    quoted: false,
                    used: false,
                };
                stem.map_or_else(
                    || vec![token.clone()],
                    |stem| vec![plain(stem), plain("is")],
                )
            })
            .collect();
        tokens.retain(|token| token.quoted || !FILLERS.contains(&token.low.as_str()));
        for opening in OPENINGS {
            let fits = opening.iter().enumerate().all(|(at, word)| {
                tokens
                    .get(at)
                    .is_some_and(|token| token.low == *word && !token.quoted)
            });
            let many = *opening == ["how"]
                && tokens.get(1).is_some_and(|token| {
                    matches!(
                        token.low.as_str(),
                        "many" | "much" | "big" | "large" | "long"
                    )
                });
            if fits && !many && tokens.len() > opening.len() {
                tokens.drain(..opening.len());
                break;
            }
        }
        (!tokens.is_empty() && tokens.len() <= MOST_WORDS).then_some(Self { tokens })
    }

    /// The words that no pattern used, quoted for a message.
    pub(crate) fn left(&self) -> Vec<String> {
        let open =
            |token: &&Token| !token.used && (token.quoted || !LOOSE.contains(&token.low.as_str()));
        self.tokens
            .iter()
            .filter(open)
            .map(|token| token.raw.clone())
            .collect()
    }

    /// Every word that matters is used.
    pub(crate) fn done(&self) -> bool {
        self.left().is_empty()
    }

    /// Some word is one of these (used or not).
    pub(crate) fn mentions(&self, words: &str) -> bool {
        words.split('|').any(|word| {
            self.tokens
                .iter()
                .any(|token| !token.quoted && token.low == word)
        })
    }

    /// Uses up the first place where the pattern fits.
    pub(crate) fn eat(&mut self, pattern: &str) -> bool {
        self.take(pattern).is_some()
    }

    /// Uses up the first place where one of the patterns fits.
    pub(crate) fn eat_any(&mut self, patterns: &[&str]) -> bool {
        patterns.iter().any(|pattern| self.eat(pattern))
    }

    /// Uses up the first place where the pattern fits; the slots' values.
    pub(crate) fn take(&mut self, pattern: &str) -> Option<Vec<String>> {
        let elements: Vec<&str> = pattern.split(' ').collect();
        for start in 0..self.tokens.len() {
            let mut caught = Vec::new();
            let mut marks = Vec::new();
            if self.fits(&elements, start, &mut caught, &mut marks) {
                for mark in marks {
                    if let Some(token) = self.tokens.get_mut(mark) {
                        token.used = true;
                    }
                }
                return Some(caught);
            }
        }
        None
    }

    /// The first slot's value of the first pattern that fits.
    pub(crate) fn slot(&mut self, patterns: &[&str]) -> Option<String> {
        patterns
            .iter()
            .find_map(|pattern| self.take(pattern))
            .and_then(|caught| caught.into_iter().next())
    }

    fn fits(
        &self,
        elements: &[&str],
        at: usize,
        caught: &mut Vec<String>,
        marks: &mut Vec<usize>,
    ) -> bool {
        let Some((element, rest)) = elements.split_first() else {
            return true;
        };
        let optional = element.ends_with('?');
        let bare = element.trim_end_matches('?');
        let before = (caught.len(), marks.len());
        if let Some(count) = self.element(bare, at, caught) {
            marks.extend(at..at + count);
            if self.fits(rest, at + count, caught, marks) {
                return true;
            }
            caught.truncate(before.0);
            marks.truncate(before.1);
        }
        optional && self.fits(rest, at, caught, marks)
    }

    /// How many tokens one element takes here.
    fn element(&self, element: &str, at: usize, caught: &mut Vec<String>) -> Option<usize> {
        let token = self.tokens.get(at).filter(|token| !token.used)?;
        if let Some(slot) = element
            .strip_prefix('{')
            .and_then(|slot| slot.strip_suffix('}'))
        {
            let next = self
                .tokens
                .get(at + 1)
                .filter(|token| !token.used && !token.quoted)
                .map_or("", |token| token.low.as_str());
            let (count, value) = slot_value(slot, token, next)?;
            caught.push(value);
            return Some(count);
        }
        let fits = !token.quoted
            && element
                .split('|')
                .any(|word| word == token.low || (word == "^" && at == 0));
        fits.then_some(1)
    }
}

/// Names that are files although they have no dot.
const BARE_FILES: &[&str] = &[
    "Makefile",
    "Dockerfile",
    "README",
    "LICENSE",
    "Jenkinsfile",
    "Vagrantfile",
    "Gemfile",
    "Procfile",
    "CHANGELOG",
    "Justfile",
];

fn slot_value(slot: &str, token: &Token, next: &str) -> Option<(usize, String)> {
    let low = token.low.as_str();
    let whole = |fits: bool| fits.then(|| (1, token.raw.clone()));
    let ordinal = || {
        const ORDINALS: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "sixth"];
        let place = ORDINALS
            .iter()
            .position(|name| *name == low)
            .map(|at| at + 1);
        let digits = ["st", "nd", "rd", "th"]
            .iter()
            .find_map(|end| low.strip_suffix(end));
        place.or_else(|| digits.and_then(|digits| digits.parse().ok()))
    };
    match slot {
        "any" => Some((1, token.raw.clone())),
        "quoted" => whole(token.quoted),
        "nth" => ordinal()
            .filter(|place| (1..1000).contains(place))
            .map(|place| (1, place.to_string())),
        "num" => number(low).map(|number| (1, number.to_string())),
        "port" => low
            .trim_start_matches(':')
            .parse::<u16>()
            .ok()
            .filter(|port| *port > 0)
            .map(|port| (1, port.to_string())),
        "size" => size(low, next),
        "span" => span(low, next),
        "url" => whole(
            low.starts_with("http://") || low.starts_with("https://") || low.starts_with("ftp://"),
        ),
        "host" => whole(!token.quoted && is_host(low)),
        "ext" => extension(low).map(|ext| (1, ext)),
        "glob" => whole(low.contains('*') && !low.contains('/')),
        "file" => whole(
            token.quoted
                || low.contains('.')
                || low.contains('/')
                || low.starts_with('~')
                || BARE_FILES.contains(&token.raw.as_str()),
        ),
        "path" => whole(token.quoted || !STOP.contains(&low)),
        "dirpath" => whole(
            token.quoted || low.contains('/') || low.starts_with('~') || low == "." || low == "..",
        ),
        "name" => whole((token.quoted || !STOP.contains(&low)) && !low.starts_with('-')),
        "var" => {
            let name = token.raw.trim_start_matches('$');
            let fits = name.len() > 1
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
                && !name.starts_with(|char: char| char.is_ascii_digit());
            fits.then(|| (1, name.to_owned()))
        }
        "mode" => whole(
            matches!(low.len(), 3 | 4) && low.bytes().all(|byte| (b'0'..=b'7').contains(&byte)),
        ),
        "stamp" => {
            whole(matches!(low.len(), 9 | 10) && low.bytes().all(|byte| byte.is_ascii_digit()))
        }
        _ => None,
    }
}

/// Words that are never a name or path.
const STOP: &[&str] = &[
    "in",
    "on",
    "at",
    "of",
    "to",
    "with",
    "for",
    "from",
    "by",
    "and",
    "or",
    "not",
    "than",
    "into",
    "as",
    "is",
    "are",
    "that",
    "which",
    "file",
    "files",
    "directory",
    "folder",
    "directories",
    "folders",
    "last",
    "first",
    "all",
    "my",
    "this",
    "current",
    "it",
    "them",
    "here",
    "process",
    "processes",
    "port",
    "old",
    "stuff",
    "everything",
    "anything",
    "something",
    "things",
    "using",
    "named",
    "called",
];

/// A whole number, in digits or as a small word.
pub(crate) fn number(word: &str) -> Option<u32> {
    const SMALL: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    let spelled = SMALL
        .iter()
        .position(|name| *name == word)
        .and_then(|at| u32::try_from(at).ok());
    spelled.or_else(|| {
        if word == "twenty" {
            Some(20)
        } else {
            word.parse().ok().filter(|number| *number < 10_000_000)
        }
    })
}

/// `10 MB`, `10mb`, `1.5 gigabytes`: bytes as `10M` and the like.
fn size(word: &str, next: &str) -> Option<(usize, String)> {
    let split = word
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(word.len());
    let (digits, unit) = word.split_at(split);
    let number = number(digits)
        .or_else(|| number(word))
        .filter(|number| *number > 0)?;
    let letter = |unit: &str| {
        Some(match unit {
            "b" | "byte" | "bytes" => 'c',
            "k" | "kb" | "kib" | "kilobyte" | "kilobytes" => 'k',
            "m" | "mb" | "mib" | "meg" | "megs" | "megabyte" | "megabytes" => 'M',
            "g" | "gb" | "gib" | "gig" | "gigs" | "gigabyte" | "gigabytes" => 'G',
            _ => return None,
        })
    };
    if !digits.is_empty() && !unit.is_empty() {
        return letter(unit).map(|unit| (1, format!("{number}{unit}")));
    }
    letter(next).map(|unit| (2, format!("{number}{unit}")))
}

/// `7 days`, `24h`, `week`: a length of time in minutes, such as `10080`.
fn span(word: &str, next: &str) -> Option<(usize, String)> {
    let minutes = |unit: &str| {
        Some(match unit {
            "minute" | "minutes" | "min" | "mins" => 1u32,
            "hour" | "hours" | "h" | "hrs" | "hr" => 60,
            "day" | "days" | "d" => 1440,
            "week" | "weeks" | "w" => 10_080,
            "month" | "months" => 43_200,
            "year" | "years" | "y" => 525_600,
            _ => return None,
        })
    };
    if let Some(unit) = minutes(word).filter(|_| word.len() > 1) {
        return Some((1, unit.to_string()));
    }
    let split = word
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(word.len());
    let (digits, unit) = word.split_at(split);
    if !digits.is_empty() && !unit.is_empty() {
        let total = number(digits)?.checked_mul(minutes(unit)?)?;
        return Some((1, total.to_string()));
    }
    let total = number(word)?.checked_mul(minutes(next)?)?;
    (total > 0).then(|| (2, total.to_string()))
}

fn is_host(low: &str) -> bool {
    let letters = low
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':'));
    letters && !low.starts_with(['-', '.']) && (low.contains('.') || low == "localhost")
}

/// Kinds of files by the words people use, and `.ext`, `*.ext`, `ext`.
fn extension(low: &str) -> Option<String> {
    const KINDS: &[(&str, &str)] = &[
        ("python", "py"),
        ("rust", "rs"),
        ("javascript", "js"),
        ("typescript", "ts"),
        ("markdown", "md"),
        ("text", "txt"),
        ("ruby", "rb"),
        ("golang", "go"),
        ("shell", "sh"),
        ("bash", "sh"),
        ("java", "java"),
        ("html", "html"),
        ("css", "css"),
        ("json", "json"),
        ("yaml", "yaml"),
        ("yml", "yml"),
        ("xml", "xml"),
        ("csv", "csv"),
        ("log", "log"),
        ("pdf", "pdf"),
        ("php", "php"),
        ("sql", "sql"),
        ("toml", "toml"),
        ("swift", "swift"),
        ("kotlin", "kt"),
        ("scala", "scala"),
        ("perl", "pl"),
        ("lua", "lua"),
        ("mp3", "mp3"),
        ("mp4", "mp4"),
        ("mkv", "mkv"),
        ("jpg", "jpg"),
        ("jpeg", "jpeg"),
        ("png", "png"),
        ("gif", "gif"),
        ("svg", "svg"),
        ("zip", "zip"),
        ("gz", "gz"),
        ("tar", "tar"),
        ("iso", "iso"),
        ("py", "py"),
        ("rs", "rs"),
        ("js", "js"),
        ("ts", "ts"),
        ("tsx", "tsx"),
        ("md", "md"),
        ("txt", "txt"),
        ("rb", "rb"),
        ("go", "go"),
        ("sh", "sh"),
        ("conf", "conf"),
        ("ini", "ini"),
        ("bak", "bak"),
        ("backup", "bak"),
        ("tmp", "tmp"),
        ("c", "c"),
        ("h", "h"),
        ("cpp", "cpp"),
        ("cc", "cc"),
        ("hpp", "hpp"),
        ("jar", "jar"),
        ("class", "class"),
        ("ipynb", "ipynb"),
        ("docx", "docx"),
        ("xlsx", "xlsx"),
        ("doc", "doc"),
        ("xls", "xls"),
        ("o", "o"),
        ("so", "so"),
        ("swp", "swp"),
        ("pyc", "pyc"),
        ("tf", "tf"),
        ("terraform", "tf"),
        ("wav", "wav"),
        ("dockerfile", "dockerfile"),
    ];
    let explicit = low.strip_prefix("*.").or_else(|| low.strip_prefix('.'));
    if let Some(ext) = explicit {
        let fits = !ext.is_empty()
            && ext.len() <= 12
            && ext
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
        return fits.then(|| ext.to_owned());
    }
    KINDS
        .iter()
        .find(|(word, _)| *word == low)
        .map(|(_, ext)| (*ext).to_owned())
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn patterns_use_words_up() {
        let mut words =
            Words::new("please show me the 10 largest files in src larger than 5 MB").unwrap();
        assert_eq!(
            words.take("larger|bigger than {size}"),
            Some(vec!["5M".to_owned()])
        );
        assert_eq!(
            words.take("{num}? largest|biggest files"),
            Some(vec!["10".to_owned()])
        );
        assert_eq!(words.take("in {path}"), Some(vec!["src".to_owned()]));
        assert_eq!(words.left(), ["show"]);
    }

    #[test]
    fn slots_read_units() {
        let mut words = Words::new("within 24h or 2 weeks or week and 1.x").unwrap();
        for minutes in ["1440", "20160", "10080"] {
            assert_eq!(words.take("{span}"), Some(vec![minutes.to_owned()]));
        }
        assert_eq!(words.take("{span}"), None);
    }
}
