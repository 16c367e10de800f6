//! Takes secrets out of what a terminal shows, whatever pieces it comes in.
//!
//! What a program writes arrives in chunks that end anywhere, with control sequences between the letters
//! of a word: an editor of lines moves back and draws again, a highlighter colours half a token. So nothing is
//! looked for in the bytes. Printed characters are put where a terminal would show them, and each place remembers
//! which characters of the stream stood there. Secrets are looked for in the rows as they are shown, each time
//! before something is about to be drawn over, and once more in the order in which the characters came. Where one
//! is found, all characters that ever stood in its places become `*`: cursor movements stay right, so that
//! full-screen programs replay as they were.
//!
//! What has arrived is held back until so many rows followed it, or so much, or for so long; then it is
//! given away with the times at which it came. Rows that were given away stay as context. Everything is bounded.

use std::collections::{BTreeMap, VecDeque};

use super::sequences::{LONGEST as LONGEST_SEQUENCE, Piece, Sequences};

/// Rows that must have followed before something is given away: a secret may go over several.
const CONTEXT: usize = 24;
/// Most bytes that are held back.
const MOST: usize = 128 * 1024;
/// Longest time in seconds for which something is held back.
const LONGEST: f64 = 60.0;
/// Most rows that are remembered.
const ROWS: usize = 160;
/// Widest row.
const WIDEST: usize = 2_048;
/// Most marks of one place: what is drawn again and again.
const MARKS: usize = 64;
/// Rows of programs that place the cursor themselves are numbered from here.
const PLACED: i64 = 1 << 32;
/// Most lines of a private key of which the end is not seen.
const KEY_LINES: usize = 200;

/// How many signs that may end a prompt are tried in a line.
const PROMPTS: usize = 3;

/// Where a line goes on behind so many signs that may end a prompt; behind its last where there are fewer.
fn behind(line: &[(char, &[u64])], signs: usize) -> usize {
    let ends = |c: char| {
        matches!(
            c,
            '$' | '#'
                | '%'
                | '>'
                | '\u{276f}'
                | '\u{bb}'
                | '\u{203a}'
                | '\u{279c}'
                | '\u{3bb}'
                | '\u{25b6}'
        )
    };
    let mut begin = 0;
    let mut found = 0;
    for (place, pair) in line.windows(2).enumerate() {
        if found == signs {
            break;
        }
        if let [(sign, _), (' ', _)] = pair
            && ends(*sign)
        {
            begin = place + 2;
            found += 1;
        }
    }
    begin
}

/// Output with the moment at which it came, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Output {
    pub(crate) time: f64,
    pub(crate) text: String,
}

/// One place of a row.
#[derive(Debug, Clone, Default)]
struct Cell {
    shown: Option<char>,
    /// Numbers of the held characters that stood here.
    marks: Vec<u64>,
}

#[derive(Debug, Clone, Default)]
struct Row {
    cells: Vec<Cell>,
    /// It goes on in the next row.
    wrapped: bool,
}

/// Held characters and what became of them.
#[derive(Debug)]
pub(crate) struct Shield {
    width: usize,
    sequences: Sequences,
    /// Text for the terminal, with the numbers of its characters.
    words: Vec<(char, u64)>,
    rows: BTreeMap<i64, Row>,
    row: i64,
    column: usize,
    /// Bytes of a character that has not arrived whole.
    rest: Vec<u8>,
    held: VecDeque<(char, bool)>,
    /// Number of the first held character.
    first: u64,
    /// Number of the first character of each chunk, and when it came.
    chunks: VecDeque<(u64, f64)>,
    bytes: usize,
    /// Characters at which rows ended, oldest first.
    ends: VecDeque<u64>,
    /// Printed since it was looked the last time.
    fresh: bool,
    /// Lines of a private key since its beginning.
    key: Option<usize>,
    /// The line that is being given away.
    line: String,
}

