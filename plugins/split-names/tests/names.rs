//! Names as people type them, and what becomes of them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use split_names::{Name, SplitNames};
use whimbrel_guest::testing::Database;

fn parts(typed: &str) -> (String, String, String) {
    let name = Name::parse(typed);
    (name.first.unwrap_or_default(), name.last.unwrap_or_default(), name.suffix.unwrap_or_default().to_owned())
}

#[test]
fn splits_names_of_many_countries() {
    for (typed, first, last, suffix) in [
        ("Ada Lovelace", "Ada", "Lovelace", ""),
        ("  Grace\u{a0} Brewster  Hopper ", "Grace Brewster", "Hopper", ""),
        ("Vincent van Gogh", "Vincent", "van Gogh", ""),
        ("Ludwig Mies van der Rohe", "Ludwig Mies", "van der Rohe", ""),
        ("María de la Cruz", "María", "de la Cruz", ""),
        ("José Ortega y Gasset", "José", "Ortega y Gasset", ""),
        ("Khalid bin Walid", "Khalid", "bin Walid", ""),
        ("Harun al-Rashid", "Harun", "al-Rashid", ""),
        ("Leonardo da Vinci", "Leonardo", "da Vinci", ""),
        ("Ibn Sina", "", "Ibn Sina", ""),
        ("van Gogh", "", "van Gogh", ""),
        ("Al Gore", "Al", "Gore", ""),
        ("Van Morrison", "Van", "Morrison", ""),
        ("David Ben-Gurion", "David", "Ben-Gurion", ""),
        ("John D Rockefeller", "John D", "Rockefeller", ""),
        ("de la Cruz, María", "María", "de la Cruz", ""),
        ("Lovelace, Ada", "Ada", "Lovelace", ""),
        ("King, Martin Luther, Jr.", "Martin Luther", "King", "Jr."),
        ("Martin Luther King, Jr.", "Martin Luther", "King", "Jr."),
        ("John Smith III", "John", "Smith", "III"),
        ("Dr. Jane Roe PhD", "Jane", "Roe", "PhD"),
        ("Prof. Dr. Max Planck", "Max", "Planck", ""),
        ("Sukarno", "", "Sukarno", ""),
        ("Madonna,", "", "Madonna", ""),
        ("山田太郎", "太郎", "山田", ""),
        ("田中\u{3000}角栄", "角栄", "田中", ""),
        ("ジョン・スミス", "ジョン", "スミス", ""),
        ("Nguyễn Thị Minh Khai", "Thị Minh Khai", "Nguyễn", ""),
        ("Björk Guðmundsdóttir", "Björk", "Guðmundsdóttir", ""),
        ("Siobhán Ní Dhuibhir", "Siobhán", "Ní Dhuibhir", ""),
        ("JD Salinger", "JD", "Salinger", ""),
        ("\u{feff}Zoë Kravitz", "Zoë", "Kravitz", ""),
        ("", "", "", ""),
        ("  ", "", "", ""),
        (",", "", "", ""),
    ] {
        assert_eq!(parts(typed), (first.to_owned(), last.to_owned(), suffix.to_owned()), "{typed:?}");
    }
}

#[test]
fn mends_the_case_of_names_typed_in_one_case() {
    for (typed, first, last) in [
        ("VINCENT VAN GOGH", "Vincent", "van Gogh"),
        ("AL GORE", "Al", "Gore"),
        ("DE LA CRUZ", "", "de la Cruz"),
        ("jürgen groß", "Jürgen", "Groß"),
        ("MARÍA-JOSÉ O'NEILL", "María-José", "O'Neill"),
        ("İBRAHİM IŞIK", "İbrahim", "Işık"),
        ("ΓΙΏΡΓΟΣ ΣΕΦΈΡΗΣ", "Γιώργος", "Σεφέρης"),
        ("JOSÉ ORTEGA Y GASSET", "José", "Ortega y Gasset"),
        ("Prof. Dr. MAX PLANCK", "Max", "Planck"),
        ("Jean DUPONT", "Jean", "Dupont"),
        ("RONALD MCDONALD", "Ronald", "McDonald"),
        ("лев толстой", "Лев", "Толстой"),
        ("e. e. cummings", "E. E.", "Cummings"),
    ] {
        assert_eq!(parts(typed), (first.to_owned(), last.to_owned(), String::new()), "{typed:?}");
    }
}

#[test]
fn keeps_case_that_was_typed_on_purpose() {
    assert_eq!(parts("Leonardo DiCaprio").1, "DiCaprio");
    assert_eq!(parts("danah Boyd").0, "danah");
}

#[test]
fn composes_characters() {
    assert_eq!(parts("Rene\u{301} Descartes").0, "Ren\u{e9}");
}

#[test]
fn makes_keys_to_search_for() {
    assert_eq!(Name::parse("Jürgen GROß").key.as_deref(), Some("gross jurgen"));
    assert_eq!(Name::parse("Vincent van Gogh").key.as_deref(), Some("van gogh vincent"));
    assert_eq!(Name::parse("").key, None);
}

const SCHEMA: &str = "CREATE TABLE customer (id INTEGER PRIMARY KEY, full_name TEXT, first_name TEXT, last_name TEXT,
    name_suffix TEXT, name_key TEXT)";

#[test]
fn fills_the_columns_and_empties_them_again() {
    let mut db = Database::new();
    db.execute_script(SCHEMA).unwrap();
    db.execute_script("INSERT INTO customer (full_name) VALUES ('Ada Lovelace'), ('SUKARNO'), (NULL), ('王小明')")
        .unwrap();
    db.up::<SplitNames>().unwrap();
    assert_eq!(
        db.lines("SELECT id, first_name, last_name, name_suffix, name_key FROM customer ORDER BY id").unwrap(),
        [
            "1|Ada|Lovelace|NULL|lovelace ada",
            "2|NULL|Sukarno|NULL|sukarno",
            "3|NULL|NULL|NULL|NULL",
            "4|小明|王|NULL|王 小明",
        ]
    );
    assert_eq!(db.log()[0].1, "split 4 names, 2 of them have one part only");
    db.down::<SplitNames>().unwrap();
    assert_eq!(db.query("SELECT count(*) FROM customer WHERE last_name IS NOT NULL").unwrap(), [[0]]);
}

#[test]
fn says_what_is_missing_when_the_columns_are_not_there() {
    let mut db = Database::new();
    db.execute_script("CREATE TABLE customer (id INTEGER PRIMARY KEY, full_name TEXT)").unwrap();
    let error = db.up::<SplitNames>().unwrap_err().to_string();
    assert!(error.contains("no such column: first_name"), "{error}");
}
