//! Steps about units.

use super::super::failure::HostFailure;
use super::{Hands, Step};
use crate::activation::plan::Enablement;
use crate::generation::Manifest;
use crate::host::{ActiveState, JobResult, UnitFileState, UnitId, UnitState, Units, side_by_side};

impl Hands<'_> {
    pub(super) async fn unit(&mut self, step: &Step) -> Result<(), HostFailure> {
        let units = self.units().await?;
        match step {
            Step::ReloadManager { account } => Ok(units.daemon_reload(account.as_ref()).await?),
            Step::EnableUnit { unit } => self.enable(unit, Enablement::Enabled).await,
            Step::DisableUnit { unit } => self.enable(unit, Enablement::Disabled).await,
            step => move_unit(&units, step).await,
        }
    }

    /// Carries out steps that are one job each, side by side; the results are in their order.
    pub(super) async fn jobs(&mut self, steps: &[&Step]) -> Vec<Result<(), HostFailure>> {
        let Ok(units) = self.units().await else {
            // Each says it for itself.
            let mut results = Vec::new();
            for step in steps {
                results.push(self.unit(step).await);
            }
            return results;
        };
        side_by_side(steps.iter().map(|step| move_unit(&units, step))).await
    }

    /// Lets a unit that need not start be no failed unit: those count against the health of the host.
    pub(super) async fn forget_failure(&mut self, step: &Step) {
        let (Some(unit), Ok(units)) = (step.unit(), self.units().await) else {
            return;
        };
        if let Err(error) = units.reset_failed(unit).await {
            tracing::warn!(%unit, %error, "its failure could not be forgotten");
        }
    }

    /// Enables or disables a unit, and remembers what it was before us until it is that again. What it was is asked now: a
    /// package that has just come may have enabled it already.
    async fn enable(&mut self, unit: &UnitId, wanted: Enablement) -> Result<(), HostFailure> {
        let units = self.units().await?;
        let found = units.observe(&[unit.clone()].into()).await?;
        let is_enabled = |state: &UnitState| {
            use UnitFileState::{Enabled, EnabledButMasked};
            matches!(state.file, Enabled | EnabledButMasked)
        };
        let before = found.get(unit).is_some_and(is_enabled);
        self.change_additions(|additions| {
            additions.was_enabled.entry(unit.clone()).or_insert(before);
        })?;
        match wanted {
            Enablement::Enabled => units.enable(unit).await?,
            Enablement::Disabled => units.disable(unit).await?,
        }
        let now = wanted == Enablement::Enabled;
        Ok(self.change_additions(|additions| {
            let is_back = additions.was_enabled.get(unit) == Some(&now);
            if is_back {
                additions.was_enabled.remove(unit);
            }
        })?)
    }

    async fn units(&mut self) -> Result<Units, HostFailure> {
        if let Some(units) = &self.units {
            return Ok(units.clone());
        }
        let units = self.bench.host.units().await?;
        Ok(self.units.insert(units).clone())
    }
}

/// Whether the host goes on when the unit does not start.
pub(in super::super) fn may_fail(manifest: &Manifest, unit: &UnitId) -> bool {
    manifest.units.get(unit).is_some_and(|entry| entry.may_fail)
}

async fn move_unit(units: &Units, step: &Step) -> Result<(), HostFailure> {
    match step {
        Step::StopUnit { unit, .. } => ended(unit, "stop", units.stop(unit).await?),
        Step::ReloadUnit { unit, .. } => ended(unit, "reload", units.reload(unit).await?),
        Step::RestartUnit { unit, .. } => {
            // Its start limit counts this activation's starts, not the crashes before.
            units.reset_failed(unit).await?;
            ended(unit, "restart", units.restart(unit).await?)
        }
        Step::CatchUpUnit { unit, .. } => {
            let found = units.observe(&[unit.clone()].into()).await?;
            let is_up = found.get(unit).and_then(|state| state.active);
            if !is_up.is_some_and(ActiveState::is_up) {
                return Ok(());
            }
            ended(unit, "restart", units.restart(unit).await?)
        }
        Step::StartUnit { unit, .. } => {
            units.reset_failed(unit).await?;
            ended(unit, "start", units.start(unit).await?)
        }
        _ => Ok(()),
    }
}

fn ended(unit: &UnitId, verb: &'static str, result: JobResult) -> Result<(), HostFailure> {
    if result.is_success() {
        return Ok(());
    }
    Err(HostFailure::Job {
        unit: unit.clone(),
        verb,
        result,
    })
}
