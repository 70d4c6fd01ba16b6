//! Stands in for `wasm-bindgen`: a component runs in no JavaScript program. Only what `chrono` names is here.

/// A JavaScript value, of which there are only numbers.
#[derive(Clone, Copy, Debug)]
pub struct JsValue(f64);

impl JsValue {
    /// Makes a number.
    pub fn from_f64(number: f64) -> Self {
        Self(number)
    }

    /// Returns the number.
    pub fn number(&self) -> f64 {
        self.0
    }
}
