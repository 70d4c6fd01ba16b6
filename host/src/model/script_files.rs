//! A script in the language of some engine, with the files that it may import.

use std::borrow::Cow;
use std::fmt;

use super::Checksum;
use crate::shown::Beginning;

/// A script, and the files that it may import.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScriptFiles {
    /// The ending of its file, without the dot, which says what engine runs it.
    pub extension: String,
    /// The script itself.
    pub main: ScriptFile,
    /// What it may import, ordered by path.
    pub imports: Vec<ScriptFile>,
}

/// A text file of a script.
#[derive(Clone, Eq, PartialEq)]
pub struct ScriptFile {
    /// Where it lies in the folder of the migrations, with `/` between the parts.
    pub path: String,
    /// What to call it in messages.
    pub file: String,
    /// Exactly what the file holds, a byte order mark included.
    pub text: Cow<'static, str>,
}

/// Of a long text only its beginning.
impl fmt::Debug for ScriptFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, file, text } = self;
        let mut shown = formatter.debug_struct("ScriptFile");
        shown.field("path", path).field("file", file).field("text", &Beginning(text)).finish()
    }
}

impl ScriptFile {
    /// Returns the text as an engine gets it.
    pub fn source(&self) -> &str {
        self.text.strip_prefix('\u{feff}').unwrap_or(&self.text)
    }
}

impl ScriptFiles {
    /// Returns all files, the script itself first.
    pub fn files(&self) -> impl Iterator<Item = &ScriptFile> {
        std::iter::once(&self.main).chain(&self.imports)
    }

    /// Finds a file by its path.
    pub fn find(&self, path: &str) -> Option<&ScriptFile> {
        self.files().find(|file| file.path == path)
    }

    /// Computes the checksum of the exact bytes: of the file itself when it may import nothing, and otherwise of the
    /// file, and of path and bytes of each other one, with a zero byte before each path and text.
    pub fn checksum(&self) -> Checksum {
        self.digest(|text| Cow::Borrowed(text))
    }

    /// Computes the checksum that forgives line endings and a byte order mark. No language that has an engine tells
    /// them apart, and version control may change them.
    pub fn normalised_checksum(&self) -> Checksum {
        self.digest(|text| {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) }
        })
    }

    /// Joins all files to the bytes that the [checksum](Self::checksum) is of.
    pub fn joined(&self) -> Vec<u8> {
        let mut bytes = self.main.text.as_bytes().to_vec();
        for file in &self.imports {
            for part in ["\0", &file.path, "\0", &file.text] {
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        bytes
    }

    /// Takes apart what [`joined`](Self::joined) has put together: the script, and path and text of what it may import.
    /// No text has a zero byte.
    pub fn split(joined: &str) -> Option<(&str, Vec<(&str, &str)>)> {
        let mut parts = joined.split('\0');
        let main = parts.next()?;
        let others: Vec<&str> = parts.collect();
        let (pairs, []) = others.as_chunks::<2>() else { return None };
        Some((main, pairs.iter().map(|[path, text]| (*path, *text)).collect()))
    }

    fn digest(&self, read: impl for<'t> Fn(&'t str) -> Cow<'t, str>) -> Checksum {
        let mut builder = Checksum::builder();
        builder.update(read(&self.main.text).as_bytes());
        for file in &self.imports {
            builder.update(b"\0");
            builder.update(file.path.as_bytes());
            builder.update(b"\0");
            builder.update(read(&file.text).as_bytes());
        }
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(main: &'static str, imports: &[(&str, &'static str)]) -> ScriptFiles {
        let file = |path: &str, text: &'static str| ScriptFile {
            path: path.to_owned(),
            file: format!("m/{path}"),
            text: Cow::Borrowed(text),
        };
        let imports = imports.iter().map(|(path, text)| file(path, text)).collect();
        ScriptFiles { extension: "js".to_owned(), main: file("1_a.js", main), imports }
    }

    #[test]
    fn alone_it_has_the_checksum_of_its_bytes() {
        assert_eq!(script("\u{feff}a\r\n", &[]).checksum(), Checksum::of("\u{feff}a\r\n".as_bytes()));
        assert_eq!(script("\u{feff}a\r\n", &[]).normalised_checksum(), Checksum::of(b"a\n"));
    }

    #[test]
    fn every_byte_and_every_path_of_what_it_imports_counts() {
        let all = [
            script("a", &[]),
            script("a", &[("b.js", "c")]),
            script("a", &[("b.js", "d")]),
            script("a", &[("c.js", "c")]),
            script("a", &[("b.js", "c"), ("d.js", "")]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other.checksum() != one.checksum()), "{one:?}");
            let joined = one.joined();
            assert_eq!(Checksum::of(&joined), one.checksum());
            let (main, imports) = ScriptFiles::split(str::from_utf8(&joined).unwrap()).unwrap();
            let other: Vec<(&str, &str)> = one.imports.iter().map(|file| (&*file.path, &*file.text)).collect();
            assert_eq!((main, imports), (&*one.main.text, other));
        }
        assert_eq!(ScriptFiles::split("a\0b.js"), None);
        assert_eq!(
            script("a", &[("b.js", "c\r\n")]).normalised_checksum(),
            script("a", &[("b.js", "c\n")]).normalised_checksum()
        );
    }
}
