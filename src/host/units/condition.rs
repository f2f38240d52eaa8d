//! Conditions of units: systemd calls the start of a unit whose `Condition…=` does not hold done, and does nothing.
//!
//! Nobody tells afterwards: systemd forgets a unit that is down and that nothing refers to, and with it what it found. So the
//! conditions are asked again, by `systemd-analyze condition`, which reads the unit's files and runs nothing of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::account::run;
use super::front::Backend;
use super::{UnitError, Units};
use crate::host::exec::{Inherited, Output, Program};
use crate::host::{UnitId, UnitName};

/// Longer than this and something is wrong with the tool.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A line for each condition.
const OUTPUT_BYTES: usize = 256 * 1024;

impl Units {
    /// What keeps each of `units` from starting: the conditions that do not hold, as `ConditionPathExists=/etc/app.conf`.
    /// A unit whose conditions hold is left out, and so is one of which nobody can say: systemd before version 250, a unit
    /// that a generator made, an account whose systemd does not run; and every one below a root.
    ///
    /// # Errors
    /// [`UnitError::Accounts`], if accounts cannot be read.
    pub async fn unmet_conditions(
        &self,
        units: &BTreeSet<UnitId>,
    ) -> Result<BTreeMap<UnitId, String>, UnitError> {
        let mut unmet = BTreeMap::new();
        if matches!(self.backend, Backend::Links(_)) {
            return Ok(unmet);
        }
        for unit in units {
            let output = match &unit.account {
                None => run(of_machine(&unit.name)).await.ok(),
                Some(account) => match self.of_account(account)? {
                    Some(account) => account.conditions(&unit.name).await,
                    None => None,
                },
            };
            if let Some(found) = output.and_then(|output| unmet_of(&unit.name, &output)) {
                unmet.insert(unit.clone(), found);
            }
        }
        Ok(unmet)
    }
}

fn of_machine(unit: &UnitName) -> Program {
    asking(Program::new("systemd-analyze"), unit)
        .inherit(Inherited::Nothing)
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
}

/// Adds the question to a program that is `systemd-analyze`, for the systemd that it asks for.
pub(super) fn asking(analyze: Program, unit: &UnitName) -> Program {
    analyze
        .arg("condition")
        .arg(format!("--unit={unit}"))
        .env("SYSTEMD_LOG_TARGET", "console")
        .env("SYSTEMD_LOG_LEVEL", "info")
        .env("SYSTEMD_LOG_COLOR", "0")
        .timeout(TIMEOUT)
        .output_limit(OUTPUT_BYTES)
}

/// The conditions that do not hold, in one line; `None` if all do, or the tool could not say.
fn unmet_of(unit: &UnitName, output: &Output) -> Option<String> {
    if output.status.success() {
        return None;
    }
    unmet(unit, &String::from_utf8_lossy(&output.stderr))
}

/// `app.service: ConditionPathExists=/etc/app.conf failed.` for each, and `Conditions failed.` in the end.
fn unmet(unit: &UnitName, said: &str) -> Option<String> {
    let lines = || said.lines().map(str::trim);
    if !lines().any(|line| line == "Conditions failed.") {
        return None;
    }
    let failed: Vec<&str> = lines()
        .filter_map(|line| {
            let line = line.strip_prefix(unit.as_str())?.strip_prefix(": ")?;
            let condition = line.strip_suffix(" failed.")?;
            condition.starts_with("Condition").then_some(condition)
        })
        .collect();
    (!failed.is_empty()).then(|| failed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conditions_that_do_not_hold_are_read_from_what_the_tool_says() {
        let unit = UnitName::new("app.service").unwrap();
        let said = "app.service: ConditionPathExists=/a b failed.\napp.service: ConditionHost=x succeeded.\n\
                    app.service: ConditionFirstBoot=yes failed.\nConditions failed.\n";
        assert_eq!(
            unmet(&unit, said).as_deref(),
            Some("ConditionPathExists=/a b, ConditionFirstBoot=yes")
        );
        for said in [
            "",
            "Unit app.service not found.\n",
            "systemd-analyze: unrecognized option '--unit=app.service'\n",
            // One of several that are enough, each alone.
            "app.service: ConditionHost=|x failed.\nConditions succeeded.\n",
            "app.service: ConditionHost=x succeeded.\nConditions succeeded.\nAsserts failed.\n",
        ] {
            assert_eq!(unmet(&unit, said), None, "{said}");
        }
    }
}
