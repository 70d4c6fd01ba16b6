//! Archives that mean harm or are broken, and those that real tools write.

use std::fs;
use std::process::Command;

use whimbrel::Interrupt;
use whimbrel::source::{Archive, ArchiveLimits, Source};

use crate::harness::Project;
use crate::harness::packed::{self, Zipped};

/// Loads an archive of these bytes; returns what is wrong with it, one line each.
fn refused(bytes: &[u8]) -> String {
    refused_with(bytes, ArchiveLimits::default())
}

fn refused_with(bytes: &[u8], limits: ArchiveLimits) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.zip");
    fs::write(&file, bytes).unwrap();
    let error = Archive::new(&file).limits(limits).load(&Interrupt::new()).expect_err("refused");
    error.to_string().replace(&folder.path().display().to_string(), "m")
}

fn zip_of(names: &[&[u8]]) -> Vec<u8> {
    packed::zip(&names.iter().map(|name| Zipped::new(*name, "SELECT 1;")).collect::<Vec<_>>())
}

fn one(change: impl FnOnce(&mut Zipped)) -> Vec<u8> {
    let mut entry = Zipped::new("1_a.sql", "SELECT 1;");
    change(&mut entry);
    packed::zip(&[entry])
}

#[test]
fn refuses_names_that_lead_elsewhere() {
    let cases: [(&[u8], &str); 9] = [
        (b"../1_a.sql", "m/b.zip/../1_a.sql: has a name that leads out of the archive"),
        (b"a/../../1_a.sql", "m/b.zip/a/../../1_a.sql: has a name that leads out of the archive"),
        (b"..", "m/b.zip/..: has a name that leads out of the archive"),
        (b"/etc/1_a.sql", "m/b.zip//etc/1_a.sql: has a name that begins at the root of the file system"),
        (b"C:/1_a.sql", "m/b.zip/C:/1_a.sql: has a name that begins at the root of the file system"),
        (b"a\\1_a.sql", "m/b.zip/a\\1_a.sql: has a name with a backslash"),
        (b"a//1_a.sql", "m/b.zip/a//1_a.sql: has a name with an empty part"),
        (b"1_a\0.sql", "m/b.zip/1_a\\0.sql: has a name that no file can have"),
        (b"1_\xff.sql", "m/b.zip/1_\u{fffd}.sql: has a name that is not UTF-8"),
    ];
    for (name, expected) in cases {
        assert_eq!(refused(&zip_of(&[name])), expected);
        if !name.contains(&0) {
            assert_eq!(refused(&packed::tar(&[(b'0', name, b"SELECT 1;")])), expected);
        }
    }
}

#[test]
fn shows_names_so_that_no_terminal_obeys_them() {
    assert!(!refused(&zip_of(&[b"1_\x1b[2J.sql"])).contains('\x1b'));
    assert!(!refused(&zip_of(&[b"../\x1b[2J.sql"])).contains('\x1b'));
    // What unpacks it repeats the name in its own words.
    let mut broken = packed::tar(&[(b'0', b"1_\x1b[2J.sql", b"SELECT 1;")]);
    broken[148..156].fill(b'x');
    let said = refused(&packed::zstd(&broken));
    assert!(said.contains("cannot be unpacked") && !said.contains(char::is_control), "{said:?}");
}

#[test]
fn refuses_what_is_no_file() {
    for (mode, expected) in [(0o120_777, "is a link"), (0o010_644, "is neither a file nor a folder")] {
        assert_eq!(refused(&one(|entry| entry.mode = mode)), format!("m/b.zip/1_a.sql: {expected}"));
    }
    let kinds = [
        (b'1', "is a link"),
        (b'2', "is a link"),
        (b'3', "is neither a file nor a folder"),
        (b'6', "is neither a file nor a folder"),
    ];
    for (kind, expected) in kinds {
        let archive = packed::gzip(&packed::tar(&[(kind, b"1_a.sql", b"/etc/passwd")]));
        assert_eq!(refused(&archive), format!("m/b.zip/1_a.sql: {expected}"));
    }
}

#[test]
fn refuses_a_name_twice() {
    let expected = "m/b.zip/1_a.sql: is in the archive twice";
    assert_eq!(refused(&zip_of(&[b"1_a.sql", b"1_a.sql"])), expected);
    assert_eq!(refused(&zip_of(&[b"1_a.sql", b"./1_a.sql"])), expected);
    assert_eq!(refused(&zip_of(&[b"1_a.sql", b"1_a.sql/b.sql"])), expected);
    assert_eq!(refused(&packed::tar(&[(b'0', b"1_a.sql", b"SELECT 1;"), (b'0', b"1_a.sql", b"SELECT 2;")])), expected);
}

