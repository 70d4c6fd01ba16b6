//! The values that scripts work with.
#![expect(unsafe_code, reason = "QuickJS is a C library")]

use std::ffi::{CStr, c_int};
use std::mem::ManuallyDrop;
use std::ptr;
use std::slice;

use rquickjs_sys as q;

use super::{JSValue, Result, Thrown, context};

/// A value of the context, freed when dropped.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Js(JSValue);

impl Drop for Js {
    fn drop(&mut self) {
        // SAFETY: this holds one reference, where the value has any.
        unsafe {
            if q::JS_VALUE_HAS_REF_COUNT(self.0) {
                q::JS_FreeValue(context(), self.0);
            }
        }
    }
}

impl Clone for Js {
    fn clone(&self) -> Self {
        Self::borrowed(self.0)
    }
}

/// What kind of value it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Type {
    Undefined,
    Null,
    Boolean,
    Integer,
    Float,
    BigInt,
    Text,
    Symbol,
    Object,
}

impl Js {
    /// Adds a reference.
    pub(crate) fn borrowed(value: JSValue) -> Self {
        // SAFETY: `value` is alive.
        unsafe { if q::JS_VALUE_HAS_REF_COUNT(value) { Self(q::JS_DupValue(context(), value)) } else { Self(value) } }
    }

    /// Takes over what a function of QuickJS returned, which may be an exception.
    pub(super) fn returned(value: JSValue) -> Result<Self> {
        // SAFETY: looks at the tag only.
        if unsafe { q::JS_IsException(value) } { Err(Thrown) } else { Ok(Self(value)) }
    }

    /// Gives the reference away.
    pub(crate) fn into_raw(self) -> JSValue {
        ManuallyDrop::new(self).0
    }

    /// Returns the value without a reference.
    pub(crate) fn raw(&self) -> JSValue {
        self.0
    }

    pub(crate) fn undefined() -> Self {
        Self(q::JS_UNDEFINED)
    }

    pub(crate) fn null() -> Self {
        Self(q::JS_NULL)
    }

    pub(crate) fn boolean(value: bool) -> Self {
        Self(if value { q::JS_TRUE } else { q::JS_FALSE })
    }

    pub(crate) fn number(value: f64) -> Self {
        Self(q::JS_NewFloat64(value))
    }

    pub(crate) fn small(value: i32) -> Self {
        Self(q::JS_MKVAL(q::JS_TAG_INT, value))
    }

    pub(crate) fn big(value: i64) -> Result<Self> {
        // SAFETY: makes a new value.
        Self::returned(unsafe { q::JS_NewBigInt64(context(), value) })
    }

    pub(crate) fn bytes(bytes: &[u8]) -> Result<Self> {
        // SAFETY: the bytes are copied.
        Self::returned(unsafe { q::JS_NewUint8ArrayCopy(context(), bytes.as_ptr(), bytes.len() as _) })
    }

    pub(crate) fn object() -> Result<Self> {
        // SAFETY: makes a new value.
        Self::returned(unsafe { q::JS_NewObject(context()) })
    }

    pub(crate) fn array() -> Result<Self> {
        // SAFETY: makes a new value.
        Self::returned(unsafe { q::JS_NewArray(context()) })
    }

    /// Makes an array of these values.
    pub(crate) fn array_of(mut values: Vec<Js>) -> Result<Self> {
        Self::array_from(&mut values)
    }

    pub(crate) fn global() -> Self {
        // SAFETY: adds a reference.
        Self(unsafe { q::JS_GetGlobalObject(context()) })
    }

    /// Takes the exception that is waiting.
    pub(crate) fn exception() -> Self {
        // SAFETY: takes over the reference.
        Self(unsafe { q::JS_GetException(context()) })
    }

    /// Makes this the exception that is waiting.
    pub(crate) fn throw(self) -> Thrown {
        // SAFETY: gives the reference away.
        unsafe { q::JS_Throw(context(), self.into_raw()) };
        Thrown
    }

