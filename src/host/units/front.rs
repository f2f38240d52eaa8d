//! The units of a machine, wherever they are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::UnitError;
use super::bus::Bus;
use super::job::{JobResult, Order};
use super::links::Links;
use super::timer::TimerState;
use crate::host::{Host, UnitName, UnitState};

/// The units of a machine. Cheap to clone; orders may run side by side.
#[derive(Debug, Clone)]
pub struct Units {
    backend: Backend,
}

#[derive(Debug, Clone)]
enum Backend {
    Bus(Arc<Bus>),
    Links(Links),
}

impl Host {
    /// Opens the conversation with the machine's systemd; below a root, with its files.
    ///
    /// Needs a tokio runtime with I/O and time, which must stay the same for the life of the value.
    ///
    /// # Errors
    /// [`UnitError::NoManager`] or [`UnitError::NoBus`].
    pub async fn units(&self) -> Result<Units, UnitError> {
        let backend = if self.is_live() {
            Backend::Bus(Arc::new(Bus::connect().await?))
        } else {
            Backend::Links(Links::new(self.clone()))
        };
        Ok(Units { backend })
    }
}

impl Units {
    /// The state of each unit of `names`; one that nobody knows has [`UnitFileState::Missing`](crate::host::UnitFileState).
    ///
    /// # Errors
    /// [`UnitError::Call`].
    pub async fn observe(
        &self,
        names: &BTreeSet<UnitName>,
    ) -> Result<BTreeMap<UnitName, UnitState>, UnitError> {
        match &self.backend {
            Backend::Bus(bus) => bus.observe(names).await,
            Backend::Links(links) => links.observe(names),
        }
    }

    /// When a timer went off last and goes off next; below a root, where nothing ever does, neither.
    ///
    /// # Errors
    /// [`UnitError::Call`].
    pub async fn timer(&self, unit: &UnitName) -> Result<TimerState, UnitError> {
        match &self.backend {
            Backend::Bus(bus) => bus.timer(unit).await,
            Backend::Links(_) => Ok(TimerState::default()),
        }
    }

    /// The units that systemd counts as failed; empty below a root.
    ///
    /// # Errors
    /// [`UnitError::Call`].
    pub async fn failed(&self) -> Result<BTreeSet<UnitName>, UnitError> {
        match &self.backend {
            Backend::Bus(bus) => bus.failed().await,
            Backend::Links(_) => Ok(BTreeSet::new()),
        }
    }

    /// Lets systemd read all unit files again, and waits until it has.
    ///
    /// # Errors
    /// [`UnitError::Call`], [`UnitError::Late`].
    pub async fn daemon_reload(&self) -> Result<(), UnitError> {
        match &self.backend {
            Backend::Bus(bus) => bus.daemon_reload().await,
            Backend::Links(_) => Ok(()),
        }
    }

    /// Starts a unit and waits for its job.
    ///
    /// # Errors
    /// [`UnitError::Refused`] if no job was made. A job that failed is a [`JobResult`].
    pub async fn start(&self, unit: &UnitName) -> Result<JobResult, UnitError> {
        self.order(unit, Order::Start).await
    }

    /// Stops a unit and waits for its job. One that systemd does not know is stopped.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn stop(&self, unit: &UnitName) -> Result<JobResult, UnitError> {
        self.order(unit, Order::Stop).await
    }

    /// Restarts a unit, or starts it, and waits for its job.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn restart(&self, unit: &UnitName) -> Result<JobResult, UnitError> {
        self.order(unit, Order::Restart).await
    }

    /// Reloads a unit and waits for its job; one that cannot be reloaded is restarted, one that does not run is started.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn reload(&self, unit: &UnitName) -> Result<JobResult, UnitError> {
        self.order(unit, Order::Reload).await
    }

    /// Forgets that a unit failed, so that its start limit counts from zero. Nothing happens if systemd does not know it.
    ///
    /// # Errors
    /// [`UnitError::Refused`], [`UnitError::Call`].
    pub async fn reset_failed(&self, unit: &UnitName) -> Result<(), UnitError> {
        match &self.backend {
            Backend::Bus(bus) => bus.reset_failed(unit).await,
            Backend::Links(_) => Ok(()),
        }
    }

    /// Makes the links that the unit's `[Install]` section asks for. systemd sees them after a daemon reload.
    ///
    /// # Errors
    /// [`UnitError::Refused`]; below a root [`UnitError::NoFile`] or [`UnitError::File`].
    pub async fn enable(&self, unit: &UnitName) -> Result<(), UnitError> {
        match &self.backend {
            Backend::Bus(bus) => bus.enable(unit).await,
            Backend::Links(links) => links.enable(unit),
        }
    }

    /// Removes every enablement link of the unit.
    ///
    /// # Errors
    /// As [`enable`](Self::enable).
    pub async fn disable(&self, unit: &UnitName) -> Result<(), UnitError> {
        match &self.backend {
            Backend::Bus(bus) => bus.disable(unit).await,
            Backend::Links(links) => links.disable(unit),
        }
    }

    async fn order(&self, unit: &UnitName, order: Order) -> Result<JobResult, UnitError> {
        match &self.backend {
            Backend::Bus(bus) => bus.order(unit, order).await,
            Backend::Links(_) => Ok(JobResult::NotRun),
        }
    }
}