#[test]
fn refuses_to_be_filled_up() {
    let zeros = vec![b' '; 40 << 20];
    let bomb = packed::zip(&[Zipped::new("1_a.sql", zeros.clone())]);
    let expected = "m/b.zip/1_a.sql: unpacks to more than 200 times the size of the archive";
    assert_eq!(refused(&bomb), expected);
    // One that says that it is small.
    let liar = packed::zip(&[Zipped { size: Some(9), ..Zipped::new("1_a.sql", zeros.clone()) }]);
    assert_eq!(refused(&liar), expected);
    let tar = packed::tar(&[(b'0', b"1_a.sql", &zeros)]);
    assert_eq!(refused(&packed::zstd(&tar)), expected);
    assert_eq!(refused(&packed::gzip(&tar)), expected);
    let many: Vec<Vec<u8>> = (0..20).map(|number| format!("{number}_a.sql").into_bytes()).collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    let few = ArchiveLimits { entries: 19, ..ArchiveLimits::default() };
    assert_eq!(refused_with(&zip_of(&many), few), "m/b.zip: holds more than 19 entries");
    let little = ArchiveLimits { unpacked: 100, ..ArchiveLimits::default() };
    assert_eq!(
        refused_with(&zip_of(&many), little),
        "m/b.zip/11_a.sql: makes the archive unpack to more than 100 bytes"
    );
    let small = ArchiveLimits { packed: 100, ..ArchiveLimits::default() };
    assert_eq!(refused_with(&zip_of(&many), small), "m/b.zip: is larger than 100 bytes");
    // Many entries that are the same bytes.
    let entry = |name: &str, header| Zipped { header, ..Zipped::new(name, "SELECT 1;") };
    let overlapping = packed::zip(&[entry("1_a.sql", None), Zipped { header: Some(0), ..entry("1_a.sql", None) }]);
    assert_eq!(refused(&overlapping), "m/b.zip/1_a.sql: is in the archive twice");
}

#[test]
fn refuses_zip_archives_that_say_two_things() {
    let cases = [
        (one(|entry| entry.other_name = Some(b"2_b.sql".to_vec())), "has another name in the directory of the archive"),
        (one(|entry| entry.checksum = Some(1)), "is broken: its checksum differs"),
        (one(|entry| entry.size = Some(8)), "has 9 bytes, and not 8 as the archive says"),
        (one(|entry| entry.header = Some(5)), "is not where the directory of the archive says"),
        (one(|entry| entry.header = Some(900)), "is not where the directory of the archive says"),
        (one(|entry| entry.flags = 1), "is encrypted"),
        (one(|entry| entry.flags = 1 << 6), "is encrypted"),
        (one(|entry| entry.method = Some(99)), "is encrypted"),
        (one(|entry| entry.method = Some(12)), "is compressed by method 12, which is not read here"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(refused(&bytes), format!("m/b.zip/1_a.sql: {expected}"));
    }
    let stored_as_deflated = one(|entry| {
        entry.stored = true;
        entry.method = Some(8);
    });
    assert!(refused(&stored_as_deflated).starts_with("m/b.zip/1_a.sql: "));
}

#[test]
fn refuses_what_is_cut_off_or_no_archive() {
    assert_eq!(refused(b""), "m/b.zip: is empty");
    assert_eq!(refused(b"-- SQL"), "m/b.zip: is no archive: neither zip nor tar, gzip nor zstd");
    let tar = packed::tar(&[(b'0', b"1_a.sql", b"SELECT 1;"), (b'0', b"2_b.sql", &[b' '; 3000])]);
    for whole in [zip_of(&[b"1_a.sql", b"2_b.sql"]), packed::gzip(&tar), packed::zstd(&tar)] {
        for length in 4..whole.len() - 1 {
            // Whatever is left of it, it is an error and no panic.
            let error = refused(&whole[..length]);
            assert!(error.starts_with("m/b.zip"), "{error}");
        }
    }
    // The second of the empty blocks at the end may be missing.
    for length in 512..=tar.len() - 1024 {
        refused(&tar[..length]);
    }
    assert_eq!(refused(&tar[..1700]), "m/b.zip/2_b.sql: has 164 bytes, and not 3000 as the archive says");
    let mut broken = zip_of(&[b"1_a.sql"]);
    let end = broken.len() - 8;
    broken[end] ^= 1;
    assert_eq!(refused(&broken), "m/b.zip: is no whole zip archive: its directory is broken");
}

#[test]
fn no_byte_that_changes_makes_a_panic_or_another_migration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.zip");
    let whole = zip_of(&[b"1_a.sql", b"2_b.sql"]);
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        fs::write(&file, &changed).unwrap();
        if let Ok(loaded) = Archive::new(&file).load(&Interrupt::new()) {
            for migration in loaded.migrations {
                assert_eq!(migration.checksum(), whimbrel::model::Checksum::of(b"SELECT 1;"), "byte {at}");
            }
        }
    }
}

