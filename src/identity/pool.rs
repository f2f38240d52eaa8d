//! A pool of identities: everything that may open a secret file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::ask::AskPassphrase;
use super::found::{Entry, Found};
use super::host_key::{HostKey, KeyError, read_key_file};
use super::identity_text::{IdentityTextError, parse_any};
use super::key_command::KeyCommand;
use super::locked::Locked;
use super::plugin::PluginIdentity;
use super::problem::{SourceProblem, SourceProblemKind};

/// Private keys that may open secret files.
#[derive(Default)]
#[expect(
    missing_debug_implementations,
    reason = "private keys must not be printable"
)]
pub struct Identities {
    found: Found,
    commands: Vec<KeyCommand>,
    problems: Vec<Arc<SourceProblem>>,
    /// What went wrong while something was opened.
    late: Mutex<Vec<Arc<SourceProblem>>>,
    pub(super) asker: Option<Arc<dyn AskPassphrase>>,
    /// Held by whoever asks.
    pub(super) asking: Mutex<()>,
}

/// An identity file that was named and cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityFileError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] KeyError),
    /// It holds nothing that can be used.
    #[error("cannot use the identity file {}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: IdentityTextError,
    },
}

impl IdentityFileError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Read(error) => error.fix(),
            Self::Content { source, .. } => source.fix().to_owned(),
        }
    }
}

impl Identities {
    /// The two identities of a host. They never ask.
    #[must_use]
    pub fn of_host(key: &HostKey) -> Self {
        let name = format!("host key {}", key.path().display());
        Self {
            found: Entry::of_ed25519(key, &name).into(),
            ..Self::default()
        }
    }

    /// Everything that sops would find for the person who runs this: see [`person`](super::person).
    ///
    /// A source that is broken spoils nothing; it is kept in [`problems`](Self::problems), to be shown if a file does
    /// not open in the end. Keys with a passphrase open nothing until [`asking`](Self::asking) says how to ask for it.
    #[must_use]
    pub fn of_person() -> Self {
        super::person::collect(&|name| std::env::var_os(name))
    }

    /// The identities in the file at `path`: an age identity file, or an SSH private key.
    pub fn of_file(path: &Path) -> Result<Self, IdentityFileError> {
        Self::of_text(&read_key_file(path)?, path)
    }

    /// The identities in `text`, which is what [`of_file`](Self::of_file) reads; `path` is where it came from, for
    /// messages.
    pub fn of_text(text: &Zeroizing<Vec<u8>>, path: &Path) -> Result<Self, IdentityFileError> {
        let name = path.display().to_string();
        let content = |source| IdentityFileError::Content {
            path: path.to_path_buf(),
            source,
        };
        let mut pool = Self::default();
        pool.add(&name, parse_any(text, path, &name).map_err(content)?);
        Ok(pool)
    }

