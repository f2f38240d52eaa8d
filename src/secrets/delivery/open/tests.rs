use std::cell::RefCell;
use std::path::Path;

use super::*;
use crate::host::{FileMode, GroupName, UserName};
use crate::identity::{HostKey, Recipient};
use crate::secrets::UnitTriggers;
use crate::sops::{Format, NewFile};

fn host_key(name: &str) -> HostKey {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/ssh-to-age");
    HostKey::read(&vectors.join(name)).unwrap()
}

fn seal(plain: &str, key: &HostKey) -> Vec<u8> {
    seal_as(Format::Yaml, plain.as_bytes(), key)
}

fn seal_as(format: Format, plain: &[u8], key: &HostKey) -> Vec<u8> {
    let recipient = Recipient::parse(&key.age_recipient()).unwrap();
    let file = OpenedFile::create(plain, &NewFile::new(format, &recipient.into())).unwrap();
    file.seal("2026-03-01T12:00:00Z").unwrap().into_bytes()
}

/// The specs of `names`, all in `file`, as a build makes them from `text`.
fn specs(file: &str, text: &[u8], names: &[&str]) -> BTreeMap<SecretName, SecretSpec> {
    let sealed = SealedFile::parse(text, Format::of_path(file)).unwrap();
    let spec = |name: &str| {
        let key: Vec<String> = name.split('/').map(str::to_owned).collect();
        let ciphertext = sealed.ciphertext(&key).unwrap_or_default();
        SecretSpec {
            file: RepoPath::new(file).unwrap(),
            ciphertext: Digest::of(ciphertext.as_bytes()).to_string(),
            key,
            owner: UserName::new("root").unwrap(),
            group: GroupName::new("root").unwrap(),
            mode: FileMode::from_bits(0o400),
            optional: false,
            units: UnitTriggers::default(),
        }
    };
    let wanted = names.iter();
    wanted
        .map(|name| (SecretName::new(*name).unwrap(), spec(name)))
        .collect()
}

#[test]
fn each_file_is_opened_once_for_all_its_secrets() {
    let key = host_key("vector1");
    let text = seal("db:\n    password: hunter2\ntoken: t\n", &key);
    let secrets = specs("secrets/a.yml", &text, &["db/password", "token"]);
    let reads = RefCell::new(0);
    let ciphertext = |_: &RepoPath| {
        *reads.borrow_mut() += 1;
        Ok::<_, std::io::Error>(text.clone())
    };
    let opened = open(&secrets, ciphertext, &Identities::of_host(&key)).unwrap();
    let value = |name: &str| opened.value(&SecretName::new(name).unwrap()).unwrap();
    assert!(value("db/password").same_as(b"hunter2"));
    assert!(value("token").same_as(b"t"));
    assert_eq!(*reads.borrow(), 1);
}

#[test]
fn a_secret_may_be_a_whole_file_of_any_format() {
    let key = host_key("vector1");
    for (file, plain) in [
        ("secrets/site.key", &b"bytes \0\xff without an end"[..]),
        ("secrets/app.json", b"{\n  \"a\": 1\n}\n"),
        ("secrets/app.env", b"A=1\n# c\n"),
        ("secrets/app.ini", b"[s]\na = 1\n"),
        ("secrets/app.yml", b"a: 1\n"),
    ] {
        let text = seal_as(Format::of_path(file), plain, &key);
        let sealed = SealedFile::parse(&text, Format::of_path(file)).unwrap();
        let mut secrets = specs(file, &text, &["whole"]);
        let spec = secrets.values_mut().next().unwrap();
        spec.key = Vec::new();
        let ciphertext = sealed.ciphertext_of(&[]).unwrap();
        assert!(ciphertext.starts_with("ENC["), "{ciphertext}");
        spec.ciphertext = Digest::of(ciphertext.as_bytes()).to_string();
        let read = |_: &RepoPath| Ok::<_, std::io::Error>(text.clone());
        let opened = open(&secrets, read, &Identities::of_host(&key)).unwrap();
        let name = SecretName::new("whole").unwrap();
        assert!(opened.value(&name).unwrap().same_as(plain), "{file}");
    }
}

#[test]
fn every_failure_is_named_with_its_fix_and_optional_ones_are_set_aside() {
    let (ours, theirs) = (host_key("vector1"), host_key("vector2"));
    let good = seal("a: 1\n", &ours);
    let foreign = seal("b: 2\nc: 3\n", &theirs);
    let mut secrets = specs("secrets/good.yml", &good, &["a", "missing"]);
    secrets.extend(specs("secrets/foreign.yml", &foreign, &["b", "c"]));
    secrets.extend(specs("secrets/gone.yml", &good, &["d"]));
    if let Some(spec) = secrets.get_mut(&SecretName::new("c").unwrap()) {
        spec.optional = true;
    }
    let ciphertext = |file: &RepoPath| match file.as_str() {
        "secrets/good.yml" => Ok(good.clone()),
        "secrets/foreign.yml" => Ok(foreign.clone()),
        _ => Err("no such object"),
    };
    let identities = Identities::of_host(&ours);
    let error = open(&secrets, ciphertext, &identities).err().unwrap();
    let told: Vec<String> = error
        .failed
        .iter()
        .map(|failed| format!("{failed}: {} => {}", failed.kind, failed.fix()))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    cannot open the secret `b` in secrets/foreign.yml: none of the file's 1 recipients is a key that is here => add this host's recipient age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga to the rule for secrets/foreign.yml in .sops.yaml, then run `steadfast secrets rekey` where the file can be opened, and push
    cannot open the secret `d` in secrets/gone.yml: the file cannot be read => run `reconcile now` again, so that the file is fetched and kept
    cannot open the secret `missing` in secrets/good.yml: the file has no entry `missing` => add it with `steadfast secrets set secrets/good.yml missing`, or name the right `key:` for the secret in the host's file
    ");
    assert_eq!(error.to_string(), "3 required secrets cannot be opened");

    secrets.retain(|name, _| ["a", "c"].contains(&name.as_str()));
    let opened = open(&secrets, ciphertext, &identities).unwrap();
    assert_eq!(opened.unavailable().len(), 1);
    assert!(opened.value(&SecretName::new("a").unwrap()).is_some());
}

#[test]
fn another_ciphertext_than_the_built_one_is_refused() {
    let key = host_key("vector1");
    let built = seal("a: 1\n", &key);
    let kept = seal("a: 1\n", &key);
    let secrets = specs("secrets/a.yml", &built, &["a"]);
    let ciphertext = |_: &RepoPath| Ok::<_, std::io::Error>(kept.clone());
    let error = open(&secrets, ciphertext, &Identities::of_host(&key))
        .err()
        .unwrap();
    assert!(matches!(
        *error.failed[0].kind,
        OpenSecretErrorKind::OtherCiphertext { .. }
    ));
}
