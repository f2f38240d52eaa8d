//! The working copy: its rules in `.sops.yaml`, its secret files, and what recipients are called.

mod path_regex;
mod recipient_names;
mod rules;
mod working_copy;

pub use path_regex::{PathRegex, PathRegexError};
pub use recipient_names::RecipientNames;
pub use rules::{RecipientsError, Rule, RuleTrouble, Rules, RulesError};
pub(super) use working_copy::{LARGEST_FILE_BYTES, is_yaml};
pub use working_copy::{Repository, RepositoryError};
