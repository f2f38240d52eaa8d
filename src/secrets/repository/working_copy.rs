//! The working copy of a config repository: its rules, its secret files, and changing one safely.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{RecipientNames, Rule, Rules, RulesError};
use crate::host::durable::{self, Lock, LockError};
use crate::host::{FileError, FileMode};
use crate::sops::Format;
use crate::source::RepoPath;

/// A secret file that is larger than this is not read.
pub(in crate::secrets) const LARGEST_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Mode of a new secret file: it is ciphertext, and git keeps no more of the mode than this.
const NEW_FILE_MODE: FileMode = FileMode::from_bits(0o644);
/// Mode of a new directory on the way to a secret file.
const NEW_DIRECTORY_MODE: FileMode = FileMode::from_bits(0o755);

/// Folder of what this program keeps in a config repository for itself.
const OWN_FOLDER: &str = ".steadfast/";

/// A working copy with a `.sops.yaml`.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    rules: Rules,
    names: RecipientNames,
    files: Files,
    misnamed: Option<PathBuf>,
}

/// Where files are read from.
#[derive(Debug)]
enum Files {
    WorkTree,
    Given(BTreeMap<RepoPath, Vec<u8>>),
}

/// A working copy that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// No `.sops.yaml` here or above.
    #[error("there is no .sops.yaml in {} or in a directory above it{}", start.display(), but(misnamed.as_deref()))]
    NotFound {
        /// Where the search began.
        start: PathBuf,
        /// A `.sops.yml`, which sops does not read either.
        misnamed: Option<PathBuf>,
    },
    /// The start is not a directory that can be read.
    #[error("cannot look for .sops.yaml in {}", start.display())]
    Unreadable {
        /// Where the search began.
        start: PathBuf,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// `.sops.yaml` is wrong.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// A file whose name no config repository can say.
    #[error("the name {} is not UTF-8, as every name in a config repository is", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// A file outside.
    #[error("{} is not in the repository {}", path.display(), root.display())]
    Outside {
        /// The file.
        path: PathBuf,
        /// The repository.
        root: PathBuf,
    },
}

impl RepositoryError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<&'static str> {
        match self {
            Self::NotFound {
                misnamed: Some(_), ..
            } => Some("rename it to .sops.yaml, the only name that sops reads"),
            Self::NotFound { .. } => Some(
                "run this in the config repository, or make a .sops.yaml: `steadfast secrets --help` shows one",
            ),
            Self::Unreadable { .. } => None,
            Self::NotUtf8 { .. } => Some("rename the file"),
            Self::Rules(error) => error.fix(),
            Self::Outside { .. } => Some("run this in the repository that holds the file"),
        }
    }
}

fn but(misnamed: Option<&Path>) -> String {
    misnamed.map_or_else(String::new, |path| {
        format!("; there is {}, which has no meaning", path.display())
    })
}

impl Repository {
    /// Finds the repository that `start`, a directory, is in: the first `.sops.yaml` here or above, as sops does. Where
    /// the environment has `SOPS_CONFIG`, it is the directory of that file.
    pub fn find(start: &Path) -> Result<Self, RepositoryError> {
        match std::env::var_os("SOPS_CONFIG").filter(|path| !path.is_empty()) {
            Some(config) => Self::of_config(Path::new(&config)),
            None => Self::search(start),
        }
    }

    /// The directory of `config` as a repository; the file may have any name.
    pub fn of_config(config: &Path) -> Result<Self, RepositoryError> {
        let unreadable = |source| RulesError::Unreadable {
            path: config.to_owned(),
            source,
        };
        let config = std::path::absolute(config).map_err(unreadable)?;
        let rules = Rules::load_file(&config)?;
        let above = config.parent().unwrap_or(Path::new("/"));
        let root = above.canonicalize().map_err(unreadable)?;
        Ok(Self::at(root, rules, None))
    }

