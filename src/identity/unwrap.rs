//! Opening a wrapped data key: what costs nothing first, what asks a person last.

use std::io::Read as _;
use std::sync::PoisonError;

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

use super::found::{Entry, Found};
use super::plaintext::Plaintext;
use super::plugin::PluginIdentity;
use super::pool::Identities;
use super::problem::{SourceProblem, SourceProblemKind};

/// A wrapped data key is 32 or 33 bytes; an age file much larger than that is not one.
const LARGEST_DATA_KEY: u64 = 1024;

/// A data key that did not open.
#[derive(Debug, thiserror::Error)]
pub enum UnwrapError {
    /// It is wrapped for somebody else.
    #[error("it is encrypted to a key that is not here")]
    NotForUs,
    /// There is no identity at all.
    #[error("there is no private key to open it with")]
    NoIdentity,
    /// It is encrypted with a passphrase, which sops never does.
    #[error("it is encrypted with a passphrase, not to a key")]
    Passphrase,
    /// Not a whole age file, or tampered with.
    #[error("the age file is damaged: {reason}")]
    Damaged {
        /// What age said.
        reason: String,
    },
}

/// One data key, wrapped for one recipient: an entry of a secret file.
#[derive(Debug, Clone, Copy)]
pub struct WrappedKey<'a> {
    /// For whom, as the file names them.
    pub recipient: &'a str,
    /// The armored age file; blanks around it do not count.
    pub armored: &'a str,
}

/// How far to go to open a data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Only with keys that need no passphrase and no plugin. Commands that print keys are run.
    Unattended,
    /// With all keys: a passphrase is asked for, a plugin is started. Try [`Unattended`](Self::Unattended) first, over
    /// everything that would do, so that nobody is asked in vain.
    Everything,
}

/// A data key that was opened.
#[expect(missing_debug_implementations, reason = "it holds a data key")]
pub struct UnwrappedKey {
    /// Whose entry it was, as the file names them.
    pub recipient: String,
    /// The data key, or the share of one.
    pub key: Plaintext,
}

/// Data keys of which none opened.
#[derive(Debug, thiserror::Error)]
#[error("none of the entries opens")]
pub struct UnwrapAnyError {
    /// The first entry that is damaged; empty if they are all for somebody else.
    pub recipient: Option<String>,
    /// Why.
    pub source: UnwrapError,
}

impl Identities {
    /// Opens one armored age file with the keys that need no passphrase and no plugin.
    ///
    /// Blanks around `armored` are ignored. Nothing was decrypted when this fails.
    ///
    /// Source: SOPS format §age entries; <https://c2sp.org/age>.
    pub fn unwrap(&self, armored: &str) -> Result<Plaintext, UnwrapError> {
        let wrapped = WrappedKey {
            recipient: "",
            armored,
        };
        match self.unwrap_any(&[wrapped], Effort::Unattended) {
            Ok(opened) => Ok(opened.key),
            Err(error) => Err(error.source),
        }
    }

    /// Opens the first of `wrapped`, which all hold the same data key, that opens.
    ///
    /// The keys are tried in this order: those that can be used at once, what commands print, SSH keys with a passphrase
    /// that are among the recipients, plugins that are, identity files with a passphrase, other plugins. A damaged entry
    /// is an error only if nothing else opens. Keys that were needed and could not be used are then in
    /// [`problems`](Self::problems).
    pub fn unwrap_any(
        &self,
        wrapped: &[WrappedKey<'_>],
        effort: Effort,
    ) -> Result<UnwrappedKey, UnwrapAnyError> {
        if self.is_empty() {
            return Err(UnwrapAnyError {
                recipient: None,
                source: UnwrapError::NoIdentity,
            });
        }
        let mut attempt = Attempt {
            pool: self,
            wrapped,
            damaged: None,
        };
        let mut opened = attempt.unattended();
        if opened.is_none() && effort == Effort::Everything {
            // One question at a time, also when many files are opened at once.
            let _turn = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever had the turn before may have opened the key that is wanted here.
            opened = attempt.unattended().or_else(|| attempt.attended());
        }
        opened.ok_or(match attempt.damaged {
            Some((recipient, source)) => UnwrapAnyError {
                recipient: Some(recipient),
                source,
            },
            None => UnwrapAnyError {
                recipient: None,
                source: UnwrapError::NotForUs,
            },
        })
    }
}

struct Attempt<'a> {
    pool: &'a Identities,
    wrapped: &'a [WrappedKey<'a>],
    damaged: Option<(String, UnwrapError)>,
}

