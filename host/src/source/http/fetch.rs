//! Fetches one file. Follows few redirects, none of them away from TLS, and tells no other host what only the first may know.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::header::{AUTHORIZATION, LOCATION};
use ureq::http::uri::Scheme;
use ureq::http::{StatusCode, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, Proxy, Timeout};

use super::address;

/// Most hosts that a file is behind.
const MOST_REDIRECTS: usize = 5;

/// What is wanted.
pub(super) struct Request {
    pub(super) url: Uri,
    pub(super) authorization: Option<String>,
    /// For everything together.
    pub(super) timeout: Duration,
    /// Largest file, in bytes.
    pub(super) most: u64,
    pub(super) proxy_of_environment: bool,
}

/// Why it could not be had.
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

/// Returns the bytes behind an address.
pub(super) fn fetch(request: &Request) -> Result<Vec<u8>, Failure> {
    let deadline = Instant::now() + request.timeout;
    let agent = agent(request);
    let mut url = request.url.clone();
    for _ in 0..=MOST_REDIRECTS {
        let mut call = agent.get(&url);
        if let Some(authorization) = request.authorization.as_deref().filter(|_| origin(&url) == origin(&request.url)) {
            if is_open(&url) {
                return Err(Failure::new("asks for an authorization, which is not sent without TLS")
                    .hint("write https:// and not http://"));
            }
            call = call.header(AUTHORIZATION, authorization);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let call = call.config().timeout_global(Some(left.max(Duration::from_millis(1)))).build();
        let response = call.call().map_err(|error| failed(&error, request))?;
        let status = response.status();
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
            url = next(&url, location.unwrap_or_default())?;
        } else if status == StatusCode::OK {
            return read(response.into_body(), request);
        } else {
            return Err(refused(status, request));
        }
    }
    Err(Failure::new(format!("leads from one address to another more than {MOST_REDIRECTS} times")))
}

fn agent(request: &Request) -> Agent {
    let certificates = rustls_native_certs::load_native_certs().certs;
    let certificates: Vec<_> =
        certificates.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::new_with_certs(&certificates))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .user_agent(concat!("whimbrel/", env!("CARGO_PKG_VERSION")))
        .proxy(if request.proxy_of_environment { Proxy::try_from_env() } else { None })
        // Followed here, where it is known what may go where.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .build()
        .new_agent()
}

/// Finds where a redirect leads.
fn next(from: &Uri, location: &str) -> Result<Uri, Failure> {
    let wrong = || Failure::new(format!("leads to an address that is none, from {}", address(from)));
    let location = location.split('#').next().unwrap_or_default();
    let has_scheme = location.split(['/', '?']).next().is_some_and(|first| first.contains(':'));
    let to = if has_scheme {
        location.parse::<Uri>().map_err(|_| wrong())?
    } else {
        let path = match location.as_bytes() {
            [] | [b'/', b'/', ..] => return Err(wrong()),
            [b'/', ..] => location.to_owned(),
            // Beside where it is.
            _ => format!("{}/{location}", from.path().rsplit_once('/').map_or("", |(folder, _)| folder)),
        };
        let mut parts = from.clone().into_parts();
        parts.path_and_query = Some(path.parse().map_err(|_| wrong())?);
        Uri::from_parts(parts).map_err(|_| wrong())?
    };
    let known = |scheme: &Scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS;
    let names_a_host = to.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if !to.scheme().is_some_and(known) || !names_a_host {
        return Err(wrong());
    }
    if from.scheme() == Some(&Scheme::HTTPS) && to.scheme() != Some(&Scheme::HTTPS) {
        return Err(Failure::new(format!("leads from https to {}, which is not followed", address(&to)))
            .hint("ask whoever runs it for an address with https"));
    }
    Ok(to)
}

/// Returns what must be the same for an authorization to be sent.
fn origin(url: &Uri) -> (Option<&str>, Option<String>, Option<u16>) {
    let default = if url.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    (url.scheme_str(), url.host().map(str::to_ascii_lowercase), Some(url.port_u16().unwrap_or(default)))
}

/// Tells whether others can read along.
fn is_open(url: &Uri) -> bool {
    let this_machine = matches!(url.host(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() != Some(&Scheme::HTTPS) && !this_machine
}

fn read(mut body: Body, request: &Request) -> Result<Vec<u8>, Failure> {
    let too_large = || Failure::new(format!("is larger than {} bytes", request.most));
    let announced = body.content_length();
    if announced.is_some_and(|length| length > request.most) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let reader = body.with_config().limit(u64::MAX).reader();
    reader.take(request.most + 1).read_to_end(&mut bytes).map_err(|error| {
        let failure = failed(&ureq::Error::from(error), request);
        match announced {
            Some(length) => {
                Failure { message: format!("{} after {} of {length} bytes", failure.message, bytes.len()), ..failure }
            }
            None => failure,
        }
    })?;
    if bytes.len() as u64 > request.most {
        return Err(too_large());
    }
    match announced {
        Some(length) if length != bytes.len() as u64 => {
            let message = format!("cannot be fetched: the connection ended after {} of {length} bytes", bytes.len());
            Err(Failure::new(message).hint("try again"))
        }
        _ => Ok(bytes),
    }
}

fn failed(error: &ureq::Error, request: &Request) -> Failure {
    match error {
        ureq::Error::Timeout(at) => {
            let what = match at {
                Timeout::Connect | Timeout::Resolve => "reached",
                _ => "fetched",
            };
            Failure::new(format!("cannot be {what} within {:?}", request.timeout))
                .hint("try again, or give it more time with `timeout`")
        }
        ureq::Error::HostNotFound => Failure::new("cannot be reached: no such host"),
        ureq::Error::Rustls(error) => Failure::new(format!("cannot be trusted: {error}"))
            .hint("its certificate must be of an authority that this machine trusts"),
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
            Some(inner) => failed(inner, request),
            None => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(inner) => failed(&ureq::Error::Rustls(inner.clone()), request),
                None => Failure::new(format!("cannot be fetched: {error}")),
            },
        },
        ureq::Error::ConnectionFailed => Failure::new("cannot be reached: nobody answers"),
        error => Failure::new(format!("cannot be fetched: {error}")),
    }
}

fn refused(status: StatusCode, request: &Request) -> Failure {
    let failure = Failure::new(format!("cannot be fetched: the server says {status}"));
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if request.authorization.is_none() => {
            failure.hint("give it an `authorization`")
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => failure.hint("the `authorization` is not the right one"),
        _ => failure,
    }
}
