//! What a transform would do, shown.

use whimbrel::db::Value;
use whimbrel::model::{Key, Version};
use whimbrel::transform::Selection;

use super::{PEOPLE, SPLIT, Stage, people};

#[test]
fn shows_rows_before_and_after_and_writes_nothing() {
    let schema = format!(
        "{PEOPLE}; UPDATE person SET last_name = 'Lovelace', full_name = 'bad ' || id WHERE id = 3; UPDATE person SET last_name = 'Lovelace' WHERE id = 1;"
    );
    let stage = Stage::new(&schema, "picky", SPLIT);
    let before = std::fs::read(stage.database()).unwrap();
    let preview = stage.migrator().preview(Version::from(2), &Selection::First(10)).unwrap();
    assert_eq!((preview.source.as_str(), preview.rows.len()), ("person", 3));
    let row = &preview.rows[0];
    assert_eq!(row.key, [Value::Integer(1)]);
    assert_eq!(row.before, [Value::Null, Value::from("Lovelace")]);
    assert_eq!(row.after, [[Value::from("Ada"), Value::from("Lovelace")]]);
    assert_eq!(row.changed, [true, false]);
    assert_eq!(preview.rows[2].rejected.as_deref(), Some("bad 3 is no name"));
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
}

#[test]
fn finds_a_row_by_its_key() {
    let stage = Stage::new(&people(3000), "split", SPLIT);
    let key = |key: &[&str]| Selection::Key(key.iter().map(|part| (*part).to_owned()).collect());
    let preview = stage.migrator().preview(Version::from(2), &key(&["2017"])).unwrap();
    assert_eq!(preview.rows[0].after, [[Value::from("Given2017"), Value::from("Family2017")]]);
    assert!(stage.migrator().preview(Version::from(2), &key(&["9999"])).unwrap().rows.is_empty());
    let error = stage.migrator().preview(Version::from(2), &key(&["1", "2"])).unwrap_err();
    assert!(super::chain(&error).contains("the key has 1 columns (id), and 2 values were given"), "{error}");
}

#[test]
fn refuses_what_cannot_be_shown() {
    let stage = Stage::new(PEOPLE, "split", SPLIT);
    let refused =
        |version: &str| stage.migrator().preview(version.parse::<Key>().unwrap(), &Selection::First(1)).unwrap_err();
    assert!(refused("1").to_string().contains("migration 1 schema is no transform"));
    assert!(refused("9").to_string().contains("the chain has no version 9"));
}

#[test]
fn shows_the_rows_that_go_into_another_table() {
    let schema = format!("{PEOPLE}CREATE TABLE word (person, position, word)");
    let words = "[transform]\ntable = 'person'\nread = ['id', 'full_name']\ninto = 'word'\nwrite = ['person', 'position', 'word']";
    let stage = Stage::new(&schema, "words", words);
    let preview = stage.migrator().preview(Version::from(2), &Selection::First(1)).unwrap();
    assert_eq!(preview.into.as_deref(), Some("word"));
    assert_eq!(preview.rows[0].after.len(), 2);
    assert!(preview.rows[0].before.is_empty());
}

