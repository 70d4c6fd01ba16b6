//! The texts of statements that were looked at, so that each is looked at once.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::{plain, statement_kind};
use crate::grants::Statement;

/// Statements whose texts are remembered.
const KEPT: usize = 512;
/// Bytes of their texts. What is found out about a text takes some ten times as much.
const KEPT_BYTES: usize = 1 << 20;

/// What was found out about a statement.
pub(super) struct Facts {
    /// Its text tells nothing.
    pub(super) plain: bool,
    /// The state of the schema under which it was found to be allowed.
    pub(super) allowed_in: Option<u64>,
    /// What its text tells, as soon as that is asked for.
    statement: Option<Arc<Statement>>,
}

impl Facts {
    fn of(sql: &str) -> Self {
        Self { plain: plain::is_plain(sql), allowed_in: None, statement: None }
    }
}

/// A statement that was looked at.
struct Seen<Text> {
    text: Text,
    facts: Facts,
}

impl<Text: AsRef<str>> Seen<Text> {
    fn statement(&mut self) -> Arc<Statement> {
        let text = self.text.as_ref();
        Arc::clone(self.facts.statement.get_or_insert_with(|| Arc::new(statement_kind::read(text))))
    }
}

/// A text that was looked at, to come back to.
#[derive(Clone)]
pub(super) enum Text {
    /// The one that is run once.
    Passing,
    /// One that may come again.
    Kept(Arc<str>),
}

impl Text {
    /// Tells whether it is one that is still there when another is run once, and the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Kept(one), Self::Kept(other)) if Arc::ptr_eq(one, other))
    }
}

/// What was looked at.
#[derive(Default)]
pub(super) struct Texts {
    /// The statement that is run once, and not looked for again. Its buffer is used for the next one.
    passing: Option<Seen<String>>,
    kept: Vec<Seen<Arc<str>>>,
    kept_bytes: usize,
    /// Where in `kept` a text is.
    places: HashMap<Arc<str>, usize, RandomState>,
    /// The one that was looked at last.
    last: Option<usize>,
}

impl Texts {
    /// Looks at the text of a statement that is not likely to come again, and tells whether it is plain. The one before
    /// is forgotten.
    pub(super) fn pass(&mut self, sql: &str) -> bool {
        let mut text = self.passing.take().map(|before| before.text).unwrap_or_default();
        text.clear();
        text.push_str(sql);
        let facts = Facts::of(&text);
        let plain = facts.plain;
        self.passing = Some(Seen { text, facts });
        plain
    }

    /// Returns what was found out about a text, and looks at it if need be.
    pub(super) fn facts(&mut self, sql: &str) -> &mut Facts {
        if self.passes(sql) {
            return &mut self.passing.as_mut().expect("it is there").facts;
        }
        let place = self.place(sql);
        &mut self.kept[place].facts
    }

    /// Returns what the text of a statement tells.
    pub(super) fn statement(&mut self, sql: &str) -> Arc<Statement> {
        if self.passes(sql) {
            return self.passing.as_mut().expect("it is there").statement();
        }
        let place = self.place(sql);
        self.kept[place].statement()
    }

    /// As [`facts`](Self::facts), with the text to come back to.
    pub(super) fn look(&mut self, sql: &str) -> (Text, &mut Facts) {
        if self.passes(sql) {
            return (Text::Passing, &mut self.passing.as_mut().expect("it is there").facts);
        }
        let place = self.place(sql);
        let Seen { text, facts } = &mut self.kept[place];
        (Text::Kept(Arc::clone(text)), facts)
    }

    /// Returns what a text tells that was looked at before.
    pub(super) fn statement_of(&mut self, text: &Text) -> Arc<Statement> {
        match text {
            Text::Passing => self.passing.as_mut().map(Seen::statement).unwrap_or_default(),
            Text::Kept(sql) => self.statement(sql),
        }
    }

    /// Forgets all of them.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    fn passes(&self, sql: &str) -> bool {
        self.passing.as_ref().is_some_and(|passing| passing.text == sql)
    }

    /// Finds a text among those that are kept, or adds it. Most are asked for several times in a row.
    fn place(&mut self, sql: &str) -> usize {
        let place = match self.last {
            Some(last) if &*self.kept[last].text == sql => last,
            _ => self.find(sql),
        };
        self.last = Some(place);
        place
    }

    fn find(&mut self, sql: &str) -> usize {
        if let Some(place) = self.places.get(sql) {
            return *place;
        }
        if self.kept.len() >= KEPT || self.kept_bytes.saturating_add(sql.len()) > KEPT_BYTES {
            self.kept.clear();
            self.places.clear();
            self.kept_bytes = 0;
        }
        self.kept_bytes += sql.len();
        let text: Arc<str> = Arc::from(sql);
        self.places.insert(Arc::clone(&text), self.kept.len());
        self.kept.push(Seen { facts: Facts::of(sql), text });
        self.kept.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_few_bytes_of_many_texts() {
        let mut texts = Texts::default();
        for number in 0..40 {
            let long = format!("SELECT {number}, '{}'", "x".repeat(KEPT_BYTES / 8));
            assert!(texts.facts(&long).plain);
            let kept: usize = texts.kept.iter().map(|seen| seen.text.len()).sum();
            assert!(kept <= KEPT_BYTES && kept == texts.kept_bytes && texts.places.len() == texts.kept.len());
        }
        // One that is too long by itself is kept alone.
        texts.facts(&"x".repeat(2 * KEPT_BYTES));
        texts.facts("SELECT 1");
        assert_eq!(texts.kept.len(), 1);
    }
}
