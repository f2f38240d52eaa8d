//! The two sides of a comparison: revisions, or the files as they lie in the folder.

use crate::cli::HostFlags;
use crate::cli::inputs::complete;
use crate::cli::repository::{Place, snapshot};
use crate::report::Problem;
use crate::source::{CommitId, Mirror, Revision, Snapshot};

/// One side of a comparison, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Side {
    /// No files at all: everything is new, or gone.
    Nothing,
    /// A branch, tag or commit.
    Revision(String),
    /// What both sides of a `...` build on.
    MergeBase(String, String),
    /// The files as they lie in the folder.
    Folder,
}

/// Both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Range {
    pub(in crate::cli) from: Side,
    pub(in crate::cli) to: Side,
}

/// The files of a side.
pub(super) struct Files {
    /// `None` where there are none.
    pub(super) snapshot: Option<Snapshot>,
    /// `None` for files that lie in the folder.
    pub(super) revision: Option<Revision>,
}

impl Range {
    /// `A..B`, `A...B`, or `A` for what is not committed since; either name may be left out and is HEAD then.
    pub(in crate::cli) fn parse(text: &str) -> Self {
        let name = |text: &str| match text {
            "" => "HEAD".to_owned(),
            text => text.to_owned(),
        };
        if let Some((one, other)) = text.split_once("...") {
            return Self {
                from: Side::MergeBase(name(one), name(other)),
                to: Side::Revision(name(other)),
            };
        }
        match text.split_once("..") {
            Some((one, other)) => Self {
                from: Side::Revision(name(one)),
                to: Side::Revision(name(other)),
            },
            None => Self {
                from: Side::Revision(name(text)),
                to: Side::Folder,
            },
        }
    }

    /// The files of both.
    pub(super) fn files(&self, flags: &HostFlags) -> Result<(Files, Files), Problem> {
        Ok((self.from.files(flags)?, self.to.files(flags)?))
    }
}

impl Side {
    fn files(&self, flags: &HostFlags) -> Result<Files, Problem> {
        let (clone, commit) = match self {
            Self::Nothing => {
                return Ok(Files {
                    snapshot: None,
                    revision: None,
                });
            }
            Self::Folder => {
                return Ok(Files {
                    snapshot: Some(snapshot(&Place::new(None, None, flags))?),
                    revision: None,
                });
            }
            Self::Revision(name) => {
                let clone = open(flags)?;
                let commit = resolved(&clone, name)?;
                (clone, commit)
            }
            Self::MergeBase(one, other) => {
                let clone = open(flags)?;
                let (one, other) = (resolved(&clone, one)?, resolved(&clone, other)?);
                let base = clone
                    .merge_base(&one, &other)
                    .map_err(|error| Problem::of(&error))?;
                (clone, base)
            }
        };
        let revision = clone
            .revision(&commit)
            .map_err(|error| Problem::of(&error))?;
        let own = clone
            .snapshot(&commit)
            .map_err(|error| Problem::of(&error))?;
        Ok(Files {
            snapshot: Some(complete(own)?),
            revision: Some(revision),
        })
    }
}

impl Files {
    /// Which files these are, after a verb: `at 1a2b3c4d5e6f`.
    pub(super) fn at_words(&self) -> String {
        match &self.revision {
            Some(revision) => format!("at {}", revision.commit.short()),
            None => "from the files in the folder".to_owned(),
        }
    }
}

fn open(flags: &HostFlags) -> Result<Mirror, Problem> {
    let place = Place::new(None, None, flags);
    Mirror::of_clone(place.folder()).map_err(|error| {
        Problem::of(&error)
            .with_fix("run it in a clone of the config repository, or name one with --repo")
    })
}

fn resolved(clone: &Mirror, name: &str) -> Result<CommitId, Problem> {
    clone
        .resolve(name)
        .map_err(|error| Problem::of(&error).with_fix("name a branch, a tag or a commit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_git_reads_them() {
        let revision = |name: &str| Side::Revision(name.to_owned());
        let base = |a: &str, b: &str| Side::MergeBase(a.to_owned(), b.to_owned());
        for (text, from, to) in [
            ("main..next", revision("main"), revision("next")),
            ("main..", revision("main"), revision("HEAD")),
            ("..next", revision("HEAD"), revision("next")),
            ("main...", base("main", "HEAD"), revision("HEAD")),
            ("HEAD~3", revision("HEAD~3"), Side::Folder),
        ] {
            assert_eq!(Range::parse(text), Range { from, to }, "{text}");
        }
    }
}
