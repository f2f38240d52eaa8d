//! What a generation says about secrets: names, places, owners; never values.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::host::{FileMode, GroupName, InvalidName, UnitId, UserName};
use crate::name::checked_name;
use crate::source::RepoPath;

fn slashed_rule(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > 255 {
        return Err("must be 1 to 255 bytes");
    }
    for part in text.split('/') {
        if part.is_empty() || part == "." || part == ".." {
            return Err("must have no empty, `.` or `..` parts");
        }
        if !part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b))
        {
            return Err("may contain only letters, digits and `-_.@`, in parts separated by `/`");
        }
    }
    Ok(())
}

checked_name!(
    /// The name of one secret, `backups/restic/password`: its place below `/run/secrets` and, unless the entry says
    /// otherwise, its key path inside the secret file.
    SecretName, "secret name", |text| {
        slashed_rule(text)?;
        if text == "rendered" || text.starts_with("rendered/") {
            return Err("must not begin with `rendered/`, where templates go");
        }
        Ok(())
    }
);
checked_name!(
    /// The name of one template: its place below `/run/secrets/rendered`.
    TemplateName, "template name", slashed_rule
);

checked_name!(
    /// The name of a credential: a file in the `$CREDENTIALS_DIRECTORY` of a service.
    CredentialName, "credential name", |text| {
        if text.is_empty() || text.len() > 255 || text.starts_with('.') {
            return Err("must be 1 to 255 bytes and not begin with `.`");
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            return Err("may contain only letters, digits and `-_.`");
        }
        Ok(())
    }
);

impl SecretName {
    /// The name of what is called `self` in the home of `account`: no two homes, and no home and the host, share one.
    ///
    /// # Errors
    /// [`InvalidName`] if that is too long.
    pub fn in_home(&self, account: &UserName) -> Result<Self, InvalidName> {
        Self::new(format!("home/{account}/{self}"))
    }

    /// Where the secret is on the host.
    #[must_use]
    pub fn installed_path(&self) -> String {
        format!("{INSTALLED}/{self}")
    }
}

impl TemplateName {
    /// The name of what is called `self` in the home of `account`.
    ///
    /// # Errors
    /// [`InvalidName`] if that is too long.
    pub fn in_home(&self, account: &UserName) -> Result<Self, InvalidName> {
        Self::new(format!("home/{account}/{self}"))
    }

    /// Where the rendered text is on the host.
    #[must_use]
    pub fn installed_path(&self) -> String {
        format!("{INSTALLED}/rendered/{self}")
    }
}

/// The link that leads to the newest set of secrets.
const INSTALLED: &str = "/run/secrets";

/// Units that act when a resource changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitTriggers {
    /// Units to restart; wins over `reload`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub restart: BTreeSet<UnitId>,
    /// Units to reload.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reload: BTreeSet<UnitId>,
}

impl UnitTriggers {
    /// Whether nothing is triggered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.restart.is_empty() && self.reload.is_empty()
    }
}

/// One secret of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretSpec {
    /// The secret file that holds it.
    pub file: RepoPath,
    /// Key path inside the file, outermost first; empty for the whole file.
    pub key: Vec<String>,
    /// SHA-256, in hex, of the value's ciphertext text as it stands in the file; of all its values for the whole file.
    pub ciphertext: String,
    /// Owner of the installed file.
    pub owner: UserName,
    /// Group of the installed file.
    pub group: GroupName,
    /// Mode of the installed file.
    pub mode: FileMode,
    /// Whether the activation goes on without it when it does not open.
    pub optional: bool,
    /// Units that act when the value, the owner or the mode changes.
    #[serde(default, skip_serializing_if = "UnitTriggers::is_empty")]
    pub units: UnitTriggers,
}

/// A text with secrets in it, parsed once at build time; substituted text is never scanned again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateSpec {
    /// The text, cut at its placeholders.
    pub segments: Vec<TemplateSegment>,
    /// Owner of the rendered file.
    pub owner: UserName,
    /// Group of the rendered file.
    pub group: GroupName,
    /// Mode of the rendered file.
    pub mode: FileMode,
    /// Units that act when the rendered text, the owner or the mode changes.
    #[serde(default, skip_serializing_if = "UnitTriggers::is_empty")]
    pub units: UnitTriggers,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateSegment {
    /// Text that stands for itself.
    Text(String),
    /// The value of a secret, which must be among the generation's secrets.
    Secret(SecretName),
}
