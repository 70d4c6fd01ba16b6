//! Makes values of each kind: plain ones, and now and then those that code tends to forget. Knows no tables.

use rusqlite::types::Value;

use crate::db::{Sequence, Use};

/// The longest text that is made.
pub(super) const LONGEST: usize = 200;

const WORDS: [&str; 24] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "island", "juniper", "kestrel", "lagoon",
    "meadow", "nectar", "otter", "pebble", "quartz", "river", "sparrow", "thistle", "umber", "violet", "willow",
    "zephyr",
];

/// Texts that code tends to forget.
const ODD: [&str; 16] = [
    "",
    " ",
    "  two  blanks  ",
    "O'Neill",
    "\"quoted\"",
    "Ünïcödé",
    "ẞtraße",
    "山田太郎",
    "🦆",
    "e\u{301}",
    "a\nb",
    "a\tb",
    "%",
    "NULL",
    "0",
    "-- no comment; DROP",
];

/// What a declared type asks for: <https://sqlite.org/datatype3.html#determination_of_column_affinity>, and the words
/// that people use for more than that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Integer,
    Boolean,
    Real,
    Numeric,
    Text,
    Blob,
    Date,
    Time,
    Moment,
    Any,
}

impl Kind {
    pub(super) fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        if declared.is_empty() || declared == "ANY" {
            Self::Any
        } else if has(&["BOOL"]) {
            Self::Boolean
        } else if has(&["INT"]) {
            Self::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if has(&["BLOB"]) {
            Self::Blob
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Self::Real
        } else if has(&["DATETIME", "TIMESTAMP"]) {
            Self::Moment
        } else if has(&["DATE"]) {
            Self::Date
        } else if has(&["TIME"]) {
            Self::Time
        } else {
            Self::Numeric
        }
    }
}

/// Chance that is the same for the same seed.
pub(super) struct Chance(Sequence);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(Sequence::new(seed, Use::Rows))
    }

    /// Returns a number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end
    }

    fn choose<T: Copy>(&mut self, among: &[T]) -> T {
        among[usize::try_from(self.below(among.len() as u64)).unwrap_or(0)]
    }

    fn integer(&mut self, from: i64, to: i64) -> i64 {
        let span = to.abs_diff(from) + 1;
        from.wrapping_add_unsigned(self.below(span))
    }
}

/// Makes a value; texts and blobs have one of `lengths` if there are any, and at most `longest` characters.
pub(super) fn make(kind: Kind, longest: Option<usize>, lengths: &[usize], chance: &mut Chance) -> Value {
    match kind {
        Kind::Integer => Value::Integer(integer(chance)),
        Kind::Boolean => Value::Integer(chance.integer(0, 1)),
        Kind::Real => Value::Real(real(chance)),
        Kind::Numeric if chance.below(2) == 0 => Value::Integer(integer(chance)),
        Kind::Numeric => Value::Real(real(chance)),
        Kind::Text => Value::Text(text(longest, lengths, chance)),
        Kind::Blob => {
            let length = if lengths.is_empty() { chance.below(33) } else { chance.choose(lengths) as u64 };
            Value::Blob(chance.0.bytes(usize::try_from(length).unwrap_or(0)))
        }
        Kind::Date => Value::Text(date(chance)),
        Kind::Time => Value::Text(time(chance)),
        Kind::Moment => Value::Text(format!("{} {}", date(chance), time(chance))),
        Kind::Any => {
            let kind = chance.choose(&[Kind::Integer, Kind::Real, Kind::Text, Kind::Text, Kind::Blob]);
            make(kind, longest, lengths, chance)
        }
    }
}

fn integer(chance: &mut Chance) -> i64 {
    match chance.below(16) {
        0 => chance.choose(&[0, 1, -1]),
        1 => chance.choose(&[i64::from(i32::MAX), i64::from(i32::MIN), 1 << 53, -(1 << 53)]),
        2 => chance.integer(-1_000, 0),
        3..8 => chance.integer(0, 100),
        _ => chance.integer(0, 1_000_000),
    }
}

fn real(chance: &mut Chance) -> f64 {
    match chance.below(12) {
        0 => chance.choose(&[0.0, 1.0, -1.0, 0.1, 1e-9, 1e15]),
        // Hundredths, as prices are.
        #[expect(clippy::cast_precision_loss, reason = "they are far below 2^53")]
        _ => chance.integer(-100_000, 1_000_000) as f64 / 100.0,
    }
}

fn text(longest: Option<usize>, lengths: &[usize], chance: &mut Chance) -> String {
    if !lengths.is_empty() && chance.below(4) > 0 {
        let length = chance.choose(lengths);
        let letters = chance.choose(&["ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"]);
        let letters: Vec<char> = letters.chars().collect();
        return (0..length).map(|_| chance.choose(&letters)).collect();
    }
    let text = match chance.below(16) {
        0 | 1 => chance.choose(&ODD).to_owned(),
        2 => chance.choose(&WORDS).repeat(LONGEST / 8),
        3 => chance.integer(0, 99_999).to_string(),
        4 => format!("{}@{}.example", chance.choose(&WORDS), chance.choose(&WORDS)),
        5 => chance.choose(&WORDS).to_uppercase(),
        6..10 => format!("{} {}", chance.choose(&WORDS), chance.choose(&WORDS)),
        // Unlike all others, nearly always.
        _ => format!("{} {:x}", chance.choose(&WORDS), chance.below(1 << 32)),
    };
    match longest {
        Some(longest) => text.chars().take(longest).collect(),
        None => text,
    }
}

fn date(chance: &mut Chance) -> String {
    let day = chance.integer(1, 31);
    let (year, month) = (chance.integer(1970, 2037), chance.integer(1, 12));
    let last = match month {
        2 if year % 4 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    format!("{year:04}-{month:02}-{:02}", day.min(last))
}

fn time(chance: &mut Chance) -> String {
    format!("{:02}:{:02}:{:02}", chance.integer(0, 23), chance.integer(0, 59), chance.integer(0, 59))
}
