//! The merge of three whole files: contents, data key, recipients, selector.

use zeroize::Zeroizing;

use super::digest::Digests;
use super::keys::{Keys, merged_keys, merged_selector, who_changed};
use super::marks::{Cut, Markers, Side};
use super::weave::{Three, Version, Weave};
use crate::identity::{Identities, Plaintext};
use crate::sops::Format;
use crate::sops::document::tree::Tree;
use crate::sops::error::{OpenError, ParseError, SealError};
use crate::sops::opened::OpenedFile;
use crate::sops::sealed::SealedFile;

/// The versions that are merged.
#[derive(Debug, Clone, Copy)]
pub struct Versions<'a> {
    /// What both sides began with; nothing if both made the file.
    pub base: Option<&'a SealedFile>,
    /// The branch that is merged into.
    pub ours: &'a SealedFile,
    /// The branch that is merged.
    pub theirs: &'a SealedFile,
}

/// Versions that cannot be merged value by value.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A version does not open.
    #[error("{version} does not open")]
    Open {
        /// Which, in words.
        version: &'static str,
        /// Why not.
        source: OpenError,
    },
    /// Both sides changed the key groups.
    #[error("both sides changed the file's key groups")]
    KeyGroups,
    /// Both sides changed which values are encrypted, or one did and the other rotated the data key.
    #[error("both sides changed which values are encrypted, or with which data key")]
    Selectors,
    /// What one side left of the recipients, the other removed.
    #[error("each side removed the recipients that the other left, so nobody could open the file")]
    NoRecipients,
    /// One side added a document where the other changed one.
    #[error("both sides changed the file, and one of them the number of its documents")]
    Documents,
    /// The text of the result does not hold what it should.
    #[error("the layouts of the versions do not fit together")]
    Layout,
    /// The data key cannot be encrypted to the merged recipients.
    #[error("the recipients of both sides cannot be put together")]
    Recipients(#[source] SealError),
}

impl MergeError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Open { source, .. } => source.fix(),
            Self::KeyGroups | Self::Selectors | Self::NoRecipients | Self::Recipients(_) => {
                "take one side with `steadfast secrets merge --ours FILE` or `--theirs FILE`, make the other's changes again, then run `steadfast secrets rekey`"
            }
            Self::Documents | Self::Layout => {
                "take one side with `steadfast secrets merge --ours FILE` or `--theirs FILE`, and make the other's changes again"
            }
        }
    }
}

/// The result of a merge, in memory.
#[expect(
    missing_debug_implementations,
    reason = "plaintext must not be printable"
)]
pub struct Merged {
    /// With every conflict decided for ours.
    ours: OpenedFile,
    /// With every conflict decided for theirs; nothing if there is none.
    theirs: Option<OpenedFile>,
    conflicts: Vec<Vec<String>>,
    as_it_was: Option<Side>,
}

/// Merges what both sides did to a file: value by value, and its recipients too.
///
/// Where both sides changed a value, each in another way, the merge is in conflict on that value alone. Comments are never
/// in conflict.
pub fn merge(versions: &Versions<'_>, identities: &Identities) -> Result<Merged, MergeError> {
    let opened = open_all(versions, identities)?;
    let plan = Plan::of(versions, &opened)?;
    let start = match plan.start {
        Side::Ours => (versions.ours, &opened.ours),
        Side::Theirs => (versions.theirs, &opened.theirs),
    };
    let (ours, theirs, conflicts) = contents(&opened)?;
    let same_keys = plan.keys == Keys::of(start.0);
    let same_text = start.1.tree().text == ours;
    let as_it_was = (conflicts.is_empty() && same_keys && same_text).then_some(plan.start);
    let make = |plain: &str| -> Result<OpenedFile, MergeError> {
        let file = start.1.with_contents(plain);
        let mut file = file.map_err(|_not_a_document| MergeError::Layout)?;
        // Of two ciphertexts of one value the one of our branch stays.
        file.forget();
        file.learn(&opened.ours);
        file.learn(&opened.theirs);
        Ok(file)
    };
    let mut ours = make(&ours)?;
    let mut theirs = theirs.as_deref().map(|text| make(text)).transpose()?;
    if !same_keys {
        let keys = plan.keys.in_order_of(start.0)?;
        let rewrapped = start
            .0
            .rewrap_opened(start.1, &keys)
            .map_err(MergeError::Recipients)?;
        let rewrapped = SealedFile::parse(rewrapped.as_bytes(), start.0.format())
            .map_err(|error| MergeError::Recipients(SealError::Parse(error)))?;
        ours.take_metadata(&rewrapped);
        if let Some(theirs) = &mut theirs {
            theirs.take_metadata(&rewrapped);
        }
    }
    Ok(Merged {
        ours,
        theirs,
        conflicts,
        as_it_was,
    })
}

