//! Single files, read up to a limit. Waits for nobody at the other end of a pipe, and reads no device.

use std::fs::File;
use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::assemble::shown;
use super::open_folder::{BUFFER, LARGEST, read_whole, unreadable_file, unreadable_folder};
use super::problem::Problem;

/// Reads a file that somebody has named, wherever links lead; `None` where there is none.
///
/// What is no regular file, or larger than 256 MiB, is a problem.
pub fn read_file(path: &Path) -> Result<Option<Vec<u8>>, Problem> {
    let mut options = File::options();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(without_waiting());
    }
    let opened = options.read(true).open(path);
    told(path.to_string_lossy().into_owned(), opened.and_then(|file| read_open(file, LARGEST, &mut vec![0; BUFFER])))
}

/// Reads a file of a folder that somebody else may have filled; `None` where there is none.
///
/// A link that leads out of the folder is a problem, and one to nothing, what is no regular file, or is larger than 256 MiB.
pub fn read_file_of(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, Problem> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let shown_folder = folder.to_string_lossy();
    let dir = Dir::open_ambient_dir(folder, ambient_authority());
    let dir = dir.map_err(|error| unreadable_folder(&shown_folder, &error))?;
    let file = shown(&shown_folder, name);
    match read_in(&dir, Path::new(name), LARGEST, &mut vec![0; BUFFER]) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && dir.symlink_metadata(name).is_ok() => {
            Err(unreadable_file(file, &error))
        }
        read => told(file, read),
    }
}

/// Reads a file of an open folder, following links that stay in it.
pub(super) fn read_in(dir: &Dir, path: &Path, largest: u64, buffer: &mut [u8]) -> io::Result<Vec<u8>> {
    let mut options = cap_std::fs::OpenOptions::new();
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt;
        options.custom_flags(without_waiting());
    }
    read_open(dir.open_with(path, options.read(true))?.into_std(), largest, buffer)
}

#[cfg(unix)]
fn without_waiting() -> i32 {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    flags.bits().cast_signed()
}

fn read_open(file: File, largest: u64, buffer: &mut [u8]) -> io::Result<Vec<u8>> {
    match file.metadata()?.is_file() {
        true => read_whole(file, largest, buffer),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, NOT_REGULAR)),
    }
}

/// What is said of a pipe, a device, a folder.
pub(super) const NOT_REGULAR: &str = "is not a regular file";

fn told(file: String, read: io::Result<Vec<u8>>) -> Result<Option<Vec<u8>>, Problem> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(problem_of(file, &error)),
    }
}

/// Says why a file cannot be read that was opened here.
pub(super) fn problem_of(file: String, error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::InvalidInput if error.raw_os_error().is_none() => Problem::of_file(file, NOT_REGULAR, None),
        // A socket cannot be opened at all.
        #[cfg(unix)]
        _ if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
            Problem::of_file(file, NOT_REGULAR, None)
        }
        _ => unreadable_file(file, error),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn reads_regular_files_and_waits_for_no_pipe() {
        let outside = tempfile::tempdir().expect("folder");
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), b"text").expect("file");
        std::fs::write(outside.path().join("secret"), b"secret").expect("file");
        rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("pipe");
        let _socket = UnixListener::bind(path("socket")).expect("socket");
        std::fs::create_dir(path("folder")).expect("folder");
        symlink("file", path("inside")).expect("link");
        symlink(outside.path().join("secret"), path("out")).expect("link");
        symlink("/dev/zero", path("device")).expect("link");
        symlink("nothing", path("dangling")).expect("link");

        let said = |read: Result<Option<Vec<u8>>, Problem>| match read {
            Ok(Some(bytes)) => String::from_utf8(bytes).expect("text"),
            Ok(None) => "nothing".to_owned(),
            Err(problem) => problem.message,
        };
        let out = "is a link that leads out of the folder, and is not followed";
        let dangling = "is a link to nothing, or has gone meanwhile";
        for (name, named, of_folder) in [
            ("file", "text", "text"),
            ("inside", "text", "text"),
            ("out", "secret", out),
            ("absent", "nothing", "nothing"),
            ("pipe", NOT_REGULAR, NOT_REGULAR),
            ("socket", NOT_REGULAR, NOT_REGULAR),
            ("folder", NOT_REGULAR, NOT_REGULAR),
            ("device", NOT_REGULAR, out),
            ("dangling", "nothing", dangling),
        ] {
            assert_eq!(said(read_file(&path(name))), named, "{name}");
            assert_eq!(said(read_file_of(folder.path(), name)), of_folder, "{name}");
        }
    }

    #[test]
    fn reads_no_more_than_the_limit() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("file"), b"12345").expect("file");
        let open = || File::open(folder.path().join("file")).expect("open");
        assert_eq!(read_open(open(), 5, &mut [0; 2]).expect("read"), b"12345");
        let error = read_open(open(), 4, &mut [0; 2]).expect_err("too large");
        assert_eq!(problem_of("file".to_owned(), &error).message, "is larger than 4 bytes");
    }
}