impl Shield {
    /// For a terminal of this width.
    pub(crate) fn new(width: u16) -> Self {
        Self {
            width: usize::from(width).clamp(1, WIDEST),
            sequences: Sequences::default(),
            words: Vec::new(),
            rows: BTreeMap::new(),
            row: 0,
            column: 0,
            rest: Vec::new(),
            held: VecDeque::new(),
            first: 0,
            chunks: VecDeque::new(),
            bytes: 0,
            ends: VecDeque::new(),
            fresh: false,
            key: None,
            line: String::new(),
        }
    }

    /// The terminal has another width now.
    pub(crate) fn resize(&mut self, width: u16) {
        self.look();
        self.width = usize::from(width).clamp(1, WIDEST);
    }

    /// Takes what came at this moment and gives away what need not be held any longer.
    pub(crate) fn take(&mut self, time: f64, bytes: &[u8]) -> Vec<Output> {
        self.chunks.push_back((self.next(), time));
        self.rest.extend_from_slice(bytes);
        let arrived = std::mem::take(&mut self.rest);
        let mut left = arrived.as_slice();
        loop {
            match std::str::from_utf8(left) {
                Ok(text) => {
                    self.push(text);
                    break;
                }
                Err(error) => {
                    let (good, bad) = left.split_at(error.valid_up_to());
                    self.push(std::str::from_utf8(good).unwrap_or_default());
                    let Some(length) = error.error_len() else {
                        self.rest = bad.to_vec();
                        break;
                    };
                    self.push("\u{fffd}");
                    left = bad.get(length..).unwrap_or_default();
                }
            }
        }
        self.give(time)
    }

    /// What need not be held any longer at this moment.
    pub(crate) fn give(&mut self, time: f64) -> Vec<Output> {
        let mut until = self.first;
        if self.ends.len() > 2 * CONTEXT {
            let place = self.ends.len() - CONTEXT;
            until = self.ends.get(place).copied().unwrap_or(until);
        }
        if self.bytes > MOST {
            until = until.max(self.first + self.held.len() as u64 / 2);
        }
        let old = self
            .chunks
            .iter()
            .take_while(|chunk| time - chunk.1 > LONGEST);
        let old = old.count();
        if old > 0 {
            let end = self.chunks.get(old).map_or(self.next(), |chunk| chunk.0);
            until = until.max(end);
        }
        if until > self.first {
            self.away(until)
        } else {
            Vec::new()
        }
    }

    /// Everything that is still held.
    pub(crate) fn finish(&mut self) -> Vec<Output> {
        if !self.rest.is_empty() {
            self.rest.clear();
            self.push("\u{fffd}");
        }
        self.away(self.next())
    }

    fn next(&self) -> u64 {
        self.first + self.held.len() as u64
    }

    fn push(&mut self, text: &str) {
        for c in text.chars() {
            let number = self.next();
            self.held.push_back((c, false));
            self.bytes += c.len_utf8();
            self.step(c, number);
        }
    }

    fn step(&mut self, c: char, number: u64) {
        let mut sequences = std::mem::take(&mut self.sequences);
        match sequences.step(c) {
            Piece::Plain(c) => self.plain(c, number),
            Piece::Escape('D' | 'E') => self.down(number),
            Piece::Escape('M') => {
                self.look();
                self.row -= 1;
            }
            Piece::Control(parameters, c) => self.control(parameters, c),
            Piece::Word(c) => self.words.push((c, number)),
            Piece::WordsEnd => {
                self.look_at_words();
                self.words.clear();
            }
            Piece::Nothing | Piece::Escape(_) | Piece::Escapes(..) => {}
        }
        self.sequences = sequences;
    }

    fn plain(&mut self, c: char, number: u64) {
        match c {
            '\r' => {
                self.look();
                self.column = 0;
            }
            '\n' | '\u{b}' | '\u{c}' => self.down(number),
            '\u{8}' => {
                self.look();
                self.column = self.column.saturating_sub(1);
            }
            '\t' => {
                let to = (self.column / 8 + 1) * 8;
                while self.column < to.min(self.width) {
                    self.print(' ', number);
                }
            }
            c if c.is_control() => {}
            c => self.print(c, number),
        }
    }