fn open_all(
    versions: &Versions<'_>,
    identities: &Identities,
) -> Result<Three<OpenedFile>, MergeError> {
    let failed = |version| move |source| MergeError::Open { version, source };
    let ours = versions
        .ours
        .open(identities)
        .map_err(failed("our version"))?;
    let theirs = versions
        .theirs
        .open(identities)
        .map_err(failed("their version"))?;
    let base = match versions.base {
        None => None,
        // Who was not a recipient yet has its data key all the same, if it is still in use.
        Some(base) => Some(
            base.open(identities)
                .or_else(|error| {
                    base.open_with(ours.key().clone())
                        .map_err(|_other_key| error)
                })
                .or_else(|error| {
                    base.open_with(theirs.key().clone())
                        .map_err(|_other_key| error)
                })
                .map_err(failed("the common ancestor"))?,
        ),
    };
    Ok(Three { base, ours, theirs })
}

/// How the result is sealed.
struct Plan {
    /// Whose metadata it begins with.
    start: Side,
    keys: Keys,
}

impl Plan {
    fn of(versions: &Versions<'_>, opened: &Three<OpenedFile>) -> Result<Self, MergeError> {
        let keys = Three {
            base: versions.base.map(Keys::of),
            ours: Keys::of(versions.ours),
            theirs: Keys::of(versions.theirs),
        };
        let merged = merged_keys(&keys)?;
        let selectors = Three {
            base: versions.base.map(SealedFile::selector),
            ours: versions.ours.selector(),
            theirs: versions.theirs.selector(),
        };
        let selector = merged_selector(&selectors)?;
        let data_keys = Three {
            base: opened.base.as_ref().map(|it| it.key().expose()),
            ours: opened.ours.key().expose(),
            theirs: opened.theirs.key().expose(),
        };
        // Both rotated: ours.
        let data_key = match who_changed(&data_keys) {
            Some(Side::Ours) | None => data_keys.ours,
            Some(Side::Theirs) => data_keys.theirs,
        };
        let our_side = (
            Side::Ours,
            versions.ours,
            data_keys.ours,
            keys.ours == merged,
        );
        let their_side = (
            Side::Theirs,
            versions.theirs,
            data_keys.theirs,
            keys.theirs == merged,
        );
        let fits = |side: &&(Side, &SealedFile, &[u8; 32], bool)| {
            side.1.selector() == selector && side.2 == data_key
        };
        let sides = [our_side, their_side];
        let best = sides
            .iter()
            .filter(fits)
            .max_by_key(|side| (side.3, side.0 == Side::Ours));
        let start = best.ok_or(MergeError::Selectors)?.0;
        Ok(Self {
            start,
            keys: merged,
        })
    }
}

type Texts = (
    Zeroizing<String>,
    Option<Zeroizing<String>>,
    Vec<Vec<String>>,
);

/// The merged plain text: with conflicts decided for ours, for theirs, and which there are.
fn contents(opened: &Three<OpenedFile>) -> Result<Texts, MergeError> {
    let base = opened.base.as_ref().map(OpenedFile::tree);
    let (ours, theirs) = (opened.ours.tree(), opened.theirs.tree());
    let text = |tree: &Tree| tree.text.clone();
    if ours.text == theirs.text || base.is_some_and(|base| base.text == theirs.text) {
        return Ok((text(ours), None, Vec::new()));
    }
    if base.is_some_and(|base| base.text == ours.text) {
        return Ok((text(theirs), None, Vec::new()));
    }
    let documents = ours.documents.len();
    if documents != theirs.documents.len()
        || base.is_some_and(|base| documents != base.documents.len())
    {
        return Err(MergeError::Documents);
    }
    let (for_ours, conflicts) = woven(base, (ours, theirs), Side::Ours)?;
    if conflicts.is_empty() {
        return Ok((for_ours, None, conflicts));
    }
    let (for_theirs, _same) = woven(base, (ours, theirs), Side::Theirs)?;
    Ok((for_ours, Some(for_theirs), conflicts))
}

