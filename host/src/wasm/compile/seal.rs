//! The end of a file of compiled code, which tells whether the file is whole and its operator's own.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// What a seal begins with; then come the length of the code and a checksum of both its ends.
const MARK: [u8; 8] = *b"whimbrel";
const SEAL: u64 = 8 + 8 + 4;
/// Bytes at each end of the code that are compared. The tables by which all else is found lie there.
const END: usize = 16 << 10;

/// Returns what stands behind `code` in its file.
pub(super) fn seal(code: &[u8]) -> Vec<u8> {
    let length = code.len();
    let (head, tail) = (&code[..length.min(END)], &code[length - length.min(END)..]);
    let mut seal = MARK.to_vec();
    seal.extend((length as u64).to_le_bytes());
    seal.extend(checksum(head, tail).to_le_bytes());
    seal
}

/// Opens a file of code, or says why it is not to be used. An error means that it cannot be read, or is not there.
pub(super) fn open_sound(path: &Path) -> io::Result<Result<File, &'static str>> {
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(Err("it is no regular file"));
    }
    if let Some(reason) = foreign(&metadata) {
        return Ok(Err(reason));
    }
    Ok(if is_whole(&mut file, metadata.len())? { Ok(file) } else { Err("it is not what was written") })
}

/// Returns the bytes of a file that holds this code.
#[cfg(unix)]
pub(super) fn length(code: &[u8]) -> u64 {
    code.len() as u64 + SEAL
}

/// Says why something that lies on disk is not only its operator's, if so.
#[cfg(unix)]
pub(super) fn foreign(metadata: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt;

    const OTHERS_WRITE: u32 = 0o022;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Some("it belongs to another user");
    }
    (metadata.mode() & OTHERS_WRITE != 0).then_some("others can write it")
}

#[cfg(not(unix))]
pub(super) fn foreign(_: &Metadata) -> Option<&'static str> {
    None
}

/// Follows no link at the path's end.
fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;

        // Nor does it wait for somebody to write into a pipe.
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    options.open(path)
}

fn is_whole(file: &mut File, length: u64) -> io::Result<bool> {
    let Some(code) = length.checked_sub(SEAL) else { return Ok(false) };
    let mut seal = [0; SEAL as usize];
    file.seek(SeekFrom::Start(code))?;
    file.read_exact(&mut seal)?;
    let noted = &seal[MARK.len()..MARK.len() + 8];
    if !seal.starts_with(&MARK) || *noted != code.to_le_bytes() {
        return Ok(false);
    }
    let end = code.min(END as u64);
    let (mut head, mut tail) = (vec![0; end as usize], vec![0; end as usize]);
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut head)?;
    file.seek(SeekFrom::Start(code - end))?;
    file.read_exact(&mut tail)?;
    Ok(seal.ends_with(&checksum(&head, &tail).to_le_bytes()))
}

fn checksum(head: &[u8], tail: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(tail);
    hasher.finalize()
}
