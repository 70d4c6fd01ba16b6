//! Accesses by number, and which of them a question is about.

use std::collections::HashMap;
use std::ffi::c_int;

use foldhash::fast::RandomState;

use super::question::Question;

/// The number of an access.
pub(super) type Number = u16;

/// Different accesses, in the order in which they were added. What is compared most is small and lies close together:
/// between two statements much else goes through the processor's cache.
#[derive(Default)]
pub(super) struct Accesses {
    accesses: Vec<Access>,
    /// The names of all accesses, one after the other.
    names: Vec<u8>,
    /// Which access has a key.
    places: HashMap<Box<[u8]>, Number, RandomState>,
    key: Vec<u8>,
}

struct Access {
    shape: Shape,
    /// Where its names begin.
    start: usize,
}

impl Accesses {
    /// Tells whether a question of this shape is about this access.
    #[inline(always)]
    pub(super) fn is(&self, access: Number, shape: Shape, question: &Question<'_>) -> bool {
        let access = &self.accesses[usize::from(access)];
        access.shape == shape && are_names(&self.names[access.start..], question)
    }

    /// Finds the access that a question is about.
    pub(super) fn find(&mut self, question: &Question<'_>) -> Option<Number> {
        write(question, &mut self.key);
        self.places.get(self.key.as_slice()).copied()
    }

    /// Counts them.
    pub(super) fn len(&self) -> usize {
        self.accesses.len()
    }

    /// Adds the access that a question is about, which is not there yet and gets this number, the next one.
    pub(super) fn add(&mut self, access: Number, question: &Question<'_>) {
        write(question, &mut self.key);
        self.places.insert(self.key.as_slice().into(), access);
        self.accesses.push(Access { shape: Shape::of(question), start: self.names.len() });
        self.names.extend(question.names.iter().flatten().copied().flatten());
    }
}

/// What is compared first: what is done, and how long the names are.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct Shape {
    code: c_int,
    /// One more than the length of each name; 0 where there is none.
    lengths: [u32; 4],
}

impl Shape {
    /// Returns the shape of a question.
    #[inline(always)]
    pub(super) fn of(question: &Question<'_>) -> Self {
        // Lengths that do not fit are longer than any statement may be.
        let length = |name: Option<&[u8]>| name.map_or(0, |name| u32::try_from(name.len() + 1).unwrap_or(u32::MAX));
        let [first, second, database, accessor] = question.names;
        Self { code: question.code, lengths: [length(first), length(second), length(database), length(accessor)] }
    }
}

/// Writes what tells an access from others as one text.
fn write(question: &Question<'_>, key: &mut Vec<u8>) {
    let Shape { code, lengths } = Shape::of(question);
    key.clear();
    key.extend(code.to_le_bytes());
    key.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
    key.extend(question.names.iter().flatten().copied().flatten());
}

/// Tells whether names, one after the other, are those of a question that has the same shape.
#[inline(always)]
fn are_names(mut text: &[u8], question: &Question<'_>) -> bool {
    for name in &question.names {
        let Some(name) = name else { continue };
        let Some((found, rest)) = text.split_at_checked(name.len()) else { return false };
        if !is_same(found, name) {
            return false;
        }
        text = rest;
    }
    true
}

/// Compares two texts of one length. Most names are short, and the way to the C library is longer than they are.
#[inline(always)]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    #[inline(always)]
    fn ends<const N: usize>(one: &[u8], other: &[u8]) -> bool {
        one.first_chunk::<N>() == other.first_chunk::<N>() && one.last_chunk::<N>() == other.last_chunk::<N>()
    }
    match one.len() {
        0..4 => one.iter().eq(other),
        4..8 => ends::<4>(one, other),
        8..=16 => ends::<8>(one, other),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_is_known_by_all_of_its_names() {
        let names: [Option<&[u8]>; 5] = [None, Some(b""), Some(b"a"), Some(b"ab"), Some(b"b")];
        let mut questions = vec![Question { code: 1, names: [names[2], names[4], None, None] }];
        for place in 0..625 {
            let name = |digit: u32| names[place / 5_usize.pow(digit) % 5];
            questions.push(Question { code: 2, names: [name(0), name(1), name(2), name(3)] });
        }
        let mut accesses = Accesses::default();
        for question in &questions {
            assert_eq!(accesses.find(question), None);
            accesses.add(accesses.len() as Number, question);
        }
        for (place, question) in questions.iter().enumerate() {
            assert_eq!(accesses.find(question).map(usize::from), Some(place));
            let same = |other: &usize| accesses.is(*other as Number, Shape::of(question), question);
            assert_eq!((0..questions.len()).filter(same).collect::<Vec<_>>(), [place]);
        }
    }

    #[test]
    fn names_of_every_length_are_told_apart_by_every_byte() {
        for length in 0..40 {
            let name = vec![b'x'; length];
            assert!(is_same(&name, &name.clone()));
            for place in 0..length {
                let mut other = name.clone();
                other[place] = b'y';
                assert!(!is_same(&name, &other), "{length} {place}");
            }
        }
    }
}
