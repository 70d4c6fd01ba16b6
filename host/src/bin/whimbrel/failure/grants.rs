//! Explains what was not granted, with the lines that would grant it.

use whimbrel::db::DbError;
use whimbrel::exec::AskedTooMuch;
use whimbrel::grants::{Grant, Grants};
use whimbrel::model::Policy;
use whimbrel::plan::Step;

use super::{Failure, Problem};
use crate::exit::Exit;

/// Explains migrations that ask for more than they are given; nothing has run.
pub(super) fn not_granted(refused: &[AskedTooMuch]) -> Failure {
    let message = match refused {
        [only] => format!("migration {} asks for more than it is given ({})", only.migration, only.file),
        refused => format!("{} migrations ask for more than they are given", refused.len()),
    };
    let problems = refused.iter().map(|asked| {
        let lines: Vec<String> = asked.refused.iter().map(|grant| format!("not granted: {grant}")).collect();
        Problem {
            code: "not-granted",
            message: format!("migration {} ({})\n{}", asked.migration, asked.file, lines.join("\n")),
            hint: Some(give(asked)),
            migration: Some(asked.migration.clone()),
            place: None,
        }
    });
    let mut problems: Vec<Problem> = problems.collect();
    let mut failure = Failure::new(Exit::Failed, "not-granted", message);
    if let ([only], [asked]) = (problems.as_mut_slice(), refused) {
        failure.causes = asked.refused.iter().map(|grant| format!("not granted: {grant}")).collect();
        only.message.clone_from(&failure.message);
    }
    Failure { problems, ..failure }
}

/// Says how to give a migration what it asks for, ready to paste.
pub(crate) fn give(asked: &AskedTooMuch) -> String {
    let mut text = match asked.policy() {
        Some(policy) => format!("to give it, write into whimbrel.toml:\n{policy}"),
        None => String::new(),
    };
    let outside: Vec<&Grant> = asked.never.iter().filter(|grant| !asked.hosts_own.contains(grant)).collect();
    let hosts_own: Vec<&Grant> = asked.hosts_own.iter().collect();
    let list = |grants: &[&Grant]| grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    if !outside.is_empty() {
        text.push_str(&format!("an untrusted chain can never have {}: outside its namespace\n", list(&outside)));
    }
    if !hosts_own.is_empty() {
        text.push_str(&format!(
            "nobody is given {}: what is in there is for the host alone to change\n",
            list(&hosts_own)
        ));
    }
    text.trim_end().to_owned()
}

/// Says which grant would have allowed a statement, ready to paste.
pub(super) fn hint(error: &DbError, failed: &Step) -> Option<String> {
    let Some((_, line)) = error.details.iter().find(|(key, _)| key == "grant") else {
        return Some("no grant allows this: the migration has to do without".to_owned());
    };
    let migration = &failed.migration;
    let manifest = match &migration.manifest {
        Some(manifest) => manifest.file.clone(),
        None => format!("a manifest beside {}", migration.file),
    };
    let policy = toml::from_str::<Grants>(line).map(|grants| Policy::snippet(&failed.chain, &migration.key(), &grants));
    let policy = policy.map(|policy| format!("\nand, if whimbrel.toml has a policy for it, this there:\n{policy}"));
    Some(format!("it would need this in {manifest}:\n[grants]\n{line}{}", policy.unwrap_or_default()))
}