    pub(crate) fn kind(&self) -> Type {
        // SAFETY: looks at the tag only.
        match unsafe { q::JS_VALUE_GET_NORM_TAG(self.0) } {
            q::JS_TAG_NULL => Type::Null,
            q::JS_TAG_BOOL => Type::Boolean,
            q::JS_TAG_INT => Type::Integer,
            q::JS_TAG_FLOAT64 => Type::Float,
            q::JS_TAG_BIG_INT | q::JS_TAG_SHORT_BIG_INT => Type::BigInt,
            q::JS_TAG_STRING | q::JS_TAG_STRING_ROPE => Type::Text,
            q::JS_TAG_SYMBOL => Type::Symbol,
            q::JS_TAG_OBJECT => Type::Object,
            _ => Type::Undefined,
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        // SAFETY: looks at the tag only.
        unsafe { q::JS_VALUE_GET_TAG(self.0) == q::JS_TAG_OBJECT }
    }

    pub(crate) fn is_function(&self) -> bool {
        // SAFETY: looks only.
        unsafe { q::JS_IsFunction(context(), self.0) }
    }

    pub(crate) fn is_array(&self) -> bool {
        // SAFETY: looks only.
        unsafe { q::JS_IsArray(self.0) }
    }

    /// Tells whether it is an array, or one of the typed ones.
    pub(crate) fn is_list(&self) -> bool {
        // SAFETY: looks only.
        self.is_array() || unsafe { q::JS_GetTypedArrayType(self.0) } >= 0
    }

    pub(crate) fn is_error(&self) -> bool {
        // SAFETY: looks only.
        unsafe { q::JS_IsError(self.0) }
    }

    /// Reads a boolean; what is none counts as JavaScript has it.
    pub(crate) fn truth(&self) -> bool {
        // SAFETY: converts without running code.
        unsafe { q::JS_ToBool(context(), self.0) == 1 }
    }

    /// Reads a value of the type [`Type::Integer`].
    pub(crate) fn integer(&self) -> i32 {
        // SAFETY: the bits of the tag's payload.
        unsafe { q::JS_VALUE_GET_INT(self.0) }
    }

    /// Reads a value of the type [`Type::Float`].
    pub(crate) fn float(&self) -> f64 {
        // SAFETY: the bits of a float.
        unsafe { q::JS_VALUE_GET_FLOAT64(self.0) }
    }

    /// Reads a BigInt; beyond 64 bits it wraps around.
    pub(crate) fn wrapped_i64(&self) -> Result<i64> {
        let mut value = 0;
        // SAFETY: writes one number.
        match unsafe { q::JS_ToBigInt64(context(), &mut value, self.0) } {
            0 => Ok(value),
            _ => Err(Thrown),
        }
    }

    /// Lends the text of a value, as JavaScript converts it, in bytes: a surrogate without its half is no UTF-8.
    pub(crate) fn with_text<T>(&self, work: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let mut length = 0;
        // SAFETY: what comes back is `length` bytes until it is freed.
        unsafe {
            let text = q::JS_ToCStringLen2(context(), &mut length, self.0, false);
            if text.is_null() {
                return Err(Thrown);
            }
            let result = work(slice::from_raw_parts(text.cast(), length as usize));
            q::JS_FreeCString(context(), text);
            Ok(result)
        }
    }

    /// Returns the text of a value; what is no UTF-8 is replaced.
    pub(crate) fn to_text(&self) -> Result<String> {
        self.with_text(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Returns a value as a text of JSON.
    pub(crate) fn to_json(&self) -> Result<Js> {
        // SAFETY: may run code of the value's.
        Self::returned(unsafe { q::JS_JSONStringify(context(), self.0, q::JS_UNDEFINED, q::JS_UNDEFINED) })
    }

    pub(crate) fn get(&self, name: &CStr) -> Result<Js> {
        // SAFETY: may run a getter.
        Self::returned(unsafe { q::JS_GetPropertyStr(context(), self.0, name.as_ptr()) })
    }

    pub(crate) fn get_atom(&self, name: &Atom) -> Result<Js> {
        let held = self.held(name);
        if held.kind() != Type::Undefined {
            return Ok(held);
        }
        // SAFETY: may run a getter.
        Self::returned(unsafe { q::JS_GetProperty(context(), self.0, name.0) })
    }

    /// Tells whether the object itself has a property, not what it inherits from.
    pub(crate) fn has_own(&self, name: &Atom) -> Result<bool> {
        // SAFETY: asks without a descriptor to fill.
        match unsafe { q::JS_GetOwnProperty(context(), ptr::null_mut(), self.0, name.0) } {
            0 => Ok(false),
            1.. => Ok(true),
            _ => Err(Thrown),
        }
    }

    pub(crate) fn at(&self, index: u32) -> Result<Js> {
        // SAFETY: may run a getter.
        Self::returned(unsafe { q::JS_GetPropertyUint32(context(), self.0, index) })
    }

    pub(crate) fn length(&self) -> Result<u32> {
        let mut length = 0;
        // SAFETY: writes one number.
        match unsafe { q::JS_GetLength(context(), self.0, &mut length) } {
            0 => Ok(u32::try_from(length).unwrap_or(u32::MAX)),
            _ => Err(Thrown),
        }
    }

    /// Gives an object a property of its own, whatever it is called.
    pub(crate) fn define(&self, name: &Atom, value: Js) -> Result<()> {
        let flags = q::JS_PROP_C_W_E as c_int;
        // SAFETY: gives the reference away.
        match unsafe { q::JS_DefinePropertyValue(context(), self.0, name.0, value.into_raw(), flags) } {
            0.. => Ok(()),
            _ => Err(Thrown),
        }
    }

    pub(crate) fn set(&self, name: &CStr, value: Js) -> Result<()> {
        let flags = q::JS_PROP_C_W_E as c_int;
        // SAFETY: gives the reference away.
        match unsafe { q::JS_DefinePropertyValueStr(context(), self.0, name.as_ptr(), value.into_raw(), flags) } {
            0.. => Ok(()),
            _ => Err(Thrown),
        }
    }

    pub(crate) fn put(&self, index: u32, value: Js) -> Result<()> {
        let flags = q::JS_PROP_C_W_E as c_int;
        // SAFETY: gives the reference away.
        match unsafe { q::JS_DefinePropertyValueUint32(context(), self.0, index, value.into_raw(), flags) } {
            0.. => Ok(()),
            _ => Err(Thrown),
        }
    }

    /// Calls a function.
    pub(crate) fn call(&self, this: &Js, arguments: &[JSValue]) -> Result<Js> {
        let (count, values) = (arguments.len() as c_int, arguments.as_ptr().cast_mut());
        // SAFETY: the arguments are alive and are not written to.
        Self::returned(unsafe { q::JS_Call(context(), self.0, this.0, count, values) })
    }

    /// Calls a constructor.
    pub(crate) fn construct(&self, arguments: &[JSValue]) -> Result<Js> {
        let (count, values) = (arguments.len() as c_int, arguments.as_ptr().cast_mut());
        // SAFETY: the arguments are alive and are not written to.
        Self::returned(unsafe { q::JS_CallConstructor(context(), self.0, count, values) })
    }

    /// Returns the names of an object's own properties.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let (mut table, mut count) = (ptr::null_mut(), 0);
        let flags = q::JS_GPN_STRING_MASK as c_int;
        // SAFETY: the table has `count` entries until it is freed.
        unsafe {
            if q::JS_GetOwnPropertyNames(context(), &mut table, &mut count, self.0, flags) < 0 {
                return Err(Thrown);
            }
            let entries = slice::from_raw_parts(table, if table.is_null() { 0 } else { count as usize });
            let names = entries.iter().map(|entry| Js(q::JS_AtomToString(context(), entry.atom)).to_text()).collect();
            q::JS_FreePropertyEnum(context(), table, count);
            names
        }
    }

    /// Makes a promise that goes by this value as `await` does: what has a method `then` is asked by it.
    pub(crate) fn resolved(&self) -> Result<Js> {
        let mut settle = [q::JS_UNDEFINED; 2];
        // SAFETY: two functions are written, which are taken over.
        let promise = Self::returned(unsafe { q::JS_NewPromiseCapability(context(), settle.as_mut_ptr()) })?;
        let [resolve, _reject] = settle.map(Js);
        resolve.call(&Js::undefined(), &[self.raw()])?;
        Ok(promise)
    }

    /// Tells how a promise stands; `None` for what is no promise.
    pub(crate) fn promise(&self) -> Option<Promise> {
        // SAFETY: looks only.
        unsafe {
            match q::JS_PromiseState(context(), self.0) {
                q::JSPromiseStateEnum_JS_PROMISE_PENDING => Some(Promise::Pending),
                q::JSPromiseStateEnum_JS_PROMISE_FULFILLED => {
                    Some(Promise::Fulfilled(Js(q::JS_PromiseResult(context(), self.0))))
                }
                q::JSPromiseStateEnum_JS_PROMISE_REJECTED => {
                    Some(Promise::Rejected(Js(q::JS_PromiseResult(context(), self.0))))
                }
                _ => None,
            }
        }
    }
}

/// How a promise stands.
pub(crate) enum Promise {
    Pending,
    Fulfilled(Js),
    Rejected(Js),
}

/// The name of a property.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Atom(q::JSAtom);

impl Atom {
    pub(crate) fn new(name: &str) -> Self {
        // SAFETY: the bytes are read up to their length.
        Self(unsafe { q::JS_NewAtomLen(context(), name.as_ptr().cast(), name.len() as _) })
    }

    /// The name that a text or a symbol is.
    pub(crate) fn of(value: &Js) -> Self {
        // SAFETY: makes a new reference.
        Self(unsafe { q::JS_ValueToAtom(context(), value.raw()) })
    }

    pub(super) fn raw(&self) -> q::JSAtom {
        self.0
    }
}

impl Drop for Atom {
    fn drop(&mut self) {
        // SAFETY: this holds one reference.
        unsafe { q::JS_FreeAtom(context(), self.0) }
    }
}
