//! Archives on other machines: everything that can go wrong between here and there, with a real server.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use whimbrel::Interrupt;
use whimbrel::model::Checksum;
use whimbrel::source::{ArchiveLimits, Authorization, Http, Source};

use crate::harness::Project;
use crate::harness::packed::{self, Zipped};
use crate::harness::server::{Answer, Server};

fn bundle() -> Vec<u8> {
    packed::zip(&[Zipped::new("1_a.sql", "CREATE TABLE a (b);")])
}

fn digest() -> String {
    Checksum::of(&bundle()).to_string()
}

fn source(server: &Server) -> Http {
    Http::new(&server.url("/bundle.zip?token=secret"), &digest()).unwrap()
}

/// Returns what went wrong, with the port taken out.
fn refused(source: &Http, server: &Server) -> String {
    let error = source.load(&Interrupt::new()).expect_err("refused").to_string();
    assert!(!error.contains("secret"), "{error}");
    error.replace(&server.port.to_string(), "PORT")
}

fn answering(answer: Answer) -> Server {
    Server::new(move |_| answer.clone())
}

#[test]
fn fetches_once_and_keeps_what_has_the_digest() {
    let server = answering(Answer::ok(bundle()));
    let folder = tempfile::tempdir().unwrap();
    let cached = source(&server).cache(folder.path());
    for _ in 0..3 {
        assert_eq!(cached.load(&Interrupt::new()).unwrap().migrations.len(), 1);
    }
    assert_eq!(server.requests().len(), 1);
    // A broken one is fetched again.
    let kept = folder.path().join(digest());
    fs::write(&kept, b"something else").unwrap();
    assert_eq!(cached.load(&Interrupt::new()).unwrap().migrations.len(), 1);
    assert_eq!((server.requests().len(), fs::read(&kept).unwrap()), (2, bundle()));
    // Nobody is there, and it is not needed.
    drop(server);
    assert_eq!(cached.load(&Interrupt::new()).unwrap().migrations.len(), 1);
    // Now it is.
    fs::write(&kept, b"something else").unwrap();
    assert!(cached.load(&Interrupt::new()).is_err());
    // What cannot be kept is no reason to stop.
    let server = answering(Answer::ok(bundle()));
    let nowhere = folder.path().join("file");
    fs::write(&nowhere, "").unwrap();
    assert_eq!(source(&server).cache(nowhere).load(&Interrupt::new()).unwrap().migrations.len(), 1);
}

