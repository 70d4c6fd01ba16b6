//! Reads a zip archive by its central directory. The format is that of PKWARE's APPNOTE.TXT, section 4.
//!
//! Written out here because of what must be refused: names that are there twice, entries that overlap, and archives that
//! say different things in their two directories are read differently by different tools.

use std::io::Read;

use super::Wrong;
use super::unpacked::{InsidePath, Unpacked};

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_LENGTH: usize = 22;
const LONGEST_COMMENT: usize = 0xffff;
/// Bits of the flags that say that an entry is encrypted, one way or another.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// A number that says that the real one is in a zip64 field.
const ELSEWHERE: u32 = u32::MAX;

/// Reads all entries.
pub(super) fn read(bytes: &[u8], unpacked: &mut Unpacked) -> Result<(), Wrong> {
    let end = end(bytes)?;
    let mut directory = Fields { bytes, at: end.directory };
    let mut taken = Vec::new();
    for _ in 0..end.entries {
        unpacked.count()?;
        let entry = Entry::read(&mut directory).ok_or_else(malformed)??;
        let data = entry.data(bytes, end.directory)?;
        let range = entry.header..data.end;
        entry.unpack(&bytes[data], unpacked)?;
        taken.push((range, entry.name));
    }
    if directory.at != end.start {
        return Err(malformed());
    }
    taken.sort_by_key(|(range, _)| range.start);
    if let Some([_, (_, name)]) = taken.windows(2).find(|pair| pair[0].0.end > pair[1].0.start) {
        return Err(Wrong::entry(String::from_utf8_lossy(name), "overlaps another entry of the archive"));
    }
    unpacked.check()
}

fn malformed() -> Wrong {
    Wrong::whole("is no whole zip archive: its directory is broken").hint("make it, or fetch it, anew")
}

/// What the end of the archive says.
struct End {
    /// Where it stands.
    start: usize,
    /// Where the directory begins, which ends where this begins.
    directory: usize,
    entries: u16,
}

fn end(bytes: &[u8]) -> Result<End, Wrong> {
    let first = bytes.len().saturating_sub(END_LENGTH + LONGEST_COMMENT);
    // The comment must reach to the end: what stands in a comment is no end.
    let is_end = |at: &usize| {
        let mut fields = Fields { bytes, at: *at };
        fields.u32() == Some(END)
            && Fields { bytes, at: at + 20 }
                .u16()
                .is_some_and(|comment| at + END_LENGTH + comment as usize == bytes.len())
    };
    let candidates = (first..=bytes.len().saturating_sub(END_LENGTH)).rev();
    let start = candidates
        .into_iter()
        .find(is_end)
        .ok_or_else(|| Wrong::whole("ends too early: it is no whole zip archive").hint("make it, or fetch it, anew"))?;
    let mut fields = Fields { bytes, at: start + 4 };
    let mut numbers = || {
        let (disk, directory_disk, here, entries) = (fields.u16()?, fields.u16()?, fields.u16()?, fields.u16()?);
        let (size, offset) = (fields.u32()?, fields.u32()?);
        Some((disk == 0 && directory_disk == 0 && here == entries, entries, size, offset))
    };
    let (is_one, entries, size, offset) = numbers().ok_or_else(malformed)?;
    if entries == u16::MAX || size == ELSEWHERE || offset == ELSEWHERE {
        return Err(zip64());
    }
    if !is_one {
        return Err(Wrong::whole("is one part of an archive in several"));
    }
    let directory = offset as usize;
    if directory.checked_add(size as usize) != Some(start) {
        return Err(malformed());
    }
    Ok(End { start, directory, entries })
}

fn zip64() -> Wrong {
    Wrong::whole("is a zip64 archive, which is for more than 65,534 files or 4 GB").hint("pack it as .tar.zst")
}

/// An entry of the directory.
struct Entry {
    made_by: u16,
    flags: u16,
    method: u16,
    checksum: u32,
    packed: usize,
    size: u64,
    attributes: u32,
    /// Where its own header is.
    header: usize,
    name: Vec<u8>,
}

