//! A repository on this machine, read through libgit2 without a child process.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, Oid, Repository, RepositoryOpenFlags};

use super::meter::Meter;
use super::pack::PackSink;
use super::protocol::missing;
use super::trouble::Trouble;
use crate::source::FetchErrorKind;

/// A repository on this machine that is fetched from. libgit2 refuses one that belongs to another user, unless
/// `safe.directory` of the system's git configuration names it.
pub(super) struct LocalSource {
    repository: Repository,
}

impl LocalSource {
    pub(super) fn open(path: &Path) -> Result<Self, FetchErrorKind> {
        let no_ceiling: [&Path; 0] = [];
        match Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, no_ceiling) {
            Ok(repository) => Ok(Self { repository }),
            Err(error) if error.code() == ErrorCode::Owner => Err(FetchErrorKind::ForeignOwner {
                path: absolute(path),
            }),
            Err(error)
                if error.message().contains("sha256")
                    || error.message().contains("objectformat") =>
            {
                Err(FetchErrorKind::Sha256)
            }
            Err(error) => Err(FetchErrorKind::NoSuchRepository {
                detail: error.message().to_owned(),
            }),
        }
    }

    /// The tip of `branch`, or of `HEAD`.
    pub(super) fn tip(&self, branch: Option<&str>) -> Result<Oid, FetchErrorKind> {
        let found = match branch {
            Some(branch) => self
                .repository
                .refname_to_id(&format!("refs/heads/{branch}")),
            None => self.repository.refname_to_id("HEAD"),
        };
        match found {
            Ok(oid) => Ok(oid),
            Err(error) if error.code() == ErrorCode::NotFound => {
                Err(missing(branch, &self.branches()?))
            }
            Err(error) => Err(damaged(&error)),
        }
    }

    /// A commit by its id.
    pub(super) fn commit(&self, id: Oid) -> Result<Oid, FetchErrorKind> {
        match self.repository.find_commit(id) {
            Ok(commit) => Ok(commit.id()),
            Err(error) if error.code() == ErrorCode::NotFound => Err(FetchErrorKind::CommitGone {
                commit: id.to_string(),
            }),
            Err(error) => Err(damaged(&error)),
        }
    }

    fn branches(&self) -> Result<Vec<(String, Oid)>, FetchErrorKind> {
        let references = self
            .repository
            .references_glob("refs/heads/*")
            .map_err(|e| damaged(&e))?;
        let mut found = Vec::new();
        for reference in references {
            let reference = reference.map_err(|e| damaged(&e))?;
            if let Some(oid) = reference.target() {
                found.push((
                    String::from_utf8_lossy(reference.name_bytes()).into_owned(),
                    oid,
                ));
            }
        }
        Ok(found)
    }

    /// Packs what is below `want` and not below `haves`, straight into the mirror.
    pub(super) fn fetch(
        &self,
        want: Oid,
        haves: &[Oid],
        into: &Repository,
        meter: &mut Meter,
    ) -> Result<(u64, u32), Trouble> {
        let mut walk = self.repository.revwalk().map_err(|e| damaged(&e))?;
        walk.push(want).map_err(|e| damaged(&e))?;
        for have in haves {
            // What is here and not there says nothing about what is missing.
            if self.repository.find_commit(*have).is_ok() {
                walk.hide(*have).map_err(|e| damaged(&e))?;
            }
        }
        let mut builder = self.repository.packbuilder().map_err(|e| damaged(&e))?;
        builder.insert_walk(&mut walk).map_err(|e| damaged(&e))?;
        let odb = into.odb().map_err(|e| super::pack::mirror(&e))?;
        let mut sink = PackSink::new(&odb, meter)?;
        let mut stopped = None;
        let packed = builder.foreach(|bytes| {
            let result = meter
                .count(bytes.len())
                .map_err(|limit| Trouble::Clear(limit.kind()))
                .and_then(|()| sink.write(bytes));
            match result {
                Ok(()) => true,
                Err(trouble) => {
                    stopped = Some(trouble);
                    false
                }
            }
        });
        match (stopped, packed) {
            (Some(trouble), _) => Err(trouble),
            (None, Err(error)) => Err(damaged(&error).into()),
            (None, Ok(())) => sink.finish(),
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    // For the message only: a path that cannot be resolved is shown as written.
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn damaged(error: &git2::Error) -> FetchErrorKind {
    FetchErrorKind::Protocol {
        detail: error.message().to_owned(),
    }
}
