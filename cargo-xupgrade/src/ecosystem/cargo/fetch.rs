//! One file over HTTP: conditional, with a time limit, at most two retries, and every failure as a
//! value that says what a person can do. The only module that names the HTTP client and its TLS.
//! Knows nothing of crates or indexes; [`super::index`] asks it from many threads at once, and the
//! client shares a few HTTP/2 connections between them.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::blocking::{Client as Http, Response};
use reqwest::header::{ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use reqwest::{Certificate, Proxy, StatusCode};

/// Waits before the second and the third try of a request that met a busy or absent server.
const WAITS: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];

/// The largest body that is read, in bytes. The largest index file of crates.io is about 5 MB.
const LARGEST: u64 = 64 << 20;

/// How many bytes of a refusal's body are kept as the registry's words.
const WORDS: u64 = 400;

/// What a server said to recognise the state of a file by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The `ETag` header, quotes and all.
    pub etag: Option<String>,
    /// The `Last-Modified` header, as it was sent.
    pub last_modified: Option<String>,
}

impl Validators {
    /// Whether a conditional request can be made at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// A request that worked.
#[derive(Debug)]
pub enum Answer {
    /// The copy that the validators stand for is still the newest (304).
    Unchanged,
    /// A new body and what to ask with next time.
    Body(Vec<u8>, Validators),
}

/// A request that did not work, after its retries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// 404, 410 or 451: there is no such file, or it may not be shown.
    #[error("not there (HTTP {0})")]
    NotFound(u16),
    /// 401, 403 or another 4xx, with the first words of the answer.
    #[error("refused with HTTP {0}: {1}")]
    Refused(u16, String),
    /// 5xx or 429, three times.
    #[error("the server answered HTTP {0} three times")]
    Failing(u16),
    /// No whole answer within the limit.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// No connection, broken connection, failed TLS; with the whole chain of reasons.
    #[error("{0}")]
    Unreachable(String),
    /// An answer that cannot be used: too long, cut short, or of an unknown kind.
    #[error("{0}")]
    Junk(String),
}

/// What the user's cargo configuration says about HTTP; the environment's proxy variables
/// (`HTTPS_PROXY`, `NO_PROXY` and their like) count without being named here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// `http.proxy`, for all requests.
    pub proxy: Option<String>,
    /// The PEM file of `http.cainfo`, trusted beside the system's certificates.
    pub extra_roots: Option<std::path::PathBuf>,
}

/// Makes requests; share one, so that connections are shared.
#[derive(Debug)]
pub struct Client {
    http: Http,
    timeout: Duration,
    requests: AtomicUsize,
}

