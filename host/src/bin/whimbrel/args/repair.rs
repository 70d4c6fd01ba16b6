//! Options of `repair`.

use clap::ArgGroup;
use whimbrel::model::Key;
use whimbrel::plan::{Repair, RepairVerb};

// Options of `repair`.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("verb").required(true)))]
#[command(after_help = "\
Nothing but the history is written: no migration is run, and what the database has stays as it is. What would be written
is shown first, and asked for.

Examples:
  whimbrel repair 7 --accept          the change of a file was meant: take it for what was applied
  whimbrel repair --accept --dry-run  show every change that could be accepted
  whimbrel repair 7 --forget          its file is gone for good
  whimbrel repair 7 --mark-applied    it was finished by hand
  whimbrel repair 7 --mark-failed     it was undone by hand: `up` applies it again
  whimbrel repair 7 --restart         a transform or a script in progress begins anew")]
pub(crate) struct RepairArgs {
    /// The version of the migration, or the name of a repeatable one; with --accept and --forget every one that it can
    /// be done to unless given
    #[arg(value_name = "VERSION", required_unless_present_any = ["accept", "forget"])]
    target: Option<Key>,
    /// Take a migration that was changed after it was applied for what was applied
    #[arg(long, group = "verb")]
    accept: bool,
    /// Forget a migration that is applied and not in the chain
    #[arg(long, group = "verb")]
    forget: bool,
    /// Say that the database has what the migration brings; it is not run
    #[arg(long, group = "verb")]
    mark_applied: bool,
    /// Say that the database does not have what the migration brings; it is not reverted
    #[arg(long, group = "verb")]
    mark_failed: bool,
    /// Let a transform or a script in progress begin anew: how far it came is forgotten, what it wrote stays
    #[arg(long, group = "verb")]
    restart: bool,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

impl RepairArgs {
    /// Returns what is to be put right.
    pub(crate) fn wanted(&self) -> Repair {
        let verbs = [
            (self.accept, RepairVerb::Accept),
            (self.forget, RepairVerb::Forget),
            (self.mark_applied, RepairVerb::MarkApplied),
            (self.mark_failed, RepairVerb::MarkFailed),
            (self.restart, RepairVerb::Restart),
        ];
        let verb = verbs.into_iter().find(|(wanted, _)| *wanted).map_or(RepairVerb::Restart, |(_, verb)| verb);
        Repair { verb, target: self.target.clone() }
    }
}
