//! Waiting for one's turn: while an activation is under way that somebody else began, a pass looks on.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{ACTIVATION_UNIT, PassEvent, Reconciler};
use crate::activation::{self, ActivationEvent, Phase};
use crate::host::durable::{Lock, LockError};
use crate::host::{Transient, durable};
use crate::report::Problem;

/// How often it is looked whether the lock is free.
const GLANCE: Duration = Duration::from_millis(250);

/// How long the lock may stay held by something that is just over.
const AFTERWARDS: Duration = Duration::from_secs(3);

impl Reconciler {
    /// Takes the lock. While the service of an activation holds it, waits, and tells how that goes on.
    pub(super) async fn lock_when_free(
        &self,
        on_event: &dyn Fn(&PassEvent),
    ) -> Result<Lock, Problem> {
        match self.lock() {
            Err(_) if self.host().has_systemd() => {}
            taken => return taken,
        }
        let mut looking = Looking {
            systemd: Transient::connect().await.ok(),
            seen: None,
            phase: None,
        };
        let _watching = self.watch();
        loop {
            match durable::lock(&self.state_dir().join("lock")) {
                Err(LockError::Held { .. }) if looking.sees_it_run(self, on_event).await => {
                    sleep(GLANCE).await;
                }
                taken => {
                    return taken.map_err(|error| Problem::of(&error).with_hint(error.hint()));
                }
            }
        }
    }
}

struct Looking {
    systemd: Option<Transient>,
    /// When an activation was seen last.
    seen: Option<Instant>,
    phase: Option<Phase>,
}

impl Looking {
    /// Whether an activation is under way, or was until just now.
    async fn sees_it_run(
        &mut self,
        reconciler: &Reconciler,
        on_event: &dyn Fn(&PassEvent),
    ) -> bool {
        let Some(systemd) = &self.systemd else {
            return false;
        };
        if systemd.is_running(ACTIVATION_UNIT).await.unwrap_or(false) {
            if self.seen.replace(Instant::now()).is_none() {
                on_event(&PassEvent::Waiting);
            }
            self.tell_phase(reconciler, on_event);
            return true;
        }
        self.seen.is_some_and(|seen| seen.elapsed() < AFTERWARDS)
    }

    fn tell_phase(&mut self, reconciler: &Reconciler, on_event: &dyn Fn(&PassEvent)) {
        // Half a line of the journal may be there: it is whole at the next glance.
        let open = reconciler
            .store()
            .ok()
            .and_then(|store| activation::open_phase(&store).ok().flatten());
        if let Some((_, phase)) = open
            && self.phase.as_ref() != Some(&phase)
        {
            self.phase = Some(phase.clone());
            let event = ActivationEvent::Phase { phase };
            on_event(&PassEvent::Activation(event));
        }
    }
}
