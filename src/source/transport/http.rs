//! https through `ureq`, with the host's own CA store.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{Response, StatusCode};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body};

use super::Limits;
use super::protocol::Connection;
use super::trouble::{Trouble, one_line};
use crate::source::{FetchErrorKind, HttpAddress};

/// Some servers answer only to what calls itself git.
const USER_AGENT: &str = concat!("git/2.0 (steadfast ", env!("CARGO_PKG_VERSION"), ")");
const CONNECT: Duration = Duration::from_secs(15);
const LONGEST_SILENCE: Duration = Duration::from_mins(1);
/// A server may say once or twice that the repository is next door (`x` is `x.git`).
const REDIRECTS: usize = 3;
const REFERENCES: &str = "/info/refs?service=git-upload-pack";

/// `git-upload-pack` behind a web server: every request is a connection of its own to the protocol.
pub(super) struct HttpConnection {
    agent: Agent,
    address: HttpAddress,
    limit: Duration,
}

impl HttpConnection {
    pub(super) fn new(address: &HttpAddress, limits: Limits) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(address.url.starts_with("https://"))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            .timeout_connect(Some(CONNECT.min(limits.time)))
            .timeout_per_read(Some(LONGEST_SILENCE.min(limits.time)))
            .timeout_global(Some(limits.time))
            .build();
        Self {
            agent: config.new_agent(),
            address: address.clone(),
            limit: limits.time,
        }
    }

    fn get_references(&self) -> Result<Response<Body>, Trouble> {
        self.agent
            .get(format!("{}{REFERENCES}", self.address.url))
            .header("git-protocol", "version=2")
            .header("pragma", "no-cache")
            .call()
            .map_err(|error| self.failed(error))
    }

    fn failed(&self, error: ureq::Error) -> Trouble {
        Trouble::Clear(match error {
            ureq::Error::Timeout(_) => FetchErrorKind::TimedOut { limit: self.limit },
            ureq::Error::Rustls(error) => certificate(&error),
            ureq::Error::Io(error) => cause(&error, self.limit),
            other => FetchErrorKind::Unreachable {
                detail: one_line(&other.to_string()),
            },
        })
    }

    /// Where a redirect leads, if it stays with the same server.
    fn next_door(&self, response: &Response<Body>) -> Option<String> {
        let location = response.headers().get("location")?.to_str().ok()?;
        let (scheme, _) = self.address.url.split_once("://")?;
        let origin = format!("{scheme}://{}", self.address.authority);
        let url = if location.starts_with('/') && !location.starts_with("//") {
            format!("{origin}{location}")
        } else {
            location.to_owned()
        };
        let url = url.strip_suffix(REFERENCES)?;
        url.starts_with(&format!("{origin}/"))
            .then(|| url.to_owned())
    }
}

impl Connection for HttpConnection {
    fn greeting(&mut self) -> Result<Box<dyn Read + '_>, Trouble> {
        let mut response = self.get_references()?;
        for _ in 0..REDIRECTS {
            if !response.status().is_redirection() {
                break;
            }
            let Some(url) = self.next_door(&response) else {
                break;
            };
            self.address.url = url;
            response = self.get_references()?;
        }
        accept(response, "application/x-git-upload-pack-advertisement")
    }

    fn ask(&mut self, request: &[u8]) -> Result<Box<dyn Read + '_>, Trouble> {
        let response = self
            .agent
            .post(format!("{}/git-upload-pack", self.address.url))
            .header("git-protocol", "version=2")
            .header("content-type", "application/x-git-upload-pack-request")
            .header("accept", "application/x-git-upload-pack-result")
            .send(request)
            .map_err(|error| self.failed(error))?;
        accept(response, "application/x-git-upload-pack-result")
    }

    fn close(self: Box<Self>) {}

    fn explain(self: Box<Self>, trouble: Trouble) -> FetchErrorKind {
        match trouble {
            Trouble::Clear(kind) => kind,
            Trouble::Said(detail) => FetchErrorKind::Server { detail },
            Trouble::Io(error) => cause(&error, self.limit),
            Trouble::Ended => FetchErrorKind::Unreachable {
                detail: "the connection ended too early".to_owned(),
            },
        }
    }
}

/// Checks status and content type.
fn accept(response: Response<Body>, content_type: &str) -> Result<Box<dyn Read>, Trouble> {
    let status = response.status();
    if status != StatusCode::OK {
        return Err(Trouble::Clear(refused(&response)));
    }
    let is_git = response
        .headers()
        .get("content-type")
        .is_some_and(|value| value.as_bytes() == content_type.as_bytes());
    if !is_git {
        return Err(Trouble::Clear(FetchErrorKind::NoSuchRepository {
            detail: "it answers with something else than git".to_owned(),
        }));
    }
    // The meter around every reader counts and limits.
    let reader = response
        .into_body()
        .into_with_config()
        .limit(u64::MAX)
        .reader();
    Ok(Box::new(reader))
}

fn refused(response: &Response<Body>) -> FetchErrorKind {
    let status = response.status();
    let detail = format!("the web server answers {status}");
    match status.as_u16() {
        401 | 403 | 407 => FetchErrorKind::AuthRefused { detail, key: None },
        404 | 410 => FetchErrorKind::NoSuchRepository { detail },
        300..=399 => FetchErrorKind::Redirected {
            target: response
                .headers()
                .get("location")
                .map_or_else(String::new, |value| {
                    one_line(&String::from_utf8_lossy(value.as_bytes()))
                }),
        },
        429 | 500..=599 => FetchErrorKind::Unreachable { detail },
        _ => FetchErrorKind::Server { detail },
    }
}

fn cause(error: &io::Error, limit: Duration) -> FetchErrorKind {
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return certificate(error);
    }
    let timed_out = matches!(
        inner.and_then(|inner| inner.downcast_ref::<ureq::Error>()),
        Some(ureq::Error::Timeout(_))
    );
    if timed_out || error.kind() == io::ErrorKind::TimedOut {
        return FetchErrorKind::TimedOut { limit };
    }
    FetchErrorKind::Unreachable {
        detail: one_line(&error.to_string()),
    }
}

fn certificate(error: &rustls::Error) -> FetchErrorKind {
    let detail = one_line(&error.to_string());
    match error {
        rustls::Error::InvalidCertificate(_) => FetchErrorKind::Certificate { detail },
        _ => FetchErrorKind::Unreachable { detail },
    }
}
