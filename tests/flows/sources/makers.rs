//! What is held to the suite: a way to make each source of the files of a folder.

use std::fs;

use whimbrel::Interrupt;
use whimbrel::model::Checksum;
use whimbrel::source::{Archive, Directory, Embedded, Http, Layout, Loaded, Memory, Source, SourceError};

use crate::harness::packed::{self, Zipped};
use crate::harness::server::{Answer, Server};

/// Files of a folder: paths and contents.
pub(super) type Files = &'static [(&'static str, &'static [u8])];

/// A way to make a source of files.
pub(super) struct Maker {
    pub(super) name: &'static str,
    pub(super) make: fn(Files, Layout, bool) -> Box<dyn Source>,
}

/// A source together with what it reads, such as a folder or a server.
struct Alive<S, K> {
    source: S,
    _kept: K,
}

impl<S: Source, K: Send + Sync> Source for Alive<S, K> {
    fn load(&self, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        self.source.load(interrupt)
    }

    fn load_of(&self, tool: Layout, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        self.source.load_of(tool, interrupt)
    }

    fn describe(&self) -> String {
        self.source.describe()
    }
}

fn directory(files: Files, layout: Layout, recursive: bool) -> Box<dyn Source> {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let source = Directory::new(folder.path()).layout(layout).recursive(recursive);
    Box::new(Alive { source, _kept: folder })
}

fn several_directories(files: Files, layout: Layout, recursive: bool) -> Box<dyn Source> {
    let folder = tempfile::tempdir().unwrap();
    for (index, (path, bytes)) in files.iter().enumerate() {
        let path = folder.path().join(if index % 2 == 0 { "even" } else { "odd" }).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    for half in ["even", "odd"] {
        fs::create_dir_all(folder.path().join(half)).unwrap();
    }
    let source = Directory::new(folder.path().join("even")).and(folder.path().join("odd"));
    Box::new(Alive { source: source.layout(layout).recursive(recursive), _kept: folder })
}

fn memory(files: Files, layout: Layout, recursive: bool) -> Box<dyn Source> {
    let memory = files.iter().fold(Memory::new("m"), |memory, (path, bytes)| memory.file(*path, *bytes));
    Box::new(memory.layout(layout).recursive(recursive))
}

fn embedded(files: Files, layout: Layout, recursive: bool) -> Box<dyn Source> {
    Box::new(Embedded::new("m", files).layout(layout).recursive(recursive))
}

fn zip(files: Files, layout: Layout, recursive: bool) -> Box<dyn Source> {
    let entries: Vec<_> = files.iter().map(|(path, bytes)| Zipped::new(*path, *bytes)).collect();
    archived(&packed::zip(&entries), layout, recursive)
}

fn tar_of(files: Files, root: &str) -> Vec<u8> {
    let paths: Vec<String> = files.iter().map(|(path, _)| format!("{root}{path}")).collect();
    let files = files.iter().zip(&paths).map(|((_, bytes), path)| (b'0', path.as_bytes(), *bytes));
    // The folder itself stands in what tar makes of one, and makes an archive of an empty one.
    let folder = if root.is_empty() { "./" } else { root };
    let all: Vec<_> = [(b'5', folder.as_bytes(), b"".as_slice())].into_iter().chain(files).collect();
    packed::tar(&all)
}

fn tar(files: Files, layout: Layout, recursive: bool) -> Box<dyn Source> {
    archived(&tar_of(files, "./"), layout, recursive)
}

fn tar_gz(files: Files, layout: Layout, recursive: bool) -> Box<dyn Source> {
    archived(&packed::gzip(&tar_of(files, "bundle/")), layout, recursive)
}

fn tar_zst(files: Files, layout: Layout, recursive: bool) -> Box<dyn Source> {
    archived(&packed::zstd(&tar_of(files, "")), layout, recursive)
}

fn archived(bytes: &[u8], layout: Layout, recursive: bool) -> Box<dyn Source> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle");
    fs::write(&file, bytes).unwrap();
    Box::new(Alive { source: Archive::new(file).layout(layout).recursive(recursive), _kept: folder })
}

fn http(files: Files, layout: Layout, recursive: bool) -> Box<dyn Source> {
    let bundle = packed::zstd(&tar_of(files, "bundle/"));
    let digest = Checksum::of(&bundle).to_string();
    let server = Server::new(move |_| Answer::ok(bundle.clone()));
    let source = Http::new(&server.url("/bundle"), &digest).unwrap().layout(layout).recursive(recursive);
    Box::new(Alive { source, _kept: server })
}

pub(super) const MAKERS: [Maker; 9] = [
    Maker { name: "directory", make: directory },
    Maker { name: "several directories", make: several_directories },
    Maker { name: "memory", make: memory },
    Maker { name: "embedded", make: embedded },
    Maker { name: "zip", make: zip },
    Maker { name: "tar", make: tar },
    Maker { name: "tar.gz", make: tar_gz },
    Maker { name: "tar.zst", make: tar_zst },
    Maker { name: "http", make: http },
];
