//! Keys: an SSH host key as an age identity and recipient, and the identities that people have.
//!
//! `plaintext` is how decrypted bytes are held, `host_key` reads a host's private key, `public_key` converts public ones
//! as ssh-to-age does and `public_keys` finds them in a text, `keyscan` asks a host for its own, `recipient` wraps a data
//! key. `person` finds the keys that sops would find: `found` is what one source holds, as text (`identity_text`), behind a
//! passphrase (`locked`, and `ask` for whom to ask), printed by a command (`key_command`) or in a `plugin`. `pool` has
//! them all, `unwrap` tries them, `problem` is why one was of no use.

mod ask;
mod found;
mod host_key;
mod identity_text;
mod key_command;
mod keyscan;
mod locked;
mod person;
mod plaintext;
mod plugin;
mod pool;
mod problem;
mod public_key;
mod public_keys;
mod recipient;
mod unwrap;

pub use ask::{AskPassphrase, NoAnswer};
pub use host_key::{HostKey, KeyError};
pub use identity_text::IdentityTextError;
pub use keyscan::{KeyscanError, ScanTarget, ScanTargetError, scan_host_key};
pub use plaintext::Plaintext;
pub use plugin::PluginError;
pub use pool::{Identities, IdentityFileError};
pub use problem::{SourceProblem, SourceProblemKind};
pub use public_key::{HostPublicKey, PublicKeyError, recipient_of_public_key};
pub use public_keys::{NamedPublicKey, PublicKeys, SkippedKey, WhySkipped};
pub use recipient::{Recipient, RecipientError, WrapError, WrapErrorKind};
pub use unwrap::{Effort, UnwrapAnyError, UnwrapError, UnwrappedKey, WrappedKey};