fn woven(
    base: Option<&Tree>,
    (ours, theirs): (&Tree, &Tree),
    prefer: Side,
) -> Result<(Zeroizing<String>, Vec<Vec<String>>), MergeError> {
    let mut weave = Weave {
        base: base.map(Version::of),
        ours: Version::of(ours),
        theirs: Version::of(theirs),
        prefer,
        path: Vec::new(),
        conflicts: Vec::new(),
    };
    let (text, expected) = weave.documents().ok_or(MergeError::Layout)?;
    // The text was put together from lines: it counts only if it holds exactly what the merge of the values is.
    let tree = ours
        .again(&text)
        .map_err(|_not_a_document| MergeError::Layout)?;
    let digests = Digests::of(&tree);
    let roots = tree
        .documents
        .iter()
        .map(|document| digests.get(&tree, document.root));
    if roots.eq(expected) {
        Ok((text, weave.conflicts))
    } else {
        Err(MergeError::Layout)
    }
}

impl Merged {
    /// Two versions of one text, taken from between conflict markers: the result is sealed as `ours`.
    #[must_use]
    pub fn of_sides(mut ours: OpenedFile, theirs: OpenedFile) -> Self {
        ours.learn(&theirs);
        Self {
            ours,
            theirs: Some(theirs),
            conflicts: Vec::new(),
            as_it_was: None,
        }
    }

    /// The paths of the values that are in conflict, as each side names them: list items by their position.
    #[must_use]
    pub fn conflicts(&self) -> &[Vec<String>] {
        &self.conflicts
    }

    /// The side that the result does not differ from, so that its file can be taken as it is.
    #[must_use]
    pub fn as_it_was(&self) -> Option<Side> {
        self.as_it_was
    }

    /// The decrypted result; what is in conflict stands in it twice, between `markers`.
    #[must_use]
    pub fn plain_text(&self, markers: Markers) -> Plaintext {
        match &self.theirs {
            None => self.ours.plain_text(),
            // Any bytes: there are no lines to compare.
            Some(theirs) if self.ours.format() == Format::Binary => {
                let (ours, theirs) = (self.ours.plain_text(), theirs.plain_text());
                Plaintext::new(markers.around(ours.expose(), theirs.expose()))
            }
            Some(theirs) => {
                let text = markers.between(&Cut::of(self.ours.tree()), &Cut::of(theirs.tree()));
                Plaintext::new(text.as_bytes().to_vec())
            }
        }
    }

    /// The sealed result. In conflict it is no valid file: without the lines of theirs it is one.
    ///
    /// What did not change keeps its ciphertext. `last_modified` is the current time in RFC 3339.
    pub fn seal(&self, last_modified: &str, markers: Markers) -> Result<String, SealError> {
        let ours = self.ours.seal(last_modified)?;
        let Some(theirs) = &self.theirs else {
            return Ok(ours);
        };
        let format = self.ours.format();
        let read_back = |error: ParseError| SealError::ReadBack {
            reason: error.to_string(),
        };
        let sealed_ours = SealedFile::parse(ours.as_bytes(), format).map_err(read_back)?;
        // The same ciphertext on both sides for what is not in conflict.
        let again = sealed_ours.open_with(self.ours.key().clone())?;
        let mut theirs = theirs.with_contents(&theirs.tree().text)?;
        theirs.forget();
        theirs.learn(&again);
        theirs.learn(&self.ours);
        let theirs = theirs.seal(last_modified)?;
        let sealed_theirs = SealedFile::parse(theirs.as_bytes(), format).map_err(read_back)?;
        let theirs = match (sealed_theirs.mac(), sealed_ours.mac()) {
            (Some(mac), Some(our_mac)) => theirs.replace(mac, our_mac),
            _ => theirs,
        };
        let theirs = SealedFile::parse(theirs.as_bytes(), format).map_err(read_back)?;
        let text = markers.between(&Cut::of(sealed_ours.tree()), &Cut::of(theirs.tree()));
        Ok(text.to_string())
    }

    /// The result with every conflict decided for one side.
    #[must_use]
    pub fn into_side(self, side: Side) -> OpenedFile {
        match (side, self.theirs) {
            (Side::Theirs, Some(theirs)) => theirs,
            _ => self.ours,
        }
    }
}
