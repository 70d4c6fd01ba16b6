//! What can be typed after `verify`.

use super::RuleArgs;

// Options of `verify`.
#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    /// Run the verify scripts of all applied migrations too, and the `verify` of their code; they only read
    #[arg(long)]
    pub(crate) deep: bool,
    #[command(flatten)]
    pub(crate) rules: RuleArgs,
}