    fn at(root: PathBuf, rules: Rules, misnamed: Option<PathBuf>) -> Self {
        Self {
            names: rules.names().clone().with_hosts(&root),
            root,
            rules,
            files: Files::WorkTree,
            misnamed,
        }
    }

    fn search(start: &Path) -> Result<Self, RepositoryError> {
        let start = start
            .canonicalize()
            .map_err(|source| RepositoryError::Unreadable {
                start: start.to_owned(),
                source,
            })?;
        let mut misnamed = None;
        for directory in start.ancestors() {
            if let Some(rules) = Rules::load(directory)? {
                return Ok(Self::at(directory.to_owned(), rules, misnamed));
            }
            let other = directory.join(".sops.yml");
            if misnamed.is_none() && other.is_file() {
                misnamed = Some(other);
            }
        }
        Err(RepositoryError::NotFound { start, misnamed })
    }

    /// The repository at `root` as if it had exactly `files`, such as those that are staged. It is only read: what
    /// changes a file changes that of the work tree.
    ///
    /// # Errors
    /// [`RepositoryError`] if there is no `.sops.yaml` among them, or a wrong one.
    pub fn of_files(
        root: &Path,
        files: BTreeMap<RepoPath, Vec<u8>>,
    ) -> Result<Self, RepositoryError> {
        let at = |file: &str| {
            let path = RepoPath::new(file).ok()?;
            Some(String::from_utf8_lossy(files.get(&path)?).into_owned())
        };
        let text = at(".sops.yaml").ok_or_else(|| RepositoryError::NotFound {
            start: root.to_owned(),
            misnamed: None,
        })?;
        let rules = Rules::parse(&text, &root.join(".sops.yaml"))?;
        let mut names = rules.names().clone();
        for file in files.keys() {
            if let Some(host) = host_of_key_file(file)
                && let Some(text) = at(file.as_str())
            {
                names = names.with_host(host, &text);
            }
        }
        Ok(Self {
            root: root.to_owned(),
            rules,
            names,
            files: Files::Given(files),
            misnamed: None,
        })
    }

    /// The directory of `.sops.yaml`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A `.sops.yml` nearer than the rules, which nobody reads: people should be told.
    #[must_use]
    pub fn misnamed_rules(&self) -> Option<&Path> {
        self.misnamed.as_deref()
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The file of the rules, `.sops.yaml` as a rule.
    #[must_use]
    pub fn rules_file(&self) -> RepoPath {
        let name = self.rules.path().file_name().and_then(|name| name.to_str());
        name.and_then(|name| RepoPath::new(name).ok())
            .unwrap_or_else(default_rules_file)
    }

    /// What recipients are called: anchors of `.sops.yaml` first, then the hosts' folders.
    #[must_use]
    pub fn names(&self) -> &RecipientNames {
        &self.names
    }

    /// Where `file` is on this machine.
    #[must_use]
    pub fn path(&self, file: &RepoPath) -> PathBuf {
        self.root.join(file.as_str())
    }

    /// The path inside the repository of `path`, as typed; the file need not be there yet.
    pub fn locate(&self, path: &Path) -> Result<RepoPath, RepositoryError> {
        let outside = || RepositoryError::Outside {
            path: path.to_owned(),
            root: self.root.clone(),
        };
        let absolute = std::path::absolute(path).map_err(|_no_such_directory| outside())?;
        let real = real_path(&absolute).ok_or_else(outside)?;
        let relative = real.strip_prefix(&self.root).map_err(|_other| outside())?;
        let relative = relative.to_str().ok_or_else(|| RepositoryError::NotUtf8 {
            path: path.to_owned(),
        })?;
        RepoPath::new(relative).map_err(|_not_a_name| outside())
    }

    /// Every file, in path order. What git keeps for itself is left out, links are not followed.
    #[must_use]
    pub fn files(&self) -> Vec<RepoPath> {
        if let Files::Given(files) = &self.files {
            return files.keys().cloned().collect();
        }
        let mut files: Vec<RepoPath> = walkdir::WalkDir::new(&self.root)
            .into_iter()
            .filter_entry(|entry| entry.file_name() != ".git")
            // A directory that cannot be entered holds nothing that could be changed here.
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_file())
            .filter_map(|entry| {
                let relative = entry.path().strip_prefix(&self.root).ok()?;
                RepoPath::new(relative.to_str()?).ok()
            })
            .collect();
        files.sort();
        files
    }

