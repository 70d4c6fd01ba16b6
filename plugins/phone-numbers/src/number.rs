//! Reads phone numbers. Pure: a text in, a number or a reason out.

use std::fmt;

use crate::country::{self, Country};
use crate::digits::{digit, is_plus, is_separator, key};

/// A number that can be dialled from everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// `+`, calling code, national number.
    pub e164: String,
    /// What is dialled after the call was taken.
    pub extension: Option<String>,
}

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// There is no digit in it.
    NoDigits,
    /// There is something in it that numbers do not have.
    Unexpected(char),
    /// It is a national number, and the country is not known.
    UnknownCountry,
    /// It has too few digits for its country.
    TooShort,
    /// It has too many digits for its country.
    TooLong,
    /// Its country has no such area.
    NoSuchArea,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDigits => f.write_str("there is no digit in it"),
            Self::Unexpected(sign) => write!(f, "numbers do not have {sign:?} in them"),
            Self::UnknownCountry => f.write_str("the country is not known"),
            Self::TooShort => f.write_str("too few digits"),
            Self::TooLong => f.write_str("too many digits"),
            Self::NoSuchArea => f.write_str("no such area code"),
        }
    }
}

/// Cuts a field with several numbers into them: at `;`, `,`, line ends, the word `or`, and `/` between blanks.
///
/// Without blanks a `/` stands after the area code, as Germans write it.
pub fn split(field: &str) -> impl Iterator<Item = &str> {
    let parts = field.split([';', ',', '\n']).flat_map(|part| part.split(" / ")).flat_map(|part| part.split(" or "));
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// Reads one number of somebody in this country (ISO code; empty when nobody knows).
pub fn parse(typed: &str, country: &str) -> Result<Number, Rejection> {
    let (number, extension) = cut_extension(strip_label(typed));
    let home = country::by_iso(country);
    let national_zero = number.replace("(0)", "");
    let (international, digits) = read(if number.contains("(0)") { &national_zero } else { number })?;
    let digits = if international { digits } else { complete(&digits, home)? };
    Ok(Number { e164: check(&digits)?, extension })
}

/// Cuts words before the number: `Tel.: 0123`, `mobile 0123`.
fn strip_label(typed: &str) -> &str {
    let number = typed.find(|letter| digit(letter).is_some() || is_plus(letter) || letter == '(');
    let Some(at) = number else { return typed };
    let label = typed[..at].trim_end();
    let is_label = label.ends_with(':') || label.ends_with('.') || label.chars().all(char::is_alphabetic);
    if is_label { &typed[at..] } else { typed }
}

/// Cuts `ext. 12`, `x12`, `#12`, `Durchwahl 12` from the end.
fn cut_extension(typed: &str) -> (&str, Option<String>) {
    const MARKS: [&str; 7] = ["extension", "ext.", "ext", "durchwahl", "poste", "x", "#"];
    let lower = typed.to_ascii_lowercase();
    for mark in MARKS {
        if let Some(at) = lower.rfind(mark) {
            let extension: String = lower[at + mark.len()..].trim().chars().filter_map(digit).collect();
            let only_digits = lower[at + mark.len()..].trim().chars().all(|letter| digit(letter).is_some());
            if only_digits && (1..=7).contains(&extension.len()) && at > 0 {
                return (typed[..at].trim_end(), Some(extension));
            }
        }
    }
    (typed, None)
}

/// Reads the digits, and whether they begin with the calling code.
fn read(number: &str) -> Result<(bool, String), Rejection> {
    if !number.contains(|letter| digit(letter).is_some()) {
        return Err(Rejection::NoDigits);
    }
    let mut international = false;
    let mut digits = String::with_capacity(number.len());
    for letter in number.chars() {
        if is_plus(letter) && digits.is_empty() && !international {
            international = true;
        } else if let Some(digit) = digit(letter) {
            digits.push(digit);
        } else if let Some(digit) = key(letter).filter(|_| digits.len() > 2) {
            digits.push(digit);
        } else if !is_separator(letter) {
            return Err(Rejection::Unexpected(letter));
        }
    }
    Ok((international, digits))
}

/// Puts the calling code in front of a number as it is dialled at home.
fn complete(digits: &str, home: Option<&Country>) -> Result<String, Rejection> {
    // Nearly everywhere; people use it also where it is something else.
    let abroad = home.map_or("00", |home| home.abroad);
    for prefix in [abroad, "00"] {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return Ok(rest.to_owned());
        }
    }
    let home = home.ok_or(Rejection::UnknownCountry)?;
    let national = match digits.strip_prefix(home.trunk) {
        Some(rest) if !home.trunk.is_empty() && rest.len() >= home.shortest => rest,
        _ => digits,
    };
    // Typed with the calling code, but without the plus.
    if national.len() > home.longest
        && let Some(rest) = digits.strip_prefix(home.code)
        && (home.shortest..=home.longest).contains(&rest.len())
    {
        return Ok(digits.to_owned());
    }
    Ok(format!("{}{national}", home.code))
}

/// Checks an international number against its country's plan, and E.164's own bounds where that is not known.
fn check(digits: &str) -> Result<String, Rejection> {
    let (national, shortest, longest) = match country::by_code(digits) {
        Some(country) => {
            let national = &digits[country.code.len()..];
            if country.code == "1" && national.starts_with(['0', '1']) {
                return Err(Rejection::NoSuchArea);
            }
            (national, country.shortest, country.longest)
        }
        None => (digits, 8, 15),
    };
    if national.len() < shortest {
        return Err(Rejection::TooShort);
    }
    if national.len() > longest {
        return Err(Rejection::TooLong);
    }
    if digits.starts_with('0') {
        return Err(Rejection::UnknownCountry);
    }
    Ok(format!("+{digits}"))
}
