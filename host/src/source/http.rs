//! Migrations in an archive on another machine, pinned by its SHA-256. What does not have that digest is never looked into;
//! what has it is kept, and needs no network the next time.

mod cache;
mod fetch;

use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use ureq::http::Uri;
use ureq::http::uri::Scheme;

use super::archive::{ArchiveLimits, Opening};
use super::assemble::shown;
use super::layout::Layout;
use super::problem::Problem;
use super::{Loaded, Source, SourceError};
use crate::interrupt::Interrupt;
use crate::model::{Checksum, NoChecksum};
use fetch::{Failure, Request};

/// How long fetching may take unless set.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Longer than anybody waits; keeps the end of the time in what a clock can tell.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// How long it takes to hear an interrupt.
const LOOK: Duration = Duration::from_millis(50);
/// What comes before the digest in an address that has it.
const FRAGMENT: &str = "sha256=";

/// An archive behind an address, with the digest that it must have.
#[derive(Clone, Debug)]
pub struct Http {
    url: Uri,
    digest: Checksum,
    opening: Opening,
    cache: Option<PathBuf>,
    authorization: Option<Authorization>,
    timeout: Duration,
    proxy_of_environment: bool,
}

/// The value of the header `Authorization`. Shows itself to nobody.
#[derive(Clone)]
pub struct Authorization(String);

/// What is wrong with an address. Holds nothing of it that could be secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is no address of an archive.
    #[error("this is no address: it must be https://host/path or http://host/path")]
    Malformed,
    /// It has a name or a password in it.
    #[error("an address must not hold a name or password")]
    Credentials,
    /// It names no digest.
    #[error("the address of an archive must say which digest the archive has")]
    NotPinned,
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] NoChecksum),
    /// The value cannot stand in a header.
    #[error("the authorization holds characters that no header can have")]
    Authorization,
}

impl Authorization {
    /// Takes the whole value, such as `Bearer …` or `Basic …`.
    pub fn new(value: impl Into<String>) -> Result<Self, AddressError> {
        let value = value.into();
        let may_stand = !value.is_empty() && value.chars().all(|character| matches!(character, ' '..='~'));
        if may_stand { Ok(Self(value)) } else { Err(AddressError::Authorization) }
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Authorization(…)")
    }
}

impl Http {
    /// Makes a source of an address and the SHA-256, in hexadecimal digits, of what is there.
    pub fn new(url: &str, sha256: &str) -> Result<Self, AddressError> {
        let url: Uri = url.parse().map_err(|_| AddressError::Malformed)?;
        let known = url.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
        let authority = url.authority().filter(|authority| known && !authority.host().is_empty());
        let authority = authority.ok_or(AddressError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(AddressError::Credentials);
        }
        Ok(Self {
            url,
            digest: sha256.to_ascii_lowercase().parse()?,
            opening: Opening::default(),
            cache: None,
            authorization: None,
            timeout: TIMEOUT,
            proxy_of_environment: false,
        })
    }

    /// Makes a source of an address with its digest behind it: `https://host/bundle.tar.zst#sha256=…`.
    pub fn pinned(address: &str) -> Result<Self, AddressError> {
        let (url, fragment) = address.split_once('#').ok_or(AddressError::NotPinned)?;
        Self::new(url, fragment.strip_prefix(FRAGMENT).ok_or(AddressError::NotPinned)?)
    }

    /// Tells whether a text is meant as an address and not as a path.
    pub fn is_address(text: &str) -> bool {
        let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        begins("https://") || begins("http://")
    }

    /// Keeps what was fetched in a folder, by its digest; nothing is kept unless set.
    #[must_use]
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Sends a header `Authorization`: to the host of the address and to no other, and only over TLS or to this machine.
    #[must_use]
    pub fn authorization(mut self, authorization: Authorization) -> Self {
        self.authorization = Some(authorization);
        self
    }

