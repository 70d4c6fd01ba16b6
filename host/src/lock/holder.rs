//! Who holds a lock, as it is written down: a line for people, and lines for programs.

use std::fmt;

use crate::model::Key;

/// Who is at work, and on what.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Holder {
    /// Number of the process on its host.
    pub process: u32,
    /// Name of the host.
    pub host: String,
    /// Number of the user, where there are such.
    pub user: Option<u32>,
    /// What tells the process from others of its number; `None` where its system does not say.
    pub birth: Option<Birth>,
    /// The run, as the rows of the history name it.
    pub run_id: String,
    /// Name of the chain.
    pub chain: String,
    /// Version and name of the migration.
    pub migration: String,
    /// What is done with it: `applies` or `reverts`.
    pub doing: String,
    /// Since when: UTC, RFC 3339.
    pub since: String,
}

/// What tells a process from all others that have, or had, the same number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Birth {
    /// Where its number holds: a start of a system, and a namespace of processes on it.
    pub numbering: String,
    /// When it was started, as that system counts.
    pub started: u64,
}

/// Who is at work on the chunks of a transform, as the last chunk says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// Who.
    pub holder: Holder,
    /// The migration.
    pub key: Key,
    /// When the last chunk was committed: UTC, RFC 3339.
    pub heartbeat: String,
    /// Until when it is to be taken for alive by those who cannot look.
    pub until: String,
}

impl Holder {
    /// Writes it: a first line for people, then a line for each thing there is to know.
    pub fn note(&self) -> String {
        let mut note = format!("{self}\n");
        let (process, user) = (self.process.to_string(), self.user.map(|user| user.to_string()));
        let started = self.birth.as_ref().map(|birth| birth.started.to_string());
        let lines = [
            ("process", Some(&process)),
            ("host", Some(&self.host)),
            ("user", user.as_ref()),
            ("numbering", self.birth.as_ref().map(|birth| &birth.numbering)),
            ("started", started.as_ref()),
            ("run", Some(&self.run_id)),
            ("chain", Some(&self.chain)),
            ("migration", Some(&self.migration)),
            ("doing", Some(&self.doing)),
            ("since", Some(&self.since)),
        ];
        for (key, value) in lines.into_iter().filter_map(|(key, value)| Some((key, value?))) {
            // Names come from files: none may bring a line of its own.
            note.extend([key, ": "]);
            note.extend(value.chars().map(|character| if character.is_control() { ' ' } else { character }));
            note.push('\n');
        }
        note
    }

    /// Reads what [`note`](Self::note) wrote; `None` for anything else, and for what is not written to its end.
    pub fn parse(note: &str) -> Option<Self> {
        let lines = || note.lines().skip(1).filter_map(|line| line.split_once(": "));
        let value = |key: &str| lines().find(|(found, _)| *found == key).map(|(_, value)| value.to_owned());
        Some(Self {
            process: value("process")?.parse().ok()?,
            host: value("host")?,
            user: value("user").and_then(|user| user.parse().ok()),
            birth: value("numbering").zip(value("started").and_then(|started| started.parse().ok())).map(Birth::from),
            run_id: value("run")?,
            chain: value("chain")?,
            migration: value("migration")?,
            doing: value("doing")?,
            // The last line: without its end it may be cut.
            since: value("since").filter(|_| note.ends_with('\n'))?,
        })
    }
}

impl From<(String, u64)> for Birth {
    fn from((numbering, started): (String, u64)) -> Self {
        Self { numbering, started }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, host, migration, doing, since, .. } = self;
        let (host, migration) = (host.escape_debug(), migration.escape_debug());
        write!(formatter, "process {process} on {host} {doing} {migration} since {since}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(migration: &str) -> Holder {
        Holder {
            process: 4242,
            host: "web-1".into(),
            user: Some(1000),
            birth: Some(Birth { numbering: "3f2c pid:[4026531836]".into(), started: 77 }),
            run_id: "2026-11-26T12:00:00Z-4242".into(),
            chain: "main".into(),
            migration: migration.into(),
            doing: "applies".into(),
            since: "2026-11-26T12:00:00.000Z".into(),
        }
    }

    #[test]
    fn reads_what_it_writes_and_nothing_that_is_cut() {
        let holder = holder("7 long names: all of them");
        let note = holder.note();
        assert_eq!(Holder::parse(&note), Some(holder.clone()));
        let unknown = Holder { user: None, birth: None, ..holder };
        assert_eq!(Holder::parse(&unknown.note()), Some(unknown));
        for end in 0..note.len() {
            assert_eq!(Holder::parse(&note[..end]), None, "{end}");
        }
    }

    #[test]
    fn a_name_brings_no_line_of_its_own() {
        let note = holder("7 x\nprocess: 1\u{1b}[2J").note();
        assert!(note.starts_with("process 4242 on web-1 applies 7 x\\nprocess: 1\\u{1b}[2J since 2026"), "{note}");
        assert_eq!(Holder::parse(&note).unwrap().migration, "7 x process: 1 [2J");
    }
}