    /// A row ends; its number goes up by one.
    fn down(&mut self, number: u64) {
        self.look();
        if let Some(row) = self.rows.get_mut(&self.row) {
            row.wrapped = false;
        }
        self.ends.push_back(number + 1);
        self.to(self.row + 1, None);
    }

    fn to(&mut self, row: i64, column: Option<usize>) {
        self.row = row;
        if let Some(column) = column {
            self.column = column.min(WIDEST);
        }
        while self.rows.len() > ROWS {
            self.rows.pop_first();
        }
    }

    fn control(&mut self, parameters: &str, c: char) {
        let number = |place: usize| {
            let word = parameters.split(';').nth(place);
            word.and_then(|word| word.parse().ok())
                .filter(|number| *number > 0)
                .unwrap_or(1)
                .min(WIDEST)
        };
        let one = number(0);
        let by = i64::try_from(one).unwrap_or(1);
        if c != 'm' {
            self.look();
        }
        match c {
            'A' => self.to(self.row - by, None),
            'B' => self.to(self.row + by, None),
            'E' => self.to(self.row + by, Some(0)),
            'F' => self.to(self.row - by, Some(0)),
            'C' => self.column = (self.column + one).min(self.width),
            'D' => self.column = self.column.saturating_sub(one),
            'G' | '`' => self.column = one - 1,
            'H' | 'f' => self.to(PLACED + by, Some(number(1) - 1)),
            'd' => self.to(PLACED + by, None),
            'K' => self.erase(parameters),
            '@' => self.insert(one),
            'P' => self.remove(one),
            _ => {}
        }
    }

    /// What stood there is not shown any more; that it stood there stays known.
    fn erase(&mut self, parameters: &str) {
        let (from, to) = match parameters {
            "1" => (0, self.column + 1),
            "2" => (0, usize::MAX),
            _ => (self.column, usize::MAX),
        };
        if let Some(row) = self.rows.get_mut(&self.row) {
            let to = to.min(row.cells.len());
            for cell in row.cells.get_mut(from.min(to)..to).unwrap_or_default() {
                cell.shown = None;
            }
        }
    }

    fn insert(&mut self, count: usize) {
        if let Some(row) = self.rows.get_mut(&self.row) {
            for _ in 0..count.min(self.width) {
                if self.column <= row.cells.len() && row.cells.len() < WIDEST {
                    row.cells.insert(self.column, Cell::default());
                }
            }
        }
    }

    fn remove(&mut self, count: usize) {
        if let Some(row) = self.rows.get_mut(&self.row) {
            for _ in 0..count {
                if self.column < row.cells.len() {
                    row.cells.remove(self.column);
                }
            }
        }
    }

    fn print(&mut self, c: char, number: u64) {
        if self.column >= self.width {
            if let Some(row) = self.rows.get_mut(&self.row) {
                row.wrapped = true;
            }
            self.to(self.row + 1, Some(0));
        }
        let first = self.first;
        let row = self.rows.entry(self.row).or_default();
        if row.cells.len() <= self.column {
            row.cells.resize_with(self.column + 1, Cell::default);
        }
        if let Some(cell) = row.cells.get_mut(self.column) {
            cell.shown = Some(c);
            if cell.marks.len() >= MARKS {
                cell.marks.retain(|mark| *mark >= first);
                if cell.marks.len() >= MARKS {
                    cell.marks.remove(0);
                }
            }
            cell.marks.push(number);
        }
        self.column += 1;
        self.fresh = true;
    }

    /// Looks at a title or the like.
    fn look_at_words(&mut self) {
        let words = std::mem::take(&mut self.words);
        self.cover(
            words
                .iter()
                .map(|(c, number)| (*c, std::slice::from_ref(number))),
        );
        self.words = words;
    }

    /// Looks at the row of the cursor, with the rows that it goes on from and in, before it changes.
    fn look(&mut self) {
        if !std::mem::take(&mut self.fresh) {
            return;
        }
        let mut from = self.row;
        while self.rows.get(&(from - 1)).is_some_and(|row| row.wrapped) && self.row - from < 64 {
            from -= 1;
        }
        let mut to = self.row;
        while self.rows.get(&to).is_some_and(|row| row.wrapped) && to - self.row < 64 {
            to += 1;
        }
        self.look_at(from, to);
    }

