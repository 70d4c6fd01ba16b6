//! Tells in which language a component was written, and what made it. Only from what it says of itself.

use super::inspect::Inspection;

/// What a component says about its making.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MadeIn {
    /// The language.
    pub language: String,
    /// Name and version of the compiler or the tool.
    pub tool: Option<String>,
}

/// Languages in the order in which they are believed: a script's component also holds its engine, written in another.
const LANGUAGES: [&str; 8] = ["TypeScript", "JavaScript", "Python", "AssemblyScript", "Go", "Zig", "Rust", "C"];

/// What makes components of a language that does not say its name: a tool, and that language.
const TOOLS: [(&str, &str); 8] = [
    ("componentize-qjs", "JavaScript"),
    ("componentize-js", "JavaScript"),
    ("ComponentizeJS", "JavaScript"),
    ("componentize-py", "Python"),
    ("component-init-transform", "Python"),
    ("asc", "AssemblyScript"),
    ("zig", "Zig"),
    ("clang", "C"),
];

impl Inspection {
    /// Tells the language and the tool, if they are known.
    pub fn made_in(&self) -> Option<MadeIn> {
        // componentize-qjs leaves no record but that of its engine, and this export.
        let is_qjs = self.exports.iter().any(|export| export == "init") && self.says("language", "Rust").is_some();
        let said = LANGUAGES.iter().find(|language| self.says("language", language).is_some()).copied();
        let tool = TOOLS.iter().find_map(|(tool, language)| Some((self.processed_by(tool)?, *language)));
        let language = match (said, &tool) {
            // The C library of WASI was made by clang, in whatever language the program is.
            (Some("Rust"), Some((_, "C"))) => "Rust",
            (Some("Rust"), Some((_, language))) => *language,
            (Some("Rust"), None) if is_qjs => "JavaScript",
            (Some(said), _) => said,
            (None, Some((_, language))) => language,
            (None, None) => return None,
        };
        let compiler = match language {
            "Go" => self.processed_by("Go cmd/compile"),
            "Rust" => self.processed_by("rustc"),
            _ => tool.map(|(tool, _)| tool).or_else(|| self.processed_by("zig cc")),
        };
        Some(MadeIn { language: language.to_owned(), tool: compiler })
    }

    fn says(&self, field: &str, name: &str) -> Option<&str> {
        let found = self.producers.iter().find(|(entry, found, _)| entry == field && names(found, name));
        found.map(|(_, _, version)| version.as_str())
    }

    fn processed_by(&self, tool: &str) -> Option<String> {
        let version = self.says("processed-by", tool)?;
        // rustc tells its commit too, in brackets.
        let version = version.split(" (").next().unwrap_or_default();
        Some(format!("{tool} {version}").trim_end().to_owned())
    }
}

/// Tells whether a record's name is this one; compilers for C name the standard too, as in `C11`.
fn names(found: &str, name: &str) -> bool {
    let year = |rest: &str| rest.chars().all(|character| character.is_ascii_digit());
    found == name || (name == "C" && found.strip_prefix('C').is_some_and(year))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Checksum;

    type Record<'a> = (&'a str, &'a str, &'a str);
    type Case<'a> = (Vec<Record<'a>>, &'a [&'a str], Option<(&'a str, Option<&'a str>)>);

    fn inspection(producers: &[Record<'_>], exports: &[&str]) -> Inspection {
        let own = |text: &&str| (*text).to_owned();
        Inspection {
            size: 0,
            checksum: Checksum::of(b""),
            imports: Vec::new(),
            exports: exports.iter().map(own).collect(),
            producers: producers.iter().map(|(field, name, version)| (own(field), own(name), own(version))).collect(),
        }
    }

    #[test]
    fn knows_languages_by_what_made_them() {
        let rust = [("language", "Rust", ""), ("processed-by", "rustc", "1.95.0 (59807616e 2026-04-14)")];
        let cases: [Case<'_>; 9] = [
            (vec![], &["up"], None),
            (rust.to_vec(), &["up"], Some(("Rust", Some("rustc 1.95.0")))),
            (rust.to_vec(), &["init", "up"], Some(("JavaScript", None))),
            (
                [rust.as_slice(), &[("language", "TypeScript", ""), ("processed-by", "componentize-qjs", "0.4.5")]]
                    .concat(),
                &["init", "up"],
                Some(("TypeScript", Some("componentize-qjs 0.4.5"))),
            ),
            (
                [[("language", "C11", ""), ("processed-by", "clang", "21.1.4")].as_slice(), &rust].concat(),
                &["up"],
                Some(("Rust", Some("rustc 1.95.0"))),
            ),
            (
                vec![("processed-by", "component-init-transform", "0.2.0")],
                &["up"],
                Some(("Python", Some("component-init-transform 0.2.0"))),
            ),
            (
                vec![("language", "C11", ""), ("processed-by", "clang", "21.1.0")],
                &["up"],
                Some(("C", Some("clang 21.1.0"))),
            ),
            (
                vec![("language", "Go", "go1.27.3"), ("processed-by", "Go cmd/compile", "go1.27.3")],
                &["up"],
                Some(("Go", Some("Go cmd/compile go1.27.3"))),
            ),
            (vec![("processed-by", "wit-component", "0.254.2")], &["up"], None),
        ];
        for (producers, exports, expected) in cases {
            let found = inspection(&producers, exports).made_in();
            let found = found.as_ref().map(|made| (made.language.as_str(), made.tool.as_deref()));
            assert_eq!(found, expected, "{producers:?}");
        }
    }
}
