//! What a unit's definition says about being moved, besides what a change of it asks for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::unit_file::UnitFile;
use crate::host::UnitName;

/// What a unit's definition says about being moved, from its files of ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitRules {
    /// What holds for it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub traits: BTreeSet<UnitTrait>,
    /// The sockets of a service (`Sockets=`); the one of its own name where it names none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sockets: BTreeSet<UnitName>,
    /// The service of a socket (`Service=`); the one of its own name where it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<UnitName>,
}

/// A key of a unit file that says how the unit may be moved: systemd's own, or those that NixOS users know.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum UnitTrait {
    /// It runs on when its definition goes (`X-StopOnRemoval=false`).
    OutlivesRemoval,
    /// A target that stops and starts whenever units change (`X-StopOnReconfiguration=true`).
    StopsOnReconfiguration,
    /// It is started by people only (`X-OnlyManualStart=true`).
    OnlyManualStart,
    /// systemd starts it for other units only (`RefuseManualStart=true`).
    RefusesStart,
    /// systemd stops it for other units only (`RefuseManualStop=true`).
    RefusesStop,
    /// A service that starts by itself although it has a socket (`X-NotSocketActivated=true`).
    NotSocketActivated,
}

impl UnitRules {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it holds for the unit.
    #[must_use]
    pub fn has(&self, one: UnitTrait) -> bool {
        self.traits.contains(&one)
    }

    /// What the merged files of a unit say. The keys are read in the section of the unit's type and in `[Unit]`.
    pub(super) fn of(unit: &UnitFile) -> Self {
        const KEYS: [(&str, bool, UnitTrait); 6] = [
            ("X-StopOnRemoval", false, UnitTrait::OutlivesRemoval),
            (
                "X-StopOnReconfiguration",
                true,
                UnitTrait::StopsOnReconfiguration,
            ),
            ("X-OnlyManualStart", true, UnitTrait::OnlyManualStart),
            ("RefuseManualStart", true, UnitTrait::RefusesStart),
            ("RefuseManualStop", true, UnitTrait::RefusesStop),
            ("X-NotSocketActivated", true, UnitTrait::NotSocketActivated),
        ];
        let said = |key| flag(unit, key);
        let holds = KEYS
            .into_iter()
            .filter(|(key, when, _)| said(key) == Some(*when));
        let named = |text: &str| UnitName::new(text).ok();
        Self {
            traits: holds.map(|(_, _, one)| one).collect(),
            sockets: unit
                .words("Service", "Sockets")
                .into_iter()
                .filter_map(named)
                .collect(),
            service: unit.last("Socket", "Service").and_then(named),
        }
    }
}

/// A key about moving the unit: in `[Service]`, or in `[Unit]`, where other types have it.
pub(super) fn flag(unit: &UnitFile, key: &str) -> Option<bool> {
    unit.flag("Service", key).or_else(|| unit.flag("Unit", key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> UnitRules {
        let mut unit = UnitFile::default();
        unit.merge(text).unwrap();
        UnitRules::of(&unit)
    }

    #[test]
    fn a_definition_without_such_keys_says_nothing() {
        let rules =
            of("[Unit]\nX-StopOnRemoval=true\nRefuseManualStop=no\n[Service]\nExecStart=a\n");
        assert!(rules.is_empty());
        assert_eq!(serde_json::to_string(&rules).unwrap(), "{}");
    }

    #[test]
    fn keys_are_read_in_either_section_and_names_are_units() {
        let rules = of(
            "[Unit]\nX-StopOnRemoval=false\nRefuseManualStart=yes\n[Service]\nX-NotSocketActivated=true\n\
             Sockets=a.socket b.socket\nSockets=c.socket\n",
        );
        let traits = [
            UnitTrait::OutlivesRemoval,
            UnitTrait::RefusesStart,
            UnitTrait::NotSocketActivated,
        ];
        assert_eq!(rules.traits, traits.into());
        let sockets: Vec<&str> = rules.sockets.iter().map(UnitName::as_str).collect();
        assert_eq!(sockets, ["a.socket", "b.socket", "c.socket"]);
        let socket = of("[Socket]\nService=door.service\n");
        assert_eq!(socket.service.unwrap().as_str(), "door.service");
    }
}
