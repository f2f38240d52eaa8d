//! Noticing at once that a local repository moved.

use std::path::{Path, PathBuf};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tracing::warn;

use crate::source::{Address, Remote};

/// Watches the refs of local repositories. Where there is none, or it cannot be watched, the poll interval is enough.
pub(super) struct RepositoryWatch {
    changes: mpsc::Receiver<()>,
    /// Kept so that the channel stays open when nothing is watched.
    _sender: mpsc::Sender<()>,
    _watcher: Option<RecommendedWatcher>,
}

impl RepositoryWatch {
    /// Watches those of `remotes` that are on this machine.
    pub(super) fn of(remotes: &[Remote]) -> Self {
        // One waiting change is as good as many.
        let (sender, changes) = mpsc::channel(1);
        let places: Vec<PathBuf> = remotes
            .iter()
            .filter_map(local)
            .flat_map(|path| refs_of(&path))
            .collect();
        let watcher = if places.is_empty() {
            None
        } else {
            watch(&places, sender.clone())
        };
        Self {
            changes,
            _sender: sender,
            _watcher: watcher,
        }
    }

    /// Waits for the next change.
    pub(super) async fn changed(&mut self) -> Option<()> {
        self.changes.recv().await
    }
}

fn local(remote: &Remote) -> Option<PathBuf> {
    match remote.address() {
        Address::Local(path) => Some(path.clone()),
        Address::Ssh(_) | Address::Http(_) => None,
    }
}

/// What moves when a branch does: `refs/`, and the directory that holds `HEAD` and `packed-refs`.
fn refs_of(repository: &Path) -> [PathBuf; 2] {
    let git = repository.join(".git");
    let git = if git.is_dir() {
        git
    } else {
        repository.to_owned()
    };
    [git.join("refs"), git]
}

fn watch(places: &[PathBuf], sender: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let on_event = move |event: notify::Result<notify::Event>| {
        let moved = event.is_ok_and(|event| {
            !event.kind.is_access()
                && event.paths.iter().any(|path| {
                    let name = path.file_name().unwrap_or_default();
                    let in_refs = path.components().any(|part| part.as_os_str() == "refs");
                    (in_refs || name == "HEAD" || name == "packed-refs")
                        && path.extension().is_none_or(|e| e != "lock")
                })
        });
        if moved {
            // A full channel means that a change is waiting already.
            let _ = sender.try_send(());
        }
    };
    let mut watcher = match notify::recommended_watcher(on_event) {
        Ok(watcher) => watcher,
        Err(error) => {
            warn!(%error, "the local repository is not watched; it is polled");
            return None;
        }
    };
    for place in places {
        let recursive = if place.ends_with("refs") {
            RecursiveMode::Recursive
        } else {
            RecursiveMode::NonRecursive
        };
        if let Err(error) = watcher.watch(place, recursive) {
            warn!(%error, path = %place.display(), "the local repository is not watched; it is polled");
        }
    }
    Some(watcher)
}