    /// Looks at all rows together, and at what was printed in the order in which it came.
    fn look_at_all(&mut self) {
        if let (Some(first), Some(last)) = (
            self.rows.keys().next().copied(),
            self.rows.keys().next_back().copied(),
        ) {
            self.look_at(first, last);
        }
        // One that has not ended is given away too.
        self.look_at_words();
        let stream = self.stream();
        self.cover(
            stream
                .iter()
                .map(|(c, number)| (*c, std::slice::from_ref(number))),
        );
    }

    /// Held characters that print, without anything that moves the cursor.
    fn stream(&self) -> Vec<(char, u64)> {
        let mut sequences = Sequences::default();
        let mut out = Vec::new();
        for (number, (c, _)) in (self.first..).zip(&self.held) {
            if let Piece::Plain(c) = sequences.step(*c)
                && (!c.is_control() || c == '\n')
            {
                out.push((c, number));
            }
        }
        out
    }

    fn look_at(&mut self, from: i64, to: i64) {
        let mut shown: Vec<(char, Vec<u64>)> = Vec::new();
        let first = self.first;
        for (_, row) in self.rows.range(from..=to) {
            let end = row
                .cells
                .iter()
                .rposition(|cell| cell.shown.is_some())
                .map_or(0, |place| place + 1);
            for cell in row.cells.get(..end).unwrap_or_default() {
                let marks = cell.marks.iter().filter(|mark| **mark >= first);
                shown.push((cell.shown.unwrap_or(' '), marks.copied().collect()));
            }
            if !row.wrapped {
                shown.push(('\n', Vec::new()));
            }
        }
        self.cover(shown.iter().map(|(c, marks)| (*c, marks.as_slice())));
    }

    /// Finds secrets in a text and covers the held characters that stand for them. A shell's prompt stands
    /// before a command, and whether a word is a secret depends on the program: so the same is looked at again
    /// from behind the first sign of each line that may end a prompt, the second, and the third.
    fn cover<'a>(&mut self, shown: impl Iterator<Item = (char, &'a [u64])>) {
        let shown: Vec<(char, &[u64])> = shown.collect();
        let mut covered: Vec<u64> = Vec::new();
        for signs in 0..=PROMPTS {
            let mut text = String::new();
            let mut marks: Vec<(usize, &[u64])> = Vec::new();
            let mut stripped = false;
            for line in shown.split_inclusive(|(c, _)| *c == '\n') {
                let begin = behind(line, signs);
                stripped |= begin > 0;
                for (c, numbers) in line.get(begin..).unwrap_or_default() {
                    marks.push((text.len(), numbers));
                    text.push(*c);
                }
            }
            if signs > 0 && !stripped {
                break;
            }
            for finding in cmdai_redact::find(&text) {
                let begin = marks.partition_point(|(place, _)| *place < finding.start);
                let end = marks.partition_point(|(place, _)| *place < finding.end);
                for (_, numbers) in marks.get(begin..end).unwrap_or_default() {
                    covered.extend_from_slice(numbers);
                }
            }
        }
        for number in covered {
            let place = number.checked_sub(self.first);
            let place = place.and_then(|place| usize::try_from(place).ok());
            if let Some(held) = place.and_then(|place| self.held.get_mut(place))
                && !held.0.is_control()
            {
                held.1 = true;
            }
        }
    }

    /// Gives away what is before this character.
    fn away(&mut self, until: u64) -> Vec<Output> {
        self.fresh = true;
        self.look();
        self.look_at_all();
        let mut out: Vec<Output> = Vec::new();
        while self.first < until {
            let Some((c, covered)) = self.held.pop_front() else {
                break;
            };
            while self
                .chunks
                .get(1)
                .is_some_and(|chunk| chunk.0 <= self.first)
            {
                self.chunks.pop_front();
            }
            let time = self.chunks.front().map_or(0.0, |chunk| chunk.1);
            if out
                .last()
                .is_none_or(|last| (last.time - time).abs() > f64::EPSILON)
            {
                out.push(Output {
                    time,
                    text: String::new(),
                });
            }
            let in_key = self.in_key(c);
            if let Some(last) = out.last_mut() {
                last.text.push(match (covered || in_key, c) {
                    (true, c) if !c.is_control() => '*',
                    (_, c) => c,
                });
            }
            self.bytes = self.bytes.saturating_sub(c.len_utf8());
            self.first += 1;
        }
        while self.ends.front().is_some_and(|end| *end <= self.first) {
            self.ends.pop_front();
        }
        if self.held.is_empty() {
            self.chunks.clear();
        }
        out
    }

    /// A private key may be longer than all that is held: once one has begun, lines of nothing but its
    /// letters are covered until its end.
    fn in_key(&mut self, c: char) -> bool {
        let line = &mut self.line;
        if c == '\n' {
            if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY") {
                self.key = Some(0);
            } else if line.contains("-----END ") {
                self.key = None;
            } else if let Some(lines) = &mut self.key {
                *lines += 1;
                if *lines > KEY_LINES {
                    self.key = None;
                }
            }
            line.clear();
        } else if line.len() < LONGEST_SEQUENCE {
            line.push(c);
        }
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
        self.key.is_some() && letter(c) && line.chars().all(|c| letter(c) || c.is_control())
    }
}

