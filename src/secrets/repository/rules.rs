//! `.sops.yaml`: who can open which secret file.

mod written;

use std::path::{Path, PathBuf};

use self::written::{Written, WrittenRule};
use super::recipient_names::RecipientNames;
use crate::identity::{Recipient, RecipientError};
use crate::sops::{KeyGroups, Pattern, PatternError, Selector};
use crate::source::RepoPath;

/// The creation rules of one `.sops.yaml`.
#[derive(Debug, Clone)]
pub struct Rules {
    path: PathBuf,
    in_order: Vec<Rule>,
    names: RecipientNames,
}

/// One creation rule.
#[derive(Debug, Clone)]
pub struct Rule {
    number: usize,
    path_regex: Option<Pattern>,
    keys: Vec<String>,
    trouble: Option<RuleTrouble>,
    selector: Selector,
}

/// Why a rule cannot be used to encrypt. Rules that no file needs may have trouble.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleTrouble {
    /// Several key groups, that is Shamir's secret sharing.
    #[error("it has {groups} key groups, so that keys of several groups would be needed together")]
    KeyGroups {
        /// How many.
        groups: usize,
    },
    /// Keys that are not age's.
    #[error("it has keys of the kind `{kind}`, and only age and SSH keys are supported")]
    ForeignKeys {
        /// The kind, as the file names it.
        kind: String,
    },
    /// No key at all.
    #[error("it names no recipient")]
    NoKeys,
    /// A recipient that cannot be used.
    #[error(transparent)]
    Recipient(#[from] RecipientError),
    /// More than one selector.
    #[error("it has several of the settings {}; only one may be there", found.join(", "))]
    Selectors {
        /// Those that are there.
        found: Vec<&'static str>,
    },
}

impl RuleTrouble {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::KeyGroups { .. } => {
                "put all keys into one group: one `-` below `key_groups:`, with `age:` and the like below it"
            }
            Self::ForeignKeys { .. } => {
                "use age or SSH keys in this rule, or use sops for its files"
            }
            Self::NoKeys => "add an `age:` list to the rule",
            Self::Recipient(error) => error.fix(),
            Self::Selectors { .. } => "keep one of them",
        }
    }
}

/// A `.sops.yaml` that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It is there and cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// Not YAML, or not of the shape that sops reads.
    #[error("{} is not valid: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        reason: String,
    },
    /// A rule's regular expression.
    #[error("creation rule {number} of {} cannot be used", path.display())]
    PathRegex {
        /// The file.
        path: PathBuf,
        /// Number of the rule, from 1.
        number: usize,
        /// What is wrong with it.
        source: PatternError,
    },
}

impl RulesError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Syntax { .. } => Some("correct the file at that place"),
            Self::PathRegex { source, .. } => Some(source.fix()),
        }
    }
}

/// A secret file for which no recipients can be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientsError {
    /// No rule is for this file.
    #[error("no creation rule of {} is for {file}", config.display())]
    NoRule {
        /// The `.sops.yaml`.
        config: PathBuf,
        /// The secret file.
        file: RepoPath,
    },
    /// The rule for this file cannot be used.
    #[error("creation rule {number} of {}, which is for {file}, cannot be used", config.display())]
    Trouble {
        /// The `.sops.yaml`.
        config: PathBuf,
        /// The secret file.
        file: RepoPath,
        /// Number of the rule, from 1.
        number: usize,
        /// Why not.
        source: RuleTrouble,
    },
}

impl RecipientsError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NoRule { .. } => {
                "add a rule whose `path_regex` matches the file, such as `path_regex: ^secrets/`"
            }
            Self::Trouble { source, .. } => source.fix(),
        }
    }
}

impl Rules {
    /// Reads `.sops.yaml` in `directory`; `None` if there is none.
    pub fn load(directory: &Path) -> Result<Option<Self>, RulesError> {
        let path = directory.join(".sops.yaml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(RulesError::Unreadable { path, source }),
        };
        Self::parse(&text, &path).map(Some)
    }

