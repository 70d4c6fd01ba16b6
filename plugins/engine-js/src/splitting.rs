//! Splits texts by regular expressions, searching forward for the next match.
//!
//! The specification tries the expression at every character, with a copy that is compiled for each call. A search
//! finds the same matches as long as a script has changed nothing of how expressions work; otherwise what QuickJS has
//! for it is called.

use std::cell::RefCell;
use std::rc::Rc;

use crate::js::{Atom, JSValue, Js, Property, Result, Type};

/// Expressions that are kept compiled for searching.
const KEPT: usize = 8;
/// The flags that change what matches. The others are not for a copy: it searches, and tells no indices.
const FLAGS: [(&str, char); 5] =
    [("ignoreCase", 'i'), ("multiline", 'm'), ("dotAll", 's'), ("unicode", 'u'), ("unicodeSets", 'v')];
/// What the specification reads besides.
const READ: [&str; 6] = ["constructor", "exec", "flags", "global", "hasIndices", "sticky"];

thread_local! {
    static INTRINSICS: RefCell<Option<Rc<Intrinsics>>> = const { RefCell::new(None) };
    static COPIES: RefCell<Vec<Copy>> = const { RefCell::new(Vec::new()) };
}

/// What expressions are made of before a script can have changed it.
struct Intrinsics {
    split: Js,
    regexp: Js,
    prototype: Js,
    exec: Js,
    source: Js,
    /// The getters of [`FLAGS`].
    flags: Vec<Js>,
    slice: Js,
    code_point_at: Js,
    last_index: Atom,
    index: Atom,
    species: (Atom, Option<Property>),
    /// Everything of the prototype that the specification reads.
    read: Vec<(Atom, Option<Property>)>,
}

/// An expression compiled to search with.
#[derive(Clone)]
struct Copy {
    source: Js,
    flags: Rc<str>,
    searching: Js,
}

/// Remembers what expressions are made of. Called before the script is there.
pub(crate) fn install() -> Result<()> {
    let global = Js::global();
    let symbols = global.get(c"Symbol")?;
    let symbol = |name| symbols.get(name).map(|symbol| Atom::of(&symbol));
    let regexp = global.get(c"RegExp")?;
    let prototype = regexp.get(c"prototype")?;
    let texts = global.get(c"String")?.get(c"prototype")?;
    let getter = |name: &str| match prototype.own(&Atom::new(name))? {
        Some(Property::Getter(getter)) => Ok(getter),
        _ => Ok(Js::undefined()),
    };
    let mut names: Vec<Atom> = READ.iter().map(|name| Atom::new(name)).collect();
    names.extend(FLAGS.iter().map(|(name, _)| Atom::new(name)));
    names.push(symbol(c"match")?);
    let read = names.into_iter().map(|name| prototype.own(&name).map(|property| (name, property)));
    let read = read.collect::<Result<_>>()?;
    let species = symbol(c"species")?;
    INTRINSICS.set(Some(Rc::new(Intrinsics {
        split: prototype.get_atom(&symbol(c"split")?)?,
        exec: prototype.get(c"exec")?,
        source: getter("source")?,
        flags: FLAGS.iter().map(|(name, _)| getter(name)).collect::<Result<_>>()?,
        slice: texts.get(c"slice")?,
        code_point_at: texts.get(c"codePointAt")?,
        last_index: Atom::new("lastIndex"),
        index: Atom::new("index"),
        species: regexp.own(&species).map(|property| (species, property))?,
        read,
        regexp,
        prototype,
    })));
    Ok(())
}

/// What is `RegExp.prototype[Symbol.split]` for scripts.
pub(crate) fn split(this: JSValue, arguments: &[JSValue]) -> Result<Js> {
    let Some(intrinsics) = INTRINSICS.with_borrow(Clone::clone) else { return Ok(Js::undefined()) };
    let this = Js::borrowed(this);
    if let [text, rest @ ..] = arguments {
        let text = Js::borrowed(*text);
        let limit = match rest.first().map(|limit| Js::borrowed(*limit)) {
            None => Some(u32::MAX),
            Some(limit) => match limit.kind() {
                Type::Undefined => Some(u32::MAX),
                Type::Integer => Some(limit.integer().cast_unsigned()),
                _ => None,
            },
        };
        if let Some(limit) = limit
            && text.kind() == Type::Text
            && intrinsics.are_untouched(&this)?
        {
            return intrinsics.search(&this, &text, limit);
        }
    }
    intrinsics.split.call(&this, arguments)
}

impl Intrinsics {
    /// Tells whether nothing that a script does could be seen or felt while a text is split by this.
    fn are_untouched(&self, expression: &Js) -> Result<bool> {
        // Its only property is then `lastIndex`, which no script can take away.
        if !expression.is_regexp() || expression.own_count()? != 1 || expression.prototype()? != self.prototype {
            return Ok(false);
        }
        for (name, property) in &self.read {
            if self.prototype.own(name)? != *property {
                return Ok(false);
            }
        }
        Ok(self.regexp.own(&self.species.0)? == self.species.1)
    }

    /// Returns the expression compiled to search with.
    fn copy(&self, expression: &Js) -> Result<Copy> {
        let source = self.source.call(expression, &[])?;
        let mut flags = String::with_capacity(FLAGS.len() + 1);
        flags.push('g');
        for ((_, letter), getter) in FLAGS.iter().zip(&self.flags) {
            if getter.call(expression, &[])?.truth() {
                flags.push(*letter);
            }
        }
        let known = COPIES.with_borrow(|copies| {
            copies.iter().find(|copy| *copy.flags == *flags && copy.source.is_strictly(&source)).cloned()
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let searching = self.regexp.construct(&[expression.raw(), Js::text(&flags)?.raw()])?;
        let copy = Copy { source, flags: flags.into(), searching };
        COPIES.with_borrow_mut(|copies| {
            if copies.len() == KEPT {
                copies.remove(0);
            }
            copies.push(copy.clone());
        });
        Ok(copy)
    }

    fn search(&self, expression: &Js, text: &Js, limit: u32) -> Result<Js> {
        let copy = self.copy(expression)?;
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
