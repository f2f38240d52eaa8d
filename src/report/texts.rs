//! What a change does inside of texts, as unified diffs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::activation::{PathChange, Plan, Step};
use crate::drift::{LARGEST_SHOWN_BYTES, unified_between};
use crate::generation::PathKind;
use crate::host::{Digest, HostPath, PathState};

/// What differs inside of a file, or of a template: there, secrets are named, never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TextChange {
    /// `file` or `template`.
    pub resource: String,
    /// Its path or name.
    pub name: String,
    /// A unified diff; absent where there is none to show.
    pub diff: Option<String>,
    /// Why there is none: `binary`, `too large to show`.
    pub left_out: Option<String>,
}

impl TextChange {
    /// The difference between what is there before and after; `None` stands for nothing. None if there is no difference.
    pub(super) fn of(
        (resource, name): (&str, &str),
        (old, new): (Option<&[u8]>, Option<&[u8]>),
    ) -> Option<Self> {
        if old == new {
            return None;
        }
        let heading = |side: Option<&[u8]>| side.map_or("/dev/null", |_| name).to_owned();
        let headings = (heading(old), heading(new));
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        let shown = if old.len().max(new.len()) as u64 > LARGEST_SHOWN_BYTES {
            Err("too large to show")
        } else {
            unified_between((&headings.0, old), (&headings.1, new))
        };
        Some(Self {
            resource: resource.to_owned(),
            name: name.to_owned(),
            diff: shown.as_ref().ok().cloned(),
            left_out: shown.err().map(str::to_owned),
        })
    }

    /// What `plan` changes inside of files that are there. `found` reads what is at a path, `wanted` what is to be there;
    /// files that either cannot read are left out.
    pub fn of_plan(
        plan: &Plan,
        found: impl Fn(&HostPath) -> Option<Vec<u8>>,
        wanted: impl Fn(&Digest) -> Option<Vec<u8>>,
    ) -> Vec<Self> {
        let changes = plan.steps.iter().filter_map(|step| match step {
            Step::WritePath {
                path,
                entry,
                change: PathChange::Update | PathChange::Repair | PathChange::Backup | PathChange::Adopt,
                found: PathState::File { .. },
            } => match &entry.kind {
                PathKind::File { content, .. } => Some((path, content)),
                PathKind::Directory { .. } | PathKind::Symlink { .. } => None,
            },
            _ => None,
        });
        changes
            .filter_map(|(path, content)| {
                let (old, new) = (found(path)?, wanted(content)?);
                Self::of(("file", path.as_str()), (Some(&old), Some(&new)))
            })
            .collect()
    }
}
