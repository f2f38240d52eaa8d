//! Steps about files, directories and links.

use super::super::PathChange;
use super::super::failure::HostFailure;
use super::super::journal::{Durability, Entry, Journal};
use super::super::observe::rest;
use super::super::plan::{Fit, Ids, fit_whole, forgiven, words};
use super::super::progress::ActivationEvent;
use super::{Hands, Unpacked, remember};
use crate::generation::{Lenience, PathEntry, PathKind, Store};
use crate::host::{
    Digest, FileImage, FileMode, GroupName, Host, HostPath, Over, Owner, Ownership, PathState,
    Removed, Upkeep, UserName,
};

/// Larger files are neither kept as originals nor as drifted versions: they are not configuration.
pub(in super::super) const LARGEST_KEPT_BYTES: u64 = 512 * 1024 * 1024;

/// What is at a path that is about to be replaced.
pub(super) struct Sight {
    pub(super) real: PathState,
    /// The same, as far as the entry lets it differ.
    pub(super) now: PathState,
    /// What was there before it became ours.
    pub(super) original: Option<PathState>,
}

impl Sight {
    /// Whoever made something there since it was looked at keeps it.
    pub(super) fn over(&self) -> Over {
        match self.now {
            PathState::Absent => Over::Nothing,
            _ => Over::Anything,
        }
    }
}

