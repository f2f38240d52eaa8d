//! The units of a machine, wherever they are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::UnitError;
use super::account::{Awake, OfAccount};
use super::bus::Bus;
use super::job::{JobResult, Order};
use super::links::Links;
use super::timer::TimerState;
use crate::host::exec::Program;
use crate::host::{
    Host, HostPath, PathState, UnitFileState, UnitId, UnitName, UnitState, UserName,
};

/// The units of a machine. Cheap to clone; orders may run side by side.
#[derive(Debug, Clone)]
pub struct Units {
    pub(super) backend: Backend,
    host: Host,
}

#[derive(Debug, Clone)]
pub(super) enum Backend {
    Bus(Arc<Bus>),
    Links(Links),
}

impl Host {
    /// Opens the conversation with the machine's systemd; below a root, with its files.
    ///
    /// While anybody holds one, all are of one connection. Needs a tokio runtime with I/O and time, which must stay the
    /// same for the life of the value.
    ///
    /// # Errors
    /// [`UnitError::NoManager`] or [`UnitError::NoBus`].
    pub async fn units(&self) -> Result<Units, UnitError> {
        let backend = if self.is_live() {
            Backend::Bus(self.conversation.take_part().await?)
        } else {
            Backend::Links(Links::new(self.clone()))
        };
        Ok(Units {
            backend,
            host: self.clone(),
        })
    }

    /// The accounts among `names` whose own systemd runs; none below a root.
    ///
    /// # Errors
    /// [`UnitError::Accounts`], [`UnitError::File`].
    pub fn awake<'n>(
        &self,
        names: impl IntoIterator<Item = &'n UserName>,
    ) -> Result<BTreeSet<UserName>, UnitError> {
        let mut awake = BTreeSet::new();
        if !self.is_live() {
            return Ok(awake);
        }
        for name in names {
            if let Some(found) = OfAccount::find(self, name)?
                && found.awake() == Awake::Yes
            {
                awake.insert(name.clone());
            }
        }
        Ok(awake)
    }
}

impl Units {
    /// The state of each unit; one that nobody knows has [`UnitFileState::Missing`](crate::host::UnitFileState), one
    /// of an account whose systemd does not run no activity.
    ///
    /// # Errors
    /// [`UnitError::Call`].
    pub async fn observe(
        &self,
        units: &BTreeSet<UnitId>,
    ) -> Result<BTreeMap<UnitId, UnitState>, UnitError> {
        let mut names: BTreeMap<Option<&UserName>, BTreeSet<UnitName>> = BTreeMap::new();
        for unit in units {
            let of_account = names.entry(unit.account.as_ref()).or_default();
            of_account.insert(unit.name.clone());
        }
        let mut states = BTreeMap::new();
        for (account, names) in names {
            let found = match account {
                None => self.observe_machine(&names).await?,
                Some(account) => self.observe_account(account, &names).await?,
            };
            let found = found.into_iter();
            states.extend(found.map(|(name, state)| (UnitId::of(account, name), state)));
        }
        Ok(states)
    }

    async fn observe_machine(
        &self,
        names: &BTreeSet<UnitName>,
    ) -> Result<BTreeMap<UnitName, UnitState>, UnitError> {
        match &self.backend {
            Backend::Bus(bus) => {
                let mut states = bus.observe(names).await?;
                Links::new(self.host.clone()).look_behind_masks(&mut states)?;
                Ok(states)
            }
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

    async fn observe_account(
        &self,
        account: &UserName,
        names: &BTreeSet<UnitName>,
    ) -> Result<BTreeMap<UnitName, UnitState>, UnitError> {
        if let Some(of_account) = self.of_account(account)? {
            return of_account.observe(names).await;
        }
        let asleep = |name: &UnitName| (name.clone(), UnitState::of_file(UnitFileState::Missing));
        Ok(names.iter().map(asleep).collect())
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

    /// Lets the machine's systemd, or that of an account, read all unit files again, and waits until it has.
    ///
    /// # Errors
    /// [`UnitError::Call`], [`UnitError::Late`]; of an account [`UnitError::Systemctl`], [`UnitError::Declined`].
    pub async fn daemon_reload(&self, account: Option<&UserName>) -> Result<(), UnitError> {
        match (account, &self.backend) {
            (Some(account), _) => match self.of_account(account)? {
                Some(of_account) => of_account.daemon_reload().await,
                None => Ok(()),
            },
            (None, Backend::Bus(bus)) => bus.daemon_reload().await,
            (None, Backend::Links(_)) => Ok(()),
        }
    }

    /// Starts a unit and waits for its job. The systemd of an account that lingers is started first if need be.
    ///
    /// # Errors
    /// [`UnitError::Refused`] if no job was made. A job that failed is a [`JobResult`].
    pub async fn start(&self, unit: &UnitId) -> Result<JobResult, UnitError> {
        self.wake(unit).await?;
        self.order(unit, Order::Start).await
    }

    /// Stops a unit and waits for its job. One that systemd does not know is stopped.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn stop(&self, unit: &UnitId) -> Result<JobResult, UnitError> {
        self.order(unit, Order::Stop).await
    }

    /// Restarts a unit, or starts it, and waits for its job.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn restart(&self, unit: &UnitId) -> Result<JobResult, UnitError> {
        self.order(unit, Order::Restart).await
    }

    /// Reloads a unit and waits for its job; one that cannot be reloaded is restarted, one that does not run is started.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn reload(&self, unit: &UnitId) -> Result<JobResult, UnitError> {
        self.order(unit, Order::Reload).await
    }