    /// Reads the text of a `.sops.yaml`; `path` is where it came from, for messages.
    ///
    /// Keys that sops does not know are ignored, as sops does, so that anchor lists such as `keys:` are fine.
    pub fn parse(text: &str, path: &Path) -> Result<Self, RulesError> {
        let invalid = |error: serde_yaml::Error| RulesError::Syntax {
            path: path.to_path_buf(),
            reason: error.to_string(),
        };
        let mut value: serde_yaml::Value = serde_yaml::from_str(text).map_err(invalid)?;
        value.apply_merge().map_err(invalid)?;
        let written: Written = match value {
            serde_yaml::Value::Null => Written::default(),
            value => serde_yaml::from_value(value).map_err(invalid)?,
        };
        let mut rules = Vec::with_capacity(written.creation_rules.len());
        for (index, written) in written.creation_rules.into_iter().enumerate() {
            let number = index + 1;
            let rule = Rule::new(number, &written).map_err(|source| RulesError::PathRegex {
                path: path.to_path_buf(),
                number,
                source,
            })?;
            rules.push(rule);
        }
        Ok(Self {
            path: path.to_path_buf(),
            in_order: rules,
            names: RecipientNames::of_anchors(text),
        })
    }

    /// The `.sops.yaml`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names for recipients, from the anchors of the file.
    #[must_use]
    pub fn names(&self) -> &RecipientNames {
        &self.names
    }

    /// The first rule for `file`; `None` if no rule matches.
    #[must_use]
    pub fn rule_for(&self, file: &RepoPath) -> Option<&Rule> {
        self.in_order.iter().find(|rule| rule.covers(file))
    }

    /// The recipients among the keys of `file`, each once, in the rule's order.
    pub fn recipients_of(&self, file: &RepoPath) -> Result<Vec<Recipient>, RecipientsError> {
        Ok(self.keys_of(file)?.recipients().cloned().collect())
    }

    /// Which keys `file` shall have.
    pub fn keys_of(&self, file: &RepoPath) -> Result<KeyGroups, RecipientsError> {
        let Some(rule) = self.rule_for(file) else {
            return Err(RecipientsError::NoRule {
                config: self.path.clone(),
                file: file.clone(),
            });
        };
        rule.recipients()
            .map(KeyGroups::one)
            .map_err(|source| RecipientsError::Trouble {
                config: self.path.clone(),
                file: file.clone(),
                number: rule.number,
                source,
            })
    }
}

impl Rule {
    fn new(number: usize, written: &WrittenRule) -> Result<Self, PatternError> {
        let path_regex = match written.path_regex.as_deref() {
            None | Some("") => None,
            Some(regex) => Some(Pattern::new(regex)?),
        };
        let (selector, several) = written.selector();
        let (keys, trouble) = match written.keys() {
            Ok(keys) if keys.is_empty() => (keys, Some(RuleTrouble::NoKeys)),
            Ok(keys) => (keys, several),
            Err(trouble) => (Vec::new(), Some(trouble)),
        };
        Ok(Self {
            number,
            path_regex,
            keys,
            trouble,
            selector,
        })
    }

    /// Number of the rule in its file, from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Whether the rule says which files it is for; one that does not is for all.
    #[must_use]
    pub fn names_files(&self) -> bool {
        self.path_regex.is_some()
    }

    /// Whether the rule is for `file`, a path relative to the directory of `.sops.yaml`.
    #[must_use]
    pub fn covers(&self, file: &RepoPath) -> bool {
        self.path_regex
            .as_ref()
            .is_none_or(|regex| regex.is_match(file.as_str()))
    }

    /// Who shall be able to open the files of this rule, each once.
    pub fn recipients(&self) -> Result<Vec<Recipient>, RuleTrouble> {
        if let Some(trouble) = &self.trouble {
            return Err(trouble.clone());
        }
        let mut recipients: Vec<Recipient> = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            let recipient = Recipient::parse(key)?;
            if !recipients.contains(&recipient) {
                recipients.push(recipient);
            }
        }
        Ok(recipients)
    }

    /// Which values of a new file are encrypted.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.selector
    }
}

#[cfg(test)]
mod tests;
