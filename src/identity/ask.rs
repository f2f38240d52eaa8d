//! Asking the person who runs this: the passphrase of a key, and what an age plugin wants to know.

use super::plaintext::Plaintext;

/// Somebody who can be asked while a key is used. This room knows no terminal: whoever has one says how to ask.
pub trait AskPassphrase: Send + Sync {
    /// Asks for a passphrase, which is not shown while it is typed. `question` names what it is for and ends in a colon.
    ///
    /// # Errors
    /// [`NoAnswer`] if there is nobody to ask, or they gave up.
    fn passphrase(&self, question: &str) -> Result<Plaintext, NoAnswer>;

    /// Shows a message of a plugin, such as "touch your key".
    fn tell(&self, message: &str);

    /// Asks a plugin's question for one line that may be shown; `None` without an answer.
    fn line(&self, question: &str) -> Option<String>;

    /// Asks a plugin's question that has two answers, or only `yes`; `None` without an answer.
    fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool>;
}

/// Why there is no passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// No terminal.
    #[error("there is no terminal to ask for it")]
    NobodyThere,
    /// The person did not want to.
    #[error("none was given")]
    GivenUp,
}