    /// Every file that may be a secret file, in path order: those whose name tells the format of a store, and others
    /// that a rule names.
    #[must_use]
    pub fn candidates(&self) -> Vec<RepoPath> {
        let mut files = self.files();
        files.retain(|file| self.may_be_secret(file));
        files
    }

    /// Whether `file` may be a secret file, by its name.
    #[must_use]
    pub fn may_be_secret(&self, file: &RepoPath) -> bool {
        let name = file.as_str().rsplit('/').next().unwrap_or_default();
        if name.starts_with(".steadfast-")
            || name == ".sops.yaml"
            || *file == self.rules_file()
            || file.as_str().starts_with(OWN_FOLDER)
            || host_of_key_file(file).is_some()
        {
            return false;
        }
        Format::of_path(file.as_str()) != Format::Binary
            || self.rules.rule_for(file).is_some_and(Rule::names_files)
    }

    /// Reads `file`; `None` if it is not there.
    pub fn read(&self, file: &RepoPath) -> Result<Option<Vec<u8>>, FileError> {
        match &self.files {
            Files::WorkTree => durable::read(&self.path(file), LARGEST_FILE_BYTES),
            Files::Given(files) => Ok(files.get(file).cloned()),
        }
    }

    /// Replaces `file` in one step, keeping its mode and owner; directories on the way are made.
    pub(in crate::secrets) fn replace(
        &self,
        file: &RepoPath,
        content: &[u8],
    ) -> Result<(), FileError> {
        let path = self.path(file);
        if let Some(parent) = path.parent() {
            durable::make_directories(parent, NEW_DIRECTORY_MODE)?;
        }
        durable::replace_keeping(&path, content, NEW_FILE_MODE)
    }

    /// Keeps others of us from changing `file` until the lock is dropped. Where the file is not there yet, it is
    /// `.sops.yaml` that is locked, so that nothing has to be made.
    pub(in crate::secrets) fn lock(&self, file: &RepoPath) -> Result<Lock, LockError> {
        let path = self.path(file);
        if inode(&path).is_none() {
            return self.lock_rules();
        }
        lock_path(&path)
    }

    /// Keeps others of us from changing who can read what.
    pub(in crate::secrets) fn lock_rules(&self) -> Result<Lock, LockError> {
        lock_path(self.rules.path())
    }
}

/// `.sops.yaml`.
pub(in crate::secrets) fn default_rules_file() -> RepoPath {
    RepoPath::new(".sops.yaml").unwrap_or_else(|_| unreachable!("`.sops.yaml` is a path"))
}

fn lock_path(path: &Path) -> Result<Lock, LockError> {
    loop {
        let before = inode(path);
        let lock = durable::lock(path)?;
        // Somebody else's change replaces the file: then what is locked is the old one, and nobody asks for that.
        if before.is_some() && inode(path) == before {
            return Ok(lock);
        }
    }
}

