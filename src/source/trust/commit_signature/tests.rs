use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use ssh_key::public::{Ed25519PublicKey, SkEd25519};
use ssh_key::{PrivateKey, Signature};

use super::*;

const COMMIT: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\
    author Anna <anna@example.org> 1790000000 +0000\n\
    committer Anna <anna@example.org> 1790000000 +0000\n\nchange a\n";

fn with_signature(armor: &str) -> Vec<u8> {
    let header = format!("\ngpgsig {}\n\n", armor.trim_end().replace('\n', "\n "));
    COMMIT.replacen("\n\n", &header, 1).into_bytes()
}

fn seed() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn signed() -> String {
    let key = PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(&[7; 32]));
    let signature = key
        .sign(NAMESPACE, HashAlg::Sha512, COMMIT.as_bytes())
        .unwrap();
    signature.to_pem(LineEnding::LF).unwrap()
}

/// What a FIDO key makes: over its application, its flags and counter, and the message.
fn signed_by_security_key(flags: u8) -> String {
    let message = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, COMMIT.as_bytes()).unwrap();
    let trailer = [flags, 0, 0, 0, 9];
    let mut data = Sha256::digest("ssh:").to_vec();
    data.extend_from_slice(&trailer);
    data.extend_from_slice(&Sha256::digest(&message));
    let mut bytes = seed().sign(&data).to_bytes().to_vec();
    bytes.extend_from_slice(&trailer);
    let public = SkEd25519::new(Ed25519PublicKey(seed().verifying_key().to_bytes()), "ssh:");
    let signature = Signature::new(Algorithm::SkEd25519, bytes).unwrap();
    SshSig::new(
        KeyData::SkEd25519(public),
        NAMESPACE,
        HashAlg::Sha512,
        signature,
    )
    .unwrap()
    .to_pem(LineEnding::LF)
    .unwrap()
}

#[test]
fn a_valid_signature_names_its_key() {
    let signed_by = verify(&with_signature(&signed())).unwrap();
    assert!(signed_by.fingerprint.starts_with("SHA256:"));
}

#[test]
fn a_security_key_counts_only_when_it_was_touched() {
    assert!(verify(&with_signature(&signed_by_security_key(1))).is_ok());
    let refused = verify(&with_signature(&signed_by_security_key(0)))
        .err()
        .unwrap();
    assert!(refused.to_string().contains("nobody touched"), "{refused}");
}

#[test]
fn no_changed_byte_of_a_signature_is_accepted() {
    let armor = signed();
    let body: String = armor
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let blob = STANDARD.decode(body).unwrap();
    for at in 0..blob.len() {
        let mut changed = blob.clone();
        changed[at] ^= 1;
        let text = STANDARD.encode(changed);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(70)
            .map(|line| str::from_utf8(line).unwrap())
            .collect();
        let armor = format!(
            "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----",
            lines.join("\n")
        );
        assert!(verify(&with_signature(&armor)).is_err(), "byte {at}");
    }
}

#[test]
fn no_changed_byte_of_a_commit_is_accepted() {
    let raw = with_signature(&signed());
    let end = raw
        .windows(8)
        .position(|text| text == b"\ngpgsig ")
        .unwrap();
    for at in (0..end).chain(raw.len() - 10..raw.len()) {
        let mut changed = raw.clone();
        changed[at] ^= 1;
        assert!(verify(&changed).is_err(), "byte {at}");
    }
}

#[test]
fn text_that_looks_like_a_signature_in_the_message_is_only_a_message() {
    let raw = format!("{COMMIT}\ngpgsig {}\n", signed().replace('\n', "\n "));
    assert!(matches!(verify(raw.as_bytes()), Err(RefusalKind::Unsigned)));
}

proptest! {
    #[test]
    fn nothing_that_is_no_signature_is_accepted_or_brings_it_down(
        before in "[a-z \n]{0,40}",
        armor in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut raw = before.into_bytes();
        raw.extend_from_slice(b"\ngpgsig -----BEGIN SSH SIGNATURE-----\n ");
        raw.extend_from_slice(&armor);
        raw.extend_from_slice(b"\n -----END SSH SIGNATURE-----\n\nx");
        prop_assert!(verify(&raw).is_err());
    }
}
