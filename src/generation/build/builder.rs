//! What every part of a build needs: objects, places, errors.

use std::collections::BTreeMap;

use super::Built;
use crate::config::{ConfigError, ConfigErrors, Enforcement, FileSource, HostConfig, Origin};
use crate::generation::{Manifest, PathEntry, PathKind};
use crate::host::{Digest, FileMode, GroupName, HostPath, UserName};
use crate::source::{RepoPath, Snapshot};

/// A manifest in the making.
pub(super) struct Builder<'a> {
    pub(super) config: &'a HostConfig,
    pub(super) snapshot: &'a Snapshot,
    pub(super) manifest: Manifest,
    objects: BTreeMap<Digest, Vec<u8>>,
    origins: BTreeMap<String, Origin>,
    path_origins: BTreeMap<HostPath, Origin>,
    errors: Vec<ConfigError>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(config: &'a HostConfig, snapshot: &'a Snapshot) -> Self {
        let mut manifest = Manifest::empty(config.name.clone());
        manifest.drift = config.drift;
        Self {
            config,
            snapshot,
            manifest,
            objects: BTreeMap::new(),
            origins: BTreeMap::new(),
            path_origins: BTreeMap::new(),
            errors: Vec::new(),
        }
    }

    pub(super) fn finish(mut self) -> Result<Built, ConfigErrors> {
        self.nothing_below_a_file();
        self.manifest.health = self
            .config
            .health
            .iter()
            .map(|check| check.value.clone())
            .collect();
        for (index, check) in self.config.health.iter().enumerate() {
            self.origin(format!("check {}", index + 1), &check.origin);
        }
        match ConfigErrors::of_run(self.errors, self.snapshot) {
            Some(errors) => Err(errors),
            None => Ok(Built {
                digest: self.manifest.digest(),
                manifest: self.manifest,
                objects: self.objects,
                origins: self.origins,
            }),
        }
    }

    pub(super) fn push(&mut self, error: ConfigError) {
        self.errors.push(error);
    }

    /// Records where a resource was written.
    pub(super) fn origin(&mut self, resource: String, origin: &Origin) {
        self.origins.insert(resource, origin.clone());
    }

    /// Where the entry at `path` was written.
    pub(super) fn path_origin(&self, path: &HostPath) -> &Origin {
        &self.path_origins[path]
    }

    pub(super) fn drift(&self, own: Option<Enforcement>) -> Enforcement {
        own.unwrap_or(self.config.drift)
    }

    /// Keeps `content` as an object.
    pub(super) fn object(&mut self, content: Vec<u8>) -> Digest {
        let digest = Digest::of(&content);
        self.objects.entry(digest.clone()).or_insert(content);
        digest
    }

    /// The bytes of a source. `None` is recorded.
    pub(super) fn content(&mut self, source: &FileSource, origin: &Origin) -> Option<Vec<u8>> {
        let file = match source {
            FileSource::Text(text) | FileSource::Filled { text, .. } => {
                return Some(text.clone().into_bytes());
            }
            FileSource::File(file) => file,
        };
        self.repository_file(file, origin)
    }

    pub(super) fn repository_file(&mut self, file: &RepoPath, origin: &Origin) -> Option<Vec<u8>> {
        match self.snapshot.read(file) {
            Ok(Some(content)) => Some(content),
            Ok(None) => {
                let message = format!("there is no file `{file}` in the repository");
                self.push(ConfigError::new(message).at(origin));
                None
            }
            Err(error) => {
                let fix = "keep large things elsewhere, and let a unit fetch them";
                self.push(ConfigError::new(error.to_string()).at(origin).fix(fix));
                None
            }
        }
    }

    /// Puts an entry at `path`; two entries for one path are an error.
    pub(super) fn place(&mut self, path: HostPath, entry: PathEntry, origin: &Origin) {
        if let Some(first) = self.path_origins.get(&path) {
            let error = ConfigError::new(format!("`{path}` is made by two entries"))
                .at(origin)
                .related(first, "the other entry is here")
                .fix("keep one of the two");
            self.push(error);
            return;
        }
        let kind = match entry.kind {
            PathKind::File { .. } => "file",
            PathKind::Directory { .. } => "directory",
            PathKind::Symlink { .. } => "symlink",
        };
        self.origin(format!("{kind} {path}"), origin);
        self.path_origins.insert(path.clone(), origin.clone());
        self.manifest.paths.insert(path, entry);
    }

    /// A path below a file or a link could never be written: links in parents are not followed.
    fn nothing_below_a_file(&mut self) {
        let mut errors = Vec::new();
        for path in self.manifest.paths.keys() {
            let mut parent = path.parent();
            while let Some(above) = parent {
                let kind = self.manifest.paths.get(&above).map(|entry| &entry.kind);
                let what = match kind {
                    Some(PathKind::File { .. }) => Some("a file"),
                    Some(PathKind::Symlink { .. }) => Some("a symbolic link"),
                    Some(PathKind::Directory { .. }) | None => None,
                };
                if let Some(what) = what {
                    let message = format!("`{path}` is below `{above}`, which is {what}");
                    let error = ConfigError::new(message)
                        .at(&self.path_origins[path])
                        .related(
                            &self.path_origins[&above],
                            format!("it is made {what} here"),
                        )
                        .fix("remove one of the two, or give it another path");
                    errors.push(error);
                }
                parent = above.parent();
            }
        }
        self.errors.extend(errors);
    }

    /// Owner and group, each with its default: `root`, and the owner's primary group.
    pub(super) fn ownership(
        &self,
        owner: Option<&UserName>,
        group: Option<&GroupName>,
    ) -> (UserName, GroupName) {
        let owner = owner.cloned().unwrap_or_else(root);
        let group = group.cloned().unwrap_or_else(|| self.primary_group(&owner));
        (owner, group)
    }

    /// The primary group of an account: the declared one, else the one of the same name.
    pub(super) fn primary_group(&self, user: &UserName) -> GroupName {
        let declared = self
            .config
            .users
            .get(user)
            .and_then(|user| user.value.group.clone());
        declared.unwrap_or_else(|| same_name(user))
    }
}

/// The account that owns what names no owner.
pub(super) fn root() -> UserName {
    UserName::new("root").expect("`root` is a user name")
}

/// The group that is named like an account.
pub(super) fn same_name(user: &UserName) -> GroupName {
    GroupName::new(user.as_str()).expect("names of groups obey the rule of names of accounts")
}

/// A path that is written in this program.
pub(super) fn fixed(path: &str) -> HostPath {
    HostPath::new(path).expect("a path written in the program is a host path")
}

/// The mode of files that name none.
pub(super) const FILE_MODE: FileMode = FileMode::from_bits(0o644);
/// The mode of directories that name none.
pub(super) const DIRECTORY_MODE: FileMode = FileMode::from_bits(0o755);
