//! Archives, good and hostile, written byte by byte.

use std::io::Write;

/// An entry of a zip archive; what is not set is as it should be.
#[derive(Clone, Default)]
pub(crate) struct Zipped {
    pub(crate) name: Vec<u8>,
    /// As in the local header, where it says something else.
    pub(crate) other_name: Option<Vec<u8>>,
    pub(crate) contents: Vec<u8>,
    /// Left as they are and not deflated.
    pub(crate) stored: bool,
    pub(crate) method: Option<u16>,
    pub(crate) flags: u16,
    /// The mode of a Unix file.
    pub(crate) mode: u32,
    pub(crate) size: Option<u32>,
    pub(crate) checksum: Option<u32>,
    /// Where its local header is said to be.
    pub(crate) header: Option<u32>,
}

impl Zipped {
    pub(crate) fn new(name: impl Into<Vec<u8>>, contents: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), contents: contents.into(), ..Self::default() }
    }
}

/// Makes a zip archive.
pub(crate) fn zip(entries: &[Zipped]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let packed = if entry.stored { entry.contents.clone() } else { deflate(&entry.contents) };
        let method = entry.method.unwrap_or(if entry.stored { 0 } else { 8 });
        let checksum = entry.checksum.unwrap_or_else(|| crc32(&entry.contents));
        let size = entry.size.unwrap_or(entry.contents.len() as u32);
        let start = bytes.len() as u32;
        let local_name = entry.other_name.as_ref().unwrap_or(&entry.name);
        let mut both = Vec::new();
        both.extend([20u16, entry.flags, method].iter().flat_map(|number| number.to_le_bytes()));
        both.extend([0u32, checksum, packed.len() as u32, size].iter().flat_map(|number| number.to_le_bytes()));
        bytes.extend(0x0403_4b50u32.to_le_bytes());
        bytes.extend(&both);
        bytes.extend((local_name.len() as u16).to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(local_name);
        bytes.extend(&packed);
        directory.extend(0x0201_4b50u32.to_le_bytes());
        directory.extend((3u16 << 8 | 20).to_le_bytes());
        directory.extend(&both);
        directory.extend((entry.name.len() as u16).to_le_bytes());
        directory.extend([0; 8]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(entry.header.unwrap_or(start).to_le_bytes());
        directory.extend(&entry.name);
    }
    let start = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(0x0605_4b50u32.to_le_bytes());
    bytes.extend([0, 0, 0, 0]);
    bytes.extend([entries.len() as u16; 2].iter().flat_map(|number| number.to_le_bytes()));
    bytes.extend([directory.len() as u32, start].iter().flat_map(|number| number.to_le_bytes()));
    bytes.extend([0, 0]);
    bytes
}

/// Makes a tar archive of entries with a kind (`0` a file, `2` a link), a name and contents.
pub(crate) fn tar(entries: &[(u8, &[u8], &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, name, contents) in entries {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name);
        header[100..108].copy_from_slice(b"0000644\0");
        header[108..124].copy_from_slice(b"0000000\x000000000\0");
        let size = if *kind == b'0' { contents.len() } else { 0 };
        header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
        header[136..148].copy_from_slice(b"00000000000\0");
        header[156] = *kind;
        if matches!(kind, b'1' | b'2') {
            header[157..157 + contents.len()].copy_from_slice(contents);
        }
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        if size > 0 {
            bytes.extend(*contents);
            bytes.extend(vec![0; contents.len().next_multiple_of(512) - contents.len()]);
        }
    }
    bytes.extend([0; 1024]);
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("memory takes everything")
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut checksum = flate2::Crc::new();
    checksum.update(bytes);
    checksum.sum()
}