    /// Sets how long fetching may take altogether; a minute unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(LONGEST);
        self
    }

    /// Goes through the proxy that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
    #[must_use]
    pub fn proxy_of_environment(mut self) -> Self {
        self.proxy_of_environment = true;
        self
    }

    /// Sets the endings of the files that are scripts; those of the engines of the program unless set.
    #[must_use]
    pub fn scripts(mut self, endings: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.opening.endings = endings.into_iter().map(Into::into).collect();
        self
    }

    /// Says whose way the archive is laid out; found out unless set.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.opening.options.layout = layout;
        self
    }

    /// Reads the folders in the root as well; layouts of other tools know by themselves whether to.
    #[must_use]
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.opening.options.recursive = recursive;
        self
    }

    /// Sets how much the archive may hold.
    #[must_use]
    pub fn limits(mut self, limits: ArchiveLimits) -> Self {
        self.opening.limits = limits;
        self
    }

    /// Returns the bytes, out of the cache or over the network.
    fn bytes(&self, interrupt: &Interrupt) -> Result<Vec<u8>, SourceError> {
        let most = self.opening.limits.packed;
        let kept = self.cache.as_deref().and_then(|folder| cache::find(folder, &self.digest, most));
        if let Some(bytes) = kept {
            return Ok(bytes);
        }
        let request = Request {
            url: self.url.clone(),
            authorization: self.authorization.as_ref().map(|authorization| authorization.0.clone()),
            timeout: self.timeout,
            most,
            proxy_of_environment: self.proxy_of_environment,
        };
        let fetched = until(interrupt, request).ok_or_else(|| SourceError::stopped(address(&self.url)))?;
        let refuse = |message: String, hint: Option<&str>| {
            SourceError::new(vec![Problem::of_file(address(&self.url), message, hint.map(str::to_owned))])
        };
        let bytes = fetched.map_err(|failure| refuse(failure.message, failure.hint))?;
        let digest = Checksum::of(&bytes);
        if digest != self.digest {
            let message = format!("has the SHA-256 {digest}, and not {}, by which it is pinned", self.digest);
            let hint = "somebody has put another file there; if that is known and meant, pin the new digest";
            return Err(refuse(message, Some(hint)));
        }
        if let Some(folder) = &self.cache {
            cache::keep(folder, &self.digest, &bytes);
        }
        Ok(bytes)
    }
}

impl Source for Http {
    fn load(&self, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        let bytes = self.bytes(interrupt)?;
        self.opening.load(&address(&self.url), &bytes)
    }

    fn load_of(&self, tool: Layout, interrupt: &Interrupt) -> Result<Loaded, SourceError> {
        let bytes = self.bytes(interrupt)?;
        self.opening.of(tool).load(&address(&self.url), &bytes)
    }

    fn describe(&self) -> String {
        address(&self.url)
    }
}

/// Fetches on a thread of its own, so that an interrupt is heard while nothing comes; `None` when it was raised. The thread
/// is left to itself then, and ends when the request's time is over.
fn until(interrupt: &Interrupt, request: Request) -> Option<Result<Vec<u8>, Failure>> {
    let (sender, receiver) = mpsc::channel();
    let fetch = move || drop(sender.send(fetch::fetch(&request)));
    if let Err(error) = thread::Builder::new().name("fetch".to_owned()).spawn(fetch) {
        return Some(Err(Failure::new(format!("cannot be fetched: {error}"))));
    }
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(fetched) => return Some(fetched),
            Err(RecvTimeoutError::Timeout) if interrupt.is_raised() => return None,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Some(Err(Failure::new("cannot be fetched: what fetches it has ended without an answer")));
            }
        }
    }
}

/// Shows an address without its query, where tokens are.
fn address(url: &Uri) -> String {
    let authority = url.authority().map_or("", |authority| authority.as_str());
    shown("", &format!("{}://{authority}{}", url.scheme_str().unwrap_or_default(), url.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn takes_pinned_addresses_only() {
        let cases = [
            ("https://example.org/a.zip#sha256=", Some("\"\" is not a checksum: it has 64 hexadecimal digits")),
            ("https://example.org/a.zip", Some("the address of an archive must say which digest the archive has")),
            (
                "https://example.org/a.zip#md5=1",
                Some("the address of an archive must say which digest the archive has"),
            ),
            (
                "ftp://example.org/a.zip#sha256=@",
                Some("this is no address: it must be https://host/path or http://host/path"),
            ),
            ("https:///a.zip#sha256=@", Some("this is no address: it must be https://host/path or http://host/path")),
            ("HTTPS://example.org/a.zip?token=x#sha256=@", None),
        ];
        for (text, expected) in cases {
            let error = Http::pinned(&text.replace('@', DIGEST)).err();
            assert_eq!(error.map(|error| error.to_string()).as_deref(), expected, "{text}");
        }
        let named = Http::new("https://me:secret@example.org/a", DIGEST).expect_err("a password");
        assert_eq!(named, AddressError::Credentials);
    }

    #[test]
    fn shows_no_secret() {
        let source = Http::new("https://example.org/a.zip?token=secret", DIGEST).expect("an address");
        let source = source.authorization(Authorization::new("Bearer secret").expect("a value"));
        assert_eq!(source.describe(), "https://example.org/a.zip");
        assert!(!format!("{:?}", source.authorization).contains("secret"));
        assert_eq!(Authorization::new("a\r\nHost: b").err(), Some(AddressError::Authorization));
    }
}
