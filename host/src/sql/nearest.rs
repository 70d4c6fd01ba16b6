//! Guesses which known word a mistyped one was meant to be.

/// Returns the known word that is nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_typing_mistakes_and_nothing_far_away() {
        let known = ["transaction", "rebuild", "description"];
        let cases = [
            ("transation", Some("transaction")),
            ("Rebuild", Some("rebuild")),
            ("rebiuld", Some("rebuild")),
            ("desc", None),
            ("no-transaction", Some("transaction")),
            ("", None),
            ("depends_on", None),
        ];
        for (word, guess) in cases {
            assert_eq!(nearest(word, known), guess, "{word}");
        }
    }
}
