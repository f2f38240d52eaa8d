//! What `reconcile pause` and `drift hold` have in common: a hold is begun, and ended.

use std::time::Duration;

use clap::Args;

use super::answer::{print, print_json};
use super::flags::Format;
use super::{HostFlags, site};
use crate::activation::{Hold, Holds, HoldsError};
use crate::agent::state_dir;
use crate::host::{Host, HostPath, clock, duration};
use crate::report::{Event, Problem, announce_hold, exit};

/// Longest time something is left alone without anybody saying so again.
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// Why something is to be left alone.
#[derive(Debug, Clone, Args)]
pub(super) struct ReasonArg {
    /// Why, for whoever looks at this host meanwhile
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl ReasonArg {
    /// The hold of `path`, or the pause of everything, for `duration` from now.
    pub(super) fn hold(&self, path: Option<HostPath>, duration: Duration) -> Hold {
        let since_secs = clock::now_secs();
        let reason = self.reason.as_deref().map(str::trim);
        Hold {
            path,
            since_secs,
            until_secs: since_secs.saturating_add_unsigned(duration.as_secs()),
            reason: reason
                .filter(|reason| !reason.is_empty())
                .map(str::to_owned),
        }
    }
}

/// A time between a second and thirty days, for clap.
pub(super) fn term(text: &str) -> Result<Duration, String> {
    let term = duration(text).ok_or("it is not a duration such as 30m, 2h or 1d")?;
    if term < Duration::from_secs(1) || term > LONGEST {
        return Err("it must be between 1s and 30d".to_owned());
    }
    Ok(term)
}

/// Begins `hold`, tells the journal, and prints `answer`, or the hold as JSON.
pub(super) fn begin(
    flags: &HostFlags,
    hold: &Hold,
    format: Format,
    answer: &str,
) -> Result<u8, Problem> {
    let host = flags.look_at_host()?;
    Holds::edit(&state_dir(&host), |holds| holds.put(hold.clone())).map_err(problem)?;
    announce_hold(&name_of(&host, flags), Event::HoldBegun, hold);
    match format {
        Format::Json => print_json(hold)?,
        Format::Text => print(&format!("{answer}\n"))?,
    }
    Ok(exit::DONE)
}

/// Ends the hold of `path`, or the pause, and tells the journal; `None` if there was none.
pub(super) fn end(flags: &HostFlags, path: Option<&HostPath>) -> Result<Option<Hold>, Problem> {
    let host = flags.look_at_host()?;
    let lifted = Holds::edit(&state_dir(&host), |holds| holds.lift(path)).map_err(problem)?;
    if let Some(lifted) = &lifted {
        announce_hold(&name_of(&host, flags), Event::HoldEnded, lifted);
    }
    Ok(lifted)
}

/// The holds of `host` that have not ended.
pub(super) fn in_force(host: &Host) -> Result<Vec<Hold>, Problem> {
    let holds = Holds::load(&state_dir(host)).map_err(problem)?;
    Ok(holds.in_force(clock::now_secs()).cloned().collect())
}

/// The host's name, empty where it is not known: a machine whose settings are broken can be paused all the same.
fn name_of(host: &Host, flags: &HostFlags) -> String {
    let store = site::store_to_read(host).ok().flatten();
    let current = store.and_then(|store| store.current().ok().flatten());
    let active = current.map(|current| current.manifest.host);
    let name = active.or_else(|| flags.host.clone());
    name.map_or_else(String::new, |name| name.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn problem(error: HoldsError) -> Problem {
    Problem::of(&error).with_fix(error.fix())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_says_its_unit_and_has_an_end() {
        for (text, secs) in [
            ("90s", 90),
            ("2h", 7_200),
            ("1d", 86_400),
            ("30d", 2_592_000),
        ] {
            assert_eq!(term(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        for text in ["", "2", "0s", "31d", "-1h", "forever"] {
            assert!(term(text).is_err(), "{text}");
        }
    }
}
