//! What `inside.c` adds to QuickJS's interface: texts, bytes, rows and arrays where they lie.
#![expect(unsafe_code, reason = "QuickJS is a C library")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::slice;
use std::str;

use rquickjs_sys as q;

use super::{Atom, JSValue, Js, Result, Thrown, context};

unsafe extern "C" {
    fn inside_text(value: JSValue, length: *mut u32, wide: *mut bool) -> *const c_void;
    fn inside_bytes(value: JSValue, start: *mut *const u8, length: *mut u32) -> i32;
    fn inside_part(context: *mut q::JSContext, value: JSValue, start: u32, end: u32) -> JSValue;
    fn inside_ascii(context: *mut q::JSContext, bytes: *const u8, length: u32) -> JSValue;
    fn inside_utf8(context: *mut q::JSContext, bytes: *const u8, length: u32) -> JSValue;
    fn inside_pattern(context: *mut q::JSContext, value: JSValue) -> JSValue;
    fn inside_own(value: JSValue, name: q::JSAtom) -> JSValue;
    fn inside_like(context: *mut q::JSContext, model: JSValue, values: *const JSValue) -> JSValue;
    fn inside_count(value: JSValue) -> i32;
    fn inside_may_have(value: JSValue, name: q::JSAtom) -> bool;
    fn inside_generator(value: JSValue, file: *mut q::JSAtom, line: *mut i32, column: *mut i32) -> bool;
    fn inside_later_generator(
        context: *mut q::JSContext,
        module: *mut q::JSModuleDef,
        name: q::JSAtom,
        file: *mut q::JSAtom,
        line: *mut i32,
        column: *mut i32,
    ) -> bool;
}

thread_local! {
    /// Room for a text that QuickJS has no UTF-8 of.
    static ROOM: Cell<String> = const { Cell::new(String::new()) };
}

/// Room that is kept for the next one.
const KEPT: usize = 1 << 10;

/// The characters of a text as QuickJS has them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Characters<'t> {
    /// None lies beyond 255.
    Narrow(&'t [u8]),
    /// In UTF-16, where a surrogate may be without its half.
    Wide(&'t [u16]),
}

impl Characters<'_> {
    /// Appends them to a text, up to half of a surrogate pair; tells whether there was none.
    fn append_to(self, text: &mut String) -> bool {
        match self {
            Self::Narrow(bytes) => {
                // SAFETY: what is appended are letters in UTF-8: each has one byte, or two above 127.
                let room = unsafe { text.as_mut_vec() };
                room.reserve(2 * bytes.len());
                for byte in bytes {
                    if byte.is_ascii() {
                        room.push(*byte);
                    } else {
                        room.extend_from_slice(&[0xc0 | byte >> 6, 0x80 | byte & 0x3f]);
                    }
                }
                true
            }
            Self::Wide(units) => {
                let mut letters = char::decode_utf16(units.iter().copied());
                letters.all(|letter| letter.map(|letter| text.push(letter)).is_ok())
            }
        }
    }
}

/// Where something stands in a file.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    /// Asks for a place; nothing where there is none.
    fn asked(ask: impl FnOnce(&mut q::JSAtom, &mut i32, &mut i32) -> bool) -> Option<Self> {
        let (mut file, mut line, mut column) = (0, 0, 0);
        if !ask(&mut file, &mut line, &mut column) {
            return None;
        }
        // SAFETY: the name of a file is lent, and a text is made of it.
        let file = Js::returned(unsafe { q::JS_AtomToString(context(), file) }).and_then(|file| file.to_text()).ok()?;
        Some(Self { file, line: line.max(0).cast_unsigned(), column: column.max(0).cast_unsigned() })
    }
}

/// What became of a value's bytes.
pub(crate) enum Lent<T> {
    /// They were lent, and this is what was made of them.
    Bytes(T),
    /// There are none any more: the buffer was transferred, or made shorter than what is seen of it.
    Gone,
    /// It is not made of bytes.
    Other,
}

/// A text in one piece.
#[derive(Debug)]
pub(crate) struct Text(Js);

impl Text {
    /// Takes a text; one that was put together is copied into one piece. Nothing for what is no text.
    pub(crate) fn of(value: &Js) -> Result<Option<Self>> {
        // SAFETY: looks at the tag, and converts a text without running code.
        unsafe {
            match q::JS_VALUE_GET_TAG(value.raw()) {
                q::JS_TAG_STRING => Ok(Some(Self(value.clone()))),
                q::JS_TAG_STRING_ROPE => {
                    Js::returned(q::JS_ToString(context(), value.raw())).map(|text| Some(Self(text)))
                }
                _ => Ok(None),
            }
        }
    }