#[cfg(test)]
mod tests {
    use cmdai_redact::catalogue::{Dice, shapes};

    use super::*;

    /// What is recorded of these chunks.
    fn recorded(width: u16, chunks: &[&[u8]]) -> String {
        let mut shield = Shield::new(width);
        let mut out = Vec::new();
        for (chunk, place) in chunks.iter().zip(0u32..) {
            out.extend(shield.take(f64::from(place) / 100.0, chunk));
        }
        out.extend(shield.finish());
        out.into_iter().map(|output| output.text).collect()
    }

    #[test]
    fn no_secret_of_the_catalogue_survives_wherever_it_is_cut() {
        let mut missed = Vec::new();
        let mut trials = 0u32;
        let prompts = [
            ("$ ", "> "),
            ("me@box:~/src# ", ""),
            ("", ""),
            ("12:00 > ~/src \u{276f} ", "> "),
        ];
        for shape in &shapes() {
            let mut dice = Dice::new(11);
            for _ in 0..2 {
                let sample = shape.sample(&mut dice);
                // Redaction itself is measured elsewhere: what it misses in one piece is its own.
                if sample.survives_in(&cmdai_redact::redact(&sample.text)) {
                    continue;
                }
                let (prompt, more) = prompts[trials as usize % prompts.len()];
                let lines = sample.text.replace('\n', &format!("\r\n{more}"));
                let shown = format!("{prompt}{lines}\r\n{prompt}");
                let place = shown.find(&sample.secret[..1]).unwrap_or(2);
                let cuts = [
                    place,
                    place + 1,
                    place + sample.secret.len() / 2,
                    shown.len() / 2,
                ];
                for cut in cuts {
                    let cut = shown.floor_char_boundary(cut);
                    let (before, after) = shown.as_bytes().split_at(cut);
                    trials += 1;
                    let out = recorded(400, &[before, after]);
                    if sample.survives_in(&out) {
                        missed.push(format!("{} cut at {cut}: {shown:?} => {out:?}", shape.name));
                    }
                }
                // Letter by letter, as it is typed.
                let letters: Vec<&[u8]> = shown.as_bytes().chunks(1).collect();
                trials += 1;
                let out = recorded(400, &letters);
                if sample.survives_in(&out) {
                    missed.push(format!("{} typed: {shown:?} => {out:?}", shape.name));
                }
            }
        }
        assert!(trials > 5_000, "{trials}");
        assert!(
            missed.is_empty(),
            "{}:\n{}",
            missed.len(),
            missed.join("\n")
        );
    }

