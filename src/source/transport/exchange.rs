//! One exchange with a remote: a listing, and a pack if something is missing.

use git2::{Oid, Repository};

use super::http::HttpConnection;
use super::local::LocalSource;
use super::meter::Meter;
use super::protocol::{Connection, Conversation};
use super::ssh::SshConnection;
use super::trouble::Trouble;
use super::{Limits, Transport};
use crate::source::{Address, FetchError, FetchErrorKind, Remote, Transfer};

/// What is wanted of an exchange.
#[derive(Clone, Copy)]
pub(in crate::source) enum Want<'a> {
    /// The tip's id.
    Listing,
    /// The tip's id, and everything below it in this repository.
    Objects {
        /// The mirror.
        into: &'a Repository,
        /// Commits the mirror has, newest first; what is below them is not sent again.
        haves: &'a dyn Fn() -> Vec<Oid>,
        /// Whether the mirror has a commit with everything below it.
        is_here: &'a dyn Fn(Oid) -> bool,
    },
}

/// Which commit an exchange is about.
#[derive(Debug, Clone, Copy)]
pub(in crate::source) enum Target<'a> {
    /// The tip of a branch, or of the remote's `HEAD`.
    Tip(Option<&'a str>),
    /// A commit by its id, whatever branch leads to it now. A server that gives no commit by its id gives the branch,
    /// which may lead to it.
    Commit(Oid, Option<&'a str>),
}

impl<'a> Target<'a> {
    fn branch(self) -> Option<&'a str> {
        match self {
            Self::Tip(branch) | Self::Commit(_, branch) => branch,
        }
    }
}

/// Finds the commit and, if wanted and missing, fetches it.
pub(in crate::source) fn exchange(
    remote: &Remote,
    target: Target<'_>,
    transport: &Transport,
    want: Want<'_>,
) -> Result<(Oid, Transfer), FetchError> {
    let failed = |kind| FetchError::new(remote, kind);
    if let Some(branch) = target.branch()
        && !git2::Reference::is_valid_name(&format!("refs/heads/{branch}"))
    {
        return Err(failed(FetchErrorKind::InvalidBranch {
            branch: branch.to_owned(),
        }));
    }
    let mut meter = Meter::start(transport.limits);
    let mut connection: Box<dyn Connection> = match remote.address() {
        Address::Local(path) => {
            let source = LocalSource::open(path).map_err(failed)?;
            return from_local(&source, target, want, &mut meter)
                .map_err(|trouble| failed(explain_local(trouble, transport.limits)));
        }
        Address::Ssh(address) => Box::new(
            SshConnection::open(address, &transport.ssh, transport.limits).map_err(failed)?,
        ),
        Address::Http(address) => Box::new(HttpConnection::new(address, transport.limits)),
    };
    match converse(connection.as_mut(), target, want, &mut meter) {
        Ok(done) => {
            connection.close();
            Ok(done)
        }
        Err(trouble) => Err(failed(match meter.time_left() {
            Err(limit) if !matches!(trouble, Trouble::Clear(_)) => limit.kind(),
            _ => connection.explain(trouble),
        })),
    }
}

fn converse(
    connection: &mut dyn Connection,
    target: Target<'_>,
    want: Want<'_>,
    meter: &mut Meter,
) -> Result<(Oid, Transfer), Trouble> {
    let mut conversation = Conversation::begin(connection, meter)?;
    let tip = match target {
        Target::Commit(id, _) if conversation.gives(id) => id,
        Target::Tip(branch) | Target::Commit(_, branch) => conversation.tip(branch)?,
    };
    match want {
        Want::Objects {
            into,
            haves,
            is_here,
        } if !is_here(tip) => {
            let odb = into.odb().map_err(|e| super::pack::mirror(&e))?;
            let (bytes, objects) = conversation.fetch(tip, &haves(), &odb)?;
            Ok((tip, Transfer::Received { bytes, objects }))
        }
        Want::Objects { .. } | Want::Listing => Ok((tip, Transfer::AlreadyHere)),
    }
}

fn from_local(
    source: &LocalSource,
    target: Target<'_>,
    want: Want<'_>,
    meter: &mut Meter,
) -> Result<(Oid, Transfer), Trouble> {
    let tip = match target {
        Target::Tip(branch) => source.tip(branch)?,
        Target::Commit(id, _) => source.commit(id)?,
    };
    match want {
        Want::Objects {
            into,
            haves,
            is_here,
        } if !is_here(tip) => {
            let (bytes, objects) = source.fetch(tip, &haves(), into, meter)?;
            Ok((tip, Transfer::Received { bytes, objects }))
        }
        Want::Objects { .. } | Want::Listing => Ok((tip, Transfer::AlreadyHere)),
    }
}

fn explain_local(trouble: Trouble, limits: Limits) -> FetchErrorKind {
    match trouble {
        Trouble::Clear(kind) => kind,
        Trouble::Said(detail) => FetchErrorKind::Protocol { detail },
        Trouble::Io(error) => FetchErrorKind::Protocol {
            detail: error.to_string(),
        },
        Trouble::Ended => FetchErrorKind::TimedOut { limit: limits.time },
    }
}
