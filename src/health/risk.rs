//! What an activation puts at risk, and so which questions are asked about it and for how long.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a machine that can lock its operators, or its agent, out.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LockOut {
    /// Interfaces, addresses, routes, and the programs that set them.
    Network,
    /// How names are found: `resolv.conf`, `hosts`, the resolver.
    Names,
    /// Packet filters.
    Firewall,
    /// The SSH server.
    Sshd,
    /// PAM, nsswitch and what else every login goes through.
    Login,
    /// Who may become root, and their keys.
    Operators,
    /// The certificate authorities that are believed.
    Authorities,
    /// The agent's own settings, keys and units.
    Agent,
}

impl fmt::Display for LockOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "the network",
            Self::Names => "name resolution",
            Self::Firewall => "the firewall",
            Self::Sshd => "sshd",
            Self::Login => "logins",
            Self::Operators => "who may become root",
            Self::Authorities => "certificate authorities",
            Self::Agent => "the agent itself",
        })
    }
}

/// How much of a machine an activation moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Files that no running program is told about.
    #[default]
    Files,
    /// Units, packages, accounts or the kernel.
    Running,
}

/// What an activation puts at risk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Risk {
    /// What it touches that can lock people out. Empty: nothing.
    pub locks_out: BTreeSet<LockOut>,
    /// How much it moves.
    pub extent: Extent,
}

impl Risk {
    /// Whether it touches one of `parts`.
    #[must_use]
    pub fn touches(&self, parts: &[LockOut]) -> bool {
        parts.iter().any(|part| self.locks_out.contains(part))
    }

    /// What it touches that can lock people out, in words: `sshd, the firewall`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let words: Vec<String> = self.locks_out.iter().map(LockOut::to_string).collect();
        words.join(", ")
    }
}

/// When a person is to confirm an activation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// The checks decide alone.
    #[default]
    Never,
    /// When it touches something that can lock people out.
    Lockout,
    /// Always.
    Always,
}

/// What is asked about the people who can become root.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Operators {
    /// Where one could log in with a key and become root, one still must be able to.
    #[default]
    Kept,
    /// All may go: the host is to be left to its agent.
    MayGo,
}

/// How long health is asked, by what is at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Where nobody can be locked out: the time in which built-in checks must have passed once.
    pub ordinary: Duration,
    /// Where somebody can: the time in which every check must have passed often enough.
    pub lockout: Duration,
    /// How often in a row a check must pass where somebody can be locked out; at least 1.
    pub passes: u32,
    /// The time between two of these passes.
    pub every: Duration,
    /// When a person is to confirm.
    pub confirm: Confirm,
    /// How long a person has for it.
    pub confirm_within: Duration,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            ordinary: Duration::from_secs(20),
            lockout: Duration::from_mins(2),
            passes: 3,
            every: Duration::from_secs(5),
            confirm: Confirm::Never,
            confirm_within: Duration::from_mins(5),
        }
    }
}

/// How one activation is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The time in which a check must have passed `passes` times in a row.
    pub within: Duration,
    /// How often in a row.
    pub passes: u32,
    /// Time between two rounds of questions.
    pub every: Duration,
}

/// Time between two rounds where nobody can be locked out.
const PAUSE: Duration = Duration::from_millis(500);

impl Windows {
    /// The window of an activation with `risk`.
    #[must_use]
    pub fn of(&self, risk: &Risk) -> Window {
        if risk.locks_out.is_empty() {
            return Window {
                within: self.ordinary,
                passes: 1,
                every: PAUSE,
            };
        }
        Window {
            // A window too short for its own passes would refuse everything.
            within: self.lockout.max(self.every * self.passes),
            passes: self.passes.max(1),
            every: self.every,
        }
    }

    /// How long a person has to confirm an activation with `risk`; `None` if nobody is asked.
    #[must_use]
    pub fn confirmation(&self, risk: &Risk) -> Option<Duration> {
        let asked = match self.confirm {
            Confirm::Never => false,
            Confirm::Lockout => !risk.locks_out.is_empty(),
            Confirm::Always => true,
        };
        asked.then_some(self.confirm_within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risky() -> Risk {
        Risk {
            locks_out: [LockOut::Sshd].into(),
            extent: Extent::Running,
        }
    }

    #[test]
    fn only_what_can_lock_people_out_is_asked_about_for_long() {
        let windows = Windows::default();
        let files = windows.of(&Risk::default());
        assert_eq!((files.passes, files.within.as_secs()), (1, 20));
        let sshd = windows.of(&risky());
        assert_eq!((sshd.passes, sshd.within.as_secs()), (3, 120));
        let hasty = Windows {
            lockout: Duration::from_secs(1),
            ..windows
        };
        assert_eq!(hasty.of(&risky()).within.as_secs(), 15, "room for 3 passes");
    }

    #[test]
    fn a_person_is_asked_as_the_settings_say() {
        let ask = |confirm, risk: &Risk| {
            let windows = Windows {
                confirm,
                ..Windows::default()
            };
            windows.confirmation(risk).is_some()
        };
        let files = Risk::default();
        assert!(!ask(Confirm::Never, &risky()));
        assert!(ask(Confirm::Lockout, &risky()) && !ask(Confirm::Lockout, &files));
        assert!(ask(Confirm::Always, &risky()) && ask(Confirm::Always, &files));
    }
}
