//! Selectors: which leaves are encrypted.

use super::pattern::{Pattern, PatternError};

/// The rule by which leaves are chosen, as stored in the file; `mac_only_encrypted` belongs to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// Which leaves.
    pub rule: SelectorRule,
    /// What the MAC covers.
    pub mac_scope: MacScope,
}

/// Which leaves are encrypted. Regular expressions are searched in each component of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectorRule {
    /// All but those with a path component that ends so.
    UnencryptedSuffix(String),
    /// Only those with a path component that ends so.
    EncryptedSuffix(String),
    /// All but those with a path component that matches.
    UnencryptedRegex(String),
    /// Only those with a path component that matches.
    EncryptedRegex(String),
    /// All but those that a matching comment governs.
    UnencryptedCommentRegex(String),
    /// Only those that a matching comment governs.
    EncryptedCommentRegex(String),
}

impl Default for SelectorRule {
    fn default() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }
}

/// What the MAC covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MacScope {
    /// All leaves.
    #[default]
    Everything,
    /// Encrypted leaves only (`mac_only_encrypted: true`).
    OnlyEncrypted,
}

impl SelectorRule {
    /// The metadata fields that hold a rule; at most one of them is used.
    pub const FIELDS: [&'static str; 6] = [
        "unencrypted_suffix",
        "encrypted_suffix",
        "unencrypted_regex",
        "encrypted_regex",
        "unencrypted_comment_regex",
        "encrypted_comment_regex",
    ];

    /// The field of the metadata that holds this rule, and its value.
    pub(super) fn field(&self) -> (&'static str, &str) {
        match self {
            Self::UnencryptedSuffix(text) => ("unencrypted_suffix", text),
            Self::EncryptedSuffix(text) => ("encrypted_suffix", text),
            Self::UnencryptedRegex(text) => ("unencrypted_regex", text),
            Self::EncryptedRegex(text) => ("encrypted_regex", text),
            Self::UnencryptedCommentRegex(text) => ("unencrypted_comment_regex", text),
            Self::EncryptedCommentRegex(text) => ("encrypted_comment_regex", text),
        }
    }

    /// The rule of the metadata field `name`; nothing if that is no selector.
    #[must_use]
    pub fn from_field(name: &str, text: &str) -> Option<Self> {
        let text = text.to_owned();
        Some(match name {
            "unencrypted_suffix" => Self::UnencryptedSuffix(text),
            "encrypted_suffix" => Self::EncryptedSuffix(text),
            "unencrypted_regex" => Self::UnencryptedRegex(text),
            "encrypted_regex" => Self::EncryptedRegex(text),
            "unencrypted_comment_regex" => Self::UnencryptedCommentRegex(text),
            "encrypted_comment_regex" => Self::EncryptedCommentRegex(text),
            _ => return None,
        })
    }
}

/// A selector ready for use.
#[derive(Debug, Clone)]
pub(super) struct Chooser {
    test: Test,
    scope: MacScope,
}

#[derive(Debug, Clone)]
enum Test {
    Key { test: KeyTest, wanted: Wanted },
    Comment { pattern: Pattern, wanted: Wanted },
}

#[derive(Debug, Clone)]
enum KeyTest {
    Suffix(String),
    Pattern(Pattern),
}

/// What a match means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    MatchIsEncrypted,
    MatchIsReadable,
}

/// What is being asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Leaf,
    Comment,
}

