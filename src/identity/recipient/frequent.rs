//! X25519 recipients that many data keys are wrapped for, as in a rekey of a whole repository.
//!
//! Nearly all of the work of wrapping is one multiplication of the recipient's point. With a table of the point's
//! multiples it takes a third of the time, and the table costs as much as some thirty wraps. So the first wraps are age's
//! own, and a recipient that comes again and again gets a table. Everything but this stanza (the file's key, its header,
//! its payload, its armor) is age's in both cases.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use age::EncryptError;
use age::secrecy::ExposeSecret as _;
use age_core::format::{FileKey, Stanza};
use age_core::primitives::{aead_encrypt, hkdf};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use curve25519_dalek::edwards::EdwardsBasepointTable;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::traits::BasepointTable as _;
use rand::RngCore as _;
use rand::rngs::OsRng;
use zeroize::{Zeroize as _, Zeroizing};

/// After so many wraps, a table is made.
const OFTEN: usize = 16;
const TAG: &str = "X25519";
const LABEL: &[u8] = b"age-encryption.org/v1/X25519";

/// An X25519 recipient. Clones share what was prepared.
#[derive(Clone)]
pub(super) struct Frequent {
    key: age::x25519::Recipient,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    wraps: AtomicUsize,
    /// Nothing for a point that has no table.
    prepared: OnceLock<Option<Prepared>>,
}

/// A recipient's point with a table of its multiples.
struct Prepared {
    public: [u8; 32],
    table: Box<EdwardsBasepointTable>,
}

impl Frequent {
    pub(super) fn new(key: age::x25519::Recipient) -> Self {
        Self {
            key,
            shared: Arc::default(),
        }
    }

    /// The table, if this recipient comes often enough for one.
    fn prepared(&self) -> Option<&Prepared> {
        let before = self.shared.wraps.fetch_add(1, Ordering::Relaxed);
        if before < OFTEN {
            return None;
        }
        let prepared = self.shared.prepared.get_or_init(|| {
            let (_, bytes) = bech32::decode(&self.key.to_string()).ok()?;
            Prepared::of(bytes.try_into().ok()?)
        });
        prepared.as_ref()
    }
}

impl age::Recipient for Frequent {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let stanza = self.prepared().and_then(|it| it.stanza(file_key));
        match stanza {
            Some(stanza) => Ok((vec![stanza], HashSet::new())),
            None => self.key.wrap_file_key(file_key),
        }
    }
}

impl Prepared {
    /// Nothing for a point on the curve's twist, which X25519 allows and the other form of the curve does not have.
    fn of(public: [u8; 32]) -> Option<Self> {
        // The sign is of no account: both points have the same multiples but for theirs.
        let point = MontgomeryPoint(public).to_edwards(0)?;
        Some(Self {
            public,
            table: Box::new(EdwardsBasepointTable::create(&point)),
        })
    }

    /// What X25519 gives for the scalar and this point.
    fn multiplied(&self, scalar: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        let mut point = self.table.mul_base_clamped(*scalar);
        let product = Zeroizing::new(point.to_montgomery().0);
        point.zeroize();
        product
    }

    /// The stanza that only this recipient opens, with an ephemeral key of its own. Nothing where the two share no secret,
    /// since the recipient's point is one of the few that give zero for every scalar.
    ///
    /// Source: <https://c2sp.org/age#x25519-recipient-stanza>.
    fn stanza(&self, file_key: &FileKey) -> Option<Stanza> {
        let mut ephemeral = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(ephemeral.as_mut_slice());
        let share = MontgomeryPoint::mul_base_clamped(*ephemeral).0;
        let secret = self.multiplied(&ephemeral);
        if secret.iter().all(|byte| *byte == 0) {
            return None;
        }
        let mut salt = [0; 64];
        salt[..32].copy_from_slice(&share);
        salt[32..].copy_from_slice(&self.public);
        let key = Zeroizing::new(hkdf(&salt, LABEL, secret.as_slice()));
        Some(Stanza {
            tag: TAG.to_owned(),
            args: vec![STANDARD_NO_PAD.encode(share)],
            body: aead_encrypt(&key, file_key.expose_secret()),
        })
    }
}

