//! How kept bytes are packed: as Zstandard where the program has that and it makes them smaller, otherwise as they are.

use super::KeptBody;

/// Nothing that is unpacked is longer; no file that is read is.
#[cfg(any(feature = "engines", feature = "archive"))]
const LONGEST: u64 = 256 * 1024 * 1024;
const PLAIN: &str = "plain";
#[cfg(any(feature = "engines", feature = "archive"))]
const ZSTD: &str = "zstd";

/// Packs bytes.
pub(super) fn pack(bytes: Vec<u8>) -> KeptBody {
    #[cfg(any(feature = "engines", feature = "archive"))]
    if let Ok(packed) = zstd::encode_all(bytes.as_slice(), 0)
        && packed.len() < bytes.len()
    {
        return KeptBody { encoding: ZSTD.to_owned(), bytes: packed };
    }
    KeptBody { encoding: PLAIN.to_owned(), bytes }
}

/// Unpacks bytes; says what is wrong with them.
pub(super) fn unpack(body: &KeptBody) -> Result<Vec<u8>, String> {
    match body.encoding.as_str() {
        PLAIN => Ok(body.bytes.clone()),
        #[cfg(any(feature = "engines", feature = "archive"))]
        ZSTD => {
            use std::io::Read;
            let mut bytes = Vec::new();
            let mut unpacked = zstd::Decoder::new(body.bytes.as_slice()).map_err(|error| error.to_string())?;
            let length =
                unpacked.by_ref().take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            if length as u64 > LONGEST { Err(format!("it is longer than {LONGEST} bytes")) } else { Ok(bytes) }
        }
        other => Err(format!("this program cannot unpack \"{}\"", other.escape_debug())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacks_what_it_packs() {
        for bytes in [Vec::new(), b"short".to_vec(), b"long ".repeat(1000)] {
            let packed = pack(bytes.clone());
            assert!(packed.bytes.len() <= bytes.len());
            assert_eq!(unpack(&packed), Ok(bytes));
        }
    }

    #[cfg(any(feature = "engines", feature = "archive"))]
    #[test]
    fn makes_long_ones_smaller_and_none_too_long() {
        use std::io::Read;

        assert!(pack(b"long ".repeat(1000)).bytes.len() < 100);
        let bomb = zstd::encode_all(std::io::repeat(0).take(LONGEST + 1), 0).unwrap();
        let error = unpack(&KeptBody { encoding: ZSTD.into(), bytes: bomb }).unwrap_err();
        assert!(error.contains("longer"), "{error}");
    }
}
