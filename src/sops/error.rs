//! What can go wrong with a SOPS file, and what to do about it. No message holds a decrypted value.

use super::key_groups::KeyEntry;
use super::pattern::PatternError;
use crate::identity::UnwrapError;

pub use super::cipher::CipherError;

/// Text that is not a SOPS file, or one that this version cannot take.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// Larger than any secret file should be.
    #[error("the file is {bytes} bytes long; the limit is {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest size that is read.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    /// Not of its format.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// Of its format, but not of a shape that SOPS can hold.
    #[error("line {line}: {reason}")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// No document at all.
    #[error("the file holds no document")]
    Empty,
    /// There is no `sops` entry.
    #[error("the file is not encrypted: it has no `sops` entry")]
    NotSealed,
    /// A merge left the file in conflict.
    #[error("line {line}: the file is in conflict, and the merge is not finished")]
    Conflict {
        /// Line of the first marker, from 1.
        line: usize,
    },
    /// The `sops` entry is not as it must be.
    #[error("the `sops` entry is damaged: {reason}")]
    Metadata {
        /// What is wrong.
        reason: String,
    },
    /// Plain text that already has a `sops` entry.
    #[error("line {line}: the key `{key}` is reserved for the file's own metadata")]
    Reserved {
        /// What is reserved.
        key: &'static str,
        /// Line, from 1.
        line: usize,
    },
}

impl ParseError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "split the file; secrets are small",
            Self::NotUtf8 => "convert the file to UTF-8",
            Self::Syntax { .. } | Self::Shape { .. } => "correct the file at that line",
            Self::Empty => "write at least one entry, such as `name: value`",
            Self::NotSealed => {
                "encrypt it with `steadfast secrets encrypt -i FILE`; if it ever was pushed in the clear, change the secrets in it"
            }
            Self::Conflict { .. } => {
                "`steadfast secrets edit FILE` shows both versions decrypted; `git add` settles the conflict afterwards"
            }
            Self::Metadata { .. } => {
                "restore the file from git; its `sops` entry is not to be edited by hand"
            }
            Self::Reserved { .. } => "rename the key, or take the `sops` entry out",
        }
    }
}

/// A sealed file that does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No identity fits any recipient.
    #[error("none of the file's {} recipients is a key that is here", recipients.len())]
    NotARecipient {
        /// Everybody who could open it.
        recipients: Vec<String>,
    },
    /// The entry of a key that is here cannot be read.
    #[error("the entry for the recipient `{recipient}` cannot be read")]
    DamagedEntry {
        /// Whose entry it is.
        recipient: String,
        /// What is wrong with it.
        source: UnwrapError,
    },
    /// The entry opens to something else than a data key.
    #[error("the entry for the recipient `{recipient}` holds {bytes} bytes, which is no data key")]
    NotADataKey {
        /// Whose entry it is.
        recipient: String,
        /// How long a data key it holds.
        bytes: usize,
    },
    /// Fewer key groups opened than the file asks for.
    #[error(
        "the file needs keys of {needed} of its {groups} key groups; keys of {opened} are here"
    )]
    TooFewGroups {
        /// How many groups the file has.
        groups: usize,
        /// How many must open.
        needed: usize,
        /// How many did.
        opened: usize,
    },
    /// The shares of several key groups do not fit together.
    #[error("the shares of the file's key groups do not fit together")]
    Shares,
    /// One value does not open.
    #[error("line {line}: `{path}` cannot be decrypted")]
    Value {
        /// The value's key path, joined with `.`.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Why.
        source: CipherError,
    },
    /// A value that must be encrypted stands in the clear.
    #[error("line {line}: `{path}` must be encrypted and is not")]
    NotEncrypted {
        /// The value's key path, joined with `.`.
        path: String,
        /// Line, from 1.
        line: usize,
    },
    /// An unencrypted value cannot be read as the type it claims.
    #[error("line {line}: `{path}`: {reason}")]
    Scalar {
        /// The value's key path, joined with `.`.
        path: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The plain text cannot be put in the place of the ciphertext.
    #[error("the layout of the file is one that this version cannot take apart")]
    Layout,
    /// Aliases, or paths and comments of great length, that make reading endless.
    #[error("the file is more than {limit} values, counting aliases and paths of great length")]
    TooManyValues {
        /// The largest number of values.
        limit: usize,
    },
    /// There is no MAC.
    #[error("the file has no MAC, so nothing shows that it is whole")]
    MacMissing,
    /// The MAC does not open.
    #[error("the file's MAC cannot be decrypted")]
    MacUnreadable {
        /// Why.
        source: CipherError,
    },
    /// The MAC is of other contents.
    #[error("the stored MAC does not match the file's contents")]
    MacMismatch,
}

