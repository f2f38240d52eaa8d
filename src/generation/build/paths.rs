//! Files, directories and symbolic links.

use super::builder::{Builder, DIRECTORY_MODE, FILE_MODE, root, same_name};
use crate::config::OnConflict;
use crate::generation::{Lenience, PathEntry, PathKind};
use crate::host::Digest;
use crate::secrets::UnitTriggers;

impl Builder<'_> {
    pub(super) fn files(&mut self) {
        let config = self.config;
        for (path, located) in &config.files {
            let file = &located.value;
            let Some(content) = self.content(&file.source, &located.origin) else {
                continue;
            };
            if let Some(lenience) = Lenience::of(&file.ignore, &content) {
                self.manifest.lenience.insert(path.clone(), lenience);
            }
            let (owner, group) = self.ownership(file.owner.as_ref(), file.group.as_ref());
            let entry = PathEntry {
                kind: PathKind::File {
                    content: self.object(content),
                    owner,
                    group,
                    mode: file.mode.unwrap_or(FILE_MODE),
                },
                on_conflict: file.on_conflict,
                drift: self.drift(file.drift),
                units: file.units.clone(),
            };
            self.place(path.clone(), entry, &located.origin);
            if !file.validate.is_empty() {
                self.manifest
                    .validators
                    .insert(path.clone(), file.validate.clone());
            }
        }
        for (path, located) in &config.directories {
            let directory = &located.value;
            if let Some(lenience) = Lenience::of(&directory.ignore, b"") {
                self.manifest.lenience.insert(path.clone(), lenience);
            }
            let (owner, group) = self.ownership(directory.owner.as_ref(), directory.group.as_ref());
            let entry = PathEntry {
                kind: PathKind::Directory {
                    owner,
                    group,
                    mode: directory.mode.unwrap_or(DIRECTORY_MODE),
                },
                on_conflict: OnConflict::Refuse,
                drift: self.drift(directory.drift),
                units: UnitTriggers::default(),
            };
            self.place(path.clone(), entry, &located.origin);
        }
        for (path, located) in &config.symlinks {
            let link = &located.value;
            let entry = PathEntry {
                kind: PathKind::Symlink {
                    target: link.target.clone(),
                },
                on_conflict: link.on_conflict,
                drift: self.drift(link.drift),
                units: UnitTriggers::default(),
            };
            self.place(path.clone(), entry, &located.origin);
        }
    }
}

/// A file of root's with the default mode.
pub(super) fn root_file(content: Digest) -> PathKind {
    let owner = root();
    PathKind::File {
        content,
        group: same_name(&owner),
        owner,
        mode: FILE_MODE,
    }
}
