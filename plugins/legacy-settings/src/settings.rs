//! Decodes one blob of settings. Pure: bytes in, settings or a problem out.

use std::borrow::Cow;

use crate::checksum::crc32;
use crate::reader::{Problem, Reader};
use crate::text;

/// One setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its value.
    pub value: Value,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// True or false.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A float.
    Real(f64),
    /// A text, or a moment as ISO 8601.
    Text(String),
    /// Texts in order.
    List(Vec<String>),
    /// Something of a type that is not known.
    Bytes(Vec<u8>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Decodes a blob.
pub fn decode(blob: &[u8]) -> Result<Vec<Setting>, Problem> {
    let Some((body, checksum)) = blob.split_last_chunk::<4>() else {
        return Err(Problem { at: blob.len(), what: "the blob is too short" });
    };
    let mut reader = Reader::new(body);
    let version = match reader.take(4).unwrap_or_default() {
        b"STG\x01" => Version::One,
        b"STG\x02" => Version::Two,
        _ => return Err(Problem { at: 0, what: "this is no blob of settings" }),
    };
    if crc32(body) != u32::from_le_bytes(*checksum) {
        return Err(Problem { at: body.len(), what: "the checksum is wrong" });
    }
    let mut settings = Vec::new();
    while !reader.is_at_end() {
        settings.push(record(&mut reader, version)?);
    }
    Ok(settings)
}

fn record(reader: &mut Reader<'_>, version: Version) -> Result<Setting, Problem> {
    let number = number(reader, version)?;
    let kind = reader.byte()?;
    let length = self::number(reader, version)?;
    let at_value = reader.clone();
    let bytes = reader.take(length as usize)?;
    let value = value(kind, bytes, version).ok_or_else(|| at_value.problem("the value does not fit its type"))?;
    Ok(Setting { name: name(number), value })
}

fn number(reader: &mut Reader<'_>, version: Version) -> Result<u32, Problem> {
    match version {
        Version::One => reader.byte().map(u32::from),
        Version::Two => reader.varint(),
    }
}

fn name(number: u32) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        1 => "theme",
        2 => "language",
        3 => "font_size",
        4 => "newsletter",
        5 => "last_login",
        6 => "favourites",
        7 => "volume",
        8 => "greeting",
        other => return Cow::Owned(format!("setting_{other}")),
    })
}

fn value(kind: u8, bytes: &[u8], version: Version) -> Option<Value> {
    Some(match kind {
        1 => Value::Boolean(match bytes {
            [0] => false,
            [1] => true,
            _ => return None,
        }),
        2 => Value::Integer(integer(bytes)?),
        3 => Value::Real(real(bytes)?),
        4 => Value::Text(text(bytes, version)?),
        5 => Value::Text(moment(u32::from_le_bytes(bytes.try_into().ok()?))?),
        6 => Value::List(list(&text(bytes, version)?)?),
        _ => Value::Bytes(bytes.to_owned()),
    })
}

fn integer(bytes: &[u8]) -> Option<i64> {
    Some(match bytes.len() {
        1 => i64::from(i8::from_le_bytes(bytes.try_into().ok()?)),
        2 => i64::from(i16::from_le_bytes(bytes.try_into().ok()?)),
        4 => i64::from(i32::from_le_bytes(bytes.try_into().ok()?)),
        8 => i64::from_le_bytes(bytes.try_into().ok()?),
        _ => return None,
    })
}

fn real(bytes: &[u8]) -> Option<f64> {
    Some(match bytes.len() {
        4 => f64::from(f32::from_le_bytes(bytes.try_into().ok()?)),
        8 => f64::from_le_bytes(bytes.try_into().ok()?),
        _ => return None,
    })
}

fn text(bytes: &[u8], version: Version) -> Option<String> {
    match version {
        Version::One => Some(text::windows_1252(bytes)),
        Version::Two => text::utf_16(bytes),
    }
}

/// A zero stands after each text, so after the last one too.
fn list(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    Some(text.strip_suffix('\0')?.split('\0').map(str::to_owned).collect())
}

/// Reads a DOS date and time; none when there is no such moment.
fn moment(packed: u32) -> Option<String> {
    let bits = |shift: u32, count: u32| packed >> shift & ((1 << count) - 1);
    let (second, minute, hour) = (bits(0, 5) * 2, bits(5, 6), bits(11, 5));
    let (day, month, year) = (bits(16, 5), bits(21, 4), 1980 + bits(25, 7));
    let valid = second < 60 && minute < 60 && hour < 24 && (1..=days(year, month)).contains(&day);
    valid.then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"))
}

/// How many days a month has; none for a month that does not exist.
fn days(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        // 2100 is the only year in the range of the format where the simple rule is wrong.
        2 if year.is_multiple_of(4) && year != 2100 => 29,
        2 => 28,
        _ => 0,
    }
}
