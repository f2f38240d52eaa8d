//! The settle window: a start job that is done says nothing about the second after it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::apply::may_fail;
use super::{Plan, Step};
use crate::generation::Manifest;
use crate::host::{ActiveState, Host, UnitError, UnitId, UnitState};

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Watches the units that `plan` brought up for `window`, and says what went wrong: a unit that failed, restarts by
/// itself, or whose last run did not succeed.
///
/// A plan that brought nothing up is not waited for; nor does anything run below a root.
///
/// # Errors
/// [`UnitError`] if systemd cannot be asked.
pub(super) async fn settle(
    host: &Host,
    plan: &Plan,
    desired: &Manifest,
    window: Duration,
) -> Result<Vec<String>, UnitError> {
    let names = brought_up(plan, desired);
    if names.is_empty() || !host.is_live() {
        return Ok(Vec::new());
    }
    let units = host.units().await?;
    let deadline = Instant::now() + window;
    let mut baseline = Restarts::of_plan(plan);
    loop {
        let states = units.observe(&names).await?;
        let failures = failures(&states, &mut baseline);
        if !failures.is_empty() || Instant::now() >= deadline {
            return Ok(failures);
        }
        tokio::time::sleep(PAUSE.min(deadline.saturating_duration_since(Instant::now()))).await;
    }
}

/// The units that the plan brought up and that must stay up.
pub(super) fn brought_up(plan: &Plan, desired: &Manifest) -> BTreeSet<UnitId> {
    let steps = plan.steps.iter().filter(|step| step.brings_up());
    let units = steps.filter_map(Step::unit);
    units
        .filter(|unit| !may_fail(desired, unit))
        .cloned()
        .collect()
}

/// How often each unit had restarted by itself when it was first looked at. An explicit start sets the count to zero.
struct Restarts {
    known: BTreeMap<UnitId, u32>,
}

impl Restarts {
    fn of_plan(plan: &Plan) -> Self {
        let started = plan.steps.iter().filter_map(|step| match step {
            Step::StartUnit { unit, .. } | Step::RestartUnit { unit, .. } => {
                Some((unit.clone(), 0))
            }
            _ => None,
        });
        Self {
            known: started.collect(),
        }
    }

    fn rose(&mut self, name: &UnitId, now: u32) -> Option<u32> {
        let before = *self.known.entry(name.clone()).or_insert(now);
        (now > before).then(|| now - before)
    }
}

fn failures(states: &BTreeMap<UnitId, UnitState>, baseline: &mut Restarts) -> Vec<String> {
    let mut failures = Vec::new();
    for (name, state) in states {
        if let Some(why) = failure(name, state, baseline) {
            failures.push(format!("{name} {why}"));
        }
    }
    failures
}

fn failure(name: &UnitId, state: &UnitState, baseline: &mut Restarts) -> Option<String> {
    let result = match state.result.as_str() {
        "" | "success" => None,
        result => Some(result),
    };
    if state.active == Some(ActiveState::Failed) {
        return Some(match result {
            Some(result) => format!("failed ({result})"),
            None => "failed".to_owned(),
        });
    }
    if state.sub == "auto-restart" || state.sub == "auto-restart-queued" {
        return Some("crashed, and systemd starts it again and again".to_owned());
    }
    if let Some(times) = baseline.rose(name, state.restarts) {
        return Some(format!("crashed and was restarted {times} time(s)"));
    }
    let up = state.active.is_some_and(ActiveState::is_up);
    result
        .filter(|_| !up)
        .map(|result| format!("ended with `{result}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::plan::tests::world::{unit_name, unit_state};

    fn verdict(change: impl FnOnce(&mut UnitState)) -> Option<String> {
        let name = unit_name("app.service");
        let plan = Plan {
            steps: vec![Step::StartUnit {
                unit: name.clone(),
                why: String::new(),
            }],
            notices: Vec::new(),
        };
        let mut state = unit_state(ActiveState::Active);
        change(&mut state);
        failure(&name, &state, &mut Restarts::of_plan(&plan))
    }

    #[test]
    fn a_unit_that_only_looks_active_is_caught() {
        assert_eq!(verdict(|_| {}), None);
        assert_eq!(
            verdict(|state| state.restarts = 2).as_deref(),
            Some("crashed and was restarted 2 time(s)")
        );
        assert!(
            verdict(|state| {
                state.active = Some(ActiveState::Activating);
                "auto-restart".clone_into(&mut state.sub);
            })
            .is_some()
        );
        assert_eq!(
            verdict(|state| {
                state.active = Some(ActiveState::Failed);
                "exit-code".clone_into(&mut state.result);
            })
            .as_deref(),
            Some("failed (exit-code)")
        );
    }

    #[test]
    fn a_oneshot_is_judged_by_its_last_result() {
        let ended = |result: &'static str| {
            verdict(move |state| {
                state.active = Some(ActiveState::Inactive);
                state.oneshot = true;
                result.clone_into(&mut state.result);
            })
        };
        assert_eq!(ended("success"), None);
        assert_eq!(ended("signal").as_deref(), Some("ended with `signal`"));
    }

    #[test]
    fn a_reloaded_unit_is_judged_by_what_it_was_when_first_looked_at() {
        let name = unit_name("ssh.service");
        let mut baseline = Restarts::of_plan(&Plan::default());
        assert_eq!(baseline.rose(&name, 3), None);
        assert_eq!(baseline.rose(&name, 4), Some(1));
    }
}
