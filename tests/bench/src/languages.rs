//! Measure l: the same work in every language for which a component can be built here, against native Rust.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use bench_guest::sql;
use xtask::polyglot::{self, Language};

use crate::component::{Starts, lay_out, trivial, up};
use crate::course::Course;
use crate::measure::{Contender, Used, in_turn};
use crate::native::fill;
use crate::programs::{self, Programs};
use crate::report::{self, Aim, Row, Section};
use crate::rows;
use crate::workshop::Workshop;

/// Most CPU time against the native loop, for the languages that compile to little else than the work.
const PACKED: f64 = 1.25;
/// What the packed form gains at least over one `execute` a row, for the languages where a call is dear.
const GAIN: f64 = 2.0;
/// The longest that `up` may take with the component in the cache, in milliseconds.
const START: f64 = 50.0;
/// Compiling some of them takes ten seconds.
const COLD_RUNS: usize = 3;

/// Tells whether every name is where it belongs.
const COUNT: &str = "SELECT count(*) FROM person_name JOIN person USING (id)
    WHERE trim(person_name.first_name || ' ' || person_name.last_name) = full_name
    AND person_name.name_key = person_name.last_name || ' ' || person_name.first_name";

/// A component that does the work.
struct Guest {
    language: Language,
    bytes: Vec<u8>,
}

/// Measures sizes, starts, and the work in both forms.
pub(crate) fn measure(workshop: &Workshop, programs: &Programs, rows: u32, runs: usize) -> Result<Vec<Section>> {
    report::begin("l");
    let (guests, skipped) = guests()?;
    let mut sections = parts(workshop, programs, &guests, runs)?;
    sections.push(starts(workshop, programs, &guests, runs)?);
    sections.push(work(workshop, programs, &guests, rows, runs, skipped)?);
    Ok(sections)
}

/// Builds all for which the tools are here or can be installed; of the others, tells why not.
fn guests() -> Result<(Vec<Guest>, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let tools = polyglot::Workshop::open(&root);
    let (mut guests, mut skipped) = (Vec::new(), Vec::new());
    for language in Language::ALL {
        if language == Language::Rust {
            guests.push(Guest { language, bytes: programs::component("guest")? });
            continue;
        }
        let folder = root.join("tests/bench/languages").join(language.folder());
        match tools.guest(language, &folder, "names").with_context(|| language.to_string())? {
            Ok(bytes) => guests.push(Guest { language, bytes }),
            Err(absent) => skipped.push(format!("Skipped: {language}: {absent}.")),
        }
    }
    Ok((guests, skipped))
}

/// The parts of the start inside the library.
fn parts(workshop: &Workshop, programs: &Programs, guests: &[Guest], runs: usize) -> Result<Vec<Section>> {
    let mut all = Vec::new();
    for guest in guests {
        let starts = Starts::measure(workshop, programs, &guest.bytes, runs.min(COLD_RUNS));
        all.push((guest, starts.with_context(|| guest.language.to_string())?));
    }
    let section = |title: &str, time: fn(&Starts) -> f64| Section {
        part: "l",
        title: title.to_owned(),
        rows: all
            .iter()
            .map(|(guest, starts)| {
                let name = format!("{}, {:.1} KB", guest.language, guest.bytes.len() as f64 / 1000.0);
                Row::times(&name, time(starts))
            })
            .collect(),
        base: 0,
        aims: Vec::new(),
        notes: Vec::new(),
    };
    Ok(vec![
        section("size, and time to compile for the first time", |starts| starts.cold(|times| times.load)),
        section("time to load from the cache", |starts| starts.warm(|times| times.load)),
        section("time to instantiate, and to make one table", |starts| starts.warm(|times| times.call)),
    ])
}

/// The whole `up` with a full cache.
fn starts(workshop: &Workshop, programs: &Programs, guests: &[Guest], runs: usize) -> Result<Section> {
    let cache = workshop.room("l-warm-cache")?;
    let plain = workshop.room("l-sql")?;
    fs::create_dir(plain.join("migrations"))?;
    fs::write(plain.join("migrations/0001_trivial.sql"), sql::TRIVIAL)?;
    let mut contenders = vec![trivial(workshop, programs, "SQL", plain, cache.clone(), false)];
    for guest in guests {
        let room = workshop.room(&format!("l-start-{}", guest.language))?;
        lay_out(&room, &guest.bytes, "trivial", "create = [\"trivial\"]")?;
        contenders.push(trivial(workshop, programs, guest.language.folder(), room, cache.clone(), false));
    }
    let used = in_turn(&contenders, runs)?;
    let aims = guests.iter().zip(&used[1..]).map(|(guest, used)| {
        let text = format!("{}: `up` takes less than {START} ms", guest.language);
        Aim::below(&text, "ms", used.wall * 1000.0, START)
    });
    Ok(Section {
        part: "l",
        title: "`up` of one migration that makes one table, warm cache".to_owned(),
        aims: aims.collect(),
        rows: table(&contenders, &used),
        base: 0,
        notes: Vec::new(),
    })
}

/// Many rows, in both forms.
fn work(
    workshop: &Workshop,
    programs: &Programs,
    guests: &[Guest],
    rows: u32,
    runs: usize,
    notes: Vec<String>,
) -> Result<Section> {
    let full = workshop.room("l")?.join("person.db");
    fill(&full, rows, sql::SCHEMA, sql::FILL)?;
    let course = Course { full, count: COUNT, rows };
    let cache = workshop.room("l-warm-cache")?;
    let native = workshop.room("l-native")?;
    let loop_of_rust = |room: &Path| Ok(rows::native(workshop, programs, room, "cut"));
    let mut contenders = vec![course.contender("native loop on rusqlite, row by row", native, loop_of_rust)];
    for guest in guests {
        for (form, name) in [("packed", "packed"), ("row-wise", "one `execute` a row")] {
            let room = workshop.room(&format!("l-{}-{form}", guest.language))?;
            lay_out(&room, &guest.bytes, form, "read = [\"person\"]\ninsert = [\"person_name\"]")?;
            let cache = &cache;
            let command = move |room: &Path| Ok(up(workshop, programs, room, cache));
            contenders.push(course.contender(&format!("{}, {name}", guest.language), room, command));
        }
    }
    let used = in_turn(&contenders, runs)?;
    let aims = guests.iter().zip(used[1..].chunks(2)).filter_map(|(guest, used_by)| {
        let [packed, row_wise] = used_by else { return None };
        let language = guest.language;
        match language {
            Language::Rust | Language::C => {
                let text = format!("{language}, packed: at most {PACKED} of the CPU of the native loop");
                Some(Aim::at_most(&text, "of it", packed.cpu / used[0].cpu, PACKED))
            }
            Language::Go | Language::JavaScript => {
                let text = format!("{language}: one `execute` a row takes at least {GAIN} times the CPU of packed");
                Some(Aim::at_least(&text, "times", row_wise.cpu / packed.cpu, GAIN))
            }
            Language::TypeScript | Language::Python | Language::Zig | Language::AssemblyScript => None,
        }
    });
    Ok(Section {
        part: "l",
        title: format!("{rows} names, cut and written into a new table"),
        aims: aims.collect(),
        rows: table(&contenders, &used),
        base: 0,
        notes,
    })
}

fn table(contenders: &[Contender<'_>], used: &[Used]) -> Vec<Row> {
    contenders.iter().zip(used).map(|(contender, used)| Row::new(&contender.name, *used)).collect()
}
