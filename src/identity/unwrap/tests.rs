use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;

use super::*;
use crate::host::exec::Program;
use crate::identity::{AskPassphrase, HostKey, NoAnswer, Recipient};

const PASSPHRASE: &str = "correct horse";
const SECRET: &[u8] = &[9; 32];

/// Answers with each of `answers` in turn, and remembers the questions.
#[derive(Default)]
struct Scripted {
    answers: Mutex<Vec<&'static str>>,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    fn saying(answers: &[&'static str]) -> Arc<Self> {
        let mut answers = answers.to_vec();
        answers.reverse();
        Arc::new(Self {
            answers: Mutex::new(answers),
            ..Self::default()
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl AskPassphrase for Scripted {
    fn passphrase(&self, question: &str) -> Result<Plaintext, NoAnswer> {
        self.asked.lock().unwrap().push(question.to_owned());
        let answer = self.answers.lock().unwrap().pop();
        let answer = answer.ok_or(NoAnswer::GivenUp)?;
        Ok(Plaintext::new(answer.as_bytes().to_vec()))
    }

    fn tell(&self, _message: &str) {}

    fn line(&self, _question: &str) -> Option<String> {
        None
    }

    fn confirm(&self, _question: &str, _yes: &str, _no: Option<&str>) -> Option<bool> {
        None
    }
}

/// A key made by the real ssh-keygen; the public half is its second line of text.
fn keygen(directory: &Path, args: &[&str], passphrase: &str) -> (PathBuf, String) {
    let path = directory.join(format!("id_{}_{}", args.concat(), passphrase.len()));
    Program::new("ssh-keygen")
        .args(["-q", "-t"])
        .args(args)
        .args(["-C", "alice@laptop", "-N", passphrase, "-f"])
        .arg(&path)
        .run_ok()
        .unwrap();
    let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    (path, public.trim().to_owned())
}

fn wrapped_for(recipient: &str) -> String {
    Recipient::parse(recipient).unwrap().wrap(SECRET).unwrap()
}

fn open(pool: &Identities, entries: &[(&str, &str)], effort: Effort) -> Option<String> {
    let wrapped: Vec<WrappedKey<'_>> = entries
        .iter()
        .map(|(recipient, armored)| WrappedKey { recipient, armored })
        .collect();
    let opened = pool.unwrap_any(&wrapped, effort).ok()?;
    assert!(opened.key.same_as(SECRET));
    Some(opened.recipient)
}

fn age_keygen() -> (String, String) {
    let identity = age::x25519::Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    (secret, identity.to_public().to_string())
}

/// An age identity file behind a passphrase, as `age -p` makes it.
fn protected(content: &str, armored: bool) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(PASSPHRASE.to_owned().into());
    recipient.set_work_factor(4);
    if armored {
        return age::encrypt_and_armor(&recipient, content.as_bytes())
            .unwrap()
            .into_bytes();
    }
    age::encrypt(&recipient, content.as_bytes()).unwrap()
}

fn write(path: &Path, content: &[u8]) {
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(content).unwrap();
}

#[test]
fn keys_of_ssh_keygen_open_with_their_passphrase_which_is_asked_for_once() {
    let home = tempfile::tempdir().unwrap();
    for args in [
        &["ed25519"][..],
        &["rsa", "-b", "2048"],
        &["ed25519", "-Z", "aes256-cbc"],
    ] {
        let (path, public) = keygen(home.path(), args, PASSPHRASE);
        let asker = Scripted::saying(&["wrong", PASSPHRASE]);
        let pool = Identities::of_file(&path).unwrap().asking(asker.clone());
        let armored = wrapped_for(&public);
        let entry = (public.as_str(), armored.as_str());
        assert_eq!(open(&pool, &[entry], Effort::Unattended), None);
        assert!(asker.asked().is_empty());
        assert_eq!(open(&pool, &[entry], Effort::Everything).unwrap(), public);
        let questions = [
            format!("Passphrase of {}:", path.display()),
            format!("That is not it. Passphrase of {}:", path.display()),
        ];
        assert_eq!(asker.asked(), questions);
        // From now on it is a key like any other.
        assert_eq!(open(&pool, &[entry], Effort::Unattended).unwrap(), public);
        assert_eq!(asker.asked().len(), 2);
        assert!(pool.problems().is_empty());
    }
}

#[test]
fn keys_of_ssh_keygen_without_a_passphrase_open_at_once() {
    let home = tempfile::tempdir().unwrap();
    for args in [
        &["ed25519"][..],
        &["rsa", "-b", "2048"],
        &["rsa", "-b", "2048", "-m", "PEM"],
    ] {
        let (path, public) = keygen(home.path(), args, "");
        let pool = Identities::of_file(&path).unwrap();
        let armored = wrapped_for(&public);
        let opened = open(&pool, &[(&public, &armored)], Effort::Unattended);
        assert_eq!(opened.unwrap(), public);
    }
}

#[test]
fn keys_that_age_has_no_use_for_are_named() {
    let home = tempfile::tempdir().unwrap();
    for (args, passphrase, expected) in [
        (&["ecdsa"][..], "", "SSH key of type ecdsa-sha2-nistp256"),
        (
            &["ecdsa"],
            PASSPHRASE,
            "SSH key of type ecdsa-sha2-nistp256",
        ),
        (
            &["rsa", "-b", "2048", "-m", "PEM"],
            PASSPHRASE,
            "old PEM form",
        ),
    ] {
        let (path, _) = keygen(home.path(), args, passphrase);
        let error = Identities::of_file(&path).err().unwrap();
        let why = std::error::Error::source(&error).unwrap().to_string();
        assert!(why.contains(expected), "{why}");
        assert!(!error.fix().is_empty());
    }
}

#[test]
fn a_protected_ssh_key_also_opens_its_ssh_to_age_form() {
    let home = tempfile::tempdir().unwrap();
    let (path, public) = keygen(home.path(), &["ed25519"], PASSPHRASE);
    let derived = crate::identity::recipient_of_public_key(&public).unwrap();
    let asker = Scripted::saying(&[PASSPHRASE]);
    let pool = Identities::of_file(&path).unwrap().asking(asker.clone());
    let known: Vec<&str> = pool.recipients().collect();
    assert_eq!(known[0], derived);
    assert!(
        public.starts_with(known[1]),
        "known before anybody is asked"
    );
    let armored = wrapped_for(&derived);
    let opened = open(&pool, &[(&derived, &armored)], Effort::Everything);
    assert_eq!(opened.unwrap(), derived);
    assert_eq!(asker.asked().len(), 1);
}

#[test]
fn nobody_is_asked_when_another_key_opens_or_the_key_is_not_a_recipient() {
    let home = tempfile::tempdir().unwrap();
    let (protected, theirs) = keygen(home.path(), &["ed25519"], PASSPHRASE);
    let (secret, ours) = age_keygen();
    let keys = home.path().join("keys.txt");
    write(&keys, secret.as_bytes());
    let asker = Scripted::saying(&[PASSPHRASE]);
    let pool = Identities::of_file(&protected)
        .unwrap()
        .and(Identities::of_file(&keys).unwrap())
        .asking(asker.clone());
    let entries = [wrapped_for(&theirs), wrapped_for(&ours)];
    let both = [
        (theirs.as_str(), &*entries[0]),
        (ours.as_str(), &*entries[1]),
    ];
    assert_eq!(open(&pool, &both, Effort::Everything).unwrap(), ours);
    let (_, stranger) = age_keygen();
    let armored = wrapped_for(&stranger);
    assert_eq!(
        open(&pool, &[(&stranger, &armored)], Effort::Everything),
        None
    );
    assert_eq!(asker.asked(), Vec::<String>::new());
}

#[test]
fn identity_files_with_a_passphrase_are_asked_for_last_and_once() {
    let home = tempfile::tempdir().unwrap();
    let (secret, ours) = age_keygen();
    let armored = wrapped_for(&ours);
    for is_armored in [false, true] {
        let keys = home.path().join("keys.txt");
        write(
            &keys,
            &protected(&format!("# mine\n{secret}\n"), is_armored),
        );
        let asker = Scripted::saying(&[PASSPHRASE]);
        let pool = Identities::of_file(&keys).unwrap().asking(asker.clone());
        assert!(pool.has_unknown());
        for _ in 0..2 {
            let opened = open(&pool, &[(&ours, &armored)], Effort::Everything);
            assert_eq!(opened.unwrap(), ours);
        }
        assert_eq!(asker.asked().len(), 1);
        assert!(!pool.has_unknown());
    }
}

#[test]
fn without_a_terminal_or_an_answer_the_key_is_named() {
    let home = tempfile::tempdir().unwrap();
    let (path, public) = keygen(home.path(), &["ed25519"], PASSPHRASE);
    let armored = wrapped_for(&public);
    for (asker, expected, questions) in [
        (None, "there is no terminal to ask for it", 0),
        (Some(Scripted::saying(&[])), "none was given", 1),
        (
            Some(Scripted::saying(&["a", "b", "c", PASSPHRASE])),
            "the passphrase is not the right one",
            3,
        ),
    ] {
        let mut pool = Identities::of_file(&path).unwrap();
        if let Some(asker) = &asker {
            pool = pool.asking(asker.clone());
        }
        for _ in 0..2 {
            assert_eq!(
                open(&pool, &[(&public, &armored)], Effort::Everything),
                None
            );
        }
        let problems = pool.problems();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].from, path.display().to_string());
        assert!(problems[0].was_needed());
        assert!(problems[0].kind.to_string().contains(expected));
        assert!(problems[0].fix().contains(&problems[0].from));
        let asked = asker.map_or(0, |asker| asker.asked().len());
        assert_eq!(asked, questions, "asked again for every file");
    }
}