/// The host whose public key `file` holds, `hosts/NAME/ssh_host_ed25519_key.pub`.
pub(in crate::secrets) fn host_of_key_file(file: &RepoPath) -> Option<&str> {
    let name = file.as_str().strip_prefix("hosts/")?;
    let name = name.strip_suffix("/ssh_host_ed25519_key.pub")?;
    (!name.contains('/')).then_some(name)
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// Resolves links in the part of `path` that is there already.
fn real_path(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Some(real);
    }
    let parent = real_path(path.parent()?)?;
    Some(match path.file_name() {
        Some(name) => parent.join(name),
        // `..` of something that is not there.
        None => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> (tempfile::TempDir, Repository) {
        let directory = tempfile::tempdir().unwrap();
        for path in [
            ".sops.yaml",
            "secrets/a.yml",
            "secrets/b.json",
            "hosts/x/host.yml",
            ".git/c.yml",
        ] {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::File::create(path).unwrap();
        }
        let repository = Repository::search(&directory.path().join("hosts/x")).unwrap();
        (directory, repository)
    }

    #[test]
    fn the_repository_is_found_from_below() {
        let (directory, repository) = repository();
        assert_eq!(repository.root(), directory.path().canonicalize().unwrap());
        let files: Vec<String> = repository
            .candidates()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            files,
            ["hosts/x/host.yml", "secrets/a.yml", "secrets/b.json"]
        );
        let outside = tempfile::tempdir().unwrap();
        assert!(matches!(
            Repository::search(outside.path()),
            Err(RepositoryError::NotFound { .. })
        ));
    }

    fn write(path: &Path, text: &str) {
        let mut file = std::fs::File::create(path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    }

    #[test]
    fn a_file_with_nearly_the_right_name_is_spoken_of() {
        let (directory, _) = repository();
        let file = directory.path().join("hosts/.sops.yml");
        write(&file, "creation_rules: []\n");
        let file = file.canonicalize().unwrap();
        let near = Repository::search(&directory.path().join("hosts/x")).unwrap();
        assert_eq!(near.misnamed_rules(), Some(file.as_path()));
        std::fs::remove_file(directory.path().join(".sops.yaml")).unwrap();
        let error = Repository::search(&directory.path().join("hosts/x")).unwrap_err();
        assert!(
            error.to_string().contains("hosts/.sops.yml, which"),
            "{error}"
        );
        assert!(error.fix().unwrap().contains("rename"));
    }

    #[test]
    fn rules_that_are_named_count_from_their_own_directory() {
        let (directory, _) = repository();
        let config = directory.path().join("secrets/other.yaml");
        write(&config, "creation_rules: [{path_regex: ^a}]\n");
        let repository = Repository::of_config(&config).unwrap();
        let file = repository.locate(&directory.path().join("secrets/a.yml"));
        assert_eq!(file.as_ref().map(RepoPath::as_str).ok(), Some("a.yml"));
        assert!(repository.rules().rule_for(&file.unwrap()).is_some());
        assert!(Repository::of_config(&directory.path().join("none.yaml")).is_err());
    }

    #[test]
    fn a_file_is_located_even_before_it_is_there() {
        let (directory, repository) = repository();
        let locate = |path: &str| repository.locate(&directory.path().join(path));
        assert_eq!(
            locate("secrets/new/x.yml").unwrap().as_str(),
            "secrets/new/x.yml"
        );
        assert_eq!(
            locate("hosts/../secrets/a.yml").unwrap().as_str(),
            "secrets/a.yml"
        );
        assert!(locate("../x.yml").is_err());
        let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9.yml");
        let error = repository.locate(&directory.path().join(name)).unwrap_err();
        assert!(error.to_string().contains("is not UTF-8"), "{error}");
        std::os::unix::fs::symlink("/etc/hostname", directory.path().join("out.yml")).unwrap();
        assert!(locate("out.yml").is_err());
    }

    #[test]
    fn the_second_who_wants_a_file_is_told() {
        let (_directory, repository) = repository();
        let file = RepoPath::new("secrets/a.yml").unwrap();
        let lock = repository.lock(&file).unwrap();
        assert!(matches!(
            repository.lock(&file),
            Err(LockError::Held { .. })
        ));
        let other = RepoPath::new("hosts/x/host.yml").unwrap();
        assert!(repository.lock(&other).is_ok());
        drop(lock);
        assert!(repository.lock(&file).is_ok());
    }
}
