//! The signature inside a commit, and whether it fits the rest of it.

use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, SshSig};

use super::RefusalKind;
use super::allowed_signers::NAMESPACE;

/// A FIDO key's flags and counter, behind its signature.
const SECURITY_KEY_TRAILER_BYTES: usize = 5;
const USER_PRESENT: u8 = 1;

/// Who made a valid signature; nothing is said yet about whether they may.
pub(super) struct SignedBy {
    pub(super) key: KeyData,
    pub(super) fingerprint: String,
}

/// Checks the signature of a commit object.
///
/// `raw` is the commit as the object database has it, so that exactly what the commit id covers is checked.
pub(super) fn verify(raw: &[u8]) -> Result<SignedBy, RefusalKind> {
    let Some(Parts { armor, payload }) = split(raw)? else {
        return Err(RefusalKind::Unsigned);
    };
    if let Some(what) = other_kind(&armor) {
        return Err(RefusalKind::UnsupportedSignature { what });
    }
    let signature =
        SshSig::from_pem(&armor).map_err(|error| bad("an unreadable key", &error.to_string()))?;
    let public_key = PublicKey::from(signature.public_key().clone());
    let fingerprint = public_key.fingerprint(HashAlg::Sha256).to_string();
    if signature.version() != SshSig::VERSION || !is_canonical(&armor, &signature) {
        return Err(bad(&fingerprint, "it is not encoded as OpenSSH does it"));
    }
    if signature.namespace() != NAMESPACE {
        let detail = format!(
            "it was made for `{}`, not for `{NAMESPACE}`",
            signature.namespace()
        );
        return Err(bad(&fingerprint, &detail));
    }
    if !user_was_present(&signature) {
        return Err(bad(&fingerprint, "nobody touched the security key"));
    }
    public_key
        .verify(NAMESPACE, &payload, &signature)
        .map_err(|_| bad(&fingerprint, "it does not fit the commit"))?;
    Ok(SignedBy {
        key: signature.public_key().clone(),
        fingerprint,
    })
}

/// A commit taken apart.
struct Parts {
    /// The armored signature.
    armor: Vec<u8>,
    /// What was signed: everything else.
    payload: Vec<u8>,
}

/// Takes the signature out of a commit: what is left is what was signed.
///
/// libgit2 has a function for this; it takes the last of several signatures, while here several are refused.
fn split(raw: &[u8]) -> Result<Option<Parts>, RefusalKind> {
    let mut armor: Option<Vec<u8>> = None;
    let mut payload = Vec::with_capacity(raw.len());
    let mut in_signature = false;
    let mut rest = raw;
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        let (line, after) = rest.split_at(end + 1);
        if line == b"\n" {
            break;
        }
        rest = after;
        if let Some(first) = line.strip_prefix(b"gpgsig ") {
            if armor.is_some() {
                return Err(bad("several keys", "it has more than one signature"));
            }
            armor = Some(first.to_vec());
            in_signature = true;
        } else if line.starts_with(b"gpgsig") {
            return Err(bad("an unknown key", "it has a signature for another hash"));
        } else if let (true, Some(armor), Some(more)) =
            (in_signature, &mut armor, line.strip_prefix(b" "))
        {
            armor.extend_from_slice(more);
        } else {
            in_signature = false;
            payload.extend_from_slice(line);
        }
    }
    payload.extend_from_slice(rest);
    Ok(armor.map(|armor| Parts { armor, payload }))
}

fn other_kind(armor: &[u8]) -> Option<&'static str> {
    if armor.starts_with(b"-----BEGIN SSH SIGNATURE-----") {
        None
    } else if armor.starts_with(b"-----BEGIN PGP ") {
        Some("an OpenPGP")
    } else if armor.starts_with(b"-----BEGIN SIGNED MESSAGE-----") {
        Some("an X.509")
    } else {
        Some("an unknown kind of")
    }
}

/// Whether the signature is written the only way it can be. Version and lengths are not part of what is signed, and
/// the parser takes some of them as they come.
fn is_canonical(armor: &[u8], signature: &SshSig) -> bool {
    let visible = |text: &[u8]| -> Vec<u8> {
        text.iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect()
    };
    signature
        .to_pem(LineEnding::LF)
        .is_ok_and(|again| visible(again.as_bytes()) == visible(armor))
}

/// As OpenSSH has it, a signature of a FIDO key counts only if somebody touched the key.
fn user_was_present(signature: &SshSig) -> bool {
    let is_security_key = matches!(
        signature.public_key().algorithm(),
        Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256
    );
    let bytes = signature.signature_bytes();
    let flags = bytes
        .len()
        .checked_sub(SECURITY_KEY_TRAILER_BYTES)
        .and_then(|at| bytes.get(at));
    !is_security_key || flags.is_some_and(|flags| flags & USER_PRESENT != 0)
}

fn bad(fingerprint: &str, detail: &str) -> RefusalKind {
    RefusalKind::BadSignature {
        fingerprint: fingerprint.to_owned(),
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests;
