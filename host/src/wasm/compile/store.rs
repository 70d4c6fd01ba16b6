//! Compiled components between runs: a file for each, in the cache folder, as wasmtime serialises it.
//!
//! A file that is there also says that its component was compiled before, within limits if its name says so: compiling
//! it again would take no more than it did. Never changes a file in place, because another process may have it mapped.

use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use wasmtime::component::Component;

use super::{mapped, seal};
use crate::model::Checksum;
use crate::wasm::engine::ComponentCache;

/// Where the files lie below the folder of the cache, which holds other things too.
const NAME: &str = "compiled";
/// Most bytes of all files together, after one was written.
const MOST: u64 = 512 << 20;
/// The end of the name of a file that is not finished.
const UNFINISHED: &str = ".part";
/// Longer than writing a file takes; what is older was left by a process that ended over it.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// The compiled components of one engine.
#[derive(Debug)]
pub(in crate::wasm) struct Store {
    root: PathBuf,
    folder: PathBuf,
    /// What engines with other settings, or of another version, have another of.
    engine: String,
}

impl Store {
    /// Opens the store of an engine. One that cannot be used is left out with a warning.
    pub(in crate::wasm) fn open(cache: &ComponentCache, engine: &wasmtime::Engine) -> Option<Self> {
        let root = match cache {
            ComponentCache::Off => return None,
            ComponentCache::Folder(folder) => std::path::absolute(folder),
            ComponentCache::User => user_folder().ok_or_else(|| io::Error::other("the user has no cache folder")),
        };
        let opened = root.and_then(|root| {
            let folder = root.join(NAME);
            prepare(&folder)?;
            let mut hasher = DefaultHasher::new();
            engine.precompile_compatibility_hash().hash(&mut hasher);
            Ok(Self { root, folder, engine: format!("{:016x}", hasher.finish()) })
        });
        opened.inspect_err(|error| tracing::warn!("compiled components are not kept: {error}")).ok()
    }

    /// Returns the folder of the cache, by which another process opens the same store.
    pub(in crate::wasm) fn root(&self) -> &Path {
        &self.root
    }

    /// Loads a component that was compiled before: in any process, or, where that is asked for, in its own. One that
    /// cannot be used is removed.
    pub(in crate::wasm) fn load(
        &self,
        engine: &wasmtime::Engine,
        component: &Checksum,
        isolated: bool,
    ) -> Option<Component> {
        let load = |isolated| self.load_file(engine, &self.file(component, isolated));
        load(true).or_else(|| if isolated { None } else { load(false) })
    }

    fn load_file(&self, engine: &wasmtime::Engine, file: &Path) -> Option<Component> {
        let reason = match seal::open_sound(file) {
            Ok(Ok(mut open)) => match mapped::load(engine, file, &mut open) {
                Ok(component) => return Some(component),
                Err(error) => format!("{error:#}"),
            },
            Ok(Err(reason)) => reason.to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
        };
        tracing::warn!("a compiled component is not used and made anew ({}): {reason}", file.display());
        // The name is free either way: what is made anew is renamed over it.
        let _ = fs::remove_file(file);
        None
    }

    /// Keeps what an engine serialised. That it cannot only makes the next start slower.
    pub(in crate::wasm) fn keep(&self, component: &Checksum, isolated: bool, code: &[u8]) {
        let file = self.file(component, isolated);
        let written = self.write(&file, code);
        // What was abandoned may be why there was no room.
        let swept = sweep(&self.folder, &file, MOST);
        match written.and(swept) {
            Ok(()) => tracing::debug!("compiled component kept in {}", file.display()),
            Err(error) => tracing::debug!("a compiled component is not kept: {error}"),
        }
    }

    fn write(&self, file: &Path, code: &[u8]) -> io::Result<()> {
        // Going beyond it may end the process.
        #[cfg(unix)]
        if rustix::process::getrlimit(rustix::process::Resource::Fsize)
            .current
            .is_some_and(|most| most < seal::length(code))
        {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let unfinished = self.folder.join(format!("{}-{}{UNFINISHED}", std::process::id(), since.as_nanos()));
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut opened = options.open(&unfinished)?;
        let written = opened
            .write_all(code)
            .and_then(|()| opened.write_all(&seal::seal(code)))
            // After a power cut the name must not stand for less than was written.
            .and_then(|()| opened.sync_all());
        drop(opened);
        written.and_then(|()| fs::rename(&unfinished, file)).inspect_err(|_| {
            let _ = fs::remove_file(&unfinished);
        })
    }

    fn file(&self, component: &Checksum, isolated: bool) -> PathBuf {
        let kind = if isolated { "isolated" } else { "in-process" };
        self.folder.join(format!("{component}-{}-{kind}", self.engine))
    }
}

/// Makes the folder, for its operator alone, and sees to it that it is.
fn prepare(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let at = |reason: String| io::Error::other(format!("{}: {reason}", folder.display()));
    builder.create(folder).map_err(|error| at(error.to_string()))?;
    let metadata = fs::symlink_metadata(folder).map_err(|error| at(error.to_string()))?;
    if !metadata.is_dir() {
        return Err(at("it is a symbolic link".to_owned()));
    }
    seal::foreign(&metadata).map_or(Ok(()), |reason| Err(at(reason.to_owned())))
}

/// Removes what was abandoned, and then the oldest files until the rest has no more than `most` bytes, or is `newest`.
fn sweep(folder: &Path, newest: &Path, most: u64) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Another process may have removed it.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            files.push((metadata.modified()?, metadata.len(), entry.path()));
        }
    }
    files.sort();
    let is_unfinished = |path: &Path| path.to_string_lossy().ends_with(UNFINISHED);
    let finished = files.iter().filter(|(_, _, path)| !is_unfinished(path));
    let mut total: u64 = finished.map(|(_, length, _)| length).sum();
    for (modified, length, path) in files {
        let unfinished = is_unfinished(&path);
        let abandoned = unfinished && modified.elapsed().is_ok_and(|age| age > ABANDONED);
        let surplus = !unfinished && path != newest && total > most;
        if (abandoned || surplus) && fs::remove_file(&path).is_ok() && !unfinished {
            total -= length;
        }
    }
    Ok(())
}

fn user_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || std::env::home_dir().filter(|folder| folder.is_absolute());
    let folder = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| home().map(|home| home.join(".cache")))
    };
    folder.map(|folder| folder.join("whimbrel"))
}

#[cfg(all(test, unix))]
mod tests;