impl Chooser {
    /// Compiles the selector's expression.
    ///
    /// The error says what is wrong with it, or what in it sops reads differently: a guess could leave a secret readable.
    pub(super) fn new(selector: &Selector) -> Result<Self, PatternError> {
        use Wanted::{MatchIsEncrypted, MatchIsReadable};
        let key = |test, wanted| Test::Key { test, wanted };
        let suffix = |text: &String| KeyTest::Suffix(text.clone());
        let test = match &selector.rule {
            SelectorRule::UnencryptedSuffix(text) => key(suffix(text), MatchIsReadable),
            SelectorRule::EncryptedSuffix(text) => key(suffix(text), MatchIsEncrypted),
            SelectorRule::UnencryptedRegex(text) => {
                key(KeyTest::Pattern(Pattern::new(text)?), MatchIsReadable)
            }
            SelectorRule::EncryptedRegex(text) => {
                key(KeyTest::Pattern(Pattern::new(text)?), MatchIsEncrypted)
            }
            SelectorRule::UnencryptedCommentRegex(text) => Test::Comment {
                pattern: Pattern::new(text)?,
                wanted: MatchIsReadable,
            },
            SelectorRule::EncryptedCommentRegex(text) => Test::Comment {
                pattern: Pattern::new(text)?,
                wanted: MatchIsEncrypted,
            },
        };
        Ok(Self {
            test,
            scope: selector.mac_scope,
        })
    }

    /// Whether the leaf, or the newest of the active `comments`, is encrypted.
    pub(super) fn chooses(
        &self,
        path: &[String],
        comments: &ActiveComments,
        subject: Subject,
    ) -> bool {
        let (matches, wanted) = match &self.test {
            Test::Key { test, wanted } => (
                path.iter().any(|component| test.matches(component)),
                *wanted,
            ),
            Test::Comment { wanted, .. } => {
                // A comment that asks for encryption stays readable itself.
                let among = match (subject, wanted) {
                    (Subject::Comment, Wanted::MatchIsEncrypted) => Among::Older,
                    _ => Among::All,
                };
                (comments.any_match(among), *wanted)
            }
        };
        matches == (wanted == Wanted::MatchIsEncrypted)
    }

    /// Whether the MAC covers leaves that are not encrypted.
    pub(super) fn mac_covers_readable(&self) -> bool {
        self.scope == MacScope::Everything
    }

    /// Whether the ciphertext of a comment would itself switch encryption off.
    pub(super) fn is_triggered_by(&self, comment: &str) -> bool {
        match &self.test {
            Test::Comment { pattern, wanted } => {
                *wanted == Wanted::MatchIsReadable && pattern.is_match(comment)
            }
            Test::Key { .. } => false,
        }
    }
}

impl KeyTest {
    fn matches(&self, component: &str) -> bool {
        match self {
            Self::Suffix(suffix) => component.ends_with(suffix.as_str()),
            Self::Pattern(pattern) => pattern.is_match(component),
        }
    }
}

/// The comments in force at one point of the walk, as far as the selector asks about them: a frame for each open
/// collection. Texts are matched once, when they come into force, so that a file of nothing but comments is no trouble.
#[derive(Default)]
pub(super) struct ActiveComments(Vec<Frame>);

/// Which of a collection's comments match.
#[derive(Debug, Clone, Copy, Default)]
struct Frame {
    older: bool,
    newest: bool,
}

/// Which comments are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    All,
    /// All but the newest, which is itself asked about.
    Older,
}

impl ActiveComments {
    pub(super) fn enter(&mut self) {
        self.0.push(Frame::default());
    }

    pub(super) fn leave(&mut self) {
        self.0.pop();
    }

    pub(super) fn add(&mut self, text: &str, chooser: &Chooser) {
        if let (Some(frame), Test::Comment { pattern, .. }) = (self.0.last_mut(), &chooser.test) {
            frame.older |= frame.newest;
            frame.newest = pattern.is_match(text);
        }
    }

    /// Ends the reach of the comments before an entry that has been walked.
    pub(super) fn clear(&mut self) {
        if let Some(frame) = self.0.last_mut() {
            *frame = Frame::default();
        }
    }

    fn any_match(&self, among: Among) -> bool {
        let Some((last, outer)) = self.0.split_last() else {
            return false;
        };
        let matches = |frame: &Frame| frame.older || frame.newest;
        outer.iter().any(matches) || last.older || last.newest && among == Among::All
    }
}
