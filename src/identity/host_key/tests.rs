use std::path::{Path, PathBuf};

use super::*;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/ssh-to-age")
}

#[test]
fn host_keys_convert_as_ssh_to_age_does() {
    let table = std::fs::read_to_string(vectors().join("vectors.tsv")).unwrap();
    let mut compared = 0;
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let [file, public, secret] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("bad row {row}");
        };
        let path = vectors().join(file);
        if !path.exists() {
            continue;
        }
        let key = HostKey::read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(key.age_recipient(), public);
        assert_eq!(*key.age_secret_text(), secret);
        let line = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        assert!(line.starts_with(&key.public_key()));
        assert_eq!(HostPublicKey::find(&line).unwrap(), *key.public());
        assert_eq!(key.x25519().unwrap().to_public().to_string(), public);
        compared += 1;
    }
    assert_eq!(compared, 2);
}

#[test]
fn every_unusable_key_says_which_file_and_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let rsa = include_str!("../../../tests/vectors/ssh-to-age/vector1.pub");
    let encrypted = {
        let key = ssh_key::PrivateKey::read_openssh_file(&vectors().join("vector1")).unwrap();
        let mut random = rand::rngs::OsRng;
        let kdf = ssh_key::Kdf::Bcrypt {
            salt: vec![1; 16],
            rounds: 1,
        };
        let encrypted = key
            .encrypt_with(
                ssh_key::Cipher::Aes256Ctr,
                kdf,
                rand::RngCore::next_u32(&mut random),
                "pass",
            )
            .unwrap();
        encrypted.to_openssh(ssh_key::LineEnding::LF).unwrap()
    };
    let ecdsa = ssh_key::PrivateKey::random(
        &mut rand::rngs::OsRng,
        ssh_key::Algorithm::Ecdsa {
            curve: ssh_key::EcdsaCurve::NistP256,
        },
    )
    .unwrap()
    .to_openssh(ssh_key::LineEnding::LF)
    .unwrap();
    for (content, expected) in [
        (None, "there is no host key at"),
        (Some(rsa.as_bytes()), "is a public key, not a private one"),
        (Some(b"hello".as_slice()), "is not an OpenSSH private key"),
        (Some(encrypted.as_bytes()), "is protected with a passphrase"),
        (Some(ecdsa.as_bytes()), "is of type ecdsa-sha2-nistp256"),
        (Some(vec![b'x'; 70_000].as_slice()), "larger than 64 KiB"),
    ] {
        let path = directory.path().join("key");
        if let Some(content) = content {
            let mut file = std::fs::File::create(&path).unwrap();
            std::io::Write::write_all(&mut file, content).unwrap();
        }
        let error = HostKey::read(&path).err().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().contains("key"), "{error}");
        assert!(!error.fix().is_empty());
    }
}
