//! Writes down a type the way WIT does, as much of it as the contract could have. Knows no type itself.

/// Longer than every type of the contract. A component of a megabyte can have one that would fill all memory.
const MOST: usize = 1 << 10;

/// What is written of a type so far.
#[derive(Default)]
pub(super) struct Shape {
    text: String,
    is_cut: bool,
}

impl Shape {
    /// Writes a word, unless there is too much already.
    pub(super) fn word(&mut self, word: &str) {
        if self.is_cut {
            return;
        }
        let room = MOST - self.text.len();
        self.is_cut = word.len() > room;
        self.text.push_str(&word[..word.floor_char_boundary(room)]);
    }

    /// Writes parts with commas between them, and what stands before and behind them. Parts that have no room are not asked for:
    /// each that is has written something, so that their number is bounded and how deep they lie in each other.
    pub(super) fn parts<T>(
        &mut self,
        begin: &str,
        parts: impl IntoIterator<Item = T>,
        end: &str,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.word(begin);
        for (at, part) in parts.into_iter().enumerate() {
            if at > 0 {
                self.word(", ");
            }
            if self.is_cut {
                return;
            }
            write(self, part);
        }
        self.word(end);
    }

    /// Returns what was written; it ends with `…` where that is not all.
    pub(super) fn finish(mut self) -> String {
        if self.is_cut {
            self.text.push('…');
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_has_room() {
        let mut shape = Shape::default();
        shape.parts("(", ["u8", "bool"], ") -> ", Shape::word);
        shape.parts("tuple<", [(); 0], ">", |_, ()| ());
        assert_eq!(shape.finish(), "(u8, bool) -> tuple<>");
    }

    #[test]
    fn ends_where_a_type_does_not() {
        fn endless(shape: &mut Shape, (): ()) {
            shape.parts("tuple<", std::iter::repeat_n((), 16), ">", endless);
        }
        fn wide(shape: &mut Shape, depth: u32) {
            match depth {
                0 => shape.word(&"ü".repeat(90_000)),
                _ => shape.parts("tuple<", std::iter::repeat(depth - 1), ">", wide),
            }
        }
        for write in [|shape: &mut Shape| endless(shape, ()), |shape: &mut Shape| wide(shape, 6)] {
            let mut shape = Shape::default();
            write(&mut shape);
            let text = shape.finish();
            assert!(text.starts_with("tuple<tuple<") && text.ends_with('…') && text.len() < MOST + 4, "{text}");
        }
    }
}
