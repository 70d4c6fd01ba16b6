//! Splits texts by texts, and by regular expressions: searching forward for the next match, or without expressions for
//! the simplest.
//!
//! The specification tries the expression at every character, with a copy that is compiled for each call. A search
//! finds the same matches as long as a script has changed nothing of how expressions work; otherwise what QuickJS has
//! for it is called.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use crate::js::{self, Atom, Characters, JSValue, Js, Result, Text, Type};
use crate::native;
use crate::separator::Separator;

/// Expressions that are kept compiled for searching.
const KEPT: usize = 8;
/// The flags that change what matches. The others are not for a copy: it searches, and tells no indices.
const FLAGS: [(&str, char); 5] =
    [("ignoreCase", 'i'), ("multiline", 'm'), ("dotAll", 's'), ("unicode", 'u'), ("unicodeSets", 'v')];
/// What else the specification asks getters for. No script can put others in their place, see [`install`].
const ASKED: [&str; 4] = ["flags", "global", "hasIndices", "sticky"];

thread_local! {
    static INTRINSICS: RefCell<Option<Rc<Intrinsics>>> = const { RefCell::new(None) };
    static COPIES: RefCell<Vec<Compiled>> = const { RefCell::new(Vec::new()) };
    /// Room for the parts of a text.
    static PARTS: Cell<Vec<Js>> = const { Cell::new(Vec::new()) };
    /// Patterns of expressions, and what they are if that is simple.
    static SEPARATORS: RefCell<Vec<(Js, Option<Rc<Separator>>)>> = const { RefCell::new(Vec::new()) };
}

/// What expressions are made of before a script can have changed it.
struct Intrinsics {
    split: Js,
    split_text: Js,
    /// What is in the place of `split`, and its name.
    own_split: Js,
    method: Atom,
    regexp: Js,
    prototype: Js,
    exec: Js,
    /// The getters of [`FLAGS`].
    flags: Vec<Js>,
    slice: Js,
    code_point_at: Js,
    last_index: Atom,
    index: Atom,
    /// What the specification reads, and a script may have changed.
    read: Vec<(Atom, Js)>,
}

/// An expression compiled to search with.
#[derive(Clone)]
struct Compiled {
    pattern: Js,
    flags: Rc<str>,
    searching: Js,
}

/// Remembers what expressions are made of, and returns what splits for scripts: a method of expressions, and one of texts.
/// Called before the script is there.
pub(crate) fn install() -> Result<(Js, Js)> {
    let global = Js::global();
    let symbols = global.get(c"Symbol")?;
    let symbol = |name| symbols.get(name).map(|symbol| Atom::of(&symbol));
    let regexp = global.get(c"RegExp")?;
    let prototype = regexp.get(c"prototype")?;
    let texts = global.get(c"String")?.get(c"prototype")?;
    let getter = |name: &str| prototype.own(&Atom::new(name)).map(|(_, getter)| getter);
    for name in ASKED.into_iter().chain(FLAGS.map(|(name, _)| name)) {
        prototype.fix(&Atom::new(name))?;
    }
    regexp.fix(&symbol(c"species")?)?;
    let names = [Atom::new("constructor"), Atom::new("exec"), symbol(c"match")?];
    let read = names.into_iter().map(|name| prototype.get_atom(&name).map(|value| (name, value)));
    let read = read.collect::<Result<_>>()?;
    let method = symbol(c"split")?;
    let own_split = js::function(c"[Symbol.split]", 2, native!(split))?;
    let split_text = js::function(c"split", 2, native!(split_text))?;
    INTRINSICS.set(Some(Rc::new(Intrinsics {
        split: prototype.get_atom(&method)?,
        split_text: texts.get(c"split")?,
        own_split: own_split.clone(),
        method,
        exec: prototype.get(c"exec")?,
        flags: FLAGS.iter().map(|(name, _)| getter(name)).collect::<Result<_>>()?,
        slice: texts.get(c"slice")?,
        code_point_at: texts.get(c"codePointAt")?,
        last_index: Atom::new("lastIndex"),
        index: Atom::new("index"),
        read,
        regexp,
        prototype,
    })));
    Ok((own_split, split_text))
}

