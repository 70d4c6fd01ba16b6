//! The checksums of other tools. Pure: text in, checksum out.

use std::hash::Hasher;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384};
use siphasher::sip::SipHasher13;

use super::row::hex;

/// sqlx: SHA-384 of the text, in hexadecimal.
pub fn sqlx(text: &str) -> String {
    hex(&Sha384::digest(text.as_bytes()))
}

/// Whether refinery keeps versions in four or in eight bytes, which its checksum shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Width {
    /// Four, as usual.
    Int4,
    /// Eight, with its feature `int8-versions`.
    Int8,
}

/// refinery: SipHash-1-3 of name, version and text, in decimal; `None` if the version does not fit.
pub fn refinery(name: &str, version: u64, text: &str, width: Width) -> Option<String> {
    let mut hasher = SipHasher13::new_with_keys(0, 0);
    hasher.write(name.as_bytes());
    hasher.write(&[0xff]);
    match width {
        Width::Int4 => hasher.write(&i32::try_from(version).ok()?.to_le_bytes()),
        Width::Int8 => hasher.write(&i64::try_from(version).ok()?.to_le_bytes()),
    }
    hasher.write(text.as_bytes());
    hasher.write(&[0xff]);
    Some(hasher.finish().to_string())
}

/// Flyway: CRC-32 of the lines without their ends and without a byte order mark, as a signed decimal number.
pub fn flyway(text: &str) -> String {
    let mut hasher = crc32fast::Hasher::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for line in text.split(['\n', '\r']) {
        hasher.update(line.as_bytes());
    }
    hasher.finalize().cast_signed().to_string()
}

/// Prisma: SHA-256 of the text, in hexadecimal.
pub fn prisma(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Prisma, as its first versions wrote it: bytes below 16 with one digit.
pub fn prisma_unpadded(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:x}")).collect()
}

/// Drizzle: SHA-256 of the text, in hexadecimal.
pub fn drizzle(text: &str) -> String {
    prisma(text)
}

/// Graphile Migrate: SHA-1 over the checksum of the previous migration and the body.
pub fn graphile(previous: Option<&str>, body: &str) -> String {
    let text = format!("{}\n{}", previous.unwrap_or_default(), body.trim());
    format!("sha1:{}", hex(&Sha1::digest(format!("{}\n", text.trim()).as_bytes())))
}

/// Liquibase from 4.22 on: MD5 of one raw SQL change, without its blanks.
pub fn liquibase(sql: &str) -> String {
    let md5 = |text: &str| format!("9:{}", hex(&Md5::digest(text.as_bytes())));
    let bare: String = sql.chars().filter(|character| !matches!(character, ' ' | '\t' | '\r' | '\n')).collect();
    md5(&format!("{}:", md5(&bare)))
}

/// How a text was changed before it was hashed, if it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// Not at all.
    Exact,
    /// Lines end in line feeds.
    LineFeeds,
    /// Lines end in carriage return and line feed.
    CarriageReturns,
    /// Without a byte order mark, or with one.
    ByteOrderMark,
    /// Without any blanks, as sqlx does when it is told to ignore them.
    NoBlanks,
}

impl Form {
    /// Returns words for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::LineFeeds => "with LF at the ends of lines",
            Self::CarriageReturns => "with CR LF at the ends of lines",
            Self::ByteOrderMark => "with the byte order mark changed",
            Self::NoBlanks => "without blanks",
        }
    }
}

/// Returns the forms in which a text may have been hashed by whoever had the file in another form.
pub fn forms(text: &str) -> Vec<(Form, String)> {
    const MARK: char = '\u{feff}';
    let bare = text.strip_prefix(MARK).unwrap_or(text);
    let feeds = |text: &str| text.replace("\r\n", "\n");
    let returns = |text: &str| feeds(text).replace('\n', "\r\n");
    let other = if bare.len() == text.len() { format!("{MARK}{text}") } else { bare.to_owned() };
    let mut forms = vec![
        (Form::Exact, text.to_owned()),
        (Form::LineFeeds, feeds(text)),
        (Form::CarriageReturns, returns(text)),
        (Form::ByteOrderMark, feeds(&other)),
        (Form::ByteOrderMark, returns(&other)),
        (Form::ByteOrderMark, other),
        (Form::NoBlanks, bare.chars().filter(|character| !character.is_ascii_whitespace()).collect()),
    ];
    let mut seen = Vec::new();
    forms.retain(|(_, text)| {
        let new = !seen.contains(text);
        seen.push(text.clone());
        new
    });
    forms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "CREATE TABLE t (id INTEGER);\n";

    #[test]
    fn gives_what_each_tool_gives() {
        assert_eq!(
            sqlx(TEXT),
            "31c9c51c2fbe966702e47926c878cf83e5420e292fcbda37e8dc00658e0475998e904e629319554807ff3fa51b55e60b"
        );
        assert_eq!(refinery("initial", 1, TEXT, Width::Int4).as_deref(), Some("12689814457148156565"));
        assert_eq!(refinery("initial", 1, TEXT, Width::Int8).as_deref(), Some("8569846062620922952"));
        assert_eq!(refinery("initial", 1 << 31, TEXT, Width::Int4), None);
        assert_eq!(flyway(TEXT), "-1953813711");
        assert_eq!(prisma(TEXT), "cb7bba9473513daa6e6daf9337f9d5822cbc95cac71c944b6bf85958041038e1");
        assert_eq!(prisma("hello"), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        assert_eq!(prisma_unpadded("hello"), "2cf24dba5fb0a3e26e83b2ac5b9e29e1b161e5c1fa7425e7343362938b9824");
        assert_eq!(graphile(None, TEXT), "sha1:cfb6cb2673fbee13caabbf2615b2a88e1c8e7ced");
        assert_eq!(liquibase(TEXT), "9:997b54546e83b82fff9b50b1a89da17b");
    }

    #[test]
    fn flyway_sees_neither_ends_of_lines_nor_a_byte_order_mark() {
        let text = "CREATE TABLE t (id INTEGER);\n\nINSERT INTO t VALUES (1);";
        assert_eq!(flyway(text), "1587401668");
        assert_eq!(flyway(&format!("\u{feff}{}\r", text.replace('\n', "\r\n"))), "1587401668");
        assert_eq!(flyway(""), "0");
    }

    #[test]
    fn finds_the_forms_a_file_may_have_had() {
        let had = |now: &str, then: &str| forms(now).into_iter().find(|(_, text)| text == then).map(|(form, _)| form);
        assert_eq!(had("a\nb\n", "a\nb\n"), Some(Form::Exact));
        assert_eq!(had("a\r\nb\r\n", "a\nb\n"), Some(Form::LineFeeds));
        assert_eq!(had("a\nb\n", "a\r\nb\r\n"), Some(Form::CarriageReturns));
        assert_eq!(had("a\nb\n", "\u{feff}a\nb\n"), Some(Form::ByteOrderMark));
        assert_eq!(had("\u{feff}a\r\nb\r\n", "a\nb\n"), Some(Form::ByteOrderMark));
        assert_eq!(had("a b", "ab"), Some(Form::NoBlanks));
        assert_eq!(had("a b", "a c"), None);
    }

    proptest! {
        #[test]
        fn flyway_is_the_same_for_every_form(text in "[ab;\r\n\u{feff}]{0,30}") {
            for (form, other) in forms(&text) {
                if matches!(form, Form::LineFeeds | Form::CarriageReturns) {
                    prop_assert_eq!(flyway(&other), flyway(&text));
                }
            }
        }
    }
}
