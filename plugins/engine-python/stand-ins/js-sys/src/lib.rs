//! Stands in for `js-sys`: a component has no browser to ask for the time. Only what `chrono` names is here; the one
//! clock of a script is the start of the run, which the engine gives to the interpreter itself.

use wasm_bindgen::JsValue;

/// A moment, in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug)]
pub struct Date(f64);

impl Date {
    /// Returns the beginning of the calendar: there is no clock.
    pub fn new_0() -> Self {
        Self(0.0)
    }

    /// Makes a moment of a number.
    pub fn new(milliseconds: &JsValue) -> Self {
        Self(milliseconds.number())
    }

    /// Makes a moment whose only use is to ask for its zone.
    pub fn new_with_year_month_day_hr_min_sec(_: u32, _: i32, _: i32, _: i32, _: i32, _: i32) -> Self {
        Self(0.0)
    }

    /// Returns the milliseconds.
    pub fn get_time(&self) -> f64 {
        self.0
    }

    /// Returns how far the local time is from UTC: there is no other zone.
    pub fn get_timezone_offset(&self) -> f64 {
        0.0
    }
}