/// What is `RegExp.prototype[Symbol.split]` for scripts.
pub(crate) fn split(this: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let Some(intrinsics) = INTRINSICS.with_borrow(Clone::clone) else { return Ok(Js::undefined()) };
    let this = Js::borrowed(this);
    if let [text, rest @ ..] = arguments
        && let Some(limit) = limit(rest)
        && let Some(parts) = intrinsics.split(&this, &Js::borrowed(*text), limit)?
    {
        return Ok(parts);
    }
    intrinsics.split.call(&this, arguments)
}

/// What is `String.prototype.split` for scripts.
pub(crate) fn split_text(this: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let Some(intrinsics) = INTRINSICS.with_borrow(Clone::clone) else { return Ok(Js::undefined()) };
    let this = Js::borrowed(this);
    if let [separator, rest @ ..] = arguments
        && let Some(limit) = limit(rest)
    {
        let separator = Js::borrowed(*separator);
        let parts = match separator.kind() {
            Type::Text if this.kind() == Type::Text => part_by_text(&separator, &this, limit)?,
            Type::Object if intrinsics.prototype.has_still(&intrinsics.method, &intrinsics.own_split) => {
                intrinsics.split(&separator, &this, limit)?
            }
            _ => None,
        };
        if let Some(parts) = parts {
            return Ok(parts);
        }
    }
    intrinsics.split_text.call(&this, arguments)
}

/// Reads how many parts there may be; nothing where it has to be converted.
fn limit(arguments: &[JSValue]) -> Option<u32> {
    let limit = arguments.first().map_or_else(Js::undefined, |limit| Js::borrowed(*limit));
    match limit.kind() {
        Type::Undefined => Some(u32::MAX),
        Type::Integer => Some(limit.integer().cast_unsigned()),
        _ => None,
    }
}

