//! The rules of README.md. Pure: a text goes in, a text or integer comes out, none for NULL.

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{a0}')
}

fn join<'t>(words: impl Iterator<Item = &'t str>) -> Option<String> {
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Splits a name into first and last.
pub fn name(typed: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(typed) = typed else { return (None, None) };
    if let Some((last, first)) = typed.split_once(',') {
        let apart = |character| character == ',' || is_blank(character);
        return (join(first.split(apart)), join(last.split(is_blank)));
    }
    let words: Vec<_> = typed.split(is_blank).filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        [] => (None, None),
        [only] => (Some((*only).to_owned()), None),
        [first @ .., last] => (Some(first.join(" ")), Some((*last).to_owned())),
    }
}

/// Brings an e-mail address into one form.
pub fn email(typed: Option<&str>) -> Option<String> {
    let text = typed?.trim_matches(is_blank).to_ascii_lowercase();
    let (name, domain) = text.split_once('@')?;
    let good = !name.is_empty() && !domain.is_empty() && !domain.contains('@') && !text.contains(is_blank);
    good.then_some(text)
}

/// Brings a phone number into one form.
pub fn phone(typed: Option<&str>) -> Option<String> {
    let text = typed?.trim_matches(is_blank);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let (plus, digits) = match (text.starts_with('+'), digits.strip_prefix("00")) {
        (false, Some(rest)) => (true, rest),
        (plus, _) => (plus, digits.as_str()),
    };
    (5..=15).contains(&digits.len()).then(|| if plus { format!("+{digits}") } else { digits.to_owned() })
}

/// Turns a balance into cents.
pub fn cents(typed: Option<&str>) -> Option<i64> {
    let text = typed?.trim_matches(is_blank);
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, decimals) = text.split_once('.').map_or((text, None), |(whole, decimals)| (whole, Some(decimals)));
    let whole = whole.replace(',', "");
    if whole.is_empty() || decimals.is_some_and(|decimals| !(1..=2).contains(&decimals.len())) {
        return None;
    }
    let decimals = format!("{:0<2}", decimals.unwrap_or_default());
    let value = whole
        .chars()
        .chain(decimals.chars())
        .try_fold(0_i64, |value, digit| value.checked_mul(10)?.checked_add(i64::from(digit.to_digit(10)?)))?;
    Some(if negative { -value } else { value })
}
