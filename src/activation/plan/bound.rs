//! How long an activation can take before somebody else must take it for dead.

use std::time::Duration;

use super::{Plan, Step, risk};
use crate::health::{Check, Windows};

/// For everything that is no step of its own: looking, writing files, the journal.
const BASE: Duration = Duration::from_mins(10);
/// For one run of the package manager, waiting for somebody else's included.
const PACKAGES: Duration = Duration::from_mins(30);
/// For one job of systemd, which waits for a unit's own time-out.
const JOB: Duration = Duration::from_mins(2);
/// What is left to come back in order before anybody interferes.
const MARGIN: Duration = Duration::from_mins(1);

/// The time after which an activation of `plan` hangs rather than works: its steps, the `settle` window, `checks` and the
/// health window of what it puts at risk, and the time that a person has to confirm it.
///
/// It is generous, since who comes too early breaks what was going well; and it is finite, whatever the plan.
#[must_use]
pub fn bound(plan: &Plan, checks: &[Check], settle: Duration, windows: &Windows) -> Duration {
    let steps: Duration = plan
        .steps
        .iter()
        .map(|step| match step {
            Step::UpdatePackageLists { .. }
            | Step::InstallPackages { .. }
            | Step::RemovePackages { .. } => PACKAGES,
            step if step.unit().is_some() => JOB,
            _ => Duration::ZERO,
        })
        .sum();
    let risk = risk(plan);
    let declared = checks
        .iter()
        .map(|check| Duration::from_millis(check.within_ms))
        .max()
        .unwrap_or_default();
    let health = windows.of(&risk).within.max(declared);
    let person = windows.confirmation(&risk).unwrap_or_default();
    BASE + steps + settle + health + person + MARGIN
}

#[cfg(test)]
mod tests {
    use super::super::tests::world::unit_name;
    use super::*;
    use crate::health::Confirm;

    #[test]
    fn the_bound_holds_all_that_an_activation_may_wait_for() {
        let windows = Windows {
            confirm: Confirm::Lockout,
            ..Windows::default()
        };
        let settle = Duration::from_secs(20);
        let with = |steps: Vec<Step>| {
            let plan = Plan {
                steps,
                notices: Vec::new(),
            };
            bound(&plan, &[], settle, &windows).as_secs()
        };
        let restart = |unit: &str| Step::RestartUnit {
            unit: unit_name(unit),
            why: String::new(),
        };
        assert_eq!(with(Vec::new()), 600 + 20 + 20 + 60);
        assert_eq!(with(vec![restart("app.service")]), 600 + 120 + 20 + 20 + 60);
        // Two minutes of health, and five for a person.
        assert_eq!(
            with(vec![restart("ssh.service")]),
            600 + 120 + 20 + 120 + 300 + 60
        );
    }
}
