//! A server that speaks HTTP on a port of this machine, with or without TLS, and says what it is told to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What is answered.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// The length that is announced, where it is not that of the body; `Some(None)` announces none.
    pub(crate) length: Option<Option<usize>>,
    /// How long it takes before each byte.
    pub(crate) slowness: Duration,
}

impl Answer {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into(), length: None, slowness: Duration::ZERO }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::ok("") }
    }

    pub(crate) fn redirect(to: impl Into<String>) -> Self {
        Self { status: 302, headers: vec![("Location", to.into())], ..Self::ok("") }
    }
}

/// A running server; it stops when it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    stopped: Arc<AtomicBool>,
    /// The certificate of the authority, in PEM, if it speaks TLS.
    pub(crate) authority: Option<String>,
}

impl Server {
    /// Answers each request by what `answer` makes of its head.
    pub(crate) fn new(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(answer, None, None)
    }

    /// The same over TLS, with a certificate for `localhost` of an authority that nobody knows.
    pub(crate) fn with_tls(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let mut of_authority = rcgen::CertificateParams::new(Vec::new()).expect("it works on this machine");
        of_authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().expect("it works on this machine");
        let authority = of_authority.self_signed(&key).expect("it works on this machine");
        let issuer = rcgen::Issuer::new(of_authority, key);
        let own_key = rcgen::KeyPair::generate().expect("it works on this machine");
        let names = vec!["localhost".to_owned()];
        let own = rcgen::CertificateParams::new(names)
            .expect("it works on this machine")
            .signed_by(&own_key, &issuer)
            .expect("it works on this machine");
        let certificate = CertificateDer::from(own.der().to_vec());
        let key = PrivateKeyDer::try_from(own_key.serialize_der()).expect("it works on this machine");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("it works on this machine");
        let config =
            config.with_no_client_auth().with_single_cert(vec![certificate], key).expect("it works on this machine");
        Self::start(answer, Some(Arc::new(config)), Some(authority.pem()))
    }

    fn start(
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
        tls: Option<Arc<ServerConfig>>,
        authority: Option<String>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("it works on this machine");
        let port = listener.local_addr().expect("it works on this machine").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let (heard, stop, answer) = (Arc::clone(&requests), Arc::clone(&stopped), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (heard, answer, tls) = (Arc::clone(&heard), Arc::clone(&answer), tls.clone());
                thread::spawn(move || {
                    let Ok(stream) = stream else { return };
                    match tls {
                        None => serve(stream, &*answer, &heard),
                        Some(tls) => serve(
                            StreamOwned::new(ServerConnection::new(tls).expect("it works on this machine"), stream),
                            &*answer,
                            &heard,
                        ),
                    }
                });
            }
        });
        Self { port, requests, stopped, authority }
    }

    /// Returns an address on it.
    pub(crate) fn url(&self, path: &str) -> String {
        match self.authority {
            None => format!("http://127.0.0.1:{}{path}", self.port),
            Some(_) => format!("https://localhost:{}{path}", self.port),
        }
    }

    /// Returns the heads of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("it works on this machine").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

/// Answers one request; whoever asks may go away at any time.
fn serve(mut stream: impl Read + Write, answer: &dyn Fn(&str) -> Answer, heard: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    heard.lock().expect("it works on this machine").push(head.clone());
    let answer = answer(&head);
    let mut text = format!("HTTP/1.1 {} It\r\nConnection: close\r\n", answer.status);
    if let Some(length) = answer.length.unwrap_or(Some(answer.body.len())) {
        text += &format!("Content-Length: {length}\r\n");
    }
    for (name, value) in &answer.headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += "\r\n";
    let mut bytes = text.into_bytes();
    bytes.extend(&answer.body);
    if answer.slowness.is_zero() {
        let _ = stream.write_all(&bytes);
    } else {
        for byte in bytes {
            thread::sleep(answer.slowness);
            if stream.write_all(&[byte]).and_then(|()| stream.flush()).is_err() {
                return;
            }
        }
    }
    let _ = stream.flush();
}
