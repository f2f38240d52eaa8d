//! The change to the repository that would make drift the truth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::TextDiff;

use crate::config::{HostName, Origin, WrittenEntry};
use crate::generation::{Generation, Manifest, PathEntry, PathKind};
use crate::host::{
    Accounts, Digest, FileError, FileMode, Host, HostPath, Owner, PathState, UserName,
};
use crate::source::{RepoPath, Snapshot};

/// Larger files belong elsewhere than into a repository of text.
const LARGEST_BYTES: u64 = 1024 * 1024;
/// The mode of files, and that of directories, that name none.
const FILE_MODE: FileMode = FileMode::from_bits(0o644);
const DIRECTORY_MODE: FileMode = FileMode::from_bits(0o755);

/// A change to the repository: `drift adopt --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Adoption {
    /// Format version, 1.
    pub version: u32,
    /// The host whose drift it is.
    pub host: HostName,
    /// The path on the host.
    pub path: HostPath,
    /// The commit that the change is made against.
    pub commit: String,
    /// The files of the repository that it changes.
    pub files: Vec<RepoPath>,
    /// A unified diff for `git apply`; empty if nothing differs.
    pub diff: String,
}

/// Drift that the repository cannot be made to say.
#[derive(Debug, thiserror::Error)]
#[error("cannot adopt {path}: {reason}")]
pub struct AdoptError {
    path: HostPath,
    reason: String,
    fix: String,
}

impl AdoptError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

/// Why not, and what to do instead.
struct Refusal {
    reason: String,
    fix: String,
}

fn refuse<T>(reason: impl Into<String>, fix: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal {
        reason: reason.into(),
        fix: fix.into(),
    })
}

impl From<FileError> for Refusal {
    fn from(error: FileError) -> Self {
        let fix = error
            .hint()
            .unwrap_or_else(|| "look at what is there".to_owned());
        let reason = std::error::Error::source(&error);
        let reason =
            reason.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        Self { reason, fix }
    }
}

/// What in `repository`, the files that `current` was built from, would have to change for `path` to be as it is on `host`.
///
/// # Errors
/// [`AdoptError`] if no such change can be told: the path is gone, is made by an expression, holds secrets.
pub fn adopt(
    host: &Host,
    accounts: &Accounts,
    (current, repository): (&Generation, &Snapshot),
    path: &HostPath,
) -> Result<Adoption, AdoptError> {
    let wish = Wish {
        host,
        accounts,
        current,
        repository,
        path,
    };
    let changes = wish.changes().map_err(|refusal| AdoptError {
        path: path.clone(),
        reason: refusal.reason,
        fix: refusal.fix,
    })?;
    Ok(Adoption {
        version: 1,
        host: current.manifest.host.clone(),
        path: path.clone(),
        commit: current.provenance.revision.commit.to_string(),
        files: changes.iter().map(|change| change.file.clone()).collect(),
        diff: changes.iter().map(Change::diff).collect(),
    })
}

/// A file of the repository, before and after.
struct Change {
    file: RepoPath,
    before: String,
    after: String,
}

impl Change {
    fn diff(&self) -> String {
        let Self {
            file,
            before,
            after,
        } = self;
        TextDiff::from_lines(before.as_str(), after.as_str())
            .unified_diff()
            .context_radius(3)
            .header(&format!("a/{file}"), &format!("b/{file}"))
            .to_string()
    }
}

struct Wish<'a> {
    host: &'a Host,
    accounts: &'a Accounts,
    current: &'a Generation,
    repository: &'a Snapshot,
    path: &'a HostPath,
}