#[test]
fn a_key_command_is_told_the_recipient_and_run_once_for_each() {
    let home = tempfile::tempdir().unwrap();
    let (secret, ours) = age_keygen();
    let (_, stranger) = age_keygen();
    let log = home.path().join("log");
    let script = home.path().join("keys");
    let text = format!(
        "#!/bin/sh\necho \"$SOPS_AGE_RECIPIENT\" >> {}\n[ \"$SOPS_AGE_RECIPIENT\" = {ours} ] && echo {secret}\n",
        log.display()
    );
    write(&script, text.as_bytes());
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let mut pool = Identities::default();
    pool.add_command(super::super::key_command::KeyCommand::new(
        "SOPS_AGE_KEY_CMD",
        script.into(),
    ));
    let entries = [wrapped_for(&stranger), wrapped_for(&ours)];
    let both = [
        (stranger.as_str(), &*entries[0]),
        (ours.as_str(), &*entries[1]),
    ];
    for _ in 0..2 {
        assert_eq!(open(&pool, &both, Effort::Unattended).unwrap(), ours);
    }
    let runs = std::fs::read_to_string(log).unwrap();
    assert_eq!(runs, format!("{stranger}\n{ours}\n"));
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let hrp = bech32::Hrp::parse("AGE-PLUGIN-NOBODY-").unwrap();
    let identity = bech32::encode_upper::<bech32::Bech32>(hrp, &[7; 4]).unwrap();
    let home = tempfile::tempdir().unwrap();
    let keys = home.path().join("keys.txt");
    write(&keys, identity.as_bytes());
    let pool = Identities::of_file(&keys).unwrap();
    let (_, stranger) = age_keygen();
    let armored = wrapped_for(&stranger);
    assert_eq!(
        open(&pool, &[(&stranger, &armored)], Effort::Unattended),
        None
    );
    assert!(pool.problems().is_empty(), "no plugin was needed yet");
    assert_eq!(
        open(&pool, &[(&stranger, &armored)], Effort::Everything),
        None
    );
    let problems = pool.problems();
    assert_eq!(
        problems[0].kind.to_string(),
        "the program `age-plugin-nobody` is not installed"
    );
}

