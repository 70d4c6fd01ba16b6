//! Chinese, Japanese and Korean names: the family name stands first, mostly without a blank.

/// Family names of two characters, which would be cut after the first otherwise.
const LONG: &[&str] = &[
    "欧阳", "歐陽", "司马", "司馬", "诸葛", "諸葛", "上官", "司徒", "夏侯", "皇甫", "尉迟", "尉遲", "公孙", "公孫",
    "慕容", "令狐", "남궁", "황보", "제갈", "사공", "선우", "서문", "독고",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Han,
    Kana,
    Hangul,
}

/// Splits a name into family name and given name, if it is written in one of these scripts.
pub fn split(name: &str) -> Option<(&str, &str)> {
    if name.is_ascii() {
        return None;
    }
    let scripts: Option<Vec<Script>> = name.chars().filter(|letter| *letter != ' ').map(script).collect();
    let scripts = scripts.filter(|scripts| !scripts.is_empty())?;
    if let Some(parts) = name.split_once(' ') {
        return Some(parts);
    }
    let cut = family_length(name, &scripts);
    let at = name.char_indices().nth(cut).map_or(name.len(), |(at, _)| at);
    Some(name.split_at(at))
}

/// Splits a foreign name in kana, in the order it has abroad: `ジョン・スミス`.
pub fn split_foreign(name: &str) -> Option<(&str, &str)> {
    let (first, last) = name.rsplit_once('・')?;
    let kana = |part: &str| part.chars().all(|letter| letter == '・' || script(letter) == Some(Script::Kana));
    (kana(first) && kana(last) && !first.is_empty() && !last.is_empty()).then_some((first, last))
}

/// How many characters the family name has. A guess where the name does not show it, as people make it.
fn family_length(name: &str, scripts: &[Script]) -> usize {
    // 山田はなこ: the given name is in another script.
    if let Some(kana) = scripts.iter().position(|script| *script == Script::Kana)
        && kana > 0
    {
        return kana;
    }
    if scripts[0] == Script::Kana {
        return scripts.len();
    }
    if LONG.iter().any(|long| name.starts_with(long)) && scripts.len() > 2 {
        return 2;
    }
    match (scripts[0], scripts.len()) {
        (_, 1) => 1,
        (Script::Hangul, _) | (_, 2 | 3) => 1,
        // Names of four characters are mostly Japanese: 山田太郎.
        (_, 4) => 2,
        (_, _) => 3,
    }
}

fn script(letter: char) -> Option<Script> {
    match letter {
        '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '々'
        | '\u{20000}'..='\u{323af}' => Some(Script::Han),
        '\u{3041}'..='\u{30ff}' if letter != '・' => Some(Script::Kana),
        '\u{ac00}'..='\u{d7a3}' => Some(Script::Hangul),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_after_the_family_name() {
        for (name, family, given) in [
            ("李明", "李", "明"),
            ("王小明", "王", "小明"),
            ("欧阳修远", "欧阳", "修远"),
            ("諸葛亮", "諸葛", "亮"),
            ("山田太郎", "山田", "太郎"),
            ("佐々木蔵之介", "佐々木", "蔵之介"),
            ("山田はなこ", "山田", "はなこ"),
            ("김민준", "김", "민준"),
            ("남궁민수", "남궁", "민수"),
            ("田中 角栄", "田中", "角栄"),
        ] {
            assert_eq!(split(name), Some((family, given)));
        }
    }

    #[test]
    fn leaves_other_names_alone() {
        assert_eq!(split("Ada"), None);
        assert_eq!(split("Лев"), None);
        assert_eq!(split("Tanaka 太郎"), None);
    }

    #[test]
    fn keeps_the_order_of_foreign_names() {
        assert_eq!(split_foreign("ジョン・スミス"), Some(("ジョン", "スミス")));
        assert_eq!(split_foreign("山田"), None);
    }
}
