//! Reads a tree in a layout: which files are wanted, what they hold, how they belong together.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem;

use super::super::assemble::{File, Gathered, Marks, assemble};
use super::super::file_name::{FileName, Part};
use super::super::lock_file::LOCK_FILE;
use super::super::problem::{Problem, SourceError};
use super::super::regular::NOT_REGULAR;
use super::super::scripts::Shared;
use super::super::tree::{Entry, Found, Link, Tree, sorted};
use super::super::{Ignored, Loaded};
use super::detect::Detected;
use super::goose::Wrong;
use super::variant;
use super::{
    Layout, atlas, atlas_sum, dbmate, detect, diesel, drizzle, flyway, goose, own_transaction, pair, sqlx, strays,
    text_order,
};
use crate::model::Elsewhere;
use crate::sql;

/// How a tree is read.
#[derive(Clone, Copy, Debug)]
pub(in crate::source) struct Options {
    /// Whose way it is laid out.
    pub(in crate::source) layout: Layout,
    /// Whose way it is where nothing else tells: a tool that has applied some of it.
    pub(in crate::source) tool: Option<Layout>,
    /// Whether folders in it are read too, where the layout leaves that open.
    pub(in crate::source) recursive: bool,
    /// The kind of database the migrations are for.
    pub(in crate::source) dialect: &'static str,
}

impl Options {
    /// What is done unless told otherwise.
    pub(in crate::source) const DEFAULT: Self =
        Self { layout: Layout::Auto, tool: None, recursive: false, dialect: "sqlite" };

    /// Returns how a tree is read that a tool has applied some of.
    pub(in crate::source) fn of(self, tool: Layout) -> Self {
        Self { tool: Some(tool), ..self }
    }
}

/// Reads trees that make one source, whose scripts have these endings.
pub(in crate::source) fn load(
    trees: &mut [&mut dyn Tree],
    options: &Options,
    endings: &[String],
) -> Result<Loaded, SourceError> {
    let mut gathered = Gathered { endings: endings.to_vec(), ..Gathered::default() };
    let mut own = Vec::new();
    for tree in trees.iter_mut() {
        read(*tree, options, &mut own, &mut gathered).unwrap_or_else(|problem| gathered.problems.push(problem));
    }
    for (file, problem) in mem::take(&mut gathered.incomplete) {
        // Another of the trees may have it.
        if !gathered.files.iter().any(|gathered| gathered.path == file) {
            gathered.problems.push(problem);
        }
    }
    variant::choose(own, options.dialect, &mut gathered);
    pair::pair(&mut gathered);
    if gathered.has_scripts() {
        for tree in trees {
            share(*tree, "", 0, &mut gathered);
        }
    }
    assemble(gathered)
}

/// Gathers the files that scripts may import. What cannot be read is not there to be imported.
fn share(tree: &mut dyn Tree, folder: &str, depth: usize, gathered: &mut Gathered) {
    for entry in tree.list(folder).unwrap_or_default() {
        let name = entry.name().to_owned();
        if entry.is_folder {
            if depth < DEEPEST_SHARED && !name.starts_with('.') && name != "node_modules" {
                share(tree, &entry.path, depth + 1, gathered);
            }
            continue;
        }
        let is_migration = gathered.files.iter().any(|file| file.path == entry.path);
        if is_migration || !gathered.is_script(&name) || gathered.shared.len() >= MOST_SHARED {
            continue;
        }
        if let Ok(Found::File(bytes)) = tree.read(&entry.path) {
            gathered.shared.push(Shared { file: tree.shown(&entry.path), path: entry.path, bytes });
        }
    }
}

/// Most folders inside each other in which files to import are looked for, and most of such files.
const DEEPEST_SHARED: usize = 8;
const MOST_SHARED: usize = 2_000;

/// Finds the layout of a tree.
pub(in crate::source) fn layout(tree: &mut dyn Tree, options: &Options) -> Result<Layout, Problem> {
    match options.layout {
        Layout::Auto => detect::detect(tree, options.tool).map(|found| found.layout),
        chosen => Ok(chosen),
    }
}

/// Returns the digits with which the version of a migration begins in the name of its file, or of its folder.
pub(in crate::source) fn digits(layout: Layout, path: &str) -> String {
    let name = match layout {
        Layout::Diesel | Layout::Prisma => path.split('/').next().unwrap_or(path),
        _ => path.rsplit('/').next().unwrap_or(path),
    };
    let name = name.trim_start_matches(|first: char| !first.is_ascii_digit());
    let is_dash = |other: char| layout == Layout::Diesel && other == '-';
    name.chars().take_while(|other| other.is_ascii_digit() || is_dash(*other)).filter(char::is_ascii_digit).collect()
}

