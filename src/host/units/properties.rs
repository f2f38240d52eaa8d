//! A unit's D-Bus properties as a [`UnitState`].

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use zbus::{OwnedObjectPath, OwnedVariant};

use super::job::Order;
use super::timer::TimerState;
use crate::host::{ActiveState, HostPath, UnitFileState, UnitKind, UnitName, UnitState};

/// What a unit may take when it says nothing; systemd's own default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(90);
/// What queueing and signalling may add.
const MARGIN: Duration = Duration::from_secs(30);
/// `infinity` in systemd's microseconds.
const INFINITY: u64 = u64::MAX;

/// What is asked of every unit to know its state.
pub(super) const COMMON: [&str; 7] = [
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "FragmentPath",
    "NeedDaemonReload",
    "InvocationID",
];
/// What is asked of a service besides.
pub(super) const OF_SERVICE: [&str; 4] = ["Result", "NRestarts", "Type", "RemainAfterExit"];
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const NEXT_ELAPSE: &str = "NextElapseUSecRealtime";
const LAST_TRIGGER: &str = "LastTriggerUSec";

/// A property and the interface it is on.
pub(super) type Asked = (&'static str, &'static str);

/// Some properties of one unit. Asking for all makes PID 1 read control groups for values nobody looks at.
#[derive(Debug, Default)]
pub(super) struct Properties(HashMap<&'static str, OwnedVariant>);

/// What to ask to know the state of `unit`.
pub(super) fn asked_for_state(unit: &UnitName) -> Vec<Asked> {
    let typed: &[&str] = match unit.kind() {
        UnitKind::Service => &OF_SERVICE,
        UnitKind::Target | UnitKind::Slice | UnitKind::Device => &[],
        _ => &["Result"],
    };
    let common = COMMON.into_iter().map(|name| (UNIT, name));
    common
        .chain(typed.iter().map(|name| (interface_of(unit), *name)))
        .collect()
}

/// What to ask to know how long an order may take.
pub(super) fn asked_for_patience(unit: &UnitName) -> Vec<Asked> {
    let typed: &[&str] = match unit.kind() {
        UnitKind::Service => &["TimeoutStartUSec", "TimeoutStopUSec"],
        UnitKind::Socket | UnitKind::Mount | UnitKind::Swap => &["TimeoutUSec"],
        _ => &[],
    };
    typed
        .iter()
        .map(|name| (interface_of(unit), *name))
        .collect()
}

/// What to ask to know whether a job goes on.
pub(super) fn asked_for_job() -> Vec<Asked> {
    vec![(UNIT, "Job"), (UNIT, "ActiveState")]
}

/// The units that systemd stops together with one.
pub(super) const STOP_WITH: [&str; 4] = ["RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf"];

/// What to ask to know what stops together with a unit.
pub(super) fn asked_for_dependents() -> Vec<Asked> {
    STOP_WITH.into_iter().map(|name| (UNIT, name)).collect()
}

/// What to ask to know when a timer goes off.
pub(super) fn asked_for_timer() -> Vec<Asked> {
    let timer = interface_of_kind(UnitKind::Timer);
    vec![(timer, NEXT_ELAPSE), (timer, LAST_TRIGGER)]
}

impl FromIterator<(&'static str, OwnedVariant)> for Properties {
    fn from_iter<I: IntoIterator<Item = (&'static str, OwnedVariant)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Properties {
    /// The value of a property; `None` if it was not asked or is of another type.
    fn take<T: TryFrom<OwnedVariant>>(&self, name: &str) -> Option<T> {
        T::try_from(self.0.get(name)?.clone()).ok()
    }

    fn text(&self, name: &str) -> String {
        self.take(name).unwrap_or_default()
    }

    /// The units that stop together with this one. A name that is none of ours to say is left out.
    pub(super) fn dependents(&self) -> BTreeSet<UnitName> {
        let named = STOP_WITH.iter().filter_map(|name| self.take(name));
        let named = named.flat_map(|names: Vec<String>| names);
        named.filter_map(|name| UnitName::new(name).ok()).collect()
    }

    /// The job that is queued or runs; `None` if there is none.
    pub(super) fn job(&self) -> Option<OwnedObjectPath> {
        let (id, path) = self.take::<(u32, OwnedObjectPath)>("Job")?;
        (id != 0).then_some(path)
    }

    pub(super) fn is_up(&self) -> bool {
        active_state(&self.text("ActiveState")).is_up()
    }

    /// The state that decisions are made from.
    pub(super) fn state(&self) -> UnitState {
        let invocation: Vec<u8> = self.take("InvocationID").unwrap_or_default();
        let fragment = self.text("FragmentPath");
        UnitState {
            active: Some(active_state(&self.text("ActiveState"))),
            sub: self.text("SubState"),
            file: file_state(&self.text("LoadState"), &self.text("UnitFileState")),
            // A masked unit's fragment is the link to /dev/null; a transient one's may be empty.
            fragment: HostPath::new(fragment).ok(),
            needs_reload: self.take("NeedDaemonReload").unwrap_or_default(),
            restarts: self.take("NRestarts").unwrap_or_default(),
            invocation: if invocation.iter().all(|byte| *byte == 0) {
                String::new()
            } else {
                hex::encode(invocation)
            },
            result: self.take("Result").unwrap_or_default(),
            oneshot: self
                .take::<String>("Type")
                .is_some_and(|kind| kind == "oneshot")
                && !self.take::<bool>("RemainAfterExit").unwrap_or_default(),
        }
    }

    /// When the timer goes off; 0 and infinity are systemd's words for never.
    pub(super) fn timer(&self) -> TimerState {
        let secs = |name| match self.take::<u64>(name) {
            None | Some(0 | INFINITY) => None,
            Some(usec) => i64::try_from(usec / 1_000_000).ok(),
        };
        TimerState {
            next_secs: secs(NEXT_ELAPSE),
            last_secs: secs(LAST_TRIGGER),
        }
    }

    /// How long an order may take by the unit's own rules, and not longer than `cap`.
    pub(super) fn patience(&self, order: Order, cap: Duration) -> Duration {
        let timeout = |name: &str| {
            let usec = self.take::<u64>(name).or_else(|| self.take("TimeoutUSec"));
            match usec {
                None => None,
                Some(0 | INFINITY) => Some(cap),
                Some(usec) => Some(Duration::from_micros(usec)),
            }
        };
        let (start, stop) = (timeout("TimeoutStartUSec"), timeout("TimeoutStopUSec"));
        bounded(start, stop, order, cap)
    }
}

/// How long an order may take with these timeouts of the unit, each if it says one, and not longer than `cap`.
pub(super) fn bounded(
    start: Option<Duration>,
    stop: Option<Duration>,
    order: Order,
    cap: Duration,
) -> Duration {
    let (start, stop) = (
        start.unwrap_or(DEFAULT_TIMEOUT),
        stop.unwrap_or(DEFAULT_TIMEOUT),
    );
    let own = match order {
        Order::Start => start,
        Order::Stop => stop,
        Order::Restart | Order::Reload => start.saturating_add(stop),
    };
    own.max(DEFAULT_TIMEOUT).saturating_add(MARGIN).min(cap)
}

/// The state of a template, which is never loaded and never runs.
pub(super) fn template_state(unit_file_state: UnitFileState) -> UnitState {
    UnitState {
        active: Some(ActiveState::Inactive),
        sub: "dead".to_owned(),
        ..UnitState::of_file(unit_file_state)
    }
}

/// The state of a unit that has no file and does not run, in the words that systemd has for it.
pub(super) fn unknown_state(unit: &UnitName) -> UnitState {
    let result = match unit.kind() {
        UnitKind::Target | UnitKind::Slice | UnitKind::Device => "",
        _ => "success",
    };
    UnitState {
        result: result.to_owned(),
        ..template_state(UnitFileState::Missing)
    }
}

pub(super) fn active_state(word: &str) -> ActiveState {
    match word {
        "active" => ActiveState::Active,
        "reloading" | "refreshing" => ActiveState::Reloading,
        "inactive" => ActiveState::Inactive,
        "failed" => ActiveState::Failed,
        "activating" => ActiveState::Activating,
        "deactivating" => ActiveState::Deactivating,
        "maintenance" => ActiveState::Maintenance,
        _ => ActiveState::Other,
    }
}

/// Enablement, from `LoadState` and `UnitFileState`.
pub(super) fn file_state(load: &str, file: &str) -> UnitFileState {
    match load {
        "masked" => UnitFileState::Masked,
        "not-found" => UnitFileState::Missing,
        _ => unit_file_state(file),
    }
}

/// `linked` is a unit file that systemd knows and that nothing pulls in: disabled, for decisions.
pub(super) fn unit_file_state(word: &str) -> UnitFileState {
    match word {
        "enabled" | "enabled-runtime" => UnitFileState::Enabled,
        "disabled" | "linked" | "linked-runtime" => UnitFileState::Disabled,
        "masked" | "masked-runtime" => UnitFileState::Masked,
        "not-found" => UnitFileState::Missing,
        _ => UnitFileState::Static,
    }
}

/// The D-Bus interface of a unit's type.
fn interface_of(unit: &UnitName) -> &'static str {
    interface_of_kind(unit.kind())
}

fn interface_of_kind(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Service => "org.freedesktop.systemd1.Service",
        UnitKind::Socket => "org.freedesktop.systemd1.Socket",
        UnitKind::Timer => "org.freedesktop.systemd1.Timer",
        UnitKind::Path => "org.freedesktop.systemd1.Path",
        UnitKind::Mount => "org.freedesktop.systemd1.Mount",
        UnitKind::Automount => "org.freedesktop.systemd1.Automount",
        UnitKind::Target => "org.freedesktop.systemd1.Target",
        UnitKind::Slice => "org.freedesktop.systemd1.Slice",
        UnitKind::Swap => "org.freedesktop.systemd1.Swap",
        UnitKind::Scope => "org.freedesktop.systemd1.Scope",
        UnitKind::Device => "org.freedesktop.systemd1.Device",
    }
}