#[test]
fn a_post_quantum_line_spoils_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let (secret, ours) = age_keygen();
    let keys = home.path().join("keys.txt");
    write(
        &keys,
        format!("AGE-SECRET-KEY-PQ-1QQQ\n{secret}\n").as_bytes(),
    );
    let pool = Identities::of_file(&keys).unwrap();
    assert_eq!(pool.recipients().collect::<Vec<_>>(), [ours]);
    let problem = pool.problems()[0].kind.to_string();
    assert!(
        problem.contains("line 1 is a post-quantum identity"),
        "{problem}"
    );
}

#[test]
fn the_same_protected_key_is_asked_for_once_wherever_it_was_found() {
    let home = tempfile::tempdir().unwrap();
    let (path, public) = keygen(home.path(), &["ed25519"], PASSPHRASE);
    let asker = Scripted::saying(&[]);
    let pool = Identities::of_file(&path)
        .unwrap()
        .and(Identities::of_file(&path).unwrap())
        .asking(asker.clone());
    let armored = wrapped_for(&public);
    assert_eq!(
        open(&pool, &[(&public, &armored)], Effort::Everything),
        None
    );
    assert_eq!(asker.asked().len(), 1);
}

#[test]
fn hosts_never_ask() {
    let key = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vectors/ssh-to-age/vector1"
    );
    let pool = Identities::of_host(&HostKey::read(Path::new(key)).unwrap());
    assert!(!pool.has_unknown() && pool.asker().is_none() && pool.locked().next().is_none());
}
