//! Steps about files, directories and links.

use super::super::PathChange;
use super::super::failure::HostFailure;
use super::super::journal::{Durability, Entry, Journal};
use super::super::plan::{Fit, Ids, fit, words};
use super::super::progress::ActivationEvent;
use super::{Hands, Unpacked, remember};
use crate::generation::{PathEntry, PathKind};
use crate::host::{GroupName, HostPath, Owner, Ownership, PathState, Removed, UserName};

/// Larger files are neither kept as originals nor as drifted versions: they are not configuration.
pub(in super::super) const LARGEST_KEPT_BYTES: u64 = 512 * 1024 * 1024;

impl Hands<'_> {
    pub(super) fn write(
        &mut self,
        path: &HostPath,
        entry: &PathEntry,
        (change, found): (PathChange, &PathState),
        journal: &mut Journal,
    ) -> Result<(), HostFailure> {
        let host = self.bench.host;
        let now = host.look(path)?;
        let ids = Ids(self.accounts()?);
        if fit(&entry.kind, &now, ids) == Fit::Same || self.is_there_already(path, entry, &now) {
            return Ok(());
        }
        self.check_unraced(path, found, &now)?;
        if change == PathChange::Repair {
            self.keep_drifted(path, journal)?;
        }
        match &entry.kind {
            PathKind::File {
                content,
                owner,
                group,
                mode,
            } => {
                let owner = self.owner(path, owner, group)?;
                // A file of somebody else is not given away but made anew: it may have been moved there.
                if matches!(&now, PathState::File { content: has, owner: by, .. } if has == content && same_user(*by, owner))
                {
                    host.set_metadata(path, owner, *mode)?;
                } else {
                    let content = self.bench.store.object(content)?;
                    host.write_file(path, &content, owner, *mode)?;
                }
            }
            PathKind::Directory { owner, group, mode } => {
                let owner = self.owner(path, owner, group)?;
                host.make_directory(path, owner, *mode)?;
            }
            PathKind::Symlink { target } => host.make_symlink(path, target)?,
        }
        self.dirty.extend(path.parent());
        tracing::info!(%path, "path written");
        Ok(())
    }

    /// A directory that is only on the way, and that somebody made in the meantime, such as the home of an account
    /// that was just created: whoever made it knows better whose it is.
    fn is_there_already(&self, path: &HostPath, entry: &PathEntry, now: &PathState) -> bool {
        let on_the_way = !self.bench.manifest.paths.contains_key(path);
        on_the_way
            && matches!(entry.kind, PathKind::Directory { .. })
            && matches!(now, PathState::Directory { .. })
    }

    /// Makes sure that what is about to be replaced is what the plan was decided from.
    fn check_unraced(
        &self,
        path: &HostPath,
        found: &PathState,
        now: &PathState,
    ) -> Result<(), HostFailure> {
        let made = matches!(
            (found, now),
            (PathState::Absent, PathState::Directory { .. })
        );
        if *now == PathState::Absent || same_content(found, now) || made {
            return Ok(());
        }
        if self.unpacked == Unpacked::Yes && *found == PathState::Absent {
            return self.keep_unpacked(path, now);
        }
        Err(HostFailure::Raced {
            path: path.clone(),
            now: words(now),
        })
    }

    /// A file that a package has just brought: an original that goes with it.
    fn keep_unpacked(&self, path: &HostPath, now: &PathState) -> Result<(), HostFailure> {
        let store = self.bench.store;
        if let PathState::File { .. } = now {
            keep(self.bench.host, store, path)?;
        }
        let mut originals = store.originals()?;
        originals.insert(path.clone(), now.clone());
        self.change_additions(|additions| {
            additions.unpacked.insert(path.clone());
        })?;
        Ok(store.set_originals(&originals)?)
    }

    fn keep_drifted(&self, path: &HostPath, journal: &mut Journal) -> Result<(), HostFailure> {
        let Some(object) = keep(self.bench.host, self.bench.store, path)? else {
            return Ok(());
        };
        let entry = Entry::Kept {
            path: path.clone(),
            object: object.clone(),
        };
        remember(journal, &entry, Durability::Written);
        self.bench.progress.tell(&ActivationEvent::Kept {
            path: path.clone(),
            object,
        });
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &HostPath, found: &PathState) -> Result<(), HostFailure> {
        let host = self.bench.host;
        let now = host.look(path)?;
        if now == PathState::Absent {
            return Ok(());
        }
        self.check_unraced(path, found, &now)?;
        match host.remove(path)? {
            Removed::Yes => {
                self.dirty.extend(path.parent());
                tracing::info!(%path, "path removed");
            }
            Removed::NotEmpty => tracing::info!(%path, "directory kept, because it is not empty"),
            Removed::WasAbsent => {}
        }
        Ok(())
    }

    pub(super) fn restore(&mut self, path: &HostPath) -> Result<(), HostFailure> {
        let Self { bench, .. } = self;
        let (host, store) = (bench.host, bench.store);
        let originals = store.originals()?;
        let original = originals
            .get(path)
            .ok_or_else(|| HostFailure::NoOriginal { path: path.clone() })?;
        match original {
            PathState::File {
                content,
                mode,
                owner,
            } => {
                let content = store.object(content)?;
                host.write_file(path, &content, *owner, *mode)?;
            }
            PathState::Directory { mode, owner } => host.make_directory(path, *owner, *mode)?,
            PathState::Symlink { target } => host.make_symlink(path, target)?,
            PathState::Absent | PathState::Other { .. } => {
                return Err(HostFailure::NoOriginal { path: path.clone() });
            }
        }
        self.dirty.extend(path.parent());
        tracing::info!(%path, "original restored");
        Ok(())
    }

    fn owner(
        &mut self,
        path: &HostPath,
        user: &UserName,
        group: &GroupName,
    ) -> Result<Owner, HostFailure> {
        if self.bench.host.ownership() == Ownership::Ignored {
            return Ok(Owner::Unknown);
        }
        let ids = Ids(self.accounts()?);
        let unknown = |name: &str| HostFailure::UnknownOwner {
            path: path.clone(),
            name: name.to_owned(),
        };
        let uid = ids.user(user).ok_or_else(|| unknown(user.as_str()))?;
        let gid = ids.group(group).ok_or_else(|| unknown(group.as_str()))?;
        Ok(Owner::Ids { uid, gid })
    }
}

/// Keeps the content of the file at `path` as an object; `None` if it is no file any more.
pub(in super::super) fn keep(
    host: &crate::host::Host,
    store: &crate::generation::Store,
    path: &HostPath,
) -> Result<Option<crate::host::Digest>, HostFailure> {
    if !matches!(host.look(path)?, PathState::File { .. }) {
        return Ok(None);
    }
    match host.read_file(path, LARGEST_KEPT_BYTES)? {
        Some(content) => Ok(Some(store.keep(&content)?)),
        None => Ok(None),
    }
}

fn same_user(found: Owner, wanted: Owner) -> bool {
    match (found, wanted) {
        (Owner::Ids { uid, .. }, Owner::Ids { uid: wanted, .. }) => uid == wanted,
        _ => true,
    }
}

fn same_content(found: &PathState, now: &PathState) -> bool {
    match (found, now) {
        (PathState::File { content, .. }, PathState::File { content: has, .. }) => content == has,
        (PathState::Directory { .. }, PathState::Directory { .. }) => true,
        (found, now) => found == now,
    }
}