    #[test]
    fn colours_redrawing_wrapping_and_titles_hide_nothing() {
        let secret = "hunter2-Zq81x";
        let coloured = format!(
            "mysql -p\x1b[31m{}\x1b[0;1m{} shop\r\n",
            &secret[..5],
            &secret[5..]
        );
        let mut redrawn = String::from("$ ");
        let line = format!("mysql -p{secret} shop");
        for length in 1..=line.len() {
            // An editor of lines that draws everything again at each key.
            redrawn.push_str(&format!("\r\x1b[K$ {}", &line[..length]));
        }
        redrawn.push_str("\r\n");
        let corrected = "mysql -phunterX\x08\x1b[K2-Zq81x shop\r\n".to_owned();
        let placed = format!(
            "\x1b[2J\x1b[5;1Hmysql -p{}\x1b[7;9Hother\x1b[5;14H{} shop\x1b[9;1H~",
            &secret[..5],
            &secret[5..]
        );
        let wiped = format!("mysql -p{secret} shop\x1b[2K\rls\r\n");
        let title = format!("\x1b]0;mysql -p{secret} shop\x07$ ");
        let unfinished = format!("\x1b]0;mysql -p{secret} shop");
        for shown in [
            coloured, redrawn, corrected, placed, wiped, title, unfinished,
        ] {
            for width in [20, 80] {
                for size in [1, 3, 4_096] {
                    let chunks: Vec<&[u8]> = shown.as_bytes().chunks(size).collect();
                    let out = recorded(width, &chunks);
                    for piece in ["hunter", "unter2", "2-Zq81", "-Zq81x"] {
                        assert!(!out.contains(piece), "{width} {size} {shown:?} => {out:?}");
                    }
                    assert_eq!(out.chars().count(), shown.chars().count());
                }
            }
        }
    }

    #[test]
    fn what_is_harmless_comes_out_as_it_went_in_with_its_times() {
        let mut shield = Shield::new(80);
        let mut out = Vec::new();
        let mut all = String::new();
        for number in 0..500u32 {
            let line = format!("\x1b[1mline\x1b[0m {number} \u{e9}\u{2603}\r\n");
            all.push_str(&line);
            let (a, b) = line.as_bytes().split_at(line.len() - 3);
            let time = f64::from(number);
            out.extend(shield.take(time, a));
            out.extend(shield.take(time + 0.5, b));
            assert!(shield.held.len() < 2_000, "bounded");
        }
        out.extend(shield.finish());
        let text: String = out.iter().map(|output| output.text.as_str()).collect();
        assert_eq!(text, all);
        assert!(out.windows(2).all(|pair| pair[0].time <= pair[1].time));
        assert!(out.iter().any(|output| (output.time - 250.5).abs() < 0.01));
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut shield = Shield::new(80);
        let mut given = 0;
        for piece in [
            "x",
            "\x1b[5;5Hy",
            "\x1b]0;title",
            "\x1b[",
            "\x1b[1;",
            "\u{9b}3",
        ] {
            for _ in 0..20_000 {
                let out = shield.take(0.0, piece.repeat(8).as_bytes());
                given += out.iter().map(|output| output.text.len()).sum::<usize>();
            }
            assert!(shield.bytes <= MOST + 8 * 16, "{piece:?} {}", shield.bytes);
            assert!(shield.rows.len() <= ROWS + 1 && shield.words.len() <= LONGEST_SEQUENCE);
        }
        assert!(given > 0);
    }

    #[test]
    fn a_key_that_is_longer_than_what_is_held_is_covered_to_its_end() {
        let lines: Vec<String> = (0..180)
            .map(|n| format!("{n:03}abcdefGHIJKL0123456789+/abcdefGHIJKL0123456789"))
            .collect();
        let shown = format!(
            "-----BEGIN RSA PRIVATE KEY-----\r\n{}\r\n-----END RSA PRIVATE KEY-----\r\nafter it\r\n",
            lines.join("\r\n")
        );
        let chunks: Vec<&[u8]> = shown.as_bytes().chunks(50).collect();
        let out = recorded(80, &chunks);
        assert!(!out.contains("abcdef"), "{out}");
        assert!(out.contains("after it"));
    }
}
