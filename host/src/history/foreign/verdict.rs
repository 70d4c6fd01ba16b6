//! Compares the checksum that another tool kept with the files as they are now. Pure.

use super::Tool;
use super::checksum::{self, Form, Width};
use crate::model::{Body, Chain, Migration, Role};
use crate::sql::atlas;

/// What became of a checksum.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The file is what the tool applied.
    Matched,
    /// The file is what the tool applied, but for what makes no difference; and what that is.
    Normalised(&'static str),
    /// The file is not what the tool applied.
    Differs {
        /// What the tool kept.
        recorded: String,
        /// What it would keep now.
        found: String,
    },
    /// Nobody can tell; and why.
    Unverifiable(&'static str),
}

impl Verdict {
    /// Tells whether the file is known to be what the tool applied.
    pub(super) fn is_same(&self) -> bool {
        matches!(self, Self::Matched | Self::Normalised(_))
    }

    /// Returns the word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Normalised(_) => "normalised",
            Self::Differs { .. } => "differs",
            Self::Unverifiable(_) => "unverifiable",
        }
    }
}

/// Compares the checksum of a row with a migration of the chain.
pub(super) fn judge(tool: Tool, chain: &Chain, migration: &Migration, recorded: Option<&str>) -> Verdict {
    let Body::Sql { up, .. } = &migration.body else { return Verdict::Unverifiable("it is no script") };
    let Some(recorded) = recorded else { return Verdict::Unverifiable("the tool keeps no checksum of it") };
    let text = up.text.as_ref();
    match tool {
        Tool::Sqlx => by_forms(text, recorded, |text| vec![checksum::sqlx(text)]),
        Tool::Refinery => by_forms(text, recorded, |text| {
            let number = migration.version.number().unwrap_or(u64::MAX);
            let widths = [Width::Int4, Width::Int8];
            widths.iter().filter_map(|width| checksum::refinery(&migration.name, number, text, *width)).collect()
        }),
        // Flyway takes that of repeatable scripts after it has put values in.
        Tool::Flyway => match by_forms(text, recorded, |text| vec![checksum::flyway(text)]) {
            Verdict::Differs { .. } if checksum::flyway(up.runs()) == recorded => Verdict::Matched,
            verdict => verdict,
        },
        Tool::Prisma => by_forms(text, recorded, |text| vec![checksum::prisma(text), checksum::prisma_unpadded(text)]),
        Tool::Drizzle => by_forms(text, recorded, |text| vec![checksum::drizzle(text)]),
        Tool::Atlas => of_atlas(chain, migration, recorded),
        _ => Verdict::Unverifiable("the tool keeps no checksums"),
    }
}

fn by_forms(text: &str, recorded: &str, checksums: impl Fn(&str) -> Vec<String>) -> Verdict {
    for (form, text) in checksum::forms(text) {
        if checksums(&text).iter().any(|checksum| checksum.eq_ignore_ascii_case(recorded)) {
            return if form == Form::Exact { Verdict::Matched } else { Verdict::Normalised(form.as_str()) };
        }
    }
    let found = checksums(text).into_iter().next().unwrap_or_default();
    Verdict::Differs { recorded: recorded.to_owned(), found }
}

/// Atlas's checksum of a file covers the files before it as well.
fn of_atlas(chain: &Chain, migration: &Migration, recorded: &str) -> Verdict {
    let mut files: Vec<(&str, &str)> = chain
        .migrations()
        .iter()
        .filter(|other| other.role() == Role::Versioned)
        .filter_map(|other| match &other.body {
            Body::Sql { up, .. } => Some((file_name(&up.file), up.text.as_ref())),
            Body::Component { .. } | Body::Transform { .. } | Body::Script { .. } | Body::Rust(_) => None,
        })
        .collect();
    files.sort_unstable();
    let sum = atlas::sum(files.iter().map(|(name, text)| (*name, text.as_bytes())));
    let own = format!("{} h1:", file_name(&migration.file));
    let Some(found) = sum.lines().find_map(|line| line.strip_prefix(&own)) else {
        return Verdict::Unverifiable("it is left out of atlas.sum");
    };
    if recorded.trim_start_matches("h1:") == found {
        return Verdict::Matched;
    }
    Verdict::Differs { recorded: recorded.to_owned(), found: found.to_owned() }
}

fn file_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}