impl Hands<'_> {
    /// Makes the directory or the link at `path`; files are staged and placed, see `files`.
    pub(super) fn write(
        &mut self,
        path: &HostPath,
        entry: &PathEntry,
        (change, found): (PathChange, &PathState),
        journal: &mut Journal,
    ) -> Result<(), HostFailure> {
        let Some(seen) = self.see(path, entry, (change, found), journal)? else {
            return Ok(());
        };
        let host = self.bench.host;
        match &entry.kind {
            PathKind::File { .. } => {}
            PathKind::Directory { owner, group, mode } => {
                let owner = self.owner(path, owner, group)?;
                let (owner, mode) = self.spared(path, &seen.real, (owner, *mode));
                host.make_directory(path, owner, mode)?;
            }
            PathKind::Symlink { target } => host.put_symlink(path, target, seen.over())?,
        }
        self.written(path);
        Ok(())
    }

    pub(super) fn written(&mut self, path: &HostPath) {
        self.dirty.extend(path.parent());
    }

    /// Looks at what is to be replaced, and keeps what must not be lost; `None` if it is right as it is.
    pub(super) fn see(
        &mut self,
        path: &HostPath,
        entry: &PathEntry,
        (change, found): (PathChange, &PathState),
        journal: &mut Journal,
    ) -> Result<Option<Sight>, HostFailure> {
        let real = self.bench.host.look(path)?;
        let now = match change {
            PathChange::Update | PathChange::Repair | PathChange::Metadata => {
                self.forgiven(path, entry, &real)?
            }
            // It was not ours until now.
            PathChange::Create | PathChange::Backup | PathChange::Adopt => real.clone(),
        };
        let original = self.original(path)?;
        let ids = Ids(self.accounts()?);
        if fit_whole(entry, &now, ids, original.as_ref()) == Fit::Same
            || (*found == PathState::Absent && self.is_there_already(path, entry, &now))
        {
            return Ok(None);
        }
        self.check_unraced(path, found, &now)?;
        if change == PathChange::Repair {
            self.keep_drifted(path, &now, journal)?;
        }
        Ok(Some(Sight {
            real,
            now,
            original,
        }))
    }

    /// What is there, as far as the entry lets it differ.
    fn forgiven(
        &mut self,
        path: &HostPath,
        entry: &PathEntry,
        real: &PathState,
    ) -> Result<PathState, HostFailure> {
        let manifest = self.bench.manifest;
        let Some(lenience) = manifest.lenience.get(path) else {
            return Ok(real.clone());
        };
        let rest = rest(self.bench.host, manifest, path, real)?;
        let ids = Ids(self.accounts()?);
        Ok(forgiven(lenience, &entry.kind, (real, rest.as_ref()), ids))
    }

    /// Owner and mode to give, where those that are there may stay.
    pub(super) fn spared(
        &self,
        path: &HostPath,
        real: &PathState,
        (owner, mode): (Owner, FileMode),
    ) -> (Owner, FileMode) {
        let (PathState::File {
            mode: has_mode,
            owner: by,
            ..
        }
        | PathState::Directory {
            mode: has_mode,
            owner: by,
        }) = real
        else {
            return (owner, mode);
        };
        let lenience = self.bench.manifest.lenience.get(path);
        let spares = |of: fn(&Lenience) -> bool| lenience.is_some_and(of);
        (
            if spares(|l| l.owner) { *by } else { owner },
            if spares(|l| l.mode) { *has_mode } else { mode },
        )
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
        &mut self,
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
    fn keep_unpacked(&mut self, path: &HostPath, now: &PathState) -> Result<(), HostFailure> {
        let asked = [path.clone()].into();
        if let Some(file) = self.bench.host.packaged_files(&asked)?.remove(path)
            && file.upkeep == Upkeep::Replaced
        {
            return Err(HostFailure::OfPackage {
                path: path.clone(),
                package: file.package,
            });
        }
        self.originals = None;
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

    fn keep_drifted(
        &self,
        path: &HostPath,
        now: &PathState,
        journal: &mut Journal,
    ) -> Result<(), HostFailure> {
        let Some(object) = keep(self.bench.host, self.bench.store, path)? else {
            return Ok(());
        };
        let entry = Entry::Kept {
            path: path.clone(),
            object: object.clone(),
            state: Some(now.clone()),
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
            Removed::Yes => self.dirty.extend(path.parent()),
            Removed::NotEmpty => tracing::info!("{path} is kept, because it is not empty"),
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
                attributes,
            } => {
                let image = FileImage {
                    content: &store.object(content)?,
                    owner: *owner,
                    mode: *mode,
                    attributes,
                };
                host.put_file(path, image, Over::Anything)?;
            }
            PathState::Directory { mode, owner } => host.make_directory(path, *owner, *mode)?,
            PathState::Symlink { target } => host.make_symlink(path, target)?,
            PathState::Absent | PathState::Other { .. } => {
                return Err(HostFailure::NoOriginal { path: path.clone() });
            }
        }
        self.dirty.extend(path.parent());
        Ok(())
    }

    /// What was at the path before it became ours, if that is kept.
    fn original(&mut self, path: &HostPath) -> Result<Option<PathState>, HostFailure> {
        let originals = match &mut self.originals {
            Some(originals) => originals,
            empty @ None => empty.insert(self.bench.store.originals()?),
        };
        Ok(originals.get(path).cloned())
    }

    pub(super) fn owner(
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

/// The content to write: that of the entry, or what is there where it may differ from it.
pub(super) fn content(
    (host, store): (&Host, &Store),
    path: &HostPath,
    wanted: &Digest,
    seen: &Sight,
) -> Result<Vec<u8>, HostFailure> {
    let is_wanted =
        |state: &PathState| matches!(state, PathState::File { content, .. } if content == wanted);
    if !is_wanted(&seen.real)
        && is_wanted(&seen.now)
        && let Some(content) = host.read_file(path, LARGEST_KEPT_BYTES)?
    {
        return Ok(content);
    }
    Ok(store.object(wanted)?)
}

/// Keeps the content of the file at `path` as an object; `None` if it is no file any more.
pub(in super::super) fn keep(
    host: &Host,
    store: &Store,
    path: &HostPath,
) -> Result<Option<Digest>, HostFailure> {
    if !matches!(host.look(path)?, PathState::File { .. }) {
        return Ok(None);
    }
    match host.read_file(path, LARGEST_KEPT_BYTES)? {
        Some(content) => Ok(Some(store.keep(&content)?)),
        None => Ok(None),
    }
}

fn same_content(found: &PathState, now: &PathState) -> bool {
    match (found, now) {
        (PathState::File { content, .. }, PathState::File { content: has, .. }) => content == has,
        (PathState::Directory { .. }, PathState::Directory { .. }) => true,
        (found, now) => found == now,
    }
}
