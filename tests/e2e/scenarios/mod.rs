//! What must be seen on real hosts, a file per scenario.

use crate::Scenario;

mod boot;

/// Every scenario.
pub const ALL: &[Scenario] = &[(
    "hosts_boot_talk_git_and_survive_a_pulled_plug",
    boot::hosts_boot_talk_git_and_survive_a_pulled_plug,
)];