impl Wish<'_> {
    fn changes(&self) -> Result<Vec<Change>, Refusal> {
        let entry = self.entry()?;
        let (origin, mut yaml) = self.written(&entry.kind)?;
        let place = format!("{origin}");
        let found = self.host.look(self.path)?;
        let mut changes = Vec::new();
        match (&entry.kind, &found) {
            (_, PathState::Absent) => {
                return refuse("it is gone", format!("remove its entry, {place}"));
            }
            (PathKind::Symlink { target }, PathState::Symlink { target: has }) => {
                if target != has {
                    let key = if yaml.entry.get("target").is_some() {
                        "target"
                    } else {
                        ""
                    };
                    yaml.change(key, Some(target), has)?;
                }
            }
            (
                PathKind::File {
                    content,
                    owner,
                    group,
                    mode,
                },
                PathState::File {
                    content: has,
                    mode: has_mode,
                    owner: by,
                    ..
                },
            ) => {
                if content != has {
                    changes.extend(self.content(content, &mut yaml)?);
                }
                yaml.mode(*mode, *has_mode, FILE_MODE)?;
                self.owner(&mut yaml, (owner, group.as_str()), *by)?;
            }
            (
                PathKind::Directory { owner, group, mode },
                PathState::Directory {
                    mode: has_mode,
                    owner: by,
                },
            ) => {
                yaml.mode(*mode, *has_mode, DIRECTORY_MODE)?;
                self.owner(&mut yaml, (owner, group.as_str()), *by)?;
            }
            _ => {
                return refuse(
                    "something of another type is in its place",
                    format!("write what it is to be at {place}"),
                );
            }
        }
        if yaml.after != yaml.before {
            changes.push(yaml.into_change());
        }
        Ok(changes)
    }

    /// The entry, or why there is none.
    fn entry(&self) -> Result<&PathEntry, Refusal> {
        let manifest: &Manifest = &self.current.manifest;
        if let Some(entry) = manifest.paths.get(self.path) {
            return Ok(entry);
        }
        if self.path.as_str().starts_with("/run/secrets") {
            return refuse(
                "it holds a secret, and drift of secrets is not shown",
                "change the value with `steadfast secrets edit`",
            );
        }
        let number = self.current.number;
        refuse(
            format!("generation {number} says nothing about it"),
            "give a path that `steadfast generations show` lists",
        )
    }

    /// Where the entry was written, and what stands there.
    fn written(&self, kind: &PathKind) -> Result<(&Origin, Yaml), Refusal> {
        let kind = match kind {
            PathKind::File { .. } => "file",
            PathKind::Directory { .. } => "directory",
            PathKind::Symlink { .. } => "symlink",
        };
        let origins = &self.current.provenance.origins;
        let Some(origin) = origins.get(&format!("{kind} {}", self.path)) else {
            return refuse(
                "where it was written is not known",
                "`steadfast why` in a clone of the repository finds it",
            );
        };
        if origin.file.as_str().contains(':') {
            let file = &origin.file;
            return refuse(
                format!("it is written in {file}, which is another repository"),
                "change it there, or set an option of the module",
            );
        }
        let text = self.text(&origin.file)?;
        match WrittenEntry::at(&text, origin.line, origin.column) {
            Some(entry) => Ok((origin, Yaml::new(origin, text, entry))),
            None => refuse(
                format!("what stands at {origin} is not an entry that can be changed by itself"),
                format!("change {origin} by hand"),
            ),
        }
    }

    fn text(&self, file: &RepoPath) -> Result<String, Refusal> {
        let read = self.repository.read(file).ok().flatten();
        let text = read.and_then(|content| String::from_utf8(content).ok());
        match text {
            Some(text) => Ok(text),
            None => refuse(
                format!("{file} is not a text of the repository"),
                "run `steadfast reconcile now`, which fetches it again; what is no text is changed by hand",
            ),
        }
    }

    /// The change of a file of the repository; a text that stands in the entry is changed there.
    fn content(&self, wanted: &Digest, yaml: &mut Yaml) -> Result<Option<Change>, Refusal> {
        let read = self.host.read_file(self.path, LARGEST_BYTES)?;
        let Some(Ok(found)) = read.map(String::from_utf8) else {
            return refuse(
                "its content is not text",
                "copy it into the repository by hand",
            );
        };
        if let Some(text) = yaml.entry.get("text").map(str::to_owned) {
            if Digest::of(text.as_bytes()) != *wanted {
                return refuse(
                    format!("an expression makes its text, {}", yaml.place),
                    "change the expression or the option that it uses by hand",
                );
            }
            if found.contains("{{") || found.contains("{%") {
                return refuse(
                    "its content has what would be an expression in YAML",
                    "put it into a file of the repository, and name that with `file:`",
                );
            }
            yaml.change("text", Some(&text), &found)?;
            return Ok(None);
        }
        let Some(name) = yaml.entry.get("file") else {
            return refuse(
                format!(
                    "its content is not written as it stands, but made from {}",
                    yaml.place
                ),
                "change that by hand; a key that the host file knows says more than a file",
            );
        };
        let Some(file) = beside(&yaml.file, name) else {
            return refuse(
                format!("`{name}` is no file of the repository"),
                "change it by hand",
            );
        };
        let before = self.text(&file)?;
        if Digest::of(before.as_bytes()) != *wanted {
            return refuse(
                format!("it is {file} with its expressions filled in"),
                format!("change {file} by hand"),
            );
        }
        Ok(Some(Change {
            file,
            before,
            after: found,
        }))
    }

    fn owner(
        &self,
        yaml: &mut Yaml,
        (owner, group): (&UserName, &str),
        found: Owner,
    ) -> Result<(), Refusal> {
        let Owner::Ids { uid, gid } = found else {
            return Ok(());
        };
        let user = self.accounts.users.iter().find(|(_, user)| user.uid == uid);
        let user = user.map(|(name, _)| name.to_string());
        let user = user.or_else(|| (uid == 0).then(|| "root".to_owned()));
        let named = self
            .accounts
            .groups
            .iter()
            .find(|(_, group)| group.gid == gid);
        let named = named.map(|(name, _)| name.to_string());
        let named = named.or_else(|| (gid == 0).then(|| "root".to_owned()));
        let (Some(user), Some(named)) = (user, named) else {
            return refuse(
                format!("it belongs to user id {uid} and group id {gid}, which have no names"),
                "give it to an account that the host has",
            );
        };
        if user != owner.as_str() {
            let said = yaml.entry.get("owner").map(str::to_owned);
            yaml.change(
                "owner",
                Some(said.as_deref().unwrap_or(owner.as_str())),
                &user,
            )?;
        }
        if user != owner.as_str() || named != group {
            yaml.change("group", None, &named)?;
        }
        Ok(())
    }
}