/// Tells whether a folder in a tree of this layout is read too, whatever kind of database it is for.
pub(in crate::source) fn is_read(layout: Layout, path: &str, options: &Options) -> bool {
    let (depth, name) = (path.matches('/').count(), path.rsplit('/').next().unwrap_or(path));
    let own = matches!(layout, Layout::Auto | Layout::Whimbrel) && !name.starts_with('.');
    depth < DEEPEST && (layout.enters(depth, name) || own && (options.recursive || variant::kind(name).is_some()))
}

/// Reads one tree; files in Whimbrel's own layout, of which some may be for other databases, are put into `own`.
fn read(tree: &mut dyn Tree, options: &Options, own: &mut Vec<File>, gathered: &mut Gathered) -> Result<(), Problem> {
    let (layout, entries) = match options.layout {
        Layout::Auto => {
            let Detected { layout, is_assumed, entries } = detect::detect(tree, options.tool)?;
            gathered.assumed = gathered.assumed.or(is_assumed.then_some(layout));
            (layout, entries)
        }
        chosen => (chosen, sorted(tree, "")?),
    };
    let found = Vec::with_capacity(entries.len());
    let journal = drizzle::journal(tree, &entries);
    let mut walk = Walk { tree, layout, options, gathered, found, asides: BTreeMap::new() };
    walk.folder(entries, 0, None)?;
    let Walk { tree, mut found, asides, gathered, .. } = walk;
    if matches!(layout, Layout::Auto | Layout::Whimbrel)
        && let Some(journal) = journal
    {
        drizzle::keep(&tree.shown(drizzle::JOURNAL), &journal, &mut found, &mut gathered.ignored)?;
    }
    match layout {
        Layout::Auto | Layout::Whimbrel if own.is_empty() => *own = found,
        Layout::Auto | Layout::Whimbrel => own.append(&mut found),
        foreign => foreign_files(foreign, tree, found, &asides, gathered),
    }
    Ok(())
}

struct Walk<'a> {
    tree: &'a mut dyn Tree,
    layout: Layout,
    options: &'a Options,
    gathered: &'a mut Gathered,
    found: Vec<File>,
    /// What says something about other files, by its path.
    asides: BTreeMap<String, Cow<'static, [u8]>>,
}