impl Client {
    /// A client whose requests each end within `timeout`. Makes no request yet.
    ///
    /// # Errors
    /// When the certificates or the proxy address cannot be read.
    pub fn new(timeout: Duration, network: &Network) -> Result<Self, FetchError> {
        // A second installation is refused and changes nothing: the first one is the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Http::builder()
            .user_agent(concat!("cargo-xupgrade/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            .connect_timeout(timeout);
        if let Some(proxy) = &network.proxy {
            builder = builder.proxy(read_proxy(proxy)?);
        }
        for root in read_roots(network)? {
            builder = builder.add_root_certificate(root);
        }
        let http = builder.build().map_err(|why| FetchError::Unreachable(chain(&why)))?;
        Ok(Self { http, timeout, requests: AtomicUsize::new(0) })
    }

    /// Gets `url`, unless `known` still stands for the newest copy. Blocks; safe from many threads.
    ///
    /// # Errors
    /// One [`FetchError`] for this address alone; other requests are not touched.
    pub fn get(&self, url: &str, known: &Validators) -> Result<Answer, FetchError> {
        let mut waits = WAITS.iter();
        loop {
            let outcome = self.once(url, known);
            match (&outcome, waits.next()) {
                (Err(why), Some(wait)) if is_passing(why) => std::thread::sleep(*wait),
                _ => return outcome,
            }
        }
    }

    /// How many requests were sent so far, retries counted.
    #[cfg(test)]
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    fn once(&self, url: &str, known: &Validators) -> Result<Answer, FetchError> {
        let mut request = self.http.get(url);
        if let Some(etag) = &known.etag {
            request = request.header(IF_NONE_MATCH, etag);
        } else if let Some(date) = &known.last_modified {
            request = request.header(IF_MODIFIED_SINCE, date);
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response = request.send().map_err(|why| self.explain(&why))?;
        match response.status() {
            StatusCode::OK => self.body(response),
            StatusCode::NOT_MODIFIED if !known.is_empty() => Ok(Answer::Unchanged),
            status => Err(judge(status, response)),
        }
    }

    fn body(&self, response: Response) -> Result<Answer, FetchError> {
        let validators = Validators {
            etag: text(response.headers(), &ETAG),
            last_modified: text(response.headers(), &LAST_MODIFIED),
        };
        let mut bytes = Vec::new();
        let read = response.take(LARGEST + 1).read_to_end(&mut bytes);
        match read {
            Ok(_) if bytes.len() as u64 > LARGEST => {
                Err(FetchError::Junk(format!("the answer is longer than {LARGEST} bytes")))
            }
            Ok(_) => Ok(Answer::Body(bytes, validators)),
            Err(why) if is_timeout(&why) => Err(FetchError::TimedOut(self.timeout)),
            Err(why) => Err(FetchError::Junk(format!("the answer broke off: {}", chain(&why)))),
        }
    }

    fn explain(&self, why: &reqwest::Error) -> FetchError {
        if why.is_timeout() { FetchError::TimedOut(self.timeout) } else { FetchError::Unreachable(chain(why)) }
    }
}

/// Whether the same request may well work a moment later. A time-out is not among them: it has
/// already taken all the time that the caller gave.
fn is_passing(why: &FetchError) -> bool {
    matches!(why, FetchError::Failing(_) | FetchError::Unreachable(_))
}

fn judge(status: StatusCode, response: Response) -> FetchError {
    let code = status.as_u16();
    match code {
        404 | 410 | 451 => FetchError::NotFound(code),
        429 | 500..=599 => FetchError::Failing(code),
        400..=499 => FetchError::Refused(code, words(response)),
        _ => FetchError::Junk(format!("an answer of an unexpected kind (HTTP {code})")),
    }
}

/// The beginning of a refusal, on one line, so that the registry's own words reach the report.
fn words(response: Response) -> String {
    let mut bytes = Vec::new();
    // What cannot be read is left out: the status alone is an answer too.
    let _ = response.take(WORDS).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { "it gave no reason".to_owned() } else { line }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn is_timeout(why: &std::io::Error) -> bool {
    why.kind() == std::io::ErrorKind::TimedOut
        || why
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<reqwest::Error>())
            .is_some_and(reqwest::Error::is_timeout)
}

/// Every reason in a chain of errors; the client's own first line rarely says more than the address.
fn chain(why: &dyn std::error::Error) -> String {
    let mut words = why.to_string();
    let mut next = why.source();
    while let Some(cause) = next {
        let cause_words = cause.to_string();
        if !words.contains(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        next = cause.source();
    }
    words
}

fn read_proxy(address: &str) -> Result<Proxy, FetchError> {
    // Cargo takes `host:port` as well (https://doc.rust-lang.org/cargo/reference/config.html#httpproxy).
    let full = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let proxy =
        Proxy::all(&full).map_err(|why| FetchError::Unreachable(format!("http.proxy `{address}`: {}", chain(&why))))?;
    Ok(proxy.no_proxy(reqwest::NoProxy::from_env()))
}

fn read_roots(network: &Network) -> Result<Vec<Certificate>, FetchError> {
    let Some(path) = &network.extra_roots else { return Ok(Vec::new()) };
    let say = |why: &dyn std::error::Error| {
        FetchError::Unreachable(format!("http.cainfo `{}`: {}", path.display(), chain(why)))
    };
    let pem = std::fs::read(path).map_err(|why| say(&why))?;
    Certificate::from_pem_bundle(&pem).map_err(|why| say(&why))
}
