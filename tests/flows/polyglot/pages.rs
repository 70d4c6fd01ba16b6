//! The `verify` that each language's page shows, put into the project that `whimbrel new --lang` writes, as a reader would
//! do it. Rust's is a test of the SDK's documentation.

use xtask::polyglot::Language;

use super::made;
use super::new::{build, tools};
use crate::flows::guests::workspace;
use crate::harness::Project;

/// What a reader changes in a file: the first text becomes the second.
type Edit = (&'static str, &'static str, String);

/// Returns the code of a page that begins so.
fn shown(page: &str, beginning: &str) -> String {
    let path = workspace().join(format!("host/docs/authoring/{page}.md"));
    let text = std::fs::read_to_string(path).expect("the page is there");
    let found = text.split("```").skip(1).step_by(2).find_map(|block| block.find(beginning).map(|at| &block[at..]));
    found.unwrap_or_else(|| panic!("{page}.md does not show `{beginning}`")).to_owned()
}

fn edits(language: Language) -> Vec<Edit> {
    let world = || ("build.sh", "--world migration", "--world verified-migration".to_owned());
    let script = |file, verify: String| {
        let import = (file, "import { migration }", "import { migration, verification }".to_owned());
        vec![import, (file, "export const up", format!("{verify}\nexport const up")), world()]
    };
    match language {
        Language::Rust => Vec::new(),
        Language::C => vec![
            ("migration.c", "bool wh_up", format!("{}\nbool wh_up", shown("c", "bool wh_verify"))),
            ("build.sh", "-DWHIMBREL_UP", "-DWHIMBREL_UP -DWHIMBREL_VERIFY".to_owned()),
        ],
        Language::Go => vec![
            ("main.go", "import (", "import (\n\t\"fmt\"".to_owned()),
            ("main.go", "func main", format!("{}\nfunc main", shown("go", "func verify"))),
            world(),
        ],
        // The page is in TypeScript, which wants to be told that there is a row.
        Language::JavaScript => script("migration.js", shown("javascript", "export const verify").replace(")!.", ").")),
        Language::TypeScript => script("migration.ts", shown("javascript", "export const verify")),
        Language::Python => {
            vec![("migration.py", "WitWorld = export(up, down)\n", shown("python", "def verify")), world()]
        }
        // The page goes on to the end of the file.
        Language::Zig => {
            let end = "comptime {\n    whimbrel.exportMigration(@This());\n}";
            vec![("migration.zig", end, shown("zig", "pub fn verify"))]
        }
        Language::AssemblyScript => {
            let verify = shown("assemblyscript", "function noneUntrimmed");
            vec![("migration.ts", "function trimAll", format!("{verify}\nfunction trimAll"))]
        }
    }
}

#[test]
fn what_a_page_shows_makes_a_project_verify_itself() {
    for (language, lang) in [
        (Language::C, "c"),
        (Language::Go, "go"),
        (Language::JavaScript, "js"),
        (Language::TypeScript, "ts"),
        (Language::Python, "python"),
        (Language::Zig, "zig"),
        (Language::AssemblyScript, "assemblyscript"),
    ] {
        let Some(tools) = made(language, tools(language)) else { continue };
        let project = Project::notes();
        let said = project.ok(&["new", "trim_notes", "--lang", lang]);
        for (file, from, to) in edits(language) {
            let file = format!("guests/trim_notes/{file}");
            let text = project.read(&file);
            assert!(text.contains(from), "{language}: {from} is not in {file}");
            project.write(&file, text.replacen(from, &to, 1));
        }
        build(&project, &said, language, &tools);
        project.ok(&["up"]);
        project.ok(&["verify", "--deep"]);
        project.database().execute("UPDATE note SET text = ' ' || text", []).expect("notes");
        let asked = project.run(&["verify", "--deep"]);
        let expected = "migration 3 trim_notes: the migration did not do what it should: 2 notes have blanks";
        assert!(asked.code == 1 && asked.stdout.contains(expected), "{language}: {asked}");
    }
}
