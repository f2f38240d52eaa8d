//! age plugins: keys that another program has, `age-plugin-NAME`, such as those in hardware.
//!
//! The age crate finds the program in `PATH`, starts it and speaks the protocol with it: the one place where a process
//! starts outside of `host::exec`. It has no timeout, because a plugin may wait for a person to touch a key.
//!
//! Source: <https://c2sp.org/age-plugin>.

use std::sync::Arc;

use age::plugin::{IdentityPluginV1, RecipientPluginV1, ResolveError};
use age::secrecy::SecretString;
use age::{Callbacks, EncryptError};

use super::ask::AskPassphrase;

/// A plugin that is not there, or that did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// It is not in `PATH`.
    #[error("the program `{program}` is not installed")]
    Missing {
        /// The program.
        program: String,
    },
    /// It said no.
    #[error("`{program}` failed: {reason}")]
    Failed {
        /// The program.
        program: String,
        /// What it said.
        reason: String,
    },
}

impl PluginError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Missing { .. } => {
                "install that program so that it is found in PATH; it is named after the kind of key"
            }
            Self::Failed { .. } => {
                "see what the plugin needs, such as its device; AGEDEBUG=plugin shows what it says, with secrets in it"
            }
        }
    }
}

/// The program that has the keys of the plugin `name`.
pub(super) fn program(name: &str) -> String {
    format!("age-plugin-{name}")
}

/// An identity that a plugin has.
pub(super) struct PluginIdentity {
    name: String,
    identity: age::plugin::Identity,
}

impl PluginIdentity {
    /// Reads `AGE-PLUGIN-NAME-1…`; `None` if it is damaged.
    pub(super) fn parse(text: &str, name: &str) -> Option<Self> {
        Some(Self {
            name: name.to_owned(),
            identity: text.parse().ok()?,
        })
    }

    /// Where it was found.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The plugin's name, `yubikey`.
    pub(super) fn plugin(&self) -> &str {
        self.identity.plugin()
    }

    /// An identity for age, which starts the program when it is used.
    pub(super) fn connect(
        &self,
        asker: Option<Arc<dyn AskPassphrase>>,
    ) -> Result<IdentityPluginV1<Conversation>, PluginError> {
        let name = self.plugin();
        IdentityPluginV1::new(
            name,
            std::slice::from_ref(&self.identity),
            Conversation(asker),
        )
        .map_err(|error| of_resolve(&error, name))
    }

    /// What `error`, of a file that did not open, says about the plugin.
    pub(super) fn failed(&self, error: &age::DecryptError) -> PluginError {
        PluginError::Failed {
            program: program(self.plugin()),
            reason: one_line(&error.to_string()),
        }
    }
}

/// Encrypts a small file to `recipient` alone, armored.
pub(super) fn encrypt(
    recipient: &age::plugin::Recipient,
    secret: &[u8],
) -> Result<String, PluginError> {
    let name = recipient.plugin();
    // Encrypting needs the public half only, so a plugin has nothing to ask for.
    let connection = RecipientPluginV1::new(
        name,
        std::slice::from_ref(recipient),
        &[],
        Conversation(None),
    )
    .map_err(|error| of_resolve(&error, name))?;
    age::encrypt_and_armor(&connection, secret).map_err(|error| match error {
        EncryptError::PluginResolve(error) => of_resolve(&error, name),
        other => PluginError::Failed {
            program: program(name),
            reason: one_line(&other.to_string()),
        },
    })
}

fn of_resolve(error: &ResolveError, name: &str) -> PluginError {
    match error {
        ResolveError::MissingPlugin { binary_name } => PluginError::Missing {
            program: binary_name.clone(),
        },
        other => PluginError::Failed {
            program: program(name),
            reason: one_line(&other.to_string()),
        },
    }
}

/// What a plugin says may have several lines, and anything in them.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace(char::is_control, "")
}

/// What a plugin may ask, answered by the person if there is one.
#[derive(Clone)]
pub(super) struct Conversation(Option<Arc<dyn AskPassphrase>>);

impl Callbacks for Conversation {
    fn display_message(&self, message: &str) {
        if let Some(asker) = &self.0 {
            asker.tell(&one_line(message));
        }
    }

    fn confirm(&self, message: &str, yes_string: &str, no_string: Option<&str>) -> Option<bool> {
        let no = no_string.map(one_line);
        let asker = self.0.as_ref()?;
        asker.confirm(&one_line(message), &one_line(yes_string), no.as_deref())
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        self.0.as_ref()?.line(&one_line(description))
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        let asker = self.0.as_ref()?;
        // Without an answer the plugin is told so, and says what it could not do.
        let answer = asker
            .passphrase(&format!("{}:", one_line(description)))
            .ok()?;
        Some(SecretString::from(answer.expose_text()?.to_owned()))
    }
}
