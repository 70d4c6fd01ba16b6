//! Reads a tar stream. What it unpacks to is limited before it is believed.

use std::io::{self, Read};

use super::Wrong;
use super::unpacked::{InsidePath, Unpacked, broken};

/// What all lengths are a multiple of.
const BLOCK: u64 = 512;

/// Reads all entries of a stream.
pub(super) fn read(stream: impl Read, unpacked: &mut Unpacked) -> Result<(), Wrong> {
    let mut archive = tar::Archive::new(Limited { stream, read: 0, most: unpacked.most_of_a_stream() });
    let entries = archive.entries().map_err(|error| Wrong::whole(broken(&error)))?;
    let mut end = 0;
    for entry in entries {
        let mut entry = entry.map_err(|error| Wrong::whole(broken(&error)))?;
        unpacked.count()?;
        end = entry.raw_file_position() + entry.header().entry_size().unwrap_or(0).next_multiple_of(BLOCK);
        let name = entry.path_bytes().into_owned();
        let shown = || String::from_utf8_lossy(&name).into_owned();
        match entry.header().entry_type() {
            // Before there were folders, a name with a slash at its end was one.
            tar::EntryType::Regular if name.ends_with(b"/") => unpacked.folder(InsidePath::of(&name)?)?,
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                let size = entry.size();
                unpacked.file(InsidePath::of(&name)?, size, &mut entry)?;
            }
            tar::EntryType::Directory => unpacked.folder(InsidePath::of(&name)?)?,
            // What `git archive` says about all that follows.
            tar::EntryType::XGlobalHeader => {}
            tar::EntryType::Symlink | tar::EntryType::Link => {
                return Err(Wrong::entry(shown(), "is a link").hint("put the file itself into the archive"));
            }
            _ => return Err(Wrong::entry(shown(), "is neither a file nor a folder")),
        }
    }
    // A checksum at the end of the stream is read only by whoever reads to the end.
    let mut stream = archive.into_inner();
    io::copy(&mut stream, &mut io::sink()).map_err(|error| Wrong::whole(broken(&error)))?;
    // Behind the last entry stands an empty block. Without it others may have stood there.
    if stream.read < end + BLOCK {
        return Err(Wrong::whole("ends too early: it is no whole tar archive").hint("make it, or fetch it, anew"));
    }
    unpacked.check()
}

/// A stream that fails when it has become too long, whatever its entries say.
struct Limited<R> {
    stream: R,
    read: u64,
    most: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.read += read as u64;
        if self.read > self.most {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it unpacks to more than it may"));
        }
        Ok(read)
    }
}
