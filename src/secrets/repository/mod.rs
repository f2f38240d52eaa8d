//! The working copy: its rules in `.sops.yaml`, its secret files, and what recipients are called.

mod must_change;
mod recipient_names;
mod rules;
mod rules_text;
mod working_copy;

pub use must_change::{Carried, GoneValue, MustChange, MustChangeError, MustChangeValue};
pub use recipient_names::RecipientNames;
pub use rules::{RecipientsError, Rule, RuleTrouble, Rules, RulesError};
pub use rules_text::RulesTextError;
pub(super) use rules_text::{NewKey, RulesText, names_single_files};
pub(super) use working_copy::{LARGEST_FILE_BYTES, default_rules_file, host_of_key_file};
pub use working_copy::{Repository, RepositoryError};