#[cfg(test)]
mod tests {
    use age::{Identity as _, Recipient as _};
    use proptest::prelude::*;
    use x25519_dalek::{PublicKey, StaticSecret};

    use super::*;

    fn identity(secret: [u8; 32]) -> age::x25519::Identity {
        let hrp = bech32::Hrp::parse("AGE-SECRET-KEY-").unwrap();
        let text = bech32::encode_upper::<bech32::Bech32>(hrp, &secret).unwrap();
        text.parse().unwrap()
    }

    #[test]
    fn age_opens_what_is_wrapped_with_a_table_and_without() {
        let identity = identity([9; 32]);
        let frequent = Frequent::new(identity.to_public());
        let other = self::identity([8; 32]);
        for wrap in 0..2 * OFTEN {
            let secret = [u8::try_from(wrap).unwrap(); 32];
            let armored = age::encrypt_and_armor(&frequent, &secret).unwrap();
            let opened = age::decrypt(&identity, armored.as_bytes()).unwrap();
            assert_eq!(opened, secret);
            assert!(age::decrypt(&other, armored.as_bytes()).is_err());
            let has_table = matches!(frequent.shared.prepared.get(), Some(Some(_)));
            assert_eq!(has_table, wrap >= OFTEN, "{wrap}");
        }
    }

    #[test]
    fn no_two_stanzas_are_alike() {
        let prepared = Prepared::of(PublicKey::from(&StaticSecret::from([9; 32])).to_bytes());
        let prepared = prepared.unwrap();
        let key = FileKey::new(Box::new([7; 16]));
        let (one, other) = (
            prepared.stanza(&key).unwrap(),
            prepared.stanza(&key).unwrap(),
        );
        assert_ne!(one.args, other.args);
        assert_ne!(one.body, other.body);
    }

    #[test]
    fn a_point_that_gives_zero_for_every_scalar_shares_no_secret() {
        // Of order one, two, four and eight.
        let orders = [
            [0; 32],
            {
                let mut one = [0; 32];
                one[0] = 1;
                one
            },
            [
                0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
                0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
                0x5f, 0x49, 0xb8, 0x00,
            ],
        ];
        let key = FileKey::new(Box::new([7; 16]));
        for point in orders {
            let stanza = Prepared::of(point).and_then(|it| it.stanza(&key));
            assert!(stanza.is_none(), "{point:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Any 32 bytes are a public key to X25519: on the curve, with a part of small order, or on the twist.
        #[test]
        fn a_table_gives_what_x25519_gives(public: [u8; 32], secret: [u8; 32]) {
            if let Some(prepared) = Prepared::of(public) {
                let expected = x25519_dalek::x25519(secret, public);
                prop_assert_eq!(&*prepared.multiplied(&secret), &expected);
            }
        }

        #[test]
        fn age_opens_stanzas_for_any_key(secret: [u8; 32], content: [u8; 16]) {
            let identity = identity(secret);
            let public = PublicKey::from(&StaticSecret::from(secret)).to_bytes();
            let key = FileKey::new(Box::new(content));
            let stanza = Prepared::of(public).and_then(|it| it.stanza(&key)).unwrap();
            let opened = identity.unwrap_stanza(&stanza).unwrap().unwrap();
            prop_assert_eq!(opened.expose_secret(), &content);
            // And the other way round: age's stanza has the same shape.
            let (theirs, labels) = identity.to_public().wrap_file_key(&key).unwrap();
            prop_assert!(labels.is_empty());
            prop_assert_eq!(&theirs[0].tag, &stanza.tag);
            prop_assert_eq!(theirs[0].args[0].len(), stanza.args[0].len());
            prop_assert_eq!(theirs[0].body.len(), stanza.body.len());
        }
    }
}