/// An entry in its text, and the text with its changes.
struct Yaml {
    file: RepoPath,
    place: Origin,
    before: String,
    after: String,
    entry: WrittenEntry,
}

impl Yaml {
    fn new(origin: &Origin, text: String, entry: WrittenEntry) -> Self {
        Self {
            file: origin.file.clone(),
            place: origin.clone(),
            before: text.clone(),
            after: text,
            entry,
        }
    }

    /// Makes `key` say `value`. Where it must have said `should` and does not, something else says it.
    fn change(&mut self, key: &str, should: Option<&str>, value: &str) -> Result<(), Refusal> {
        let place = &self.place;
        if let (Some(said), Some(should)) = (self.entry.get(key), should)
            && said != should
        {
            return refuse(
                format!("`{key}` at {place} says {said:?}, and something else overrules it"),
                "`steadfast why` in a clone of the repository says what does",
            );
        }
        self.after = self.entry.set(&self.after, key, value);
        match WrittenEntry::at(&self.after, place.line, place.column) {
            Some(entry) if entry.get(key) == Some(value) => self.entry = entry,
            _ => {
                return refuse(
                    format!("{place} cannot be changed by itself"),
                    "change it by hand",
                );
            }
        }
        Ok(())
    }

    fn mode(
        &mut self,
        wanted: FileMode,
        found: FileMode,
        default: FileMode,
    ) -> Result<(), Refusal> {
        if wanted == found {
            return Ok(());
        }
        let said = self.entry.get("mode").map(str::parse::<FileMode>);
        let said = said.map_or(Some(default), Result::ok);
        if said != Some(wanted) {
            let place = &self.place;
            return refuse(
                format!("its mode {wanted} is not written at {place}"),
                "`steadfast why` in a clone of the repository says what makes it",
            );
        }
        self.change("mode", None, &found.to_string())
    }

    fn into_change(self) -> Change {
        Change {
            file: self.file,
            before: self.before,
            after: self.after,
        }
    }
}

/// The file that `name` in `file` means: beside it, or from the root of the repository.
fn beside(file: &RepoPath, name: &str) -> Option<RepoPath> {
    if let Some(name) = name.strip_prefix('/') {
        return RepoPath::new(name).ok();
    }
    match file.as_str().rsplit_once('/') {
        Some((folder, _)) => RepoPath::new(format!("{folder}/{name}")).ok(),
        None => RepoPath::new(name).ok(),
    }
}
