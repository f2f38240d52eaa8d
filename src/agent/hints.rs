//! Hints that the host changed, and what they are about. The look that follows finds out what it was.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::debug;

use super::Reconciler;
use crate::generation::{GenerationNumber, Manifest};
use crate::host::{FileWatch, Host, HostPath, UnitName, UnitWatch, WatchList};
use crate::report::Problem;

/// How long PID 1 is left alone when it was not heard.
const LISTEN_AGAIN: Duration = Duration::from_secs(30);

/// Files that change when accounts or packages do, besides those that are managed.
const OF_ACCOUNTS: [&str; 4] = ["/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"];
const OF_PACKAGES: &str = "/var/lib/dpkg/status";

/// What a generation asks to be told of.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    generation: Option<GenerationNumber>,
    files: WatchList,
    units: BTreeSet<UnitName>,
}

impl Wanted {
    fn of(generation: Option<GenerationNumber>, manifest: &Manifest) -> Self {
        let mut also: Vec<HostPath> = Vec::new();
        if !manifest.users.is_empty() || !manifest.groups.is_empty() {
            also.extend(
                OF_ACCOUNTS
                    .into_iter()
                    .filter_map(|path| HostPath::new(path).ok()),
            );
        }
        also.extend(HostPath::new(OF_PACKAGES));
        let units = manifest.units.keys().filter(|unit| unit.account.is_none());
        Self {
            generation,
            files: WatchList::of(manifest.paths.keys().chain(&also)),
            units: units.map(|unit| unit.name.clone()).collect(),
        }
    }
}

impl Reconciler {
    /// What the generation in force asks to be told of; `None` if it is the one that is `followed` already.
    pub(super) fn wanted(
        &self,
        followed: Option<GenerationNumber>,
    ) -> Result<Option<Wanted>, Problem> {
        let current = self.store()?.current();
        let current = current.map_err(|error| Problem::of_store(&error))?;
        Ok(current
            .filter(|current| Some(current.number) != followed)
            .map(|current| Wanted::of(Some(current.number), &current.manifest)))
    }
}

/// Listens to the kernel and to PID 1.
pub(super) struct Hints {
    host: Host,
    generation: Option<GenerationNumber>,
    files: FileWatch,
    units: BTreeSet<UnitName>,
    heard: mpsc::Receiver<()>,
    tell: mpsc::Sender<()>,
    listener: Option<JoinHandle<()>>,
}

impl Hints {
    /// Listens to nothing yet.
    pub(super) fn new(host: &Host) -> Self {
        // One waiting hint is as good as many.
        let (tell, heard) = mpsc::channel(1);
        Self {
            host: host.clone(),
            generation: None,
            files: FileWatch::new(),
            units: BTreeSet::new(),
            heard,
            tell,
            listener: None,
        }
    }

    /// The generation that is followed.
    pub(super) fn generation(&self) -> Option<GenerationNumber> {
        self.generation
    }

    /// Listens to what `wanted` names from now on; to the same as before, if that is nothing new.
    pub(super) fn follow(&mut self, wanted: Option<Wanted>) {
        let Some(wanted) = wanted else {
            return self.files.renew(&self.host);
        };
        self.generation = wanted.generation;
        self.files.follow(&self.host, wanted.files);
        if self.host.is_live() && wanted.units != self.units {
            self.units = wanted.units;
            if let Some(listener) = self.listener.take() {
                listener.abort();
            }
            if !self.units.is_empty() {
                let work = listen(self.units.clone(), self.tell.clone());
                self.listener = Some(tokio::spawn(work));
            }
        }
    }

    /// Waits for the next hint.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            () = self.files.changed() => {}
            // Open for as long as this value has a sender.
            _ = self.heard.recv() => {}
        }
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

/// Hands on what PID 1 tells of `units`, for ever.
async fn listen(units: BTreeSet<UnitName>, tell: mpsc::Sender<()>) {
    loop {
        match UnitWatch::of(&units).await {
            Ok(mut watch) => {
                while watch.changed().await.is_some() {
                    // A full channel means that a hint is waiting already.
                    let _ = tell.try_send(());
                }
            }
            Err(error) => debug!(%error, "units are not watched; they are scanned"),
        }
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}
