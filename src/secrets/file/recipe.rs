//! For whom a new secret file is made, and which of its values are encrypted.

use std::path::PathBuf;

use super::SecretFile;
use crate::identity::Recipient;
use crate::secrets::repository::RecipientsError;
use crate::sops::{
    Format, KeyGroups, MacScope, NewFile, OpenedFile, SealError, Selector, SelectorRule,
};

/// What a person said about a new file; what they did not say is taken from the file's rule.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Recipients; they replace all keys of the rule, as one group. Empty: those of the rule.
    pub recipients: Vec<Recipient>,
    /// How many key groups are needed together.
    pub threshold: Option<usize>,
    /// Which values are encrypted.
    pub selector: Option<SelectorRule>,
    /// What the MAC is over.
    pub mac_scope: Option<MacScope>,
    /// By how many blanks the file is indented.
    pub indent: Option<usize>,
}

/// How a new file is made: all that is known before there is a text.
#[derive(Debug, Clone)]
pub struct Recipe {
    keys: KeyGroups,
    selector: Selector,
    indent: Option<usize>,
}

/// A new file for which nobody said who shall read it.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The rules do not tell.
    #[error(transparent)]
    Rules(#[from] RecipientsError),
    /// There are no rules here.
    #[error("nobody says who shall read {}: no .sops.yaml is for it, and no recipient is named", path.display())]
    NoRules {
        /// The file.
        path: PathBuf,
    },
    /// The rule and the wishes do not go together.
    #[error("the keys for {} cannot be used", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: crate::sops::KeyGroupsError,
    },
}

impl RecipeError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Rules(error) => error.fix(),
            Self::NoRules { .. } => {
                "run this in the repository with the .sops.yaml, or name recipients with `--age`"
            }
            Self::Keys { source, .. } => source.fix(),
        }
    }
}

impl Recipe {
    /// For `file`, by its rule and by what the person said.
    pub fn of(file: &SecretFile<'_>, wishes: &Wishes) -> Result<Self, RecipeError> {
        let mut selector = Selector::default();
        let mut indent = None;
        let of_rule = match (file.repository(), file.rule_place()) {
            (Some(repository), Some(place)) if !repository.rules().is_silent() => {
                let rules = repository.rules();
                indent = rules.indent(file.format());
                if let Some(rule) = rules.rule_for(place) {
                    selector = rule.selector().clone();
                }
                match rules.keys_of(place) {
                    // The keys of a rule that cannot be used are not missed where others are named.
                    Err(RecipientsError::Trouble { .. }) if !wishes.recipients.is_empty() => None,
                    // A rule must be there even where its keys are replaced, as in sops.
                    keys => Some(keys?),
                }
            }
            _ => None,
        };
        let groups = match of_rule {
            _ if !wishes.recipients.is_empty() => KeyGroups::one(wishes.recipients.iter().cloned()),
            Some(groups) => groups,
            None => {
                return Err(RecipeError::NoRules {
                    path: file.path().to_owned(),
                });
            }
        };
        let keys = match wishes.threshold {
            None => groups,
            Some(threshold) => {
                KeyGroups::new(groups.groups().to_vec(), threshold).map_err(|source| {
                    RecipeError::Keys {
                        path: file.path().to_owned(),
                        source,
                    }
                })?
            }
        };
        if let Some(rule) = &wishes.selector {
            selector.rule = rule.clone();
        }
        if let Some(scope) = wishes.mac_scope {
            selector.mac_scope = scope;
        }
        indent = wishes.indent.or(indent);
        Ok(Self {
            keys,
            selector,
            indent,
        })
    }

    /// Who shall be able to open the file.
    #[must_use]
    pub fn keys(&self) -> &KeyGroups {
        &self.keys
    }

    /// By how many blanks the file is indented.
    pub(super) fn indent(&self) -> Option<usize> {
        self.indent
    }

    /// Makes a file with the contents `plain`.
    pub fn create(&self, plain: &[u8], format: Format) -> Result<OpenedFile, SealError> {
        let new = NewFile {
            format,
            keys: &self.keys,
            selector: self.selector.clone(),
            indent: self.indent,
        };
        OpenedFile::create(plain, &new)
    }
}