impl Walk<'_> {
    fn folder(&mut self, entries: Vec<Entry>, depth: usize, kind: Option<&'static str>) -> Result<(), Problem> {
        for entry in entries {
            if !entry.is_folder {
                self.file(entry, depth, kind);
                continue;
            }
            if self.is_manifest(entry.name()) {
                self.gathered.problems.push(no_manifest(self.tree.shown(&entry.path)));
                continue;
            }
            match self.descent(entry.name(), depth, kind) {
                Descent::Into(kind) => {
                    let entries = sorted(self.tree, &entry.path)?;
                    if self.layout == Layout::Diesel
                        && let Some((file, message, hint)) = diesel::judge_folder(&entry.path, &entries)
                    {
                        let problem = Problem::of_file(self.tree.shown(&entry.path), message, Some(hint));
                        self.gathered.incomplete.push((file, problem));
                    }
                    self.folder(entries, depth + 1, kind)?;
                }
                Descent::Past(reason) => {
                    self.gathered.ignored.push(Ignored { file: self.tree.shown(&entry.path), reason });
                }
            }
        }
        Ok(())
    }

    /// Tells whether a name is that of a manifest: without one a migration may do more, so that none is passed over.
    fn is_manifest(&self, name: &str) -> bool {
        let own = matches!(self.layout, Layout::Auto | Layout::Whimbrel);
        let judged = || FileName::parse_with(name, &self.gathered.endings);
        own && name.ends_with(Part::Manifest.ending())
            && matches!(judged(), FileName::Part { part: Part::Manifest, .. })
    }

    /// Decides whether to go into a folder.
    fn descent(&self, name: &str, depth: usize, kind: Option<&'static str>) -> Descent {
        if depth >= DEEPEST {
            return Descent::Past("a folder, too deep to be read".to_owned());
        }
        if self.layout.enters(depth, name) {
            return Descent::Into(None);
        }
        let own = matches!(self.layout, Layout::Auto | Layout::Whimbrel);
        match variant::kind(name).filter(|_| own && kind.is_none()) {
            Some(other) if other != self.options.dialect => Descent::Past(format!("a folder for {other}")),
            Some(ours) => Descent::Into(Some(ours)),
            None if own && self.options.recursive && !name.starts_with('.') => Descent::Into(kind),
            None => Descent::Past("a folder".to_owned()),
        }
    }

    fn file(&mut self, mut entry: Entry, depth: usize, kind: Option<&'static str>) {
        let name = entry.name();
        // It lies there for `whimbrel lock`, and for nobody else.
        if entry.path == LOCK_FILE {
            return;
        }
        if is_aside(self.layout, &entry.path, name) {
            match entry.read(self.tree) {
                Ok(Found::File(bytes)) => drop(self.asides.insert(entry.path, bytes)),
                Ok(Found::Folder) => {}
                Err(problem) => self.gathered.problems.push(problem),
            }
            return;
        }
        if self.layout == Layout::Flyway
            && let Some((callback, name)) = flyway::callback(name)
        {
            let judged = FileName::repeatable(name, Part::Sql);
            if let Some(file) = self.wanted(entry, judged, None) {
                self.gathered.hooks.push((callback, file));
            }
            return;
        }
        if let Some((version, name)) = self.layout.elsewhere(&entry.path) {
            self.gathered.elsewhere.push(Elsewhere { version, name, file: self.tree.shown(&entry.path) });
        }
        let own = matches!(self.layout, Layout::Auto | Layout::Whimbrel);
        let (kind, judged) = match variant::without(name).filter(|_| own && kind.is_none()) {
            Some((kind, plain)) => (Some(kind), FileName::parse_with(&plain, &self.gathered.endings)),
            None => (kind, self.layout.judge(&entry.path, &self.gathered.endings)),
        };
        // A folder inside would be read twice by way of a link, and one outside is not to be read.
        if matches!(judged, FileName::Ignored(_))
            && matches!(self.descent(name, depth, kind), Descent::Into(_))
            && let Some(link) = self.tree.link(&entry.path)
        {
            let reason = match link {
                Link::Away => "a link, by way of which no folder is read",
                Link::Nowhere => "a link to nothing",
            };
            self.gathered.ignored.push(Ignored { file: self.tree.shown(&entry.path), reason: reason.to_owned() });
            return;
        }
        let found = self.wanted(entry, judged, kind);
        self.found.extend(found);
    }

    /// Reads a file that is part of a migration or of a hook; one for another kind of database is left empty.
    fn wanted(&mut self, mut entry: Entry, judged: FileName, kind: Option<&'static str>) -> Option<File> {
        let mut file = self.gathered.keep(self.tree.shown(&entry.path), judged)?;
        file.kind = kind;
        if kind.is_none_or(|kind| kind == self.options.dialect) {
            match entry.read(self.tree) {
                Ok(Found::File(bytes)) => file.bytes = bytes,
                Ok(Found::Folder) if file.part == Part::Manifest => {
                    self.gathered.problems.push(no_manifest(file.file));
                    return None;
                }
                Ok(Found::Folder) => {
                    self.gathered.ignored.push(Ignored { file: file.file, reason: "a folder".to_owned() });
                    return None;
                }
                Err(problem) => {
                    self.gathered.problems.push(problem);
                    self.gathered.unread.push(file);
                    return None;
                }
            }
        }
        file.path = entry.path;
        Some(file)
    }
}

fn no_manifest(file: String) -> Problem {
    let hint = "a manifest is a file; give the folder another name".to_owned();
    Problem::of_file(file, NOT_REGULAR, Some(hint))
}

/// Deeper than any folder of migrations, so that no loop keeps the host busy.
const DEEPEST: usize = 32;

