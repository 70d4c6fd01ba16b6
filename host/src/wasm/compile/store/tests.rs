use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;
use crate::wasm::engine::{self, Purpose};

/// The smallest component.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

struct Stage {
    folder: tempfile::TempDir,
    engine: wasmtime::Engine,
    store: Store,
    code: Vec<u8>,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = engine::start(Purpose::Steps).expect("an engine");
        let store = open(folder.path(), &engine).expect("a store");
        let code = engine.precompile_component(EMPTY).expect("it compiles");
        Self { folder, engine, store, code }
    }

    fn keep(&self) -> PathBuf {
        self.store.keep(&name(), true, &self.code);
        self.store.file(&name(), true)
    }

    fn is_loaded(&self) -> bool {
        self.store.load(&self.engine, &name(), true).is_some()
    }
}

fn open(folder: &Path, engine: &wasmtime::Engine) -> Option<Store> {
    Store::open(&ComponentCache::Folder(folder.to_owned()), engine)
}

fn name() -> Checksum {
    Checksum::of(EMPTY)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

#[test]
fn the_next_start_uses_what_was_kept() {
    let stage = Stage::new();
    assert!(!stage.is_loaded(), "nothing is there yet");
    let file = stage.keep();
    assert_eq!((mode(&file), mode(file.parent().expect("a folder"))), (0o600, 0o700));
    let engine = engine::start(Purpose::Steps).expect("an engine");
    let next = open(stage.folder.path(), &engine).expect("a store");
    assert!(next.load(&engine, &name(), true).is_some());
    assert_eq!(fs::read_dir(&next.folder).expect("a folder").count(), 1, "nothing unfinished is left");
}

#[test]
fn what_was_compiled_without_limits_does_not_stand_for_what_needs_them() {
    let stage = Stage::new();
    stage.store.keep(&name(), false, &stage.code);
    assert!(!stage.is_loaded());
    assert!(stage.store.load(&stage.engine, &name(), false).is_some());
    stage.keep();
    fs::remove_file(stage.store.file(&name(), false)).expect("it is there");
    assert!(stage.store.load(&stage.engine, &name(), false).is_some(), "and the other way round it does");
}

#[test]
fn other_settings_have_files_of_their_own() {
    let stage = Stage::new();
    let kept = stage.keep();
    let engine = engine::start(Purpose::Functions).expect("an engine");
    let other = open(stage.folder.path(), &engine).expect("a store");
    assert!(other.load(&engine, &name(), true).is_none());
    // Even under the other's name wasmtime refuses it, and the next one is made anew.
    fs::copy(&kept, other.file(&name(), true)).expect("copied");
    assert!(other.load(&engine, &name(), true).is_none());
    assert!(!other.file(&name(), true).exists());
    assert!(stage.is_loaded());
}

#[test]
fn a_file_that_is_not_what_was_written_is_removed_and_made_anew() {
    let stage = Stage::new();
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 6] = [
        ("empty", Vec::clear),
        ("shorter than a seal", |bytes| bytes.truncate(7)),
        ("truncated", |bytes| bytes.truncate(bytes.len() / 2)),
        ("longer", |bytes| bytes.push(0)),
        ("head", |bytes| bytes[100] ^= 1),
        ("tail", |bytes| {
            let at = bytes.len() - 40;
            bytes[at] ^= 1;
        }),
    ];
    for (what, damage) in damages {
        let file = stage.keep();
        let mut bytes = fs::read(&file).expect("it is there");
        damage(&mut bytes);
        fs::write(&file, bytes).expect("written");
        assert!(!stage.is_loaded(), "{what}");
        assert!(!file.exists(), "{what}");
        stage.keep();
        assert!(stage.is_loaded(), "{what}");
    }
}

#[test]
fn a_file_that_others_can_write_is_not_used() {
    let stage = Stage::new();
    for others in [0o666, 0o620, 0o602] {
        let file = stage.keep();
        set_mode(&file, others);
        assert!(!stage.is_loaded(), "{others:o}");
        stage.keep();
        assert!(stage.is_loaded(), "{others:o}");
    }
}

#[test]
fn a_link_is_not_followed() {
    let stage = Stage::new();
    let file = stage.keep();
    let elsewhere = stage.folder.path().join("elsewhere");
    fs::rename(&file, &elsewhere).expect("renamed");
    symlink(&elsewhere, &file).expect("linked");
    assert!(!stage.is_loaded());
    assert!(elsewhere.exists(), "only the link is gone");
}

#[test]
fn a_folder_that_is_not_the_operators_alone_is_not_used() {
    let stage = Stage::new();
    let compiled = stage.store.folder.clone();
    for others in [0o777, 0o770] {
        set_mode(&compiled, others);
        assert!(open(stage.folder.path(), &stage.engine).is_none(), "{others:o}");
    }
    set_mode(&compiled, 0o700);
    assert!(open(stage.folder.path(), &stage.engine).is_some());
    let moved = stage.folder.path().join("moved");
    fs::rename(&compiled, &moved).expect("renamed");
    symlink(&moved, &compiled).expect("linked");
    assert!(open(stage.folder.path(), &stage.engine).is_none(), "a link");
}

/// Only the superuser can give a file away; as anybody else it is somebody else's folder that tells.
#[test]
fn what_belongs_to_another_user_is_not_used() {
    let stage = Stage::new();
    let file = stage.keep();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&file, Some(65_534), None).expect("the superuser can");
        assert!(!stage.is_loaded());
        stage.keep();
        assert!(stage.is_loaded());
    } else {
        let foreign = fs::metadata("/").expect("it is there");
        assert_eq!(seal::foreign(&foreign), Some("it belongs to another user"));
    }
}

#[test]
fn the_oldest_are_removed_until_the_rest_fits() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, hours: u64| {
        let path = folder.path().join(name);
        fs::write(&path, [0; 100]).expect("written");
        let modified = SystemTime::now() - Duration::from_secs(hours * 3600);
        File::options().write(true).open(&path).and_then(|file| file.set_modified(modified)).expect("ours");
        path
    };
    // The newest by name, not by its clock.
    let newest = write("newest", 9);
    for (name, hours) in [("a", 4), ("b", 2), ("c", 3), ("old.part", 2), ("young.part", 0)] {
        write(name, hours);
    }
    let left = || {
        let names = fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("one").file_name());
        let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    sweep(folder.path(), &newest, 600).expect("swept");
    assert_eq!(left(), ["a", "b", "c", "newest", "young.part"], "all fit but what was abandoned");
    // What is not finished is not counted: it cannot make room.
    sweep(folder.path(), &newest, 300).expect("swept");
    assert_eq!(left(), ["b", "c", "newest", "young.part"]);
    sweep(folder.path(), &newest, 200).expect("swept");
    assert_eq!(left(), ["b", "newest", "young.part"]);
    sweep(folder.path(), &newest, 0).expect("swept");
    assert_eq!(left(), ["newest", "young.part"]);
}

#[test]
fn off_keeps_nothing() {
    let engine = engine::start(Purpose::Steps).expect("an engine");
    assert!(Store::open(&ComponentCache::Off, &engine).is_none());
}
