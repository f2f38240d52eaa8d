//! Keeping what was typed and could not be saved: encrypted, so that nothing lies in the clear.

use std::ffi::OsStr;
use std::fs::{OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;

use crate::identity::{Identities, Plaintext, Recipient};
use crate::secrets::file::change::seal;
use crate::secrets::file::scratch::ScratchError;
use crate::sops::{Format, KeyGroups, NewFile, OpenedFile};

/// What was typed is under this key of the kept file; as base64 where it is not text.
const KEY: &str = "typed";

/// Something that was typed, kept as a secret file in memory-backed storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The file, in a directory of its own.
    pub path: PathBuf,
    /// Whether it is the whole secret file as it would have been saved; a file with what was typed as a value otherwise.
    pub whole: bool,
}

impl Kept {
    /// How to get it back.
    #[must_use]
    pub fn fix(&self) -> String {
        let (path, directory) = (
            self.path.display(),
            self.path.parent().unwrap_or(&self.path).display(),
        );
        let read = if self.whole {
            format!("`steadfast secrets view {path}`")
        } else {
            format!("`steadfast secrets get {path} {KEY}`")
        };
        format!("{read} shows what was typed; edit again, take it over, then `rm -r {directory}`")
    }
}

/// Who can fetch what is kept, and where it is put.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    keys: KeyGroups,
    base: PathBuf,
    name: String,
}

impl Keeper {
    /// For the person with these keys, or for `others` if they have none that one can encrypt to.
    pub(super) fn new(
        identities: &Identities,
        others: Option<&KeyGroups>,
        (base, name): (&Path, &OsStr),
    ) -> Option<Self> {
        let own: Vec<Recipient> = identities
            .recipients()
            .filter_map(|text| Recipient::parse(text).ok())
            .collect();
        let keys = if own.is_empty() {
            others?.clone()
        } else {
            KeyGroups::one(own)
        };
        Some(Self {
            keys,
            base: base.to_owned(),
            name: name.to_string_lossy().into_owned(),
        })
    }

    /// Keeps `typed`, encrypted; nothing if that is not possible.
    pub(super) fn keep(&self, typed: &Plaintext) -> Option<Kept> {
        let new = NewFile::new(Format::Yaml, &self.keys);
        let mut file = OpenedFile::create(format!("{KEY}: \"\"\n").as_bytes(), &new).ok()?;
        let encoded;
        let text = if typed.expose_text().is_some() {
            typed
        } else {
            let text = base64::engine::general_purpose::STANDARD.encode(typed.expose());
            encoded = Plaintext::new(text.into_bytes());
            &encoded
        };
        file.set(&[KEY.to_owned()], text).ok()?;
        let sealed = seal(&file).ok()?;
        let name = format!("{}.typed.yaml", self.name);
        let path = put(&self.base, &name, sealed.as_bytes()).ok()?;
        Some(Kept { path, whole: false })
    }

    /// Keeps `sealed`, a whole secret file; nothing if that is not possible.
    pub(super) fn keep_sealed(&self, sealed: &str) -> Option<Kept> {
        let path = put(&self.base, &self.name, sealed.as_bytes()).ok()?;
        Some(Kept { path, whole: true })
    }
}

/// Puts `content` into a file called `name`, in a new directory below `base` that only this user can enter.
fn put(base: &Path, name: &str, content: &[u8]) -> Result<PathBuf, ScratchError> {
    let failed = |source| ScratchError::Io {
        action: "keep what was typed in",
        path: base.to_owned(),
        source,
    };
    let directory = tempfile::Builder::new()
        .prefix("steadfast-kept-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(base)
        .map_err(failed)?;
    let path = directory.path().join(name);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(content))
        .map_err(failed)?;
    let _kept = directory.keep();
    Ok(path)
}
