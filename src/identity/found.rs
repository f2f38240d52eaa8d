//! What one source of identities holds.

use super::host_key::HostKey;
use super::identity_text::IdentityTextError;
use super::locked::Locked;
use super::plugin::PluginIdentity;

/// The identities of one source.
#[derive(Default)]
pub(super) struct Found {
    /// Those that can be used at once.
    pub(super) entries: Vec<Entry>,
    /// Those that need a passphrase first.
    pub(super) locked: Vec<Locked>,
    /// Those that another program has.
    pub(super) plugins: Vec<PluginIdentity>,
    /// Single lines that this build has no use for.
    pub(super) problems: Vec<IdentityTextError>,
}

/// One identity, with the public half that it opens for.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) recipient: String,
    pub(super) identity: Box<dyn age::Identity + Send + Sync>,
}

impl Entry {
    pub(super) fn new(
        name: &str,
        recipient: String,
        identity: Box<dyn age::Identity + Send + Sync>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            recipient,
            identity,
        }
    }

    /// Both identities of an ed25519 key: X25519 as ssh-to-age derives it, and native `ssh-ed25519`.
    pub(super) fn of_ed25519(key: &HostKey, name: &str) -> Vec<Self> {
        let mut entries = Vec::with_capacity(2);
        if let Some(derived) = key.x25519() {
            let recipient = key.age_recipient();
            entries.push(Self::new(name, recipient, Box::new(derived)));
        }
        if let Some(native) = key.native() {
            let recipient = key.public_key();
            entries.push(Self::new(name, recipient, Box::new(native)));
        }
        entries
    }
}

impl From<Vec<Entry>> for Found {
    fn from(entries: Vec<Entry>) -> Self {
        Self {
            entries,
            ..Self::default()
        }
    }
}

impl From<Locked> for Found {
    fn from(locked: Locked) -> Self {
        Self {
            locked: vec![locked],
            ..Self::default()
        }
    }
}
