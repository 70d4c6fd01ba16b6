//! Options of `renumber`.

// Options of `renumber`.
#[derive(clap::Args)]
#[command(after_help = "\
Without FILE these get new versions: of several migrations with one version all but the one that is applied, or the first
by name; and every pending one that an applied one has overtaken, unless it may be applied out of order. What is applied
keeps its version. Files beside a migration are renamed with it, `depends_on` and whimbrel.lock are brought up to date.

The history is that of the database that is named: another one may have applied other migrations.")]
pub(crate) struct RenumberArgs {
    /// A file of a migration that is to get a new version, with or without its ending [default: found out]
    pub(crate) files: Vec<String>,
    /// Show what would be renamed, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
