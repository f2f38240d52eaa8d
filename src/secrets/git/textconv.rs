//! A secret file as text for `git diff` and `git log -p`.

use crate::identity::{Identities, Plaintext};
use crate::secrets::repository::RecipientNames;
use crate::sops::{Format, KeyEntry, KeyKind, SealedFile};

/// The decrypted text and, one to a line, who can read it. Without a key, the sealed text without its metadata. What is no
/// secret file stays as it is.
///
/// MAC, times and wrapped keys are left out: they change with everything and say nothing.
#[must_use]
pub fn textconv(
    text: &[u8],
    format: Format,
    identities: &Identities,
    names: &RecipientNames,
) -> Plaintext {
    let Ok(sealed) = SealedFile::parse(text, format) else {
        return Plaintext::new(text.to_vec());
    };
    let opened = sealed.open(identities);
    let note = match &opened {
        Ok(_) => String::new(),
        Err(error) => format!("# sealed: {error}\n"),
    };
    let content = match opened {
        Ok(opened) => opened.plain_text(),
        Err(_closed) => Plaintext::new(sealed.without_metadata().into_bytes()),
    };
    let mut readers: Vec<String> = sealed
        .key_groups()
        .iter()
        .flatten()
        .map(|key| format!("# readable for {}\n", name_of(key, names)))
        .collect();
    readers.sort();
    readers.dedup();
    let readers = readers.concat();
    // All at once: a buffer that grows leaves copies of secrets behind.
    let mut out = Vec::with_capacity(content.len() + 1 + note.len() + readers.len());
    out.extend_from_slice(content.expose());
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.push(b'\n');
    }
    out.extend_from_slice(readers.as_bytes());
    out.extend_from_slice(note.as_bytes());
    Plaintext::new(out)
}

/// What people call a key of a file.
pub(super) fn name_of(key: &KeyEntry, names: &RecipientNames) -> String {
    match key.kind {
        KeyKind::Age => names.name_of_text(&key.name),
        _ => key.to_string(),
    }
}
