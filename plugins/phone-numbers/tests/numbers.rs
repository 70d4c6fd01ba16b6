//! Phone numbers as people type them, and what becomes of them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use phone_numbers::{PhoneNumbers, Rejection, parse, split};
use whimbrel_guest::testing::Database;

#[test]
fn reads_numbers_of_many_countries() {
    for (typed, country, expected) in [
        ("(212) 555-0143", "US", "+12125550143"),
        ("1-212-555-0143", "US", "+12125550143"),
        ("+1 (212) 555.0143", "", "+12125550143"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("011 44 20 7946 0018", "US", "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("+44 (0)20 7946 0018", "", "+442079460018"),
        ("0044 20 7946 0018", "DE", "+442079460018"),
        ("030/123456", "DE", "+4930123456"),
        ("Tel.: 030 12345-67", "DE", "+49301234567"),
        ("mobil 0171 1234567", "de", "+491711234567"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06 1 234 5678", "HU", "+3612345678"),
        ("06 6982 1234", "IT", "+390669821234"),
        ("612 345 678", "ES", "+34612345678"),
        ("０３－１２３４－５６７８", "JP", "+81312345678"),
        ("٠١٠ ١٢٣٤ ٥٦٧٨", "EG", "+201012345678"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("98765 43210", "IN", "+919876543210"),
        ("919876543210", "IN", "+919876543210"),
        ("+423 235 1234", "", "+4232351234"),
    ] {
        assert_eq!(parse(typed, country).map(|number| number.e164), Ok(expected.to_owned()), "{typed}");
    }
}

#[test]
fn reads_extensions() {
    for (typed, extension) in [
        ("212 555 0143 ext. 12", "12"),
        ("212 555 0143 x12", "12"),
        ("212 555 0143 #7", "7"),
        ("212 555 0143 Extension 4321", "4321"),
    ] {
        let number = parse(typed, "US").unwrap();
        assert_eq!((number.e164.as_str(), number.extension.as_deref()), ("+12125550143", Some(extension)), "{typed}");
    }
}

#[test]
fn says_why_a_text_is_no_number() {
    for (typed, country, reason) in [
        ("none", "US", Rejection::NoDigits),
        ("-", "US", Rejection::NoDigits),
        ("555-0143", "US", Rejection::TooShort),
        ("212 555 0143 99", "US", Rejection::TooLong),
        ("012 555 0143", "US", Rejection::NoSuchArea),
        ("030 1234567", "", Rejection::UnknownCountry),
        ("030 1234567", "XX", Rejection::UnknownCountry),
        ("+49", "DE", Rejection::TooShort),
        ("+0 123 456 789", "DE", Rejection::UnknownCountry),
        ("030 12345?", "DE", Rejection::Unexpected('?')),
        ("++49 30 123456", "DE", Rejection::Unexpected('+')),
    ] {
        assert_eq!(parse(typed, country), Err(reason), "{typed}");
    }
}

#[test]
fn cuts_a_field_into_its_numbers() {
    let parts: Vec<&str> = split("030/123456; 0171 1234567 or +1 212 555 0143 / 911\n").collect();
    assert_eq!(parts, ["030/123456", "0171 1234567", "+1 212 555 0143", "911"]);
}

#[test]
fn never_panics_on_odd_text() {
    for typed in ["", "(0)", "ext", "x1", "+", "00", "İx1", "ﬀ#1", "(0)(0)(0)", "0", "\u{202a}+49"] {
        for country in ["", "DE", "HU", "IT"] {
            let _ = parse(typed, country);
        }
    }
}

#[test]
fn moves_numbers_into_tables_and_back() {
    let mut db = Database::new().param("country", "DE");
    db.execute_script(
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, phone TEXT, country TEXT);
         INSERT INTO customer (phone, country) VALUES ('030 123456; n/a', NULL), ('(212) 555-0143 x9', 'US'), (NULL, 'US'),
           ('', 'US'), ('4 you?', 'US');",
    )
    .unwrap();
    db.up::<PhoneNumbers>().unwrap();
    assert_eq!(db.lines("SELECT * FROM customer_phone").unwrap(), ["1|1|+4930123456|NULL", "2|1|+12125550143|9"]);
    assert_eq!(
        db.lines("SELECT * FROM customer_phone_reject").unwrap(),
        ["1|n/a|there is no digit in it", "5|4 you?|numbers do not have 'y' in them",]
    );
    db.down::<PhoneNumbers>().unwrap();
    assert_eq!(db.query("SELECT count(*) FROM sqlite_schema").unwrap(), [[1]]);
}