enum Descent {
    Into(Option<&'static str>),
    Past(String),
}

fn is_aside(layout: Layout, path: &str, name: &str) -> bool {
    match layout {
        Layout::Flyway => name.ends_with(&format!(".sql{}", flyway::CONFIGURATION)),
        Layout::Diesel => path.split_once('/').is_some_and(|(_, file)| file == diesel::METADATA),
        Layout::Atlas => path == atlas::SUM,
        _ => false,
    }
}

fn foreign_files(
    layout: Layout,
    tree: &dyn Tree,
    mut files: Vec<File>,
    asides: &BTreeMap<String, Cow<'static, [u8]>>,
    gathered: &mut Gathered,
) {
    if let Some(sum) = asides.get(atlas::SUM) {
        check_sum(&tree.shown(atlas::SUM), sum, &mut files, gathered);
    }
    for file in &mut files {
        if file.part.is_sql() {
            file.marks = Some(Marks::default());
        }
    }
    for (callback, mut file) in mem::take(&mut gathered.hooks) {
        file.marks = Some(Marks::default());
        match interpret(layout, file, asides, tree) {
            Ok(parts) => gathered.hooks.extend(parts.into_iter().map(|part| (callback, part))),
            Err(mut problems) => gathered.problems.append(&mut problems),
        }
    }
    let mut kept = Vec::new();
    for file in files {
        match interpret(layout, file, asides, tree) {
            Ok(mut parts) => kept.append(&mut parts),
            Err(mut problems) => gathered.problems.append(&mut problems),
        }
    }
    text_order::keep(layout, &mut kept, &mut gathered.problems);
    strays::leave_out(&mut kept, &mut gathered.ignored);
    gathered.files.append(&mut kept);
}

fn check_sum(shown: &str, sum: &[u8], files: &mut [File], gathered: &mut Gathered) {
    files.sort_by(|left, right| left.path.cmp(&right.path));
    let scripts = files.iter().filter(|file| file.part.is_sql());
    let expected = sql::atlas::sum(scripts.map(|file| (file.path.as_str(), file.bytes.as_ref())));
    gathered.problems.extend(atlas_sum::check(shown, &String::from_utf8_lossy(sum), &expected));
}

/// Reads the marks of a file, and takes it apart where it has both ways in it.
fn interpret(
    layout: Layout,
    mut file: File,
    asides: &BTreeMap<String, Cow<'static, [u8]>>,
    tree: &dyn Tree,
) -> Result<Vec<File>, Vec<Problem>> {
    let Some(marks) = &mut file.marks else { return Ok(vec![file]) };
    // What is not UTF-8 is told by whoever reads the script.
    let Ok(text) = str::from_utf8(&file.bytes) else { return Ok(vec![file]) };
    let refuse = |(at, message, hint): Wrong| vec![Problem::at(&file.file, text, at, message, hint)];
    let aside = |path: &str| asides.get(path).map(|bytes| String::from_utf8_lossy(bytes));
    match layout {
        Layout::Goose => {
            let goose::Halves { up, down, marks } =
                goose::halves(text, goose::is_for_down(&file.path)).map_err(refuse)?;
            return Ok(ways(&file, up.map(|up| (up, marks.clone())), down.map(|down| (down, marks))));
        }
        Layout::Dbmate => {
            let (up, down) = dbmate::blocks(text).map_err(refuse)?;
            return Ok(ways(&file, Some((up.text, up.marks)), down.map(|down| (down.text, down.marks))));
        }
        Layout::Sqlx => marks.outside = sqlx::is_outside(&file.bytes),
        Layout::Atlas => *marks = atlas::marks(text).map_err(|(at, message)| refuse((at, message, None)))?,
        Layout::Flyway => {
            let path = format!("{}{}", file.path, flyway::CONFIGURATION);
            if let Some(text) = aside(&path) {
                let wrong = |(at, message, hint): Wrong| vec![Problem::at(tree.shown(&path), &text, at, message, hint)];
                let said = flyway::configuration(&text).map_err(wrong)?;
                (marks.outside, marks.substitution.wanted) = (said.outside, said.placeholders);
            }
            marks.substitution.usual = true;
        }
        Layout::Diesel => {
            let path =
                format!("{}{}", file.path.trim_end_matches("up.sql").trim_end_matches("down.sql"), diesel::METADATA);
            if let Some(metadata) = aside(&path) {
                let wrong = |error: toml::de::Error| {
                    let at = error.span().map_or(0, |span| span.start);
                    vec![Problem::at(tree.shown(&path), &metadata, at, error.message().replace('\n', ", "), None)]
                };
                marks.outside = diesel::is_outside(&metadata).map_err(wrong)?;
            }
        }
        // refinery's U is for ways up that need not wait for their turn.
        Layout::Refinery => marks.out_of_order = file.path.rsplit('/').next().is_some_and(|name| name.starts_with('U')),
        Layout::Auto | Layout::Whimbrel | Layout::GolangMigrate | Layout::Prisma => {}
    }
    Ok(vec![handed_over(layout, file)])
}

/// Makes two files of one.
fn ways(file: &File, up: Option<(String, Marks)>, down: Option<(String, Marks)>) -> Vec<File> {
    let way = |part, (text, marks): (String, Marks)| {
        let way = File { part, bytes: Cow::Owned(text.into_bytes()), marks: Some(marks), ..file.clone() };
        handed_over(Layout::Goose, way)
    };
    [up.map(|up| way(Part::Up, up)), down.map(|down| way(Part::Down, down))].into_iter().flatten().collect()
}

/// Hands a transaction of the script's own over to the host. Where the tool keeps checksums, the text stays.
fn handed_over(layout: Layout, mut file: File) -> File {
    let may_blank = matches!(layout, Layout::GolangMigrate | Layout::Goose | Layout::Dbmate | Layout::Diesel);
    if let Some(marks) = &mut file.marks {
        marks.keys_off = layout.has_keys_off();
    }
    if let (Some(marks), Ok(text)) = (&mut file.marks, str::from_utf8(&file.bytes)) {
        // Scripts are cut into statements only if they could have something to hand over.
        let lower = text.to_ascii_lowercase();
        if lower.contains("begin") || lower.contains("foreign_keys") {
            let mut text = text.to_owned();
            own_transaction::take_over(&mut text, marks, may_blank);
            file.bytes = Cow::Owned(text.into_bytes());
        }
    }
    file
}
