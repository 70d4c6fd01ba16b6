//! Blobs of the old program, and what becomes of them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use legacy_settings::checksum::crc32;
use legacy_settings::{LegacySettings, Setting, Value, decode};
use whimbrel_guest::testing::Database;

fn seal(version: u8, records: &[u8]) -> Vec<u8> {
    let mut blob = vec![b'S', b'T', b'G', version];
    blob.extend(records);
    blob.extend(crc32(&blob).to_le_bytes());
    blob
}

fn setting(name: &'static str, value: Value) -> Setting {
    Setting { name: name.into(), value }
}

#[test]
fn decodes_version_1() {
    let mut records = vec![1, 4, 4];
    records.extend(b"n\xe4ch");
    records.extend([3, 2, 1, 14]);
    records.extend([4, 1, 1, 1]);
    records.extend([7, 3, 4]);
    records.extend(0.5_f32.to_le_bytes());
    records.extend([5, 5, 4]);
    records.extend((((2024 - 1980) << 25 | 2 << 21 | 29 << 16 | 23 << 11 | 59 << 5 | 29) as u32).to_le_bytes());
    records.extend([6, 6, 4, b'a', 0, 0x80, 0]);
    records.extend([200, 77, 2, 1, 2]);
    assert_eq!(
        decode(&seal(1, &records)).unwrap(),
        [
            setting("theme", Value::Text("näch".to_owned())),
            setting("font_size", Value::Integer(14)),
            setting("newsletter", Value::Boolean(true)),
            setting("volume", Value::Real(0.5)),
            setting("last_login", Value::Text("2024-02-29T23:59:58".to_owned())),
            setting("favourites", Value::List(vec!["a".to_owned(), "€".to_owned()])),
            setting("setting_200", Value::Bytes(vec![1, 2])),
        ]
    );
}

#[test]
fn decodes_version_2() {
    let greeting: Vec<u8> = "😀".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut records = vec![8, 4, 4];
    records.extend(greeting);
    records.extend([0xac, 0x02, 2, 8]);
    records.extend(i64::MIN.to_le_bytes());
    assert_eq!(
        decode(&seal(2, &records)).unwrap(),
        [setting("greeting", Value::Text("😀".to_owned())), setting("setting_300", Value::Integer(i64::MIN))]
    );
}

#[test]
fn says_what_is_wrong_and_where() {
    for (blob, problem) in [
        (Vec::new(), "the blob is too short at byte 0"),
        (vec![1, 2, 3], "the blob is too short at byte 3"),
        (vec![0; 4], "this is no blob of settings at byte 0"),
        (seal(3, &[]), "this is no blob of settings at byte 0"),
        (b"STG\x010000".to_vec(), "the checksum is wrong at byte 4"),
        (seal(1, &[1]), "the blob ends inside a record at byte 5"),
        (seal(1, &[1, 4, 9, b'x']), "the blob ends inside a record at byte 7"),
        (seal(1, &[4, 1, 1, 2]), "the value does not fit its type at byte 7"),
        (seal(1, &[3, 2, 3, 0, 0, 0]), "the value does not fit its type at byte 7"),
        (seal(1, &[5, 5, 4, 0, 0, 0, 0]), "the value does not fit its type at byte 7"),
        (seal(1, &[6, 6, 1, b'a']), "the value does not fit its type at byte 7"),
        (seal(2, &[1, 4, 1, 0]), "the value does not fit its type at byte 7"),
        (seal(2, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80]), "a number is too long at byte 4"),
    ] {
        assert_eq!(decode(&blob).unwrap_err().to_string(), problem, "{blob:?}");
    }
}

#[test]
fn never_panics_whatever_the_bytes() {
    for version in [1, 2] {
        for seed in 0..2000_u32 {
            let byte = |at: u32| (seed.wrapping_mul(2_654_435_761).rotate_left(at * 5) ^ at) as u8;
            let records: Vec<u8> = (0..seed % 23).map(byte).collect();
            let _ = decode(&seal(version, &records));
        }
    }
}

#[test]
fn turns_blobs_into_rows_and_back() {
    let mut db = Database::new();
    db.execute_script(
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, settings BLOB);
         CREATE TABLE customer_setting (customer_id INTEGER NOT NULL, name TEXT NOT NULL, position INTEGER NOT NULL,
           value ANY NOT NULL, PRIMARY KEY (customer_id, name, position)) STRICT;
         CREATE TABLE customer_setting_reject (customer_id INTEGER, reason TEXT) STRICT;",
    )
    .unwrap();
    let hex = |blob: &[u8]| blob.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let good = hex(&seal(1, &[3, 2, 1, 14, 4, 1, 1, 0, 6, 6, 4, b'a', 0, b'b', 0, 9, 99, 1, 255]));
    db.execute_script(&format!("INSERT INTO customer (settings) VALUES (x'{good}'), (NULL), (x'00')")).unwrap();
    db.up::<LegacySettings>().unwrap();
    assert_eq!(
        db.lines("SELECT * FROM customer_setting ORDER BY customer_id, name, position").unwrap(),
        ["1|favourites|0|a", "1|favourites|1|b", "1|font_size|0|14", "1|newsletter|0|0", "1|setting_9|0|x'ff'"]
    );
    assert_eq!(db.lines("SELECT * FROM customer_setting_reject").unwrap(), ["3|the blob is too short at byte 1"]);
    db.down::<LegacySettings>().unwrap();
    assert_eq!(db.query("SELECT count(*) FROM customer_setting").unwrap(), [[0]]);
}