/// The object path of a unit. Asking about it loads the unit if need be.
pub(super) fn object_path(unit: &UnitName) -> String {
    let mut path = "/org/freedesktop/systemd1/unit/".to_owned();
    for (index, byte) in unit.as_str().bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (index > 0 && byte.is_ascii_digit()) {
            path.push(char::from(byte));
        } else {
            path.push('_');
            path.push_str(&hex::encode([byte]));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_paths_are_escaped_as_systemd_does() {
        let path = |name: &str| object_path(&UnitName::new(name).unwrap());
        assert_eq!(
            path("ssh.service"),
            "/org/freedesktop/systemd1/unit/ssh_2eservice"
        );
        assert_eq!(
            path("0a@b-c.timer"),
            "/org/freedesktop/systemd1/unit/_30a_40b_2dc_2etimer"
        );
    }

    #[test]
    fn a_timer_that_never_goes_off_has_no_times() {
        let with = |next: u64, last: u64| {
            let pairs = [(NEXT_ELAPSE, next), (LAST_TRIGGER, last)];
            let values = pairs.into_iter();
            let values = values.map(|(name, usec)| (name, OwnedVariant::from(usec)));
            values.collect::<Properties>().timer()
        };
        assert_eq!(with(0, u64::MAX), TimerState::default());
        let expected = TimerState {
            next_secs: Some(1_772_366_400),
            last_secs: Some(1),
        };
        assert_eq!(with(1_772_366_400_999_999, 1_000_000), expected);
    }

    #[test]
    fn patience_follows_the_unit_and_ends_at_the_cap() {
        let cap = Duration::from_mins(15);
        let with = |pairs: &[(&'static str, u64)]| -> Properties {
            let values = pairs.iter();
            values
                .map(|(name, usec)| (*name, OwnedVariant::from(*usec)))
                .collect()
        };
        let seconds = |properties: &Properties, order| properties.patience(order, cap).as_secs();
        assert_eq!(seconds(&with(&[]), Order::Start), 120);
        assert_eq!(
            seconds(&with(&[("TimeoutUSec", 200_000_000)]), Order::Stop),
            230
        );
        let slow = with(&[
            ("TimeoutStartUSec", u64::MAX),
            ("TimeoutStopUSec", 1_000_000),
        ]);
        assert_eq!(seconds(&slow, Order::Start), 900);
        assert_eq!(seconds(&slow, Order::Stop), 120);
        assert_eq!(seconds(&slow, Order::Restart), 900);
    }
}