    /// Adds all of `other`. Whoever this asks is asked for the keys of `other` too.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.add("", other.found);
        self.commands.extend(other.commands);
        self.problems.extend(other.problems);
        self.late = Mutex::new([self.late_problems(), into_inner(other.late)].concat());
        self.asker = self.asker.or(other.asker);
        self
    }

    /// Says whom to ask for passphrases, and for what plugins want to know.
    #[must_use]
    pub fn asking(mut self, asker: Arc<dyn AskPassphrase>) -> Self {
        self.asker = Some(asker);
        self
    }

    /// Adds what a source holds. A key that is here already is not asked for twice.
    pub(super) fn add(&mut self, from: &str, new: Found) {
        self.problems.extend(new.problems.into_iter().map(|text| {
            Arc::new(SourceProblem {
                from: from.to_owned(),
                kind: SourceProblemKind::Text(text),
            })
        }));
        self.found.entries.extend(new.entries);
        self.found.plugins.extend(new.plugins);
        for locked in new.locked {
            let is_known = |one: &Locked| {
                !one.recipients().is_empty() && one.recipients() == locked.recipients()
            };
            let is_open = |one: &Entry| locked.recipients().contains(&one.recipient);
            if !self.found.locked.iter().any(is_known) && !self.found.entries.iter().any(is_open) {
                self.found.locked.push(locked);
            }
        }
    }

    pub(super) fn add_command(&mut self, command: KeyCommand) {
        self.commands.push(command);
    }

    pub(super) fn add_problem(&mut self, problem: SourceProblem) {
        self.problems.push(Arc::new(problem));
    }

    /// Keeps what went wrong while something was opened, each reason once.
    pub(super) fn remember(&self, problem: SourceProblem) {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |one: &Arc<SourceProblem>| {
            one.from == problem.from && one.kind.to_string() == problem.kind.to_string()
        };
        if !late.iter().any(is_same) {
            late.push(Arc::new(problem));
        }
    }

    fn late_problems(&self) -> Vec<Arc<SourceProblem>> {
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.clone()
    }

    /// Identities that can be used as they are, with those that were opened or printed so far.
    pub(super) fn open_entries(&self) -> impl Iterator<Item = &Entry> {
        let unlocked = self.found.locked.iter().filter_map(Locked::opened);
        let printed = self.commands.iter().flat_map(KeyCommand::so_far);
        std::iter::once(&self.found)
            .chain(unlocked)
            .chain(printed)
            .flat_map(|found| &found.entries)
    }

    pub(super) fn locked(&self) -> impl Iterator<Item = &Locked> {
        let printed = self.commands.iter().flat_map(KeyCommand::so_far);
        std::iter::once(&self.found)
            .chain(printed)
            .flat_map(|found| &found.locked)
    }

    pub(super) fn plugins(&self) -> impl Iterator<Item = &PluginIdentity> {
        let unlocked = self.locked().filter_map(Locked::opened);
        let printed = self.commands.iter().flat_map(KeyCommand::so_far);
        std::iter::once(&self.found)
            .chain(unlocked)
            .chain(printed)
            .flat_map(|found| &found.plugins)
    }

    pub(super) fn commands(&self) -> impl Iterator<Item = &KeyCommand> {
        self.commands.iter()
    }

    pub(super) fn asker(&self) -> Option<&dyn AskPassphrase> {
        self.asker.as_deref()
    }

    /// Where each identity came from, with its public half where that is known: for messages.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let open = self
            .open_entries()
            .map(|entry| format!("{} ({})", entry.name, entry.recipient));
        let locked = self.locked().filter(|locked| locked.opened().is_none());
        let locked = locked.map(|locked| match locked.recipients().last() {
            Some(recipient) => format!("{} ({recipient}, with a passphrase)", locked.name()),
            None => format!("{} (with a passphrase)", locked.name()),
        });
        let plugins = self
            .plugins()
            .map(|plugin| format!("{} (of age-plugin-{})", plugin.name(), plugin.plugin()));
        open.chain(locked).chain(plugins).collect()
    }

    /// The public halves, as far as they are known: what a file must be encrypted to for one of these to open it. Those
    /// of SSH keys with a passphrase are known before anybody asks for it.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        let locked = self.locked().filter(|locked| locked.opened().is_none());
        self.open_entries()
            .map(|entry| entry.recipient.as_str())
            .chain(locked.flat_map(|locked| locked.recipients().iter().map(String::as_str)))
    }

    /// Whether there are keys whose public halves are not among [`recipients`](Self::recipients): in a protected
    /// identity file, of a plugin, or printed by a command that was not run yet.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        let is_unknown = |locked: &Locked| locked.is_opaque() && locked.opened().is_none();
        self.locked().any(is_unknown)
            || self.plugins().next().is_some()
            || !self.commands.is_empty()
    }

    /// Sources that could not be used. Only of interest once something did not open; those that
    /// [were needed](SourceProblem::was_needed) come first.
    #[must_use]
    pub fn problems(&self) -> Vec<Arc<SourceProblem>> {
        let mut problems: Vec<Arc<SourceProblem>> = self
            .locked()
            .filter_map(Locked::problem)
            .cloned()
            .chain(self.late_problems())
            .chain(self.commands.iter().flat_map(KeyCommand::problems).cloned())
            .chain(self.problems.iter().cloned())
            .collect();
        problems.sort_by_key(|problem| !problem.was_needed());
        problems
    }

    /// Whether there is no identity, not even one that needs a passphrase.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.entries.is_empty()
            && self.found.locked.is_empty()
            && self.found.plugins.is_empty()
            && self.commands.is_empty()
    }
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Recipient, UnwrapError};

    fn vector(name: &str) -> HostKey {
        let path = format!(
            "{}/tests/vectors/ssh-to-age/{name}",
            env!("CARGO_MANIFEST_DIR")
        );
        HostKey::read(Path::new(&path)).unwrap()
    }

    #[test]
    fn a_host_key_opens_both_kinds_of_stanza() {
        let key = vector("vector1");
        let identities = Identities::of_host(&key);
        assert_eq!(identities.recipients().count(), 2);
        for recipient in [key.age_recipient(), key.public_key()] {
            let armored = Recipient::parse(&recipient)
                .unwrap()
                .wrap(&[9; 32])
                .unwrap();
            assert!(identities.unwrap(&armored).ok().unwrap().same_as(&[9; 32]));
            // Files without the final newline, or with too many, exist.
            assert!(identities.unwrap(armored.trim()).is_ok());
            assert!(identities.unwrap(&format!("\n{armored}\n\n")).is_ok());
        }
    }

    #[test]
    fn what_is_for_somebody_else_does_not_open() {
        let armored = Recipient::parse(&vector("vector2").age_recipient())
            .unwrap()
            .wrap(&[9; 32])
            .unwrap();
        let identities = Identities::of_host(&vector("vector1"));
        assert!(matches!(
            identities.unwrap(&armored).err(),
            Some(UnwrapError::NotForUs)
        ));
        assert!(matches!(
            Identities::default().unwrap(&armored).err(),
            Some(UnwrapError::NoIdentity)
        ));
        assert!(matches!(
            identities
                .unwrap("-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n")
                .err(),
            Some(UnwrapError::Damaged { .. })
        ));
    }
}