impl Attempt<'_> {
    fn unattended(&mut self) -> Option<UnwrappedKey> {
        let pool = self.pool;
        let open: Vec<&Entry> = pool.open_entries().collect();
        self.entries(&open).or_else(|| self.commands())
    }

    fn commands(&mut self) -> Option<UnwrappedKey> {
        let pool = self.pool;
        for command in pool.commands() {
            for wrapped in self.wrapped {
                let found = command.ask(wrapped.recipient);
                let opened = found.and_then(|found| self.found(found));
                if opened.is_some() {
                    return opened;
                }
            }
        }
        None
    }

    fn attended(&mut self) -> Option<UnwrappedKey> {
        let pool = self.pool;
        let is_wanted = |recipients: &[String]| {
            self.wrapped.iter().any(|wrapped| {
                recipients
                    .iter()
                    .any(|ours| is_same(ours, wrapped.recipient))
            })
        };
        let wanted: Vec<_> = pool
            .locked()
            .filter(|locked| is_wanted(locked.recipients()))
            .collect();
        for locked in wanted {
            let found = locked.unlock(pool.asker());
            let opened = found.and_then(|found| self.found(found));
            if opened.is_some() {
                return opened;
            }
        }
        self.plugins(Match::Named)
            .or_else(|| {
                pool.locked()
                    .filter(|locked| locked.is_opaque())
                    .find_map(|locked| self.found(locked.unlock(pool.asker())?))
            })
            .or_else(|| self.plugins(Match::Others))
    }

    fn found(&mut self, found: &Found) -> Option<UnwrappedKey> {
        let entries: Vec<&Entry> = found.entries.iter().collect();
        self.entries(&entries)
    }

    /// Entries for a key that is here first: with forty recipients, the rest is trying for nothing.
    fn entries(&mut self, entries: &[&Entry]) -> Option<UnwrappedKey> {
        let (mut likely, mut others) = (Vec::new(), Vec::new());
        for wrapped in self.wrapped {
            for entry in entries {
                if is_same(&entry.recipient, wrapped.recipient) {
                    likely.push((wrapped, *entry));
                } else {
                    others.push((wrapped, *entry));
                }
            }
        }
        likely
            .into_iter()
            .chain(others)
            .find_map(|(wrapped, entry)| self.one(wrapped, entry.identity.as_ref()))
    }

    /// One identity at a time: a planted stanza that carries our tag must not keep the others from trying.
    fn one(
        &mut self,
        wrapped: &WrappedKey<'_>,
        identity: &dyn age::Identity,
    ) -> Option<UnwrappedKey> {
        match open(wrapped.armored.trim().as_bytes(), identity) {
            Ok(key) => Some(UnwrappedKey {
                recipient: wrapped.recipient.to_owned(),
                key,
            }),
            Err(Unopened::Because(UnwrapError::NotForUs)) => None,
            Err(Unopened::Because(source)) => {
                self.damaged
                    .get_or_insert_with(|| (wrapped.recipient.to_owned(), source));
                None
            }
            Err(Unopened::Age(error)) => {
                let source = UnwrapError::Damaged {
                    reason: error.to_string(),
                };
                self.damaged
                    .get_or_insert_with(|| (wrapped.recipient.to_owned(), source));
                None
            }
        }
    }

    fn plugins(&mut self, which: Match) -> Option<UnwrappedKey> {
        let pool = self.pool;
        for plugin in pool.plugins() {
            let fitting: Vec<&WrappedKey<'_>> = self
                .wrapped
                .iter()
                .filter(|wrapped| fit(plugin, wrapped.recipient) == Some(which))
                .collect();
            if fitting.is_empty() {
                continue;
            }
            let remember = |error| {
                pool.remember(SourceProblem {
                    from: plugin.name().to_owned(),
                    kind: SourceProblemKind::Plugin(error),
                });
            };
            let connection = match plugin.connect(pool.asker.clone()) {
                Ok(connection) => connection,
                Err(error) => {
                    remember(error);
                    continue;
                }
            };
            for wrapped in fitting {
                match open(wrapped.armored.trim().as_bytes(), &connection) {
                    Ok(key) => {
                        return Some(UnwrappedKey {
                            recipient: wrapped.recipient.to_owned(),
                            key,
                        });
                    }
                    Err(Unopened::Age(error)) => remember(plugin.failed(&error)),
                    // Whether the entry itself is damaged was found out before.
                    Err(Unopened::Because(_)) => {}
                }
            }
        }
        None
    }
}

/// How a plugin and a recipient belong together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    /// The recipient names the plugin, or is of the kind that several plugins share.
    Named,
    /// It may be for the plugin: some have keys of age's own kinds.
    Others,
}

fn fit(plugin: &PluginIdentity, recipient: &str) -> Option<Match> {
    let named = recipient
        .strip_prefix("age1")
        .and_then(|rest| rest.rsplit_once('1'))
        .map(|(name, _)| name);
    match named {
        Some("tag" | "tagpq") => Some(Match::Named),
        Some(name) if name == plugin.plugin() => Some(Match::Named),
        Some(_) => None,
        None => Some(Match::Others),
    }
}

/// Whether two recipients are the same key; an SSH key's comment does not count.
fn is_same(ours: &str, theirs: &str) -> bool {
    let key = |text: &'_ str| -> Option<(String, String)> {
        let mut words = text.split_ascii_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    let (ours, theirs) = (ours.trim(), theirs.trim());
    ours == theirs
        || (theirs.starts_with("ssh-") && key(ours).is_some() && key(ours) == key(theirs))
}

enum Unopened {
    Because(UnwrapError),
    /// An error that is the identity's as likely as the file's.
    Age(DecryptError),
}

fn open(armored: &[u8], identity: &dyn age::Identity) -> Result<Plaintext, Unopened> {
    let damaged = |reason: String| Unopened::Because(UnwrapError::Damaged { reason });
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(armored))
        .map_err(|reason| damaged(reason.to_string()))?;
    if decryptor.is_scrypt() {
        return Err(Unopened::Because(UnwrapError::Passphrase));
    }
    let reader = decryptor
        .decrypt(std::iter::once(identity))
        .map_err(|reason| match reason {
            DecryptError::NoMatchingKeys => Unopened::Because(UnwrapError::NotForUs),
            other => Unopened::Age(other),
        })?;
    let mut key = Zeroizing::new(Vec::with_capacity(2048));
    reader
        .take(LARGEST_DATA_KEY + 1)
        .read_to_end(&mut key)
        .map_err(|reason| damaged(reason.to_string()))?;
    if key.len() as u64 > LARGEST_DATA_KEY {
        return Err(damaged("it holds more than a data key".to_owned()));
    }
    Ok(Plaintext::from(key))
}

#[cfg(test)]
mod tests;