    pub(crate) fn characters(&self) -> Characters<'_> {
        let (mut length, mut wide) = (0, false);
        // SAFETY: there are so many characters of that size, aligned, and they stay as long as the text does, since
        // QuickJS never changes a text that is in one piece.
        unsafe {
            let start = inside_text(self.0.raw(), &mut length, &mut wide);
            match wide {
                false => Characters::Narrow(slice::from_raw_parts(start.cast(), length as usize)),
                true => Characters::Wide(slice::from_raw_parts(start.cast(), length as usize)),
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self.characters() {
            Characters::Narrow(bytes) => bytes.is_empty(),
            Characters::Wide(units) => units.is_empty(),
        }
    }

    /// Lends the text; nothing where it has half of a surrogate pair.
    pub(crate) fn with_str<T>(&self, work: impl FnOnce(Option<&str>) -> T) -> T {
        match self.characters() {
            // SAFETY: ASCII is UTF-8.
            Characters::Narrow(bytes) if bytes.is_ascii() => work(Some(unsafe { str::from_utf8_unchecked(bytes) })),
            characters => {
                let mut room = ROOM.take();
                room.clear();
                let is_whole = characters.append_to(&mut room);
                let result = work(is_whole.then_some(room.as_str()));
                if room.capacity() <= KEPT {
                    ROOM.set(room);
                }
                result
            }
        }
    }

    /// Returns the text; half of a surrogate pair is U+FFFD.
    pub(crate) fn to_lossy(&self) -> String {
        match self.characters() {
            Characters::Narrow(bytes) => bytes.iter().copied().map(char::from).collect(),
            Characters::Wide(units) => String::from_utf16_lossy(units),
        }
    }

    /// Returns the part between two places, which are in the text and in order.
    pub(crate) fn part(&self, start: usize, end: usize) -> Result<Js> {
        // SAFETY: a text in one piece.
        Js::returned(unsafe { inside_part(context(), self.0.raw(), start as u32, end as u32) })
    }
}

impl Js {
    pub(crate) fn text(text: &str) -> Result<Self> {
        let length = text.len() as u32;
        // SAFETY: UTF-8 as it has to be, and read up to its length.
        Self::returned(unsafe {
            if text.is_ascii() {
                inside_ascii(context(), text.as_ptr(), length)
            } else {
                inside_utf8(context(), text.as_ptr(), length)
            }
        })
    }

    /// Lends the bytes of a `Uint8Array` or an `ArrayBuffer`, as many as a script sees now.
    pub(crate) fn with_bytes<T>(&self, work: impl FnOnce(&[u8]) -> T) -> Lent<T> {
        let (mut start, mut length) = (ptr::null(), 0);
        // SAFETY: looks only. There are so many bytes as long as nothing runs, and `work` does not run JavaScript.
        unsafe {
            match inside_bytes(self.raw(), &mut start, &mut length) {
                1 if length == 0 => Lent::Bytes(work(&[])),
                1 => Lent::Bytes(work(slice::from_raw_parts(start, length as usize))),
                0 => Lent::Other,
                _ => Lent::Gone,
            }
        }
    }

    /// Returns what an expression was made of, as long as it has nothing of its own and inherits from what it was made
    /// with; undefined otherwise.
    pub(crate) fn pattern(&self) -> Self {
        // SAFETY: looks only.
        Self::borrowed(unsafe { inside_pattern(context(), self.raw()) })
    }

    /// Tells whether a property of the object itself has this value, without running a getter.
    pub(crate) fn has_still(&self, name: &Atom, value: &Self) -> bool {
        // SAFETY: looks into what is an object.
        self.is_object() && unsafe { inside_own(self.raw(), name.raw()) } == value.raw()
    }

    /// Tells whether there may be a property, also an inherited one, without running code.
    pub(crate) fn may_have(&self, name: &Atom) -> bool {
        // SAFETY: looks into what is an object.
        self.is_object() && unsafe { inside_may_have(self.raw(), name.raw()) }
    }

    /// Returns the value of a property that the object itself has; undefined where there is none, or one with a getter.
    pub(super) fn held(&self, name: &Atom) -> Self {
        match self.is_object() {
            // SAFETY: looks into what is an object.
            true => Self::borrowed(unsafe { inside_own(self.raw(), name.raw()) }),
            false => Self::undefined(),
        }
    }

    /// Makes an object with the properties of a plain one, the model, and as many values.
    pub(crate) fn like(model: &Self, values: &mut Vec<Self>) -> Result<Self> {
        // SAFETY: the values are values alone, and are taken over, also when there is no more memory.
        unsafe {
            values.set_len(0);
            Self::returned(inside_like(context(), model.raw(), values.as_ptr().cast()))
        }
    }

    /// Counts the elements of an array that is nothing but these.
    pub(crate) fn count(&self) -> Option<u32> {
        // SAFETY: looks only.
        u32::try_from(unsafe { inside_count(self.raw()) }).ok()
    }

    /// Returns where a function stands that is a generator; nothing for any other value.
    pub(crate) fn generator(&self) -> Option<Place> {
        // SAFETY: looks only.
        Place::asked(|file, line, column| unsafe { inside_generator(self.raw(), file, line, column) })
    }

    /// Returns where the generator stands that a linked module, which this is, gives a constant that it exports.
    pub(crate) fn later_generator(&self, export: &Atom) -> Option<Place> {
        // SAFETY: looks only, into a module that `compile_module` made and that is linked.
        Place::asked(|file, line, column| unsafe {
            let module = q::JS_VALUE_GET_PTR(self.raw()).cast();
            inside_later_generator(context(), module, export.raw(), file, line, column)
        })
    }

    /// Makes an array of these values; the list is empty then, and keeps its room.
    pub(crate) fn array_from(values: &mut Vec<Self>) -> Result<Self> {
        let count = c_int::try_from(values.len()).map_err(|_| Thrown)?;
        // SAFETY: the values are values alone, and all are taken over, also when there is no more memory.
        unsafe {
            values.set_len(0);
            Self::returned(q::JS_NewArrayFrom(context(), count, values.as_ptr().cast()))
        }
    }
}
