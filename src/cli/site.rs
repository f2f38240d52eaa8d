//! The host that a verb acts on: the running system, or the directory of `--root`.

use std::future::Future;
use std::path::PathBuf;

use super::HostFlags;
use crate::agent::{Overrides, Reconciler, Settings};
use crate::generation::{Store, StoreError};
use crate::host::{Host, durable};
use crate::report::{Problem, State};

/// Where state is kept, below the host's root.
const STATE_DIR: &str = "var/lib/steadfast";

impl HostFlags {
    /// The host of `--root`, or the running system.
    pub(super) fn open_host(&self) -> Result<Host, Problem> {
        match &self.root {
            Some(root) => Host::below(root),
            None => Host::live(),
        }
        .map_err(|error| Problem::of(&error).with_hint(error.hint()))
    }

    /// The host with its repository, as flags and settings say.
    pub(super) fn open_reconciler(&self) -> Result<Reconciler, Problem> {
        let host = self.open_host()?;
        let settings = Settings::load(&host, &self.overrides())
            .map_err(|error| Problem::of(&error).with_hint(error.fix()))?;
        Ok(Reconciler::new(host, settings))
    }

    /// What the flags say instead of the settings file.
    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
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

/// Where `host` keeps its state.
fn state_dir(host: &Host) -> PathBuf {
    host.root().join(STATE_DIR)
}

/// The store of `host`; `None` if it never had a generation. Looking does not make the store.
pub(super) fn store_to_read(host: &Host) -> Result<Option<Store>, Problem> {
    let dir = state_dir(host);
    match dir.try_exists() {
        Ok(true) => Store::open(&dir)
            .map(Some)
            .map_err(|error| store_problem(&error)),
        Ok(false) => Ok(None),
        Err(error) => Err(Problem::of(&error).about(format!("cannot look at {}", dir.display()))),
    }
}

/// What the store could not do.
pub(super) fn store_problem(error: &StoreError) -> Problem {
    Problem::of(error).with_hint(error.fix())
}

/// Keeps every other process from changing the host of `store` until the lock is dropped.
pub(super) fn lock(store: &Store) -> Result<durable::Lock, Problem> {
    durable::lock(&store.root().join("lock"))
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
