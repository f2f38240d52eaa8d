//! What `systemctl show` prints, as the state of a unit.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::job::{JobResult, Order};
use super::properties::{
    COMMON, OF_SERVICE, STOP_WITH, active_state, bounded, file_state, unit_file_state,
};
use crate::host::{HostPath, UnitFileState, UnitName, UnitState};

/// What is asked of every unit, in one line. A property that a type of unit does not have is left out of the answer.
pub(super) fn asked() -> String {
    [&COMMON[..], &OF_SERVICE].concat().join(",")
}

fn properties(text: &str) -> BTreeMap<&str, &str> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.collect()
}

/// The state of one unit, from its block of `KEY=VALUE` lines.
pub(super) fn state(block: &str) -> UnitState {
    let properties = properties(block);
    let text = |name: &str| properties.get(name).copied().unwrap_or_default();
    let is_set = |name: &str| text(name) == "yes";
    UnitState {
        active: Some(active_state(text("ActiveState"))),
        sub: text("SubState").to_owned(),
        file: file_state(text("LoadState"), text("UnitFileState")),
        fragment: HostPath::new(text("FragmentPath")).ok(),
        needs_reload: is_set("NeedDaemonReload"),
        restarts: text("NRestarts").parse().unwrap_or_default(),
        invocation: text("InvocationID").to_owned(),
        result: text("Result").to_owned(),
        oneshot: text("Type") == "oneshot" && !is_set("RemainAfterExit"),
    }
}

/// The units that systemd stops together with one, from its `KEY=VALUE` lines.
pub(super) fn dependents(text: &str) -> BTreeSet<UnitName> {
    let properties = properties(text);
    let named = STOP_WITH.iter().filter_map(|name| properties.get(name));
    let named = named.flat_map(|names| names.split_whitespace());
    named.filter_map(|name| UnitName::new(name).ok()).collect()
}

/// The one word that `systemctl is-enabled` prints; nothing for a unit without a file.
pub(super) fn enablement(said: &str) -> UnitFileState {
    match said.trim() {
        "" => UnitFileState::Missing,
        word => unit_file_state(word),
    }
}

/// What became of a job, from how `systemctl` ended and what it said about it.
pub(super) fn job_result(order: Order, code: Option<i32>, said: &str) -> JobResult {
    /// There is no such unit (LSB: program is not installed).
    const NO_UNIT: i32 = 5;
    let about = |words: &str| said.contains(words);
    if order == Order::Stop && code == Some(NO_UNIT) {
        JobResult::Done
    } else if about("dependency job") {
        JobResult::Dependency
    } else if about(" canceled") {
        JobResult::Canceled
    } else if about("timeout was exceeded") {
        JobResult::Timeout
    } else if about("Job for ") {
        JobResult::Failed
    } else {
        let line = said.lines().next().unwrap_or("no reason given");
        JobResult::Other(line.chars().take(200).collect())
    }
}

/// How long an order may take, from the unit's `Timeout…USec` as `systemctl` prints them.
pub(super) fn patience(text: &str, order: Order, cap: Duration) -> Duration {
    let properties = properties(text);
    let timeout = |name: &str| {
        let said = properties
            .get(name)
            .or_else(|| properties.get("TimeoutUSec"));
        said.map(|said| time_span(said).unwrap_or(cap))
    };
    bounded(
        timeout("TimeoutStartUSec"),
        timeout("TimeoutStopUSec"),
        order,
        cap,
    )
}

/// `1min 30s`; `None` for `infinity` and what is no time.
fn time_span(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for part in text.split_whitespace() {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = part[..end].parse().ok()?;
        let seconds = match &part[end..] {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "min" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += Duration::try_from_secs_f64(number * seconds).ok()?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ActiveState;

    #[test]
    fn a_block_of_lines_is_the_state_of_a_unit() {
        let block = "Type=oneshot\nRemainAfterExit=no\nResult=exit-code\nNRestarts=3\nLoadState=loaded\nActiveState=failed\nSubState=failed\nFragmentPath=/home/k/.config/systemd/user/a.service\nUnitFileState=linked\nNeedDaemonReload=yes\nInvocationID=0a1b";
        let found = state(block);
        assert_eq!(found.active, Some(ActiveState::Failed));
        assert_eq!(found.file, UnitFileState::Disabled);
        assert_eq!(
            (found.restarts, found.needs_reload, found.oneshot),
            (3, true, true)
        );
        assert_eq!(
            (found.result.as_str(), found.invocation.as_str()),
            ("exit-code", "0a1b")
        );
        assert!(found.fragment.is_some());
        let unknown = state("LoadState=not-found\nActiveState=inactive\nFragmentPath=\n");
        assert_eq!(unknown.file, UnitFileState::Missing);
        assert_eq!(unknown.active, Some(ActiveState::Inactive));
    }

    #[test]
    fn what_an_account_answers_never_breaks_the_reading() {
        for hostile in [
            "",
            "=",
            "ActiveState",
            "NRestarts=99999999999999999999\nFragmentPath=../x\nType=\u{0}",
        ] {
            assert_eq!(state(hostile).restarts, 0, "{hostile:?}");
        }
    }

    #[test]
    fn the_end_of_a_job_is_told_from_what_systemctl_says() {
        for (order, code, said, result) in [
            (
                Order::Stop,
                5,
                "Failed to stop x.service: Unit x.service not loaded.",
                JobResult::Done,
            ),
            (
                Order::Start,
                1,
                "Job for x.service failed because the control process exited with error code.",
                JobResult::Failed,
            ),
            (
                Order::Start,
                1,
                "Job for x.service failed because a timeout was exceeded.",
                JobResult::Timeout,
            ),
            (
                Order::Start,
                1,
                "A dependency job for x.service failed. See 'journalctl -xe' for details.",
                JobResult::Dependency,
            ),
            (
                Order::Start,
                1,
                "Job for x.service canceled.",
                JobResult::Canceled,
            ),
            (
                Order::Start,
                5,
                "Failed to start x.service: Unit x.service not found.",
                JobResult::Other("Failed to start x.service: Unit x.service not found.".to_owned()),
            ),
        ] {
            assert_eq!(job_result(order, Some(code), said), result, "{said}");
        }
    }

    #[test]
    fn patience_is_read_from_times_as_systemctl_prints_them() {
        let cap = Duration::from_mins(15);
        let seconds = |text: &str, order| patience(text, order, cap).as_secs();
        let service = "TimeoutStartUSec=1min 30s\nTimeoutStopUSec=3min 20s";
        assert_eq!(seconds(service, Order::Start), 120);
        assert_eq!(seconds(service, Order::Stop), 230);
        assert_eq!(seconds(service, Order::Restart), 320);
        assert_eq!(seconds("TimeoutStartUSec=infinity", Order::Start), 900);
        assert_eq!(seconds("TimeoutUSec=2min", Order::Start), 150);
        assert_eq!(seconds("", Order::Start), 120);
    }
}
