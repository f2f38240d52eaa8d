//! Waiting for one's turn: while somebody else is at work on the host, a pass looks on.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{ACTIVATION_UNIT, PassEvent, Reconciler};
use crate::activation::{self, ActivationEvent, Phase};
use crate::host::durable::{Lock, LockError};
use crate::host::{Transient, durable};
use crate::report::Problem;

/// How often it is looked whether the lock is free.
const GLANCE: Duration = Duration::from_millis(250);

/// How long another pass is waited for, which changes nothing: it fetches, or looks for drift.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long nothing is said about it.
const SILENCE: Duration = Duration::from_secs(1);

impl Reconciler {
    /// Takes the lock. While the service of an activation holds it, waits, and tells how that goes on; for another pass
    /// waits a while.
    pub(super) async fn lock_when_free(
        &self,
        on_event: &dyn Fn(&PassEvent),
    ) -> Result<Lock, Problem> {
        let path = self.lock_file()?;
        let mut taken = durable::lock(&path);
        if matches!(taken, Err(LockError::Held { .. })) {
            let mut looking = Looking::begin(self).await;
            let _watching = self.watch();
            while matches!(taken, Err(LockError::Held { .. }))
                && looking.goes_on(self, on_event).await
            {
                sleep(GLANCE).await;
                taken = durable::lock(&path);
            }
        }
        taken.map_err(|error| Problem::of(&error).with_hint(error.hint()))
    }
}

struct Looking {
    systemd: Option<Transient>,
    begun: Instant,
    /// When an activation was seen last.
    seen: Option<Instant>,
    phase: Option<Phase>,
    /// Whether it was said that another pass is waited for.
    said: bool,
}

impl Looking {
    async fn begin(reconciler: &Reconciler) -> Self {
        let systemd = if reconciler.host().has_systemd() {
            Transient::connect().await.ok()
        } else {
            None
        };
        Self {
            systemd,
            begun: Instant::now(),
            seen: None,
            phase: None,
            said: false,
        }
    }

    /// Whether to wait longer: an activation is under way, or another pass has not had its time yet.
    async fn goes_on(&mut self, reconciler: &Reconciler, on_event: &dyn Fn(&PassEvent)) -> bool {
        if self.is_activating().await {
            if self.seen.replace(Instant::now()).is_none() {
                on_event(&PassEvent::Waiting);
            }
            self.tell_phase(reconciler, on_event);
            return true;
        }
        let waited = self.seen.unwrap_or(self.begun).elapsed();
        if waited > SILENCE && !self.said {
            self.said = true;
            on_event(&PassEvent::Queued);
        }
        waited < PATIENCE
    }

    async fn is_activating(&self) -> bool {
        match &self.systemd {
            Some(systemd) => systemd.is_running(ACTIVATION_UNIT).await.unwrap_or(false),
            None => false,
        }
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
