//! All cases, through the rules.

use messy_customers::rules;

fn value(column: &str) -> Option<String> {
    if column == "\\N" {
        return None;
    }
    let mut text = String::new();
    let mut characters = column.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                other => other.expect("something follows"),
            },
            other => other,
        });
    }
    Some(text)
}

#[test]
fn every_case() {
    let cases = include_str!("../../cases.tsv");
    assert!(cases.lines().count() > 10);
    for (index, line) in cases.split_terminator('\n').enumerate() {
        let columns: Vec<_> = line.split('\t').map(value).collect();
        let (first, last) = rules::name(columns[0].as_deref());
        let cents = rules::cents(columns[3].as_deref()).map(|cents| cents.to_string());
        let found = [first, last, rules::email(columns[1].as_deref()), rules::phone(columns[2].as_deref()), cents];
        assert_eq!(found.as_slice(), &columns[4..], "line {}", index + 1);
    }
}