impl OpenError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NotARecipient { .. } => {
                "add this key to .sops.yaml, then run `steadfast secrets rekey` where the file can be opened"
            }
            Self::DamagedEntry { .. } | Self::NotADataKey { .. } | Self::Shares => {
                "restore the file from git, or run `steadfast secrets rekey` where it can be opened"
            }
            Self::TooFewGroups { .. } => "add keys of the other groups, or open it where they are",
            Self::Value { .. } | Self::MacMismatch | Self::MacUnreadable { .. } => {
                "the file was changed without sops, or merged by git: restore the last good version, then make the change with `steadfast secrets edit`"
            }
            Self::NotEncrypted { .. } => {
                "change this secret, it was in the clear; then set it with `steadfast secrets set`"
            }
            Self::Scalar { .. } => "correct the file at that line",
            Self::Layout => {
                "open it with `sops edit`, which writes it anew; please report the file's shape"
            }
            Self::TooManyValues { .. } => {
                "write the values out instead of using aliases, or split the file"
            }
            Self::MacMissing => "restore the file from git; only a file with a MAC can be trusted",
        }
    }
}

/// An edit that cannot be made, or contents that cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The edited text is not a document that SOPS can hold.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// There is nothing at this path.
    #[error("there is no `{path}`")]
    NotFound {
        /// The key path, joined with `.`.
        path: String,
    },
    /// The path leads through, or to, something that cannot be changed that way.
    #[error("`{path}` cannot be changed: {reason}")]
    Unsuitable {
        /// The key path, joined with `.`.
        path: String,
        /// Why not.
        reason: &'static str,
    },
    /// The value is not text.
    #[error("the value for `{path}` is not UTF-8 text, which is all that this format can hold")]
    NotText {
        /// The key path, joined with `.`.
        path: String,
    },
}

/// Contents that cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No recipients.
    #[error("there is no recipient, so nobody could open the file")]
    NoRecipients,
    /// `lastmodified` is not RFC 3339.
    #[error("`{text}` is not a time in RFC 3339 form")]
    Time {
        /// What was given.
        text: String,
    },
    /// The contents are not a document that SOPS can hold.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The data key cannot be encrypted to a recipient.
    #[error("the data key cannot be encrypted")]
    Wrap(#[from] crate::identity::WrapError),
    /// A selector's regular expression is not valid, or means something else in sops.
    #[error("the selector cannot be used")]
    Selector(#[from] PatternError),
    /// Contents that cannot be sealed as they are.
    #[error("line {line}: {reason}")]
    Content {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Key groups that no shares can be made for.
    #[error("the data key cannot be split among these key groups")]
    Shares,
    /// The data key would have to be encrypted to a key of a kind that is not used here.
    #[error("the data key cannot be encrypted to the key `{key}` here")]
    ForeignKey {
        /// The key.
        key: KeyEntry,
    },
    /// Sealing made something else than was meant.
    #[error(
        "the sealed text does not read back as what was sealed ({reason}); nothing was written"
    )]
    ReadBack {
        /// What differs.
        reason: String,
    },
    /// The file itself does not open.
    #[error("the file does not open")]
    Open(#[from] OpenError),
}

impl SealError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NoRecipients => "add a recipient for this file to .sops.yaml",
            Self::Time { .. } => "this is a mistake in the program; please report it",
            Self::Parse(error) => error.fix(),
            Self::Wrap(error) => error.fix(),
            Self::Selector(error) => error.fix(),
            Self::Content { .. } => "correct the contents at that line",
            Self::Shares => "use from 2 to 255 key groups, of which at least 2 are needed together",
            Self::ForeignKey { .. } => {
                "take that key out of .sops.yaml, or do this with sops where that key's service is reachable"
            }
            Self::ReadBack { .. } => {
                "simplify the layout around comments, anchors and flow collections; please report the file's shape"
            }
            Self::Open(error) => error.fix(),
        }
    }
}