impl Entry {
    /// Reads the next; `None` where the directory is cut off.
    fn read(fields: &mut Fields<'_>) -> Option<Result<Self, Wrong>> {
        if fields.u32()? != CENTRAL {
            return Some(Err(malformed()));
        }
        let (made_by, _, flags, method) = (fields.u16()?, fields.u16()?, fields.u16()?, fields.u16()?);
        let _time = fields.u32()?;
        let (checksum, packed, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
        let (_disk, _internal) = (fields.u16()?, fields.u16()?);
        let (attributes, header) = (fields.u32()?, fields.u32()?);
        let name = fields.take(name as usize)?.to_vec();
        fields.take(extra as usize + comment as usize)?;
        if [packed, size, header].contains(&ELSEWHERE) {
            return Some(Err(zip64()));
        }
        let (packed, size, header) = (packed as usize, u64::from(size), header as usize);
        Some(Ok(Self { made_by, flags, method, checksum, packed, size, attributes, header, name }))
    }

    fn wrong(&self, message: impl Into<String>) -> Wrong {
        Wrong::entry(String::from_utf8_lossy(&self.name), message)
    }

    /// Finds its bytes by its own header, which must agree.
    fn data(&self, bytes: &[u8], directory: usize) -> Result<std::ops::Range<usize>, Wrong> {
        let find = || {
            let mut fields = Fields { bytes, at: self.header };
            let is_header = fields.u32()? == LOCAL;
            fields.take(22)?;
            let (name, extra) = (fields.u16()?, fields.u16()?);
            let same = fields.take(name as usize)? == self.name;
            fields.take(extra as usize)?;
            let end = fields.at.checked_add(self.packed).filter(|end| *end <= directory)?;
            Some((is_header, same, fields.at..end))
        };
        match find() {
            Some((true, true, data)) => Ok(data),
            Some((true, false, _)) => Err(self.wrong("has another name in the directory of the archive")),
            Some((false, ..)) | None => Err(self.wrong("is not where the directory of the archive says")),
        }
    }

    fn unpack(&self, packed: &[u8], unpacked: &mut Unpacked) -> Result<(), Wrong> {
        let path = InsidePath::of(&self.name)?;
        // The upper half is the mode of the file, if a Unix made it (4.4.2.2) or macOS did.
        let kind = if matches!(self.made_by >> 8, 3 | 19) { self.attributes >> 28 } else { 0 };
        match kind {
            0o12 => return Err(self.wrong("is a link").hint("put the file itself into the archive")),
            0 | 0o4 | 0o10 => {}
            _ => return Err(self.wrong("is neither a file nor a folder")),
        }
        if self.flags & ENCRYPTED != 0 || self.method == 99 {
            return Err(self.wrong("is encrypted").hint("make the archive without a password"));
        }
        if self.name.ends_with(b"/") {
            return if self.size == 0 { unpacked.folder(path) } else { Err(self.wrong("is a folder with contents")) };
        }
        let contents: Box<dyn Read> = match self.method {
            0 => Box::new(packed),
            8 => Box::new(flate2::read::DeflateDecoder::new(packed)),
            93 => match zstd::Decoder::with_buffer(packed) {
                Ok(decoder) => Box::new(decoder),
                Err(error) => return Err(self.wrong(format!("cannot be unpacked: {error}"))),
            },
            method => {
                let message = format!("is compressed by method {method}, which is not read here");
                return Err(self.wrong(message).hint("pack it with deflate, as zip does unless told otherwise"));
            }
        };
        let mut counted = Counted { contents, checksum: crc32fast::Hasher::new() };
        unpacked.file(path, self.size, &mut counted)?;
        match counted.checksum.finalize() == self.checksum {
            true => Ok(()),
            false => Err(self.wrong("is broken: its checksum differs").hint("make the archive, or fetch it, anew")),
        }
    }
}

/// Bytes that are read, with the checksum of what was.
struct Counted<'a> {
    contents: Box<dyn Read + 'a>,
    checksum: crc32fast::Hasher,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.contents.read(buffer)?;
        self.checksum.update(&buffer[..read]);
        Ok(read)
    }
}

/// Little-endian numbers, one after another.
struct Fields<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Fields<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }
}
