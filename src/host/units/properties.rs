//! A unit's D-Bus properties as a [`UnitState`].

use std::collections::HashMap;
use std::time::Duration;

use zbus::OwnedVariant;

use super::job::Order;
use crate::host::{ActiveState, HostPath, UnitFileState, UnitKind, UnitName, UnitState};

/// What a unit may take when it says nothing; systemd's own default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(90);
/// What queueing and signalling may add.
const MARGIN: Duration = Duration::from_secs(30);
/// `infinity` in systemd's microseconds.
const INFINITY: u64 = u64::MAX;

/// The properties of one unit: those of every unit, and those of its type.
pub(super) struct Properties {
    pub(super) common: HashMap<String, OwnedVariant>,
    pub(super) typed: HashMap<String, OwnedVariant>,
}

impl Properties {
    fn text(&self, name: &str) -> String {
        take(&self.common, name).unwrap_or_default()
    }

    /// The state that decisions are made from.
    pub(super) fn state(&self) -> UnitState {
        let load = self.text("LoadState");
        let invocation: Vec<u8> = take(&self.common, "InvocationID").unwrap_or_default();
        let fragment = self.text("FragmentPath");
        UnitState {
            active: Some(active_state(&self.text("ActiveState"))),
            sub: self.text("SubState"),
            file: if load == "masked" {
                UnitFileState::Masked
            } else if load == "not-found" {
                UnitFileState::Missing
            } else {
                unit_file_state(&self.text("UnitFileState"))
            },
            // A masked unit's fragment is the link to /dev/null; a transient one's may be empty.
            fragment: HostPath::new(fragment).ok(),
            needs_reload: take(&self.common, "NeedDaemonReload").unwrap_or_default(),
            restarts: take(&self.typed, "NRestarts").unwrap_or_default(),
            invocation: if invocation.iter().all(|byte| *byte == 0) {
                String::new()
            } else {
                hex::encode(invocation)
            },
            result: take(&self.typed, "Result").unwrap_or_default(),
            oneshot: take::<String>(&self.typed, "Type").is_some_and(|kind| kind == "oneshot")
                && !take::<bool>(&self.typed, "RemainAfterExit").unwrap_or_default(),
        }
    }

    /// How long an order may take by the unit's own rules, and not longer than `cap`.
    pub(super) fn patience(&self, order: Order, cap: Duration) -> Duration {
        let timeout = |name: &str| {
            let usec = take::<u64>(&self.typed, name).or_else(|| take(&self.typed, "TimeoutUSec"));
            match usec {
                None => DEFAULT_TIMEOUT,
                Some(0 | INFINITY) => cap,
                Some(usec) => Duration::from_micros(usec),
            }
        };
        let (start, stop) = (timeout("TimeoutStartUSec"), timeout("TimeoutStopUSec"));
        let own = match order {
            Order::Start => start,
            Order::Stop => stop,
            Order::Restart | Order::Reload => start.saturating_add(stop),
        };
        own.max(DEFAULT_TIMEOUT).saturating_add(MARGIN).min(cap)
    }
}

/// The value of a property; `None` if it is not there or of another type.
fn take<T: TryFrom<OwnedVariant>>(from: &HashMap<String, OwnedVariant>, name: &str) -> Option<T> {
    T::try_from(from.get(name)?.clone()).ok()
}

/// The state of a template, which is never loaded and never runs.
pub(super) fn template_state(unit_file_state: UnitFileState) -> UnitState {
    UnitState {
        active: Some(ActiveState::Inactive),
        sub: "dead".to_owned(),
        file: unit_file_state,
        fragment: None,
        needs_reload: false,
        restarts: 0,
        invocation: String::new(),
        result: String::new(),
        oneshot: false,
    }
}

fn active_state(word: &str) -> ActiveState {
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
pub(super) fn interface_of(unit: &UnitName) -> &'static str {
    match unit.kind() {
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
            path.push_str(&format!("_{byte:02x}"));
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
    fn patience_follows_the_unit_and_ends_at_the_cap() {
        let cap = Duration::from_secs(900);
        let with = |pairs: &[(&str, u64)]| Properties {
            common: HashMap::new(),
            typed: pairs
                .iter()
                .map(|(name, usec)| ((*name).to_owned(), OwnedVariant::from(*usec)))
                .collect(),
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