/// What real tools write, in every way that they write it.
#[test]
fn reads_the_archives_of_real_tools() {
    let long = format!("migrations/0003_{}.sql", "long".repeat(40));
    let project =
        Project::with(&[("0001_a.sql", "CREATE TABLE a (b);\n"), ("0002_b.sql", "INSERT INTO a VALUES (1);\n")]);
    project.write(&long, "SELECT 3;");
    let made: [(&str, &str, &[&str]); 6] = [
        ("zip", "plain.zip", &["-q", "-r", "plain.zip", "migrations"]),
        ("zip", "stored.zip", &["-q", "-0", "-r", "-D", "stored.zip", "migrations"]),
        ("tar", "a.tar", &["cf", "a.tar", "migrations"]),
        ("tar", "posix.tar.gz", &["czf", "posix.tar.gz", "--format=posix", "-C", "migrations", "."]),
        ("tar", "v7.tgz", &["czf", "v7.tgz", "--format=gnu", "migrations"]),
        ("tar", "c.tar.zst", &["--zstd", "-cf", "c.tar.zst", "migrations"]),
    ];
    for (tool, archive, arguments) in made {
        let output = Command::new(tool).args(arguments).current_dir(project.path("")).output();
        let output = match output {
            Ok(output) if output.status.success() => output,
            // Every Unix has tar; zip and zstd are not everywhere.
            _ if tool == "tar" && archive != "c.tar.zst" => panic!("tar cannot make {archive}"),
            _ => {
                eprintln!("skipped: {tool} cannot make {archive}");
                continue;
            }
        };
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let outcome = project.ok(&["--dir", archive, "-D", "app.db", "status", "--json"]);
        let names: Vec<_> = outcome.json("status")["migrations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|migration| migration["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["a", "b", &"long".repeat(40)], "{archive}");
    }
    project.ok(&["--dir", "a.tar", "up"]);
    project.ok(&["--dir", "migrations", "verify"]);
    assert_eq!(project.number("SELECT count(*) FROM a"), 1);
}

#[test]
fn says_on_the_command_line_what_is_wrong() {
    let project = Project::new();
    project.write("bad.zip", packed::zip(&[Zipped::new("../1_a.sql", "SELECT 1;")]));
    insta::assert_snapshot!(project.run(&["--dir", "bad.zip", "-D", "app.db", "up"]), @"
    exit 1
    --- stderr
    error: bad.zip/../1_a.sql: has a name that leads out of the archive
    ");
    insta::assert_snapshot!(project.run(&["--dir", "none.tar.zst", "-D", "app.db", "up"]), @"
    exit 1
    --- stderr
    error: none.tar.zst: there is no such archive
    hint: `--dir` names another
    ");
    insta::assert_snapshot!(project.run(&["--dir", "bad.zip", "new", "x"]), @"
    exit 2
    --- stderr
    error: the migrations are in bad.zip, where nothing can be written
    hint: name the folder that it is made of: `--dir FOLDER`
    ");
    insta::assert_snapshot!(project.run(&["--dir", "bad.zip", "lock"]), @"
    exit 2
    --- stderr
    error: the migrations are in bad.zip, where nothing can be written
    hint: name the folder that it is made of: `--dir FOLDER`
    ");
}

#[test]
fn joins_folders_and_archives_of_the_settings() {
    let project = Project::with(&[("0001_a.sql", "CREATE TABLE a (b);\n")]);
    project.write("more.zip", packed::zip(&[Zipped::new("0002_b.sql", "INSERT INTO a VALUES (1);")]));
    let vendor = packed::tar(&[(b'0', b"v/0001_v.sql", b"CREATE TABLE v_t (x);")]);
    project.write("vendor.tar.zst", packed::zstd(&vendor));
    project.write(
        "whimbrel.toml",
        "database = \"app.db\"\ndir = [\"migrations\", \"more.zip\"]\n[chains.vendor]\ndir = \"vendor.tar.zst\"\n",
    );
    project.ok(&["up"]);
    assert_eq!(project.number("SELECT count(*) FROM a"), 1);
    assert_eq!(project.number("SELECT count(*) FROM v_t"), 0);
    project.ok(&["new", "next"]);
    assert!(project.list("migrations").iter().any(|name| name.starts_with("0002_next")));
}
