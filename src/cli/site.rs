//! The host that a verb acts on: the running system, or the directory of `--root`.

use std::future::Future;

use super::HostFlags;
use crate::agent::{Needs, Overrides, PATIENCE, Reconciler, Settings, state_dir};
use crate::config::HostName;
use crate::generation::Store;
use crate::host::{Host, durable};
use crate::report::{Problem, State};

impl HostFlags {
    /// The host of `--root`, or the running system.
    pub(super) fn open_host(&self) -> Result<Host, Problem> {
        match &self.root {
            Some(root) => Host::below(root),
            None => Host::live(),
        }
        .map_err(|error| Problem::of(&error).with_hint(error.hint()))
    }

    /// The host of `--root`, which must be there, or the running system: for verbs that only look.
    pub(super) fn look_at_host(&self) -> Result<Host, Problem> {
        match &self.root {
            Some(root) if !root.is_dir() => {
                let root = root.display();
                Err(Problem::new(format!("{root} is not a directory"))
                    .with_fix("give --root the directory that `reconcile now` was given"))
            }
            _ => self.open_host(),
        }
    }

    /// The host with its repository, as flags and settings say.
    pub(super) fn open_reconciler(&self) -> Result<Reconciler, Problem> {
        let host = self.open_host()?;
        let settings = load(&host, &self.overrides(Needs::Repository))?;
        Ok(Reconciler::new(host, settings))
    }

    /// The host as it is now: no repository need be named, and its name is what it was activated as.
    pub(super) fn open_as_it_is(&self) -> Result<Reconciler, Problem> {
        let host = self.look_at_host()?;
        let known = match store_to_read(&host)? {
            Some(store) => store
                .current_host()
                .map_err(|error| Problem::of_store(&error))?,
            None => None,
        };
        let settings = self.settings_of(&host, known)?;
        Ok(Reconciler::new(host, settings))
    }

    /// The settings of a host that is only looked at and that may be known by name already.
    pub(super) fn settings_of(
        &self,
        host: &Host,
        known: Option<HostName>,
    ) -> Result<Settings, Problem> {
        let mut overrides = self.overrides(Needs::HostOnly);
        overrides.host = overrides.host.or(known);
        load(host, &overrides)
    }

    /// What the flags say instead of the settings file.
    fn overrides(&self, needs: Needs) -> Overrides {
        Overrides {
            needs,
            settings: self.settings.clone(),
            remote: self.repo.clone(),
            branch: self.branch.clone(),
            host: self.host.clone(),
            identity: self.identity.clone(),
        }
    }

    /// The flags among these that a running agent does not obey, since it has settings of its own.
    pub(super) fn unheard_by_agent(&self) -> Vec<&'static str> {
        [
            ("--settings", self.settings.is_some()),
            ("--repo", self.repo.is_some()),
            ("--branch", self.branch.is_some()),
            ("--host", self.host.is_some()),
            ("--identity", self.identity.is_some()),
        ]
        .into_iter()
        .filter_map(|(flag, given)| given.then_some(flag))
        .collect()
    }
}

fn load(host: &Host, overrides: &Overrides) -> Result<Settings, Problem> {
    Settings::load(host, overrides).map_err(|error| Problem::of(&error).with_hint(error.fix()))
}

/// The store of `host`; `None` if it never had a generation. Looking does not make the store.
pub(super) fn store_to_read(host: &Host) -> Result<Option<Store>, Problem> {
    let dir = state_dir(host);
    match dir.try_exists() {
        Ok(true) => Store::open(&dir)
            .map(Some)
            .map_err(|error| Problem::of_store(&error)),
        Ok(false) => Ok(None),
        Err(error) => Err(Problem::of(&error).about(format!("cannot look at {}", dir.display()))),
    }
}

/// Keeps every other process from changing the host of `store` until the lock is dropped.
pub(super) fn lock(store: &Store) -> Result<durable::Lock, Problem> {
    durable::lock_within(&store.root().join("lock"), PATIENCE)
        .map_err(|error| Problem::of(&error).with_hint(error.hint()))
}

/// The state of `host`.
pub(super) fn state(host: &Host) -> Result<State, Problem> {
    State::load(&state_dir(host).join("state.json"))
        .map_err(|error| Problem::of(&error).with_fix(error.fix()))
}

/// Waits for `work` on this thread.
pub(super) fn wait<T>(work: impl Future<Output = T>) -> Result<T, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::of(&error).about("cannot wait for events"))?;
    Ok(runtime.block_on(work))
}
