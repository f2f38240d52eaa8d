//! The host that a verb acts on: the running system, or the directory of `--root`.

use std::path::PathBuf;

use super::HostFlags;
use crate::generation::Store;
use crate::host::Host;
use crate::report::{Problem, State, Status};

/// Where state is kept, below the host's root.
const STATE_DIR: &str = "var/lib/steadfast";

impl HostFlags {
    /// The host of `--root`, or the running system.
    pub(super) fn open_host(&self) -> Result<Host, Problem> {
        match &self.root {
            Some(root) => Host::below(root),
            None => Host::live(),
        }
        .map_err(|error| Problem::of(&error))
    }
}

/// Where `host` keeps its state.
pub(super) fn state_dir(host: &Host) -> PathBuf {
    host.root().join(STATE_DIR)
}

/// The store of `host`; `None` if it never had a generation. Looking does not make the store.
pub(super) fn store_to_read(host: &Host) -> Result<Option<Store>, Problem> {
    let dir = state_dir(host);
    match dir.try_exists() {
        Ok(true) => Store::open(&dir)
            .map(Some)
            .map_err(|error| Problem::of(&error)),
        Ok(false) => Ok(None),
        Err(error) => Err(Problem::of(&error).about(format!("cannot look at {}", dir.display()))),
    }
}

/// The state of `host`.
pub(super) fn state(host: &Host) -> Result<State, Problem> {
    State::load(&state_dir(host).join("state.json"))
        .map_err(|error| Problem::of(&error).with_fix(error.fix()))
}

/// The host, with what it keeps.
pub(super) struct Site {
    host: Host,
}

impl Site {
    /// Opens the host that `flags` name.
    pub(super) fn open(flags: &HostFlags) -> Result<Self, Problem> {
        Ok(Self {
            host: flags.open_host()?,
        })
    }

    /// The host at a glance.
    pub(super) fn status(&self) -> Result<Status, Problem> {
        let state = state(&self.host)?;
        let current = match store_to_read(&self.host)? {
            Some(store) => store.current().map_err(|error| Problem::of(&error))?,
            None => None,
        };
        Err(Problem::new(format!(
            "{:?} {}",
            state.failed,
            current.is_some()
        )))
    }
}
