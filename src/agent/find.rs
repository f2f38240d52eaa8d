//! From the remotes to a revision that is believed, or to the reason why there is none.

use std::path::Path;
use std::sync::Arc;

use tracing::{debug, warn};

use super::{PassEvent, Settings};
use crate::health::Question;
use crate::report::{Outcome, Problem};
use crate::source::{
    self, Address, CommitId, FetchError, Mirror, SshAccess, Transport, TrustedRevision,
};

/// A revision that may be acted on, and the mirror that holds its tree.
pub(super) struct Found {
    pub(super) mirror: Mirror,
    pub(super) trusted: TrustedRevision,
}

/// Why there is no revision to act on.
pub(super) struct NotFound {
    pub(super) outcome: Outcome,
    pub(super) problem: Problem,
    /// Whether a remote answered at all.
    pub(super) answered: bool,
}

/// Fetches the branch from the first remote that answers, into the mirror at `path`.
pub(super) fn fetch(
    settings: &Settings,
    path: &Path,
    on_event: &dyn Fn(&PassEvent),
) -> Result<(Mirror, CommitId), NotFound> {
    let mirror = Mirror::open(path).map_err(|error| failed(Problem::of(&error)))?;
    // The lock of the host is held: nobody else writes to its mirror.
    mirror
        .sweep()
        .map_err(|error| failed(Problem::of(&error)))?;
    let transport = transport(settings);
    let mut first: Option<FetchError> = None;
    for remote in &settings.remotes {
        on_event(&PassEvent::Fetching {
            remote: remote.to_string(),
        });
        match mirror.fetch(remote, settings.branch.as_deref(), &transport) {
            Ok(fetched) => {
                debug!(%remote, commit = %fetched.commit, "remote answered");
                return Ok((mirror, fetched.commit));
            }
            Err(error) => {
                warn!(%remote, %error, "remote did not give a revision");
                first.get_or_insert(error);
            }
        }
    }
    Err(first.map_or_else(
        || failed(Problem::new("no config repository is named")),
        |error| NotFound {
            outcome: Outcome::Failed,
            answered: !error.kind.is_transient(),
            problem: Problem::of(&error).with_hint(error.fix()),
        },
    ))
}

/// Asks whether `commit` may be acted on by a host that accepted `anchor` last.
pub(super) fn trust(
    settings: &Settings,
    mirror: Mirror,
    commit: &CommitId,
    anchor: Option<&CommitId>,
    now_secs: i64,
) -> Result<Found, NotFound> {
    match source::trust::check(&mirror, commit, anchor, &settings.trust, now_secs) {
        Ok(trusted) => Ok(Found { mirror, trusted }),
        Err(refusal) => Err(NotFound {
            outcome: Outcome::Refused,
            problem: Problem::of(&refusal).with_fix(refusal.fix()),
            answered: true,
        }),
    }
}

/// Asks whether any remote still answers, for the health check.
pub(super) fn remote_probe(settings: &Settings, mirror: &Path) -> Question {
    let (settings, mirror) = (settings.clone(), mirror.to_owned());
    Arc::new(move || {
        let mirror = Mirror::open(&mirror).map_err(|error| error.to_string())?;
        let transport = transport(&settings);
        let mut reason = "no remote is configured".to_owned();
        for remote in &settings.remotes {
            match mirror.list(remote, settings.branch.as_deref(), &transport) {
                Ok(_) => return Ok(()),
                Err(error) => reason = Problem::of(&error).in_one_line(),
            }
        }
        Err(reason)
    })
}

/// The name by which the first remote is found; `None` where it has none: a path, or an address.
pub(super) fn remote_name(settings: &Settings) -> Option<String> {
    let host = match settings.remotes.first()?.address() {
        Address::Ssh(address) => address.host.as_str(),
        Address::Http(address) if address.authority.starts_with('[') => return None,
        Address::Http(address) => {
            let (host, _port) = address
                .authority
                .split_once(':')
                .unwrap_or((&address.authority, ""));
            host
        }
        Address::Local(_) => return None,
    };
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    (!is_address).then(|| host.to_owned())
}

/// How this host reaches repositories.
pub(super) fn transport(settings: &Settings) -> Transport {
    let defaults = Transport::of_host();
    let ssh = SshAccess {
        key: Some(settings.ssh_key.clone()),
        known_hosts: settings.known_hosts.clone(),
        ..defaults.ssh
    };
    Transport { ssh, ..defaults }
}

fn failed(problem: Problem) -> NotFound {
    NotFound {
        outcome: Outcome::Failed,
        problem,
        answered: true,
    }
}
