//! Whether what was applied stays: units that stay up, checks that are well, and a person who says so.

use std::time::Duration;

use super::confirmation::{self, Awaited};
use super::failure::HostFailure;
use super::journal::{Durability, Entry, Journal};
use super::plan::{risk, waiting_units};
use super::progress::ActivationEvent;
use super::settle::{brought_up, settle};
use super::transaction::Prepared;
use super::{Activation, Event, Notice, Plan};
use crate::health::{Answer, Risk, Verdict};
use crate::host::{Host, UnitError, UnitState};

/// Time between two looks for a confirmation.
const LOOK_FOR_CONFIRMATION: Duration = Duration::from_millis(250);

/// What `plan` puts at risk on `host`. Below a root nobody is logged in, and so nobody can be locked out.
#[must_use]
pub fn risk_on(host: &Host, plan: &Plan) -> Risk {
    let mut risk = risk(plan);
    if !host.is_live() {
        risk.locks_out.clear();
    }
    risk
}

impl Activation<'_> {
    /// Watches the units that were brought up; gives back what is worth knowing, or what went wrong.
    pub(super) async fn settle(&self, prepared: &Prepared) -> Result<Vec<Notice>, String> {
        let Prepared { plan, desired, .. } = prepared;
        let units = brought_up(plan, desired).len();
        if units > 0 {
            self.progress.tell(&ActivationEvent::Watching {
                units,
                window_ms: u64::try_from(self.settle.as_millis()).unwrap_or(u64::MAX),
            });
        }
        match settle(self.host, plan, desired, self.settle).await {
            Ok(failures) if failures.is_empty() => self.waiting(prepared).await,
            Ok(failures) => Err(failures.join("; ")),
            Err(error) => Err(HostFailure::from(error).in_one_line()),
        }
    }

    /// Units that were brought up and are down, because a condition of theirs does not hold: their job was done.
    async fn waiting(&self, prepared: &Prepared) -> Result<Vec<Notice>, String> {
        let mut units = brought_up(&prepared.plan, &prepared.desired);
        if units.is_empty() || !self.host.is_live() {
            return Ok(Vec::new());
        }
        let failed = |error: UnitError| HostFailure::from(error).in_one_line();
        let systemd = self.host.units().await.map_err(failed)?;
        let states = systemd.observe(&units).await.map_err(failed)?;
        units.retain(|unit| states.get(unit).is_some_and(UnitState::is_idle));
        let unmet = systemd.unmet_conditions(&units).await.map_err(failed)?;
        Ok(waiting_units(&unmet))
    }

    /// Writes down what health said; gives back why it is not well enough.
    pub(super) fn judge(&self, journal: &mut Journal, health: &[Verdict]) -> Option<String> {
        for verdict in health {
            let entry = Entry::Probed {
                verdict: verdict.clone(),
            };
            if let Err(error) = journal.write(&entry, Durability::Written) {
                return Some(error.to_string());
            }
            self.progress.tell(&ActivationEvent::Probed {
                verdict: verdict.clone(),
            });
        }
        let bad: Vec<String> = health
            .iter()
            .filter(|verdict| verdict.rolls_back())
            .map(|verdict| match &verdict.answer {
                Answer::Failed { reason } => format!("{}: {reason}", verdict.check),
                _ => verdict.check.clone(),
            })
            .collect();
        (!bad.is_empty()).then(|| format!("unhealthy: {}", bad.join("; ")))
    }

    /// Waits until somebody confirms over a connection that began after `applied`; gives back why it goes back if nobody
    /// does.
    pub(super) async fn ask_a_person(
        &self,
        journal: &mut Journal,
        applied: Duration,
        within: Duration,
    ) -> Result<(), String> {
        let awaited = Awaited::begin(self.host, applied, within);
        let event = Event::Asked {
            awaited: awaited.clone(),
        };
        self.enter(journal, event)
            .map_err(|error| error.to_string())?;
        loop {
            // Looked for after the time is over, too: who was just in time was.
            let is_over = self
                .host
                .since_boot()
                .is_none_or(|now| awaited.is_over(now));
            if let Some(given) = confirmation::given(self.store, journal.record.id) {
                tracing::info!(by = given.by, "confirmed");
                let entry = Entry::Confirmed { by: given.by };
                return journal
                    .write(&entry, Durability::Written)
                    .map_err(|error| error.to_string());
            }
            if is_over {
                return Err(format!(
                    "nobody confirmed it over a new connection within {} s",
                    within.as_secs()
                ));
            }
            tokio::time::sleep(LOOK_FOR_CONFIRMATION).await;
        }
    }
}
