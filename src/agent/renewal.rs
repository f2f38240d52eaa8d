//! The agent's own new program or unit: it must start before the generation that brought it is in force.
//!
//! The activation runs in a unit of its own, so it can restart the agent and see whether it comes up. One that does not
//! is a reason to go back like any other.

use std::cell::Cell;
use std::path::PathBuf;

use tracing::info;

use super::{Reconciler, rescue};
use crate::activation::Probes;
use crate::health::{Baseline, Prober, Verdict};

/// Who starts the agent anew when what it is started from changed.
pub(super) enum Renewal {
    /// It ends by itself when the pass is over; the activation runs inside of it.
    ByItself,
    /// The activation restarts it, last of all.
    AtLast {
        /// What this process was started from.
        program: Option<PathBuf>,
        /// Whether it was tried.
        tried: Cell<bool>,
    },
}

impl Renewal {
    /// To be made before anything is changed.
    pub(super) fn at_last() -> Self {
        Self::AtLast {
            program: std::env::current_exe().ok(),
            tried: Cell::new(false),
        }
    }

    /// Whether the agent was started anew.
    pub(super) fn was_tried(&self) -> bool {
        matches!(self, Self::AtLast { tried, .. } if tried.get())
    }
}

/// What is asked about an activation, and the agent's own start at the end of it.
pub(super) struct Asked<'a> {
    pub(super) prober: Prober,
    pub(super) reconciler: &'a Reconciler,
    pub(super) renewal: &'a Renewal,
    /// Whether the plan changes what the agent is started from.
    pub(super) touched: bool,
}

impl Probes for Asked<'_> {
    type Baseline = Baseline;

    async fn baseline(&self) -> Baseline {
        self.prober.baseline().await
    }

    async fn verdicts(&self, before: &Baseline) -> Vec<Verdict> {
        self.prober.verdicts(before).await
    }

    async fn at_last(&self) -> Result<(), String> {
        let Renewal::AtLast { program, tried } = self.renewal else {
            return Ok(());
        };
        let replaced = program.as_deref().is_some_and(rescue::was_replaced);
        if !self.touched && !replaced {
            return Ok(());
        }
        tried.set(true);
        info!("the agent starts anew with what this generation brought");
        let restarted = self.reconciler.restart_agent().await;
        restarted.map_err(|problem| problem.in_one_line())
    }
}