#[test]
fn the_program_shows_previews_rejects_and_progress() {
    let schema = format!("{}; UPDATE person SET full_name = 'bad ' || id WHERE id IN (2, 5)", people(6));
    let stage = Stage::new(&schema, "picky", &format!("{SPLIT}on_error = 'skip'"));
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(crate::harness::program())
            .args(arguments)
            .args(["--database", "app.db", "--color", "never"])
            .current_dir(stage.database().parent().unwrap())
            .env("WHIMBREL_CACHE", super::workspace().join("target/test-component-cache"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (shown, _) = run(&["preview", "2", "--rows", "2"]);
    let expected = "id 1\n  Column      Before  After\n  first_name  NULL    'Given1'   changed\n  last_name   NULL    'Family1'  changed\n\
        id 2\n  Column     Read\n  full_name  'bad 2'\n  rejected: bad 2 is no name\n\n\
        2 rows of person: 1 changed, 1 rejected. Nothing was written.\n";
    assert_eq!(shown, expected);
    let (json, _) = run(&["preview", "2", "--key", "3", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["schema"], "whimbrel/preview/1");
    assert_eq!(json["rows"][0]["after"][0]["last_name"], "Family3");
    assert_eq!(run(&["rejects", "2"]).0, "No rows were kept aside.\n");
    let up = stage.program(&["up"]);
    assert_eq!(up.status.code(), Some(5));
    let said = String::from_utf8(up.stderr).unwrap();
    assert!(said.contains("6 rows, 4 written, 2 rejected"), "{said}");
    assert_eq!(
        run(&["rejects", "2"]).0,
        "  Key   Reason\n  id 2  bad 2 is no name\n  id 5  bad 5 is no name\n\n2 rows were kept aside.\n"
    );
}

#[test]
fn takes_a_sample_from_all_over_the_table() {
    let stage = Stage::new(&people(3000), "split", SPLIT);
    let sample = |rows| {
        let preview = stage.migrator().preview(Version::from(2), &Selection::Sample(rows)).unwrap();
        preview.rows.into_iter().map(|row| row.key[0].clone()).collect::<Vec<_>>()
    };
    assert_eq!(sample(3), [501, 1501, 2501].map(Value::Integer));
    assert_eq!(sample(3), sample(3));
    assert_eq!(sample(10_000).len(), 3000);
    let filtered = format!("{SPLIT}where = 'id > 2998'");
    let stage = Stage::new(&people(3000), "split", &filtered);
    let preview = stage.migrator().preview(Version::from(2), &Selection::Sample(5)).unwrap();
    assert_eq!(preview.rows.len(), 2);
    let text_keys =
        "CREATE TABLE person (full_name TEXT COLLATE NOCASE PRIMARY KEY, first_name, last_name) WITHOUT ROWID;
        INSERT INTO person (full_name) VALUES ('b c'), ('A b'), ('C d'), ('a z');";
    let stage = Stage::new(text_keys, "split", &format!("{SPLIT}chunk = 2"));
    let preview = stage.migrator().preview(Version::from(2), &Selection::Sample(2)).unwrap();
    assert_eq!(preview.rows.iter().map(|row| row.key[0].clone()).collect::<Vec<_>>(), ["a z", "C d"].map(Value::from));
}

/// Opens a page in a browser and returns the document as it stands then; `None` where there is none, which only CI does
/// not forgive.
fn in_a_browser(page: &std::path::Path) -> Option<String> {
    let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        std::process::Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    let Some(browser) = browser else {
        assert!(std::env::var_os("CI").is_none(), "chromium is missing");
        eprintln!("skipped: chromium is not installed");
        return None;
    };
    let profile = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_page_shows_it_in_a_browser_and_nothing_hostile_gets_out_of_its_cell() {
    let hostile = "</td></tr></table><script>document.title=\"taken\"</script><img src=x onerror=document.title=2> &lt; \u{1b}[2J";
    let schema = format!(
        "CREATE TABLE person (id INTEGER PRIMARY KEY, full_name TEXT, first_name TEXT, last_name TEXT, n INTEGER);
         INSERT INTO person VALUES (1, 'Ada Lovelace', NULL, 'Lovelace', 0), (2, '{hostile}', NULL, NULL, 0), (3, 'bad 3', NULL, NULL, 0);"
    );
    let stage = Stage::new(&schema, "picky", SPLIT);
    let before = std::fs::read(stage.database()).unwrap();
    let run = stage.program(&["preview", "2", "--html", "page.html"]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8(run.stdout).unwrap();
    assert_eq!(said, "3 rows of person: 2 changed, 1 rejected. Nothing was written.\n");
    assert_eq!(std::fs::read(stage.database()).unwrap(), before);
    let page = stage.folder().join("page.html");
    let source = std::fs::read_to_string(&page).unwrap();
    assert!(!source.contains("<script") && !source.contains("<img") && !source.contains("http://"), "{source}");
    let Some(dom) = in_a_browser(&page) else { return };
    assert!(dom.contains("<title>Preview of migration 2</title>"), "{dom}");
    // What the browser made of the page: the rows and cells there should be, and no element more.
    let count = |what: &str| dom.matches(what).count();
    assert_eq!((count("<tr"), count("<table"), count("<script"), count("<img")), (4, 1, 0, 0), "{dom}");
    assert_eq!(count("<td class=\"changed\">"), 3, "{dom}");
    assert!(
        dom.contains(
            "<td class=\"changed\"><del><span class=\"null\">NULL</span></del> → <ins>Ada</ins></td><td>Lovelace</td>"
        ),
        "{dom}"
    );
    assert!(dom.contains("<tr class=\"rejected\"><th scope=\"row\">3</th><td>bad 3</td><td colspan=\"2\">rejected: bad 3 is no name</td></tr>"), "{dom}");
    assert!(dom.contains("&lt;/td&gt;&lt;/tr&gt;&lt;/table&gt;&lt;script&gt;"), "{dom}");
    assert!(dom.contains("\\u{1b}[2J") && !dom.contains('\u{1b}'), "{dom}");
}

#[test]
fn hints_where_sql_would_do() {
    let same = "[transform]\ntable = 'person'\nread = ['full_name', 'n']\nwrite = ['first_name', 'n']";
    let stage = Stage::new(&people(10), "same", same);
    let shown = String::from_utf8(stage.program(&["preview", "2"]).stdout).unwrap();
    let hint = "hint: on these rows SQL gives the same, and is faster: UPDATE \"person\" SET \"first_name\" = \"full_name\", \"n\" = \"n\"\n";
    assert!(shown.ends_with(hint), "{shown}");
    let json = stage.program(&["preview", "2", "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["sql"], "UPDATE \"person\" SET \"first_name\" = \"full_name\", \"n\" = \"n\"");
    let shown = String::from_utf8(Stage::new(&people(10), "split", SPLIT).program(&["preview", "2"]).stdout).unwrap();
    assert!(!shown.contains("hint"), "{shown}");
}
