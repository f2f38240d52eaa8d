//! A person says that an activation is well, over a connection that the activation did not find there.
//!
//! The question is the phase `awaiting_confirmation` in the journal, with its deadline; the answer is a file beside it. So
//! it is given and taken by any process of root's, whether or not an agent runs, and is bound to this one transaction.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Phase;
use super::journal::{JournalError, TransactionId, confirmed_file, open_phase};
use crate::generation::{GenerationNumber, Store};
use crate::host::{Connection, FileError, FileMode, Host, clock, durable};

/// The version of the answer that this build writes.
const VERSION: u32 = 1;
/// An answer is a line.
const LARGEST_BYTES: u64 = 64 * 1024;

/// A confirmation that is waited for. Times since the boot are by the clock of [`Host::since_boot`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    /// The boot in which it is waited for; nobody waits any more in another one.
    #[serde(default)]
    pub boot_id: Option<String>,
    /// When the last step was done, in milliseconds since the boot: a connection must be younger.
    pub applied_ms: u64,
    /// When the waiting ends, in milliseconds since the boot.
    pub until_ms: u64,
    /// When the waiting ends, seconds since 1970-01-01T00:00:00Z, for people.
    pub until_secs: i64,
}

impl Awaited {
    /// Waits from now on for `within`, for a connection younger than `applied`.
    #[must_use]
    pub fn begin(host: &Host, applied: Duration, within: Duration) -> Self {
        let now = host.since_boot().unwrap_or(applied);
        let secs = i64::try_from(within.as_secs()).unwrap_or(i64::MAX);
        Self {
            boot_id: host.boot_id().ok().flatten(),
            applied_ms: millis(applied),
            until_ms: millis(now.saturating_add(within)),
            until_secs: clock::now_secs().saturating_add(secs),
        }
    }

    /// Whether the waiting is over at `now`, the time since the boot.
    #[must_use]
    pub fn is_over(&self, now: Duration) -> bool {
        millis(now) >= self.until_ms
    }

    /// By how much `connection` is too old; `None` if it is younger than the activation.
    #[must_use]
    pub fn too_old(&self, connection: &Connection) -> Option<Duration> {
        let applied = Duration::from_millis(self.applied_ms);
        (connection.began <= applied).then(|| applied.saturating_sub(connection.began))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    version: u32,
    /// When it was given, seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
    /// How whoever gave it came here: `ssh connection of process 4711`.
    pub by: String,
}

/// An answer that cannot be taken.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ConfirmError {
    #[error("no activation waits to be confirmed")]
    NothingWaits,
    #[error("transaction {wanted} does not wait to be confirmed; the one that is open is {open}")]
    Another {
        wanted: TransactionId,
        open: TransactionId,
    },
    #[error("the activation of generation {target} is not ready to be confirmed yet")]
    NotYet { target: GenerationNumber },
    #[error("the activation of generation {target} cannot be confirmed any more")]
    TooLate { target: GenerationNumber },
    #[error("this shell was not reached by a connection of its own")]
    NoConnection,
    #[error(
        "this {what} is {secs} s older than the activation, so it does not show that a new one works"
    )]
    OldConnection { what: &'static str, secs: u64 },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the confirmation cannot be written down")]
    Write(#[source] FileError),
}

impl ConfirmError {
    /// How to go on.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NothingWaits | Self::Another { .. } | Self::TooLate { .. } => {
                Some("`steadfast reconcile log` shows how it ended".to_owned())
            }
            Self::NotYet { .. } => Some("try again in a moment".to_owned()),
            Self::NoConnection => Some(
                "log in anew, and type it in that very shell, outside of tmux and screen".to_owned(),
            ),
            Self::OldConnection { .. } => Some(
                "log in anew by `ssh -o ControlPath=none HOST`, so that no older connection is shared, and type it there"
                    .to_owned(),
            ),
            Self::Journal(error) => error.hint(),
            Self::Write(error) => error.hint(),
        }
    }
}

/// Confirms the activation that waits for it; `wanted` if one is named. Gives the transaction and its generation.
///
/// # Errors
/// [`ConfirmError`]; the activation goes on waiting then.
pub fn confirm(
    host: &Host,
    store: &Store,
    wanted: Option<TransactionId>,
) -> Result<(TransactionId, GenerationNumber), ConfirmError> {
    let (record, phase) = open_phase(store)?.ok_or(ConfirmError::NothingWaits)?;
    let (id, target) = (record.id, record.target);
    if let Some(wanted) = wanted.filter(|wanted| *wanted != id) {
        return Err(ConfirmError::Another { wanted, open: id });
    }
    let awaited = match phase {
        Phase::AwaitingConfirmation { awaited } => awaited,
        Phase::Prepared | Phase::Applying | Phase::Settling | Phase::Probing => {
            return Err(ConfirmError::NotYet { target });
        }
        _ => return Err(ConfirmError::TooLate { target }),
    };
    let now = host.since_boot();
    if host.boot_id().ok().flatten() != awaited.boot_id
        || now.is_some_and(|now| awaited.is_over(now))
    {
        return Err(ConfirmError::TooLate { target });
    }
    let confirmation = Confirmation {
        version: VERSION,
        at_secs: clock::now_secs(),
        by: who(host, &awaited)?,
    };
    let mut text = serde_json::to_vec(&confirmation).unwrap_or_default();
    text.push(b'\n');
    durable::replace(
        &confirmed_file(store, id),
        &text,
        FileMode::from_bits(0o600),
    )
    .map_err(ConfirmError::Write)?;
    Ok((id, target))
}

fn who(host: &Host, awaited: &Awaited) -> Result<String, ConfirmError> {
    if !host.is_live() {
        // Nothing below a root can lock anybody out.
        return Ok("somebody below a root".to_owned());
    }
    let connection = host.connection().ok_or(ConfirmError::NoConnection)?;
    if let Some(by) = awaited.too_old(&connection) {
        return Err(ConfirmError::OldConnection {
            what: connection.what,
            secs: by.as_secs().max(1),
        });
    }
    Ok(format!("{} of process {}", connection.what, connection.pid))
}

/// The answer to transaction `id`, if it was given. What cannot be read is none.
pub(super) fn given(store: &Store, id: TransactionId) -> Option<Confirmation> {
    let text = durable::read(&confirmed_file(store, id), LARGEST_BYTES).ok()??;
    let confirmation: Confirmation = serde_json::from_slice(&text).ok()?;
    (confirmation.version == VERSION).then_some(confirmation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn awaited() -> Awaited {
        Awaited {
            boot_id: None,
            applied_ms: 50_000,
            until_ms: 80_000,
            until_secs: 0,
        }
    }

    #[test]
    fn only_a_connection_that_began_after_the_last_step_counts() {
        let connection = |secs| Connection {
            pid: 1,
            began: Duration::from_secs(secs),
            what: "ssh connection",
        };
        let awaited = awaited();
        assert_eq!(awaited.too_old(&connection(51)), None);
        assert_eq!(awaited.too_old(&connection(50)), Some(Duration::ZERO));
        assert_eq!(
            awaited.too_old(&connection(20)),
            Some(Duration::from_secs(30))
        );
    }

    #[test]
    fn the_waiting_ends_by_the_clock_that_nobody_sets() {
        assert!(!awaited().is_over(Duration::from_millis(79_999)));
        assert!(awaited().is_over(Duration::from_secs(80)));
    }
}
