//! `.sops.yaml`: who can open which secret file.

mod written;
mod written_group;

use std::path::{Path, PathBuf};

use self::written::{Written, WrittenRule};
use super::recipient_names::RecipientNames;
use crate::identity::{Recipient, RecipientError};
use crate::sops::{Format, KeyGroups, KeyGroupsError, Pattern, PatternError, Selector};
use crate::source::RepoPath;

/// The creation rules of one `.sops.yaml`.
#[derive(Debug, Clone)]
pub struct Rules {
    path: PathBuf,
    in_order: Vec<Rule>,
    names: RecipientNames,
    indents: Vec<(Format, usize)>,
    is_silent: bool,
}

/// One creation rule.
#[derive(Debug, Clone)]
pub struct Rule {
    number: usize,
    path_regex: Option<Pattern>,
    /// The same as it was written.
    written_regex: Option<String>,
    keys: Result<KeyGroups, RuleTrouble>,
    selector: Selector,
}

/// Why a rule cannot be used to encrypt. Rules that no file needs may have trouble.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleTrouble {
    /// Groups of keys that no file can have.
    #[error(transparent)]
    Groups(#[from] KeyGroupsError),
    /// A field of another type than sops reads.
    #[error("its `{name}` is not {expected}")]
    Field {
        /// The field.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// More keys than a file may have.
    #[error("it has more than {limit} keys")]
    TooManyKeys {
        /// The limit.
        limit: usize,
    },
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
            Self::Groups(error) => error.fix(),
            Self::Field { .. } => "correct it",
            Self::TooManyKeys { .. } => "take keys out, or use several rules",
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
        match Self::load_file(&directory.join(".sops.yaml")) {
            Ok(rules) => Ok(Some(rules)),
            Err(RulesError::Unreadable { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the rules at `path`, which may have any name.
    pub fn load_file(path: &Path) -> Result<Self, RulesError> {
        let text = std::fs::read_to_string(path).map_err(|source| RulesError::Unreadable {
            path: path.to_path_buf(),
            source,
        })?;
        Self::parse(&text, path)
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
        let indents = written
            .stores
            .indents()
            .map_err(|name| RulesError::Syntax {
                path: path.to_path_buf(),
                reason: format!("`{name}` is not a number of blanks"),
            })?;
        let is_silent = written.creation_rules.is_none();
        let written = written.creation_rules.unwrap_or_default();
        let mut rules = Vec::with_capacity(written.len());
        for (index, written) in written.into_iter().enumerate() {
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
            indents,
            is_silent,
        })
    }

    /// Whether the file has no `creation_rules` at all, which sops takes as no word on any file. An empty list says that
    /// no file may be encrypted.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// By how many blanks a new file is indented, if the file says so.
    #[must_use]
    pub fn indent(&self, format: Format) -> Option<usize> {
        let found = self.indents.iter().find(|(of, _)| *of == format);
        found.map(|(_, indent)| *indent)
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

    /// How many rules there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.in_order.len()
    }

    /// The regular expression of the rule `number`, counted from 1.
    #[must_use]
    pub fn path_regex(&self, number: usize) -> Option<&str> {
        let rule = self.in_order.get(number.checked_sub(1)?)?;
        rule.written_regex.as_deref()
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
        rule.keys()
            .cloned()
            .map_err(|source| RecipientsError::Trouble {
                config: self.path.clone(),
                file: file.clone(),
                number: rule.number,
                source: source.clone(),
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
        let keys = match several {
            Some(trouble) => Err(trouble),
            None => written.keys(),
        };
        Ok(Self {
            number,
            path_regex,
            written_regex: written.path_regex.clone(),
            keys,
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

    /// Which keys the files of this rule shall have.
    pub fn keys(&self) -> Result<&KeyGroups, &RuleTrouble> {
        self.keys.as_ref()
    }

    /// Which values of a new file are encrypted.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.selector
    }
}

#[cfg(test)]
mod tests;