/// Returns what an expression of this pattern is, if that is simple.
fn separator(pattern: &Js) -> Result<Option<Rc<Separator>>> {
    let known = SEPARATORS.with_borrow(|known| {
        // The same expression of a script has the same value each time.
        let found = known.iter().find(|(other, _)| other == pattern || other.is_strictly(pattern));
        found.map(|(_, separator)| separator.clone())
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let separator = pattern.with_text(|bytes| std::str::from_utf8(bytes).ok().and_then(Separator::read))?.map(Rc::new);
    SEPARATORS.with_borrow_mut(|known| {
        if known.len() == KEPT {
            known.remove(0);
        }
        known.push((pattern.clone(), separator.clone()));
    });
    Ok(separator)
}

/// Splits a text by another; nothing where it is split at every character.
fn part_by_text(separator: &Js, text: &Js, limit: u32) -> Result<Option<Js>> {
    let (Some(separator), Some(text)) = (Text::of(separator)?, Text::of(text)?) else { return Ok(None) };
    if separator.is_empty() {
        return Ok(None);
    }
    match (text.characters(), separator.characters()) {
        (Characters::Narrow(units), Characters::Narrow(by)) => parts(&text, split_by(units, by, limit)),
        (Characters::Narrow(units), Characters::Wide(by)) => parts(&text, split_by(units, by, limit)),
        (Characters::Wide(units), Characters::Narrow(by)) => parts(&text, split_by(units, by, limit)),
        (Characters::Wide(units), Characters::Wide(by)) => parts(&text, split_by(units, by, limit)),
    }
    .map(Some)
}

/// Tells where the parts of a text lie that another parts.
fn split_by<U, V>(text: &[U], by: &[V], limit: u32) -> impl Iterator<Item = Range<usize>>
where
    U: Copy + Into<u16>,
    V: Copy + Into<u16>,
{
    let is_found = move |units: &[U]| units.iter().zip(by).all(|(unit, by)| (*unit).into() == (*by).into());
    let mut next = Some(0);
    (0..limit).map_while(move |_| {
        let start = next.take()?;
        let Some(part) = text[start..].windows(by.len()).position(is_found) else { return Some(start..text.len()) };
        next = Some(start + part + by.len());
        Some(start..start + part)
    })
}

/// Splits a text without expressions.
fn part(separator: &Separator, text: &Text, limit: u32) -> Result<Js> {
    match text.characters() {
        Characters::Narrow(units) => parts(text, separator.split(units, limit)),
        Characters::Wide(units) => parts(text, separator.split(units, limit)),
    }
}

/// Makes an array of a text's parts.
fn parts(text: &Text, places: impl Iterator<Item = Range<usize>>) -> Result<Js> {
    let mut parts = PARTS.take();
    for place in places {
        parts.push(text.part(place.start, place.end)?);
    }
    let array = Js::array_from(&mut parts);
    PARTS.set(parts);
    array
}

impl Intrinsics {
    /// Splits a text by an expression; nothing where that could be seen by the script.
    fn split(&self, expression: &Js, text: &Js, limit: u32) -> Result<Option<Js>> {
        let pattern = expression.pattern();
        if pattern.kind() != Type::Text || !self.read.iter().all(|(name, value)| self.prototype.has_still(name, value))
        {
            return Ok(None);
        }
        match (Text::of(text)?, separator(&pattern)?) {
            (None, _) => Ok(None),
            (Some(text), Some(separator)) => part(&separator, &text, limit).map(Some),
            (Some(_), None) => self.search(expression, pattern, text, limit).map(Some),
        }
    }

    /// Returns the expression compiled to search with.
    fn copy(&self, expression: &Js, pattern: Js) -> Result<Compiled> {
        let mut flags = String::with_capacity(FLAGS.len() + 1);
        flags.push('g');
        for ((_, letter), getter) in FLAGS.iter().zip(&self.flags) {
            if getter.call(expression, &[])?.truth() {
                flags.push(*letter);
            }
        }
        let known = COPIES.with_borrow(|copies| {
            copies.iter().find(|copy| *copy.flags == *flags && copy.pattern.is_strictly(&pattern)).cloned()
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let searching = self.regexp.construct(&[expression.raw(), Js::text(&flags)?.raw()])?;
        let copy = Compiled { pattern, flags: flags.into(), searching };
        COPIES.with_borrow_mut(|copies| {
            if copies.len() == KEPT {
                copies.remove(0);
            }
            copies.push(copy.clone());
        });
        Ok(copy)
    }

    fn search(&self, expression: &Js, pattern: Js, text: &Js, limit: u32) -> Result<Js> {
        let copy = self.copy(expression, pattern)?;
        let by_code_point = copy.flags.contains(['u', 'v']);
        let mut parts = Vec::new();
        if limit == 0 {
            return Js::array_of(parts);
        }
        let size = text.length()?;
        // Where the part begins, and from where on the next match is looked for.
        let (mut start, mut from) = (0, 0);
        while from < size || size == 0 {
            copy.searching.assign(&self.last_index, position(from))?;
            let found = self.exec.call(&copy.searching, &[text.raw()])?;
            if found.kind() == Type::Null {
                break;
            }
            if size == 0 {
                return Js::array_of(parts);
            }
            let at = found.get_atom(&self.index)?.integer().cast_unsigned();
            let end = copy.searching.get_atom(&self.last_index)?.integer().cast_unsigned();
            if at >= size {
                break;
            }
            if end == start {
                from = at + self.step(text, at, by_code_point)?;
                continue;
            }
            parts.push(self.slice.call(text, &[position(start).raw(), position(at).raw()])?);
            for group in 1..found.length()? {
                if parts.len() as u32 == limit {
                    break;
                }
                parts.push(found.at(group)?);
            }
            if parts.len() as u32 == limit {
                return Js::array_of(parts);
            }
            start = end;
            from = end;
        }
        parts.push(self.slice.call(text, &[position(start).raw(), position(size).raw()])?);
        Js::array_of(parts)
    }

    /// Returns how far the next character is.
    fn step(&self, text: &Js, at: u32, by_code_point: bool) -> Result<u32> {
        let is_pair = by_code_point && self.code_point_at.call(text, &[position(at).raw()])?.integer() > 0xFFFF;
        Ok(if is_pair { 2 } else { 1 })
    }
}

/// A place in a text, which is shorter than 2^30 characters.
fn position(at: u32) -> Js {
    Js::small(at.cast_signed())
}