    /// Forgets that a unit failed, so that its start limit counts from zero. Nothing happens if systemd does not know it.
    ///
    /// # Errors
    /// [`UnitError::Refused`], [`UnitError::Call`].
    pub async fn reset_failed(&self, unit: &UnitId) -> Result<(), UnitError> {
        match (&unit.account, &self.backend) {
            (Some(account), _) => match self.of_account(account)? {
                Some(of_account) => of_account.reset_failed(&unit.name).await,
                None => Ok(()),
            },
            (None, Backend::Bus(bus)) => bus.reset_failed(&unit.name).await,
            (None, Backend::Links(_)) => Ok(()),
        }
    }

    /// Makes the links that the unit's `[Install]` section asks for. systemd sees them after a daemon reload.
    ///
    /// # Errors
    /// [`UnitError::Refused`]; below a root [`UnitError::NoFile`] or [`UnitError::File`].
    pub async fn enable(&self, unit: &UnitId) -> Result<(), UnitError> {
        match (&unit.account, &self.backend) {
            (Some(account), _) => self.enablement("enable", account, &unit.name).await,
            (None, Backend::Bus(bus)) => bus.enable(&unit.name).await,
            (None, Backend::Links(links)) => links.enable(&unit.name),
        }
    }

    /// Removes every enablement link of the unit, also behind its mask.
    ///
    /// # Errors
    /// As [`enable`](Self::enable).
    pub async fn disable(&self, unit: &UnitId) -> Result<(), UnitError> {
        match (&unit.account, &self.backend) {
            (Some(account), _) => self.enablement("disable", account, &unit.name).await,
            (None, Backend::Bus(bus)) => {
                bus.disable(&unit.name).await?;
                Links::new(self.host.clone()).disable_behind_mask(&unit.name)
            }
            (None, Backend::Links(links)) => links.disable(&unit.name),
        }
    }

    async fn enablement(
        &self,
        verb: &'static str,
        account: &UserName,
        unit: &UnitName,
    ) -> Result<(), UnitError> {
        match self.of_account(account)? {
            Some(of_account) => of_account.enablement(verb, unit).await,
            None => Ok(()),
        }
    }

    async fn order(&self, unit: &UnitId, order: Order) -> Result<JobResult, UnitError> {
        match (&unit.account, &self.backend) {
            (Some(account), _) => match self.of_account(account)? {
                Some(of_account) => of_account.order(&unit.name, order).await,
                None => Ok(JobResult::NotRun),
            },
            (None, Backend::Bus(bus)) => bus.order(&unit.name, order).await,
            (None, Backend::Links(_)) => Ok(JobResult::NotRun),
        }
    }

    /// An account of the machine; `None` if there is none of that name, or below a root.
    pub(super) fn of_account(&self, account: &UserName) -> Result<Option<OfAccount>, UnitError> {
        match &self.backend {
            Backend::Bus(_) => OfAccount::find(&self.host, account),
            Backend::Links(_) => Ok(None),
        }
    }

    /// Starts the systemd of an account that lingers, as logind does when the machine boots.
    async fn wake(&self, unit: &UnitId) -> Result<(), UnitError> {
        let (Backend::Bus(bus), Some(account)) = (&self.backend, &unit.account) else {
            return Ok(());
        };
        let Some(found) = OfAccount::find(&self.host, account)? else {
            return Ok(());
        };
        if found.awake() == Awake::Yes || !self.lingers(account)? {
            return Ok(());
        }
        // logind reads its files when it starts; told so, it knows the account as one of its own.
        let told = Program::new("loginctl")
            .args(["enable-linger", account.as_str()])
            .run_ok();
        if let Err(error) = told {
            tracing::debug!(%account, %error, "logind was not told that an account lingers");
        }
        let name = format!("user@{}.service", found.uid());
        let Ok(manager) = UnitName::new(name) else {
            return Ok(());
        };
        let result = bus.order(&manager, Order::Start).await?;
        tracing::info!(%account, %result, "the systemd of an account was started");
        Ok(())
    }

    fn lingers(&self, account: &UserName) -> Result<bool, UnitError> {
        let Ok(path) = HostPath::new(format!("/var/lib/systemd/linger/{account}")) else {
            return Ok(false);
        };
        Ok(self.host.look(&path)? != PathState::Absent)
    }
}
