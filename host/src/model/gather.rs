//! Makes the chains of what sources hold, and tells everything that is wrong with them together. Reads nothing.

use std::sync::Arc;

use super::{Chain, ChainError, Chains, Elsewhere, FunctionLibrary, Migration};

/// What a source holds for its chain.
#[derive(Clone)]
pub(crate) struct Held {
    /// Name of the chain.
    pub(crate) chain: String,
    /// Its migrations.
    pub(crate) migrations: Vec<Arc<Migration>>,
    /// Libraries whose functions they can call.
    pub(crate) libraries: Vec<FunctionLibrary>,
    /// What only another program can run.
    pub(crate) elsewhere: Vec<Elsewhere>,
}

/// Orders the migrations of all chains; every problem of every chain is in the error.
pub(crate) fn gather(all: Vec<Held>) -> Result<Chains, ChainError> {
    let (mut chains, mut wrong) = (Vec::new(), Vec::new());
    let mut all_are_there = true;
    for Held { chain, migrations, libraries, elsewhere } in all {
        match Chain::new(chain, migrations) {
            Ok(chain) => {
                let chain = chain.with_elsewhere(elsewhere);
                wrong.extend(chain.check_libraries(&libraries));
                chains.push((chain, libraries));
            }
            Err(error) => {
                wrong.push(error);
                all_are_there = false;
            }
        }
    }
    if wrong.is_empty() {
        let chains = chains.into_iter().map(|(chain, libraries)| chain.with_libraries(libraries));
        return Chains::new(chains.collect::<Result<_, _>>()?);
    }
    // What depends on a chain that could not be made would be told as missing, and is not.
    if all_are_there {
        wrong.extend(Chains::new(chains.into_iter().map(|(chain, _)| chain).collect()).err());
    }
    Err(ChainError::all_of(wrong))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interrupt::Interrupt;
    use crate::source::{Memory, Source};

    fn held(chain: &str, files: &[(&'static str, &'static str)]) -> Held {
        let source = files.iter().fold(Memory::new("memory"), |source, (name, text)| source.file(*name, *text));
        let loaded = source.load(&Interrupt::new()).unwrap();
        Held {
            chain: chain.to_owned(),
            migrations: loaded.migrations,
            libraries: loaded.libraries,
            elsewhere: Vec::new(),
        }
    }

    #[test]
    fn tells_what_is_wrong_with_all_chains_together() {
        let calls = "-- whimbrel: functions = text, words\nSELECT 1;";
        let main = held("main", &[("1_a.sql", calls), ("2_b.sql", "-- whimbrel: depends_on = 9\nSELECT 1;")]);
        let circle = "-- whimbrel: depends_on = 1\nSELECT 1;";
        let error = gather(vec![main, held("circle", &[("1_c.sql", circle)])]).unwrap_err();
        let ChainError::Several { errors } = &error else { panic!("{error}") };
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "migration 1 a uses functions of text, which is not there (memory/1_a.sql)",
                "migration 1 a uses functions of words, which is not there (memory/1_a.sql)",
                "migration main:2 b depends on 9, but the chain main has no version 9 (memory/2_b.sql)",
                "migrations depend on each other: circle:1 c -> circle:1 c",
            ]
        );
        assert_eq!(error.to_string(), told.join("; "));
    }

    #[test]
    fn does_not_blame_what_depends_on_a_chain_that_could_not_be_made() {
        let mut twice = held("twice", &[("1_a.sql", "SELECT 1;")]);
        twice.migrations.extend(twice.migrations.clone());
        let needs = held("needs", &[("1_c.sql", "-- whimbrel: depends_on = twice:1\nSELECT 1;")]);
        let error = gather(vec![twice, needs]).unwrap_err();
        assert!(matches!(error, ChainError::Duplicates { .. }), "{error}");
    }
}
