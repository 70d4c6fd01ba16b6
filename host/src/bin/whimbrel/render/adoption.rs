//! What was taken over from another tool, for people and as JSON.

use serde::Serialize;
use whimbrel::history::foreign::{Adopted, Adoption, Verdict};
use whimbrel::model::AppliedState;
use whimbrel::plan::State;

use super::json::schema;
use super::status::moment;
use super::table::Sheet;
use super::{amount, style};
use crate::escape;

/// Writes each migration with what became of its checksum, then what is pending.
pub(crate) fn text(adoption: &Adoption) -> String {
    let from = format!("{} ({})", adoption.from.tool, escape::line(&adoption.from.table));
    let count = adoption.migrations.len();
    let migrations = if count == 1 { "migration" } else { "migrations" };
    let mut text = if adoption.dry_run {
        format!("Would take over {count} {migrations} from {from}; nothing was written.\n")
    } else {
        let table = if adoption.keep_writing { "goes on being written" } else { "stays as it is" };
        format!("Took over {count} {migrations} from {from}; its table {table}.\n")
    };
    if count > 0 {
        let mut sheet = Sheet::new(&["Version", "Name", "Applied at (UTC)", "Checksum"], &[0]);
        for adopted in &adoption.migrations {
            let row = &adopted.row;
            let word = adopted.verdict.as_str();
            let baseline = if row.state == AppliedState::Baseline { " (baseline)" } else { "" };
            let cells = [
                if row.repeatable { String::new() } else { row.version.to_string() },
                format!("{}{baseline}", row.name),
                moment(&row.record().applied_at),
                format!("{word}{}", more(&adopted.verdict)),
            ];
            let look = match adopted.verdict {
                Verdict::Matched | Verdict::Normalised(_) => style::GOOD,
                Verdict::Differs { .. } => style::BAD,
                Verdict::Unverifiable(_) => style::PENDING,
            };
            sheet.add(&cells, Some((word, look)));
        }
        text.push_str(&sheet.draw());
    }
    match adoption.pending.as_slice() {
        [] => text.push_str("Nothing is pending.\n"),
        [one] => text.push_str(&format!("Pending: {}.\n", escape::line(one))),
        [first, .., last] => text.push_str(&format!(
            "Pending: {} migrations, from {} to {}.\n",
            adoption.pending.len(),
            escape::line(first),
            escape::line(last)
        )),
    }
    if adoption.assumed_layout {
        let layout = adoption.from.tool;
        text.push_str(&format!(
            "The files were read as {layout} lays them out: write `layout = \"{layout}\"` into whimbrel.toml, so that every run \
             reads them so.\n"
        ));
    }
    text
}

fn more(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Matched | Verdict::Differs { .. } => String::new(),
        Verdict::Normalised(how) => format!(": {how}"),
        Verdict::Unverifiable(why) => format!(": {why}"),
    }
}

/// Says that a pending migration could depend on the other tool's table.
pub(crate) fn mention(migration: &str, table: &str) -> String {
    format!("warning: {} mentions {}, which is no longer written", escape::line(migration), escape::line(table))
}

/// Says which other tools have applied migrations of the chain.
pub(crate) fn all_unknown(found: &[Adoption]) -> Vec<String> {
    found.iter().filter_map(|adoption| unknown(adoption, found.len() > 1)).collect()
}

/// Says that another tool has applied migrations of the chain, if it has.
fn unknown(adoption: &Adoption, is_one_of_several: bool) -> Option<String> {
    let known = adoption.migrations.iter().filter(|migration| migration.file.is_some()).count();
    let (note, count) = (style::paint(style::HINT, "note"), amount::count(known, "migration", "migrations"));
    let (tool, table) = (adoption.from.tool, escape::line(&adoption.from.table));
    let from = if is_one_of_several { format!(" --from {tool}") } else { String::new() };
    (known > 0).then(|| {
        format!("{note}: {tool} has applied {count} of this chain ({table}): `whimbrel adopt{from}` takes that over")
    })
}

/// What `adopt` prints.
#[derive(Serialize)]
pub(crate) struct AdoptionJson {
    schema: String,
    dry_run: bool,
    tool: &'static str,
    table: String,
    keep_writing: bool,
    assumed_layout: Option<&'static str>,
    migrations: Vec<MigrationJson>,
    pending: Vec<String>,
    mentions: Vec<String>,
}

#[derive(Serialize)]
struct MigrationJson {
    version: Option<String>,
    name: String,
    state: &'static str,
    file: Option<String>,
    applied_at: String,
    verdict: &'static str,
    detail: Option<&'static str>,
    recorded: Option<String>,
    found: Option<String>,
    origin_version: Option<String>,
    origin_checksum: Option<String>,
}

/// Writes what was taken over as JSON.
pub(crate) fn json(adoption: &Adoption) -> AdoptionJson {
    AdoptionJson {
        schema: schema("adopt"),
        dry_run: adoption.dry_run,
        tool: adoption.from.tool.as_str(),
        table: adoption.from.table.clone(),
        keep_writing: adoption.keep_writing,
        assumed_layout: adoption.assumed_layout.then_some(adoption.from.tool.as_str()),
        migrations: adoption.migrations.iter().map(migration).collect(),
        pending: adoption.pending.clone(),
        mentions: adoption.mentions.clone(),
    }
}

fn migration(adopted: &Adopted) -> MigrationJson {
    let row = &adopted.row;
    let (detail, recorded, found) = match &adopted.verdict {
        Verdict::Matched => (None, None, None),
        Verdict::Normalised(how) => (Some(*how), None, None),
        Verdict::Differs { recorded, found } => (None, Some(recorded.clone()), Some(found.clone())),
        Verdict::Unverifiable(why) => (Some(*why), None, None),
    };
    MigrationJson {
        version: (!row.repeatable).then(|| row.version.to_string()),
        name: row.name.clone(),
        state: if adopted.is_outdated() { State::Outdated.as_str() } else { row.state.as_str() },
        file: adopted.file.clone(),
        applied_at: row.record().applied_at.clone(),
        verdict: adopted.verdict.as_str(),
        detail,
        recorded,
        found,
        origin_version: row.origin.as_ref().and_then(|origin| origin.version.clone()),
        origin_checksum: row.origin.as_ref().and_then(|origin| origin.checksum.clone()),
    }
}
