//! Keys: an SSH host key as an age identity and recipient, and the identities that people have.
//!
//! `plaintext` is how decrypted bytes are held, `host_key` reads a host's private key, `public_key` converts public ones
//! as ssh-to-age does, `recipient` wraps a data key, `pool` unwraps one, `person` finds the keys that sops would find.

mod host_key;
mod identity_text;
mod keyscan;
mod person;
mod plaintext;
mod pool;
mod public_key;
mod public_keys;
mod recipient;

pub use host_key::{HostKey, KeyError};
pub use identity_text::IdentityTextError;
pub use keyscan::{KeyscanError, ScanTarget, ScanTargetError, scan_host_key};
pub use person::{SourceProblem, SourceProblemKind};
pub use plaintext::Plaintext;
pub use pool::{Identities, IdentityFileError, UnwrapError};
pub use public_key::{HostPublicKey, PublicKeyError, recipient_of_public_key};
pub use public_keys::{NamedPublicKey, PublicKeys, SkippedKey, WhySkipped};
pub use recipient::{Recipient, RecipientError, WrapError};