#[test]
fn keeps_nothing_that_has_another_digest() {
    let server = answering(Answer::ok(packed::zip(&[Zipped::new("1_a.sql", "DROP TABLE a;")])));
    let folder = tempfile::tempdir().unwrap();
    let error = refused(&source(&server).cache(folder.path()), &server);
    assert!(error.starts_with("http://127.0.0.1:PORT/bundle.zip: has the SHA-256 "), "{error}");
    assert!(error.ends_with(&format!("and not {}, by which it is pinned", digest())), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn says_what_the_server_did() {
    let whole = bundle();
    let half = whole[..whole.len() / 2].to_vec();
    let (all, part) = (whole.len(), half.len());
    let cases = [
        (Answer::status(404), "cannot be fetched: the server says 404 Not Found".to_owned()),
        (Answer::status(500), "cannot be fetched: the server says 500 Internal Server Error".to_owned()),
        (Answer::status(401), "cannot be fetched: the server says 401 Unauthorized".to_owned()),
        (Answer::status(204), "cannot be fetched: the server says 204 No Content".to_owned()),
        (
            Answer { status: 206, ..Answer::ok(half.clone()) },
            "cannot be fetched: the server says 206 Partial Content".to_owned(),
        ),
        (Answer { length: Some(Some(all)), ..Answer::ok(half.clone()) }, format!("after {part} of {all} bytes")),
        (Answer { length: Some(None), ..Answer::ok(half) }, "by which it is pinned".to_owned()),
        (Answer::redirect(""), "leads to an address that is none, from http://127.0.0.1:PORT/bundle.zip".to_owned()),
        (
            Answer::redirect("file:///etc/passwd"),
            "leads to an address that is none, from http://127.0.0.1:PORT/bundle.zip".to_owned(),
        ),
        (Answer::redirect("/bundle.zip"), "leads from one address to another more than 5 times".to_owned()),
    ];
    for (answer, expected) in cases {
        let server = answering(answer);
        let error = refused(&source(&server), &server);
        assert!(error.starts_with("http://127.0.0.1:PORT/bundle.zip: ") && error.ends_with(&expected), "{error}");
    }
    let small = ArchiveLimits { packed: 50, ..ArchiveLimits::default() };
    for length in [None, Some(None)] {
        let server = answering(Answer { length, ..Answer::ok(bundle()) });
        let error = refused(&source(&server).limits(small), &server);
        assert_eq!(error, "http://127.0.0.1:PORT/bundle.zip: is larger than 50 bytes");
    }
}

#[test]
fn says_that_nobody_is_there() {
    let server = answering(Answer::status(200));
    let (url, port) = (server.url("/a.zip"), server.port);
    drop(server);
    let error = Http::new(&url, &digest()).unwrap().load(&Interrupt::new()).expect_err("nobody").to_string();
    let error = error.replace(&port.to_string(), "PORT");
    assert!(error.starts_with("http://127.0.0.1:PORT/a.zip: cannot be fetched: "), "{error}");
    let error =
        Http::new("http://no-such-host.invalid/a.zip", &digest()).unwrap().load(&Interrupt::new()).expect_err("nobody");
    // What is said of a name depends on the system.
    assert!(error.to_string().starts_with("http://no-such-host.invalid/a.zip: cannot be "), "{error}");
}

#[test]
fn waits_no_longer_than_it_is_told() {
    // Slow from the first byte on, and slow in the body.
    let slow = Duration::from_millis(40);
    for answer in [
        Answer { slowness: Duration::from_secs(3), ..Answer::ok("") },
        Answer { slowness: slow, ..Answer::ok(bundle()) },
    ] {
        let server = answering(answer);
        let started = Instant::now();
        let error = refused(&source(&server).timeout(Duration::from_millis(400)), &server);
        assert!(error.contains("cannot be fetched within 400ms"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
    // A chain of redirects has the time of one.
    let server = Server::new(|_| Answer { slowness: Duration::from_millis(5), ..Answer::redirect("again.zip") });
    let started = Instant::now();
    let error = refused(&source(&server).timeout(Duration::from_millis(700)), &server);
    assert!(error.contains("cannot be fetched within 700ms"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn an_interrupt_and_a_timeout_end_the_wait() {
    let server = answering(Answer { slowness: Duration::from_secs(20), ..Answer::ok("") });
    let interrupt = Interrupt::new();
    let (started, raised) = (Instant::now(), interrupt.clone());
    let raise = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        raised.raise();
    });
    let error = source(&server).load(&interrupt).expect_err("interrupted");
    raise.join().unwrap();
    assert!(error.interrupted, "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());

    let project = Project::new();
    // A digest that no other test has fetched.
    let address = format!("{}#sha256={}", server.url("/a.zip"), Checksum::of(b"nobody has it"));
    let arguments = ["up", "--database", "app.db", "--dir", &address, "--timeout", "300ms"];
    let run = project.run(&arguments);
    assert_eq!(run.code, 124, "{run}");
    let mut command = project.command(&arguments[..5]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let asked = server.requests().len();
    while server.requests().len() == asked {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let outcome = project.outcome(&child.wait_with_output().unwrap());
    assert_eq!((outcome.code, outcome.stderr.as_str()), (130, "error: interrupted\n"), "{outcome}");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[test]
fn follows_redirects_and_tells_other_hosts_nothing() {
    let other = answering(Answer::ok(bundle()));
    let elsewhere = format!("http://localhost:{}/real.zip", other.port);
    let server = Server::new(move |head| match head.split(' ').nth(1) {
        Some("/there/x.zip") => Answer::redirect("../there/y.zip?a=b"),
        Some(path) if path.starts_with("/there/") => Answer::redirect(elsewhere.clone()),
        _ => Answer::redirect("/there/x.zip#part"),
    });
    let authorized = source(&server).authorization(Authorization::new("Bearer secret").unwrap());
    assert_eq!(authorized.load(&Interrupt::new()).unwrap().migrations.len(), 1);
    let told = |server: &Server| -> Vec<bool> {
        let told = |head: &String| head.to_ascii_lowercase().contains("authorization: bearer secret");
        server.requests().iter().map(told).collect()
    };
    assert_eq!((told(&server), told(&other)), (vec![true, true, true], vec![false]));
}

#[test]
fn sends_no_authorization_without_tls() {
    let authorization = Authorization::new("Bearer secret").unwrap();
    let source = Http::new("http://example.invalid/a.zip", &digest()).unwrap().authorization(authorization);
    let error = source.load(&Interrupt::new()).expect_err("refused").to_string();
    assert_eq!(error, "http://example.invalid/a.zip: asks for an authorization, which is not sent without TLS");
}

fn with_authority(project: &Project, server: &Server, arguments: &[&str]) -> crate::harness::Outcome {
    project.write("authority.pem", server.authority.as_deref().unwrap_or_default());
    let mut command = project.command(arguments);
    command.env("SSL_CERT_FILE", project.path("authority.pem")).env("WHIMBREL_CACHE", "off");
    project.outcome(&command.output().unwrap())
}

#[test]
fn trusts_certificates_that_this_machine_trusts_and_stays_on_tls() {
    let plain = answering(Answer::ok(bundle()));
    let to_plain = format!("{}#x", plain.url("/bundle.zip"));
    let server = Server::with_tls(move |head| match head.starts_with("GET /leave ") {
        true => Answer::redirect(to_plain.clone()),
        false => Answer::ok(bundle()),
    });
    let project = Project::new();
    let address = |path: &str| format!("{}#sha256={}", server.url(path), digest());
    let stable =
        |text: String| text.replace(&server.port.to_string(), "PORT").replace(&plain.port.to_string(), "OTHER");
    let up = |address: &str| ["--dir", address, "-D", "app.db", "up", "-q"].map(str::to_owned);
    let unknown = project.run_with("WHIMBREL_CACHE", "off", &up(&address("/a.zip")).each_ref().map(String::as_str));
    assert_eq!(unknown.code, 1, "{unknown}");
    assert!(unknown.stderr.contains("cannot be trusted: "), "{unknown}");
    let left = with_authority(&project, &server, &up(&address("/leave")).each_ref().map(String::as_str));
    insta::assert_snapshot!(stable(left.to_string()), @"
    exit 1
    --- stderr
    error: https://localhost:PORT/leave: leads from https to http://127.0.0.1:OTHER/bundle.zip, which is not followed
    hint: ask whoever runs it for an address with https
    ");
    assert!(plain.requests().is_empty());
    let done = with_authority(&project, &server, &up(&address("/a.zip")).each_ref().map(String::as_str));
    assert_eq!(done.code, 0, "{done}");
    assert_eq!(project.number("SELECT count(*) FROM a"), 0);
}

fn sources_cache(project: &Project) -> Vec<String> {
    if Path::exists(&project.path("cache/sources")) { project.list("cache/sources") } else { Vec::new() }
}

#[test]
fn takes_address_digest_and_authorization_from_the_settings() {
    let server = Server::new(|head| match head.contains("authorization: Bearer of the settings") {
        true => Answer::ok(bundle()),
        false => Answer::status(403),
    });
    let settings = |rest: &str| {
        let (url, digest) = (server.url("/bundle.zip"), digest());
        format!("database = \"app.db\"\ndir = {{ url = \"{url}\", sha256 = \"{digest}\"{rest} }}\n")
    };
    let project = Project::new();
    let stable = |outcome: &crate::harness::Outcome| outcome.to_string().replace(&server.port.to_string(), "PORT");
    let with_token = |token: &str| {
        let mut command = project.command(&["status"]);
        project.outcome(&command.env("TOKEN", token).env("WHIMBREL_CACHE", "off").output().unwrap())
    };
    project.write("whimbrel.toml", settings(""));
    insta::assert_snapshot!(stable(&project.run_with("WHIMBREL_CACHE", "off", &["status"])), @"
    exit 1
    --- stderr
    error: http://127.0.0.1:PORT/bundle.zip: cannot be fetched: the server says 403 Forbidden
    hint: give it an `authorization`
    ");
    project.write("whimbrel.toml", settings(", authorization = { env = \"TOKEN\" }"));
    insta::assert_snapshot!(stable(&project.run(&["status"])), @"
    exit 2
    --- stderr
    error: the variable TOKEN with the authorization is not set
    hint: set it to the whole value, such as `Bearer …`
    ");
    let wrong = with_token("Bearer wrong-secret");
    insta::assert_snapshot!(stable(&wrong), @"
    exit 1
    --- stderr
    error: http://127.0.0.1:PORT/bundle.zip: cannot be fetched: the server says 403 Forbidden
    hint: the `authorization` is not the right one
    ");
    assert_eq!(with_token("Bearer of the settings").code, 0);
    project.write("whimbrel.toml", settings(", authorization = \"Bearer of the settings\", timeout = \"5s\""));
    let cache = project.path("cache").display().to_string();
    assert_eq!(project.run_with("WHIMBREL_CACHE", &cache, &["up"]).code, 0);
    assert_eq!(sources_cache(&project), [digest()]);
    let before = server.requests().len();
    assert_eq!(project.run_with("WHIMBREL_CACHE", &cache, &["verify"]).code, 0);
    assert_eq!(server.requests().len(), before);
}

#[test]
fn takes_the_authorization_of_an_address_that_was_typed_from_the_environment() {
    let server = Server::new(|head| match head.contains("authorization: Basic dGVzdA==") {
        true => Answer::ok(bundle()),
        false => Answer::status(401),
    });
    let project = Project::new();
    let typed = format!("{}#sha256={}", server.url("/bundle.zip"), digest());
    let arguments = ["--dir", &typed, "-D", "app.db", "plan"];
    assert_eq!(project.run_with("WHIMBREL_CACHE", "off", &arguments).code, 1);
    assert_eq!(project.run_with("WHIMBREL_SOURCE_AUTHORIZATION", "Basic dGVzdA==", &arguments).code, 0);
}

#[test]
fn refuses_addresses_that_pin_nothing() {
    let project = Project::new();
    insta::assert_snapshot!(project.run(&["--dir", "https://example.org/a.zip", "status"]), @"
    exit 2
    --- stderr
    error: the address of an archive must say which digest the archive has
    hint: --dir https://host/bundle.zip#sha256=…
    ");
    insta::assert_snapshot!(project.run(&["--dir", "https://example.org/a.zip#sha256=12", "status"]), @r#"
    exit 2
    --- stderr
    error: "12" is not a checksum: it has 64 hexadecimal digits
    hint: --dir https://host/bundle.zip#sha256=…
    "#);
    let mut said = String::new();
    for dir in [
        "\"https://example.org/a.zip\"",
        "{ url = \"https://example.org/a.zip\" }",
        "{ url = \"x\", sha256 = \"y\" }",
        "3",
    ] {
        project.write("whimbrel.toml", format!("database = \"app.db\"\ndir = {dir}\n"));
        let outcome = project.run(&["status"]);
        assert_eq!(outcome.code, 2, "{outcome}");
        said += &outcome.stderr;
    }
    insta::assert_snapshot!(said, @r#"
    error: whimbrel.toml:2:7: the address of an archive must say which digest the archive has: { url = "https://…", sha256 = "…" }
    error: whimbrel.toml:2:7: missing field `sha256`
    error: whimbrel.toml:2:7: this is no address: it must be https://host/path or http://host/path
    error: whimbrel.toml:2:7: invalid type: integer `3`, expected a folder such as "migrations", an archive, { url, sha256 }, or a list of them
    "#);
}
