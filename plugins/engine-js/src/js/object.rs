//! How objects are made up: what they are, what they have themselves, and what they inherit from.
#![expect(unsafe_code, reason = "QuickJS is a C library")]

use std::ffi::c_int;
use std::ptr;

use rquickjs_sys as q;

use super::{Atom, Js, Result, Thrown, context};

/// Values are the same when they are the same number, or point to the same thing. No text is compared.
impl PartialEq for Js {
    fn eq(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }
}

impl Eq for Js {}

impl Js {
    /// Tells whether two values are the same as `===` has it, texts by what they say.
    pub(crate) fn is_strictly(&self, other: &Self) -> bool {
        // SAFETY: compares without running code.
        unsafe { q::JS_IsStrictEqual(context(), self.raw(), other.raw()) }
    }

    /// Returns value and getter of a property of the object itself, without running any; undefined where there is none.
    pub(crate) fn own(&self, name: &Atom) -> Result<(Js, Js)> {
        let mut found = q::JSPropertyDescriptor {
            flags: 0,
            value: q::JS_UNDEFINED,
            getter: q::JS_UNDEFINED,
            setter: q::JS_UNDEFINED,
        };
        // SAFETY: fills the descriptor, whose references are taken over, when there is such a property.
        if unsafe { q::JS_GetOwnProperty(context(), &mut found, self.raw(), name.raw()) } < 0 {
            return Err(Thrown);
        }
        drop(Self::returned(found.setter)?);
        Ok((Self::returned(found.value)?, Self::returned(found.getter)?))
    }

    /// Makes a property of the object itself one that no script can replace or take away.
    pub(crate) fn fix(&self, name: &Atom) -> Result<()> {
        // SAFETY: without a value, the flag alone is changed.
        let fixed = unsafe {
            let (value, flags) = (q::JS_UNDEFINED, q::JS_PROP_HAS_CONFIGURABLE as c_int);
            q::JS_DefineProperty(context(), self.raw(), name.raw(), value, value, value, flags)
        };
        if fixed < 0 { Err(Thrown) } else { Ok(()) }
    }

    /// Counts the properties of the object itself, symbols among them.
    pub(crate) fn own_count(&self) -> Result<u32> {
        let (mut table, mut count) = (ptr::null_mut(), 0);
        let flags = (q::JS_GPN_STRING_MASK | q::JS_GPN_SYMBOL_MASK) as c_int;
        // SAFETY: the table has `count` entries until it is freed.
        unsafe {
            if q::JS_GetOwnPropertyNames(context(), &mut table, &mut count, self.raw(), flags) < 0 {
                return Err(Thrown);
            }
            q::JS_FreePropertyEnum(context(), table, count);
        }
        Ok(count)
    }

    /// Assigns to a property as scripts do.
    pub(crate) fn assign(&self, name: &Atom, value: Js) -> Result<()> {
        // SAFETY: gives the reference away.
        match unsafe { q::JS_SetProperty(context(), self.raw(), name.raw(), value.into_raw()) } {
            0.. => Ok(()),
            _ => Err(Thrown),
        }
    }
}
