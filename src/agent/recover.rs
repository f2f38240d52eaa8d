//! The one way in which an activation that was cut off is finished, whoever asks: the agent, a person, the boot unit, the
//! service whose activation died, the timer that guards it.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tracing::{info, warn};

use super::secrets::StoredSecrets;
use super::{ACTIVATION_UNIT, Reconciler, rescue};
use crate::activation::{self, OWN_UNIT, Recovered, Recovery};
use crate::generation::Store;
use crate::host::durable::{Lock, LockError};
use crate::host::{MachineState, Transient, UnitName, durable};
use crate::report::Problem;

/// How often it is looked whether the lock is free.
const GLANCE: Duration = Duration::from_millis(100);

/// How long a person waits for something that is just over.
const MOMENT: Duration = Duration::from_secs(3);

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rescue {
    /// A person.
    Typed,
    /// systemd, after the service of an activation ended, with the lock as standard input.
    AfterActivation,
    /// systemd, before the network and most services are there: files only.
    EarlyBoot,
    /// The timer: an activation that still runs hangs, and is ended first.
    EndHung {
        /// How long somebody else may then take to bring the host back.
        patience: Duration,
    },
}

impl Reconciler {
    /// Finishes an activation that was cut off, under the lock. A second call does nothing.
    ///
    /// # Errors
    /// [`Problem`] if somebody else is at work, or the state cannot be read or written.
    pub async fn rescue(&self, rescue: Rescue) -> Result<Recovered, Problem> {
        if rescue == Rescue::AfterActivation && self.shuts_down().await {
            info!("the machine shuts down; the activation is finished when it boots");
            return Ok(Recovered::Nothing);
        }
        let _lock = self.lock_for(rescue).await?;
        let recovery = match rescue {
            Rescue::EarlyBoot => Recovery::EarlyBoot,
            _ => Recovery::Automatic,
        };
        let store = self.store()?;
        let touched_itself = open_plan_touches_agent(&store)?;
        let stored = StoredSecrets::new(self.settings(), &store);
        let activation = self.unwatched(&store, &stored);
        let recovered = Box::pin(activation.recover(recovery))
            .await
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
        if rescue != Rescue::EarlyBoot && self.host().has_systemd() {
            self.tidy_up(touched_itself).await;
        }
        Ok(recovered)
    }

    async fn lock_for(&self, rescue: Rescue) -> Result<Lock, Problem> {
        let problem = |error: LockError| Problem::of(&error).with_hint(error.hint());
        let path = self.state_dir().join("lock");
        let patience = match rescue {
            Rescue::EarlyBoot => return self.lock(),
            Rescue::AfterActivation => {
                let descriptor = std::io::stdin()
                    .as_fd()
                    .try_clone_to_owned()
                    .map_err(|error| Problem::of(&error))?;
                return durable::inherited_lock(&path, descriptor).map_err(problem);
            }
            Rescue::Typed => MOMENT,
            Rescue::EndHung { patience } => {
                self.end_hung_activation().await?;
                patience
            }
        };
        let deadline = Instant::now() + patience;
        loop {
            match self.lock() {
                Err(_) if Instant::now() < deadline => sleep(GLANCE).await,
                taken => return taken,
            }
        }
    }

    /// Ends the service of an activation that runs for too long; what it began is then rolled back.
    async fn end_hung_activation(&self) -> Result<(), Problem> {
        if !self.host().has_systemd() {
            return Ok(());
        }
        let problem =
            |error: crate::host::TransientError| Problem::of(&error).with_hint(error.hint());
        let systemd = Transient::connect().await.map_err(problem)?;
        if systemd.is_running(ACTIVATION_UNIT).await.map_err(problem)? {
            warn!("the activation does not end; it is ended");
            systemd.kill(ACTIVATION_UNIT).await.map_err(problem)?;
        }
        Ok(())
    }

    async fn shuts_down(&self) -> bool {
        let Ok(systemd) = Transient::connect().await else {
            return false;
        };
        systemd.machine_state().await.ok() == Some(MachineState::Stopping)
    }

    /// Nothing is left to be rescued, and an agent that does not start from what was taken back starts anew.
    async fn tidy_up(&self, touched_itself: bool) {
        if let Ok(systemd) = Transient::connect().await {
            rescue::disarm(&systemd).await;
        }
        if touched_itself && let Err(problem) = self.restart_agent().await {
            warn!(
                problem = problem.in_one_line(),
                "the agent does not start anew"
            );
        }
    }

    /// Lets systemd start the agent anew and waits until it says that it is ready; not if nobody wants it to run.
    pub(super) async fn restart_agent(&self) -> Result<(), Problem> {
        let Ok(name) = UnitName::new(OWN_UNIT) else {
            return Ok(());
        };
        let unit = crate::host::UnitId::of(None, name);
        let problem = |error: crate::host::UnitError| Problem::of(&error).with_hint(error.hint());
        let units = self.host().units().await.map_err(problem)?;
        let states = units
            .observe(&[unit.clone()].into())
            .await
            .map_err(problem)?;
        let wanted = states.get(&unit).is_some_and(|state| {
            state.active.is_some_and(crate::host::ActiveState::is_up)
                || state.file == crate::host::UnitFileState::Enabled
        });
        if !wanted {
            return Ok(());
        }
        let result = units.restart(&unit).await.map_err(problem)?;
        if result.is_success() {
            return Ok(());
        }
        Err(Problem::new(format!("{OWN_UNIT} does not start: {result}"))
            .with_fix(format!("see `journalctl -u {OWN_UNIT} -e`")))
    }
}

/// Whether the transaction that is open changes what the agent is started from.
fn open_plan_touches_agent(store: &Store) -> Result<bool, Problem> {
    match activation::open_phase(store) {
        Ok(open) => Ok(open.is_some_and(|(record, _)| rescue::touches_agent(&record.plan))),
        Err(error) => Err(Problem::of(&error).with_hint(error.hint())),
    }
}
