//! Key groups: shares that a real sops makes and takes, and files that go between one group and several.

use age::secrecy::ExposeSecret as _;
use steadfast::identity::{Identities, Recipient};
use steadfast::sops::{Format, KeyGroup, KeyGroups, NewFile, OpenError, OpenedFile, SealedFile};

use crate::model::file_name;
use crate::program::Sops;
use crate::support::{TIME, leaves, leaves_of};

const LATER: &str = "2031-02-03T04:05:06Z";

/// Key pairs that were made for one test, with the files that they are read from.
struct People {
    directory: tempfile::TempDir,
    recipients: Vec<Recipient>,
    secrets: Vec<String>,
}

impl People {
    fn new(count: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (mut recipients, mut secrets) = (Vec::new(), Vec::new());
        for number in 0..count {
            let key = age::x25519::Identity::generate();
            recipients.push(Recipient::parse(&key.to_public().to_string()).unwrap());
            let secret = key.to_string().expose_secret().to_owned();
            let path = directory.path().join(number.to_string());
            let mut file = std::fs::File::create(path).unwrap();
            std::io::Write::write_all(&mut file, secret.as_bytes()).unwrap();
            secrets.push(secret);
        }
        Self {
            directory,
            recipients,
            secrets,
        }
    }

    fn identities(&self, who: &[usize]) -> Identities {
        who.iter().fold(Identities::default(), |all, number| {
            let path = self.directory.path().join(number.to_string());
            all.and(Identities::of_file(&path).unwrap())
        })
    }

    /// One group each.
    fn groups(&self, who: &[usize], threshold: usize) -> KeyGroups {
        let groups = who
            .iter()
            .map(|number| KeyGroup::of([self.recipients[*number].clone()]));
        KeyGroups::new(groups.collect(), threshold).unwrap()
    }

    /// What sops with the keys of `who` makes of `sealed`.
    fn sops_opens(
        &self,
        who: &[usize],
        sops: &Sops,
        format: Format,
        sealed: &str,
    ) -> Result<Vec<u8>, i32> {
        let keys: Vec<&str> = who
            .iter()
            .map(|number| self.secrets[*number].as_str())
            .collect();
        sops.write(file_name(format), sealed.as_bytes());
        let output = sops
            .command()
            .env_remove("SOPS_AGE_KEY_FILE")
            .env("SOPS_AGE_KEY", keys.join("\n"))
            .args(["decrypt", file_name(format)])
            .output()
            .unwrap();
        match output.status.code() {
            Some(0) => Ok(output.stdout),
            code => Err(code.unwrap_or(-1)),
        }
    }
}

fn plain(format: Format) -> &'static [u8] {
    match format {
        Format::Yaml => b"a: secret\nb:\n  - x # note\n  - y\n",
        Format::Json => b"{\"a\": \"secret\", \"b\": {\"c\": \"d\"}}\n",
        Format::Dotenv => b"A=secret\nB=other\n",
        Format::Ini => b"[s]\na = secret\n",
        Format::Binary => b"\x00secret\xff",
    }
}

fn seal(format: Format, keys: &KeyGroups) -> String {
    OpenedFile::create(plain(format), &NewFile::new(format, keys))
        .and_then(|file| file.seal(TIME))
        .unwrap_or_else(|error| panic!("{format}: {error}"))
}

fn parse(format: Format, sealed: &str) -> SealedFile {
    SealedFile::parse(sealed.as_bytes(), format).unwrap_or_else(|error| panic!("{error}\n{sealed}"))
}

#[test]
fn shares_that_we_make_are_taken_by_sops() {
    let Some(sops) = Sops::find("shares_that_we_make") else {
        return;
    };
    let people = People::new(5);
    for format in Format::ALL {
        for (count, threshold) in [(2, 0), (3, 2), (5, 3)] {
            let all: Vec<usize> = (0..count).collect();
            let needed = if threshold == 0 { count } else { threshold };
            let sealed = seal(format, &people.groups(&all, threshold));
            let enough = &all[count - needed..];
            let theirs = people.sops_opens(enough, &sops, format, &sealed);
            assert!(
                theirs.is_ok(),
                "{format} {needed} of {count}: {theirs:?}\n{sealed}"
            );
            assert_eq!(
                people.sops_opens(&enough[1..], &sops, format, &sealed),
                Err(128)
            );
            let file = parse(format, &sealed);
            assert_eq!(file.key_groups().len(), count);
            let ours = file.open(&people.identities(enough)).unwrap();
            assert_eq!(leaves(&ours), leaves_of(plain(format), format), "{format}");
            let error = file.open(&people.identities(&enough[1..])).err().unwrap();
            match error {
                OpenError::TooFewGroups {
                    groups,
                    needed: said,
                    opened,
                } => {
                    assert_eq!((groups, said, opened), (count, needed, needed - 1));
                }
                other => panic!("{other}"),
            }
            let nobody = file.open(&People::new(1).identities(&[0])).err().unwrap();
            assert!(
                matches!(nobody, OpenError::NotARecipient { .. }),
                "{nobody}"
            );
        }
    }
}

#[test]
fn shares_that_sops_makes_are_put_together() {
    let Some(sops) = Sops::find("shares_that_sops_makes") else {
        return;
    };
    let people = People::new(4);
    let names: Vec<&str> = people.recipients.iter().map(Recipient::as_str).collect();
    for (threshold, needed) in [(0, 3), (2, 2), (3, 3)] {
        let rules = serde_json::json!({"creation_rules": [{
            "shamir_threshold": threshold,
            "key_groups": [{"age": [names[0], names[3]]}, {"age": [names[1]]}, {"age": [names[2]]}],
        }]});
        sops.write(".sops.yaml", rules.to_string().as_bytes());
        for format in Format::ALL {
            sops.write(file_name(format), plain(format));
            let sealed = sops.run(&["encrypt", file_name(format)]).unwrap();
            let file = parse(format, &sealed);
            let enough: Vec<usize> = [3, 2, 1].into_iter().take(needed).collect();
            let opened = file
                .open(&people.identities(&enough))
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(
                leaves(&opened),
                leaves_of(plain(format), format),
                "{format}"
            );
            let too_few = file.open(&people.identities(&enough[1..])).err().unwrap();
            assert!(matches!(
                too_few,
                OpenError::TooFewGroups { .. } | OpenError::NotARecipient { .. }
            ));
            // What we rewrap, rotate or change, sops still opens.
            let who = people.identities(&enough);
            let fewer = people.groups(&[2, 1], 0);
            let rewrapped = file.rewrap(&who, &fewer).unwrap();
            assert!(
                people
                    .sops_opens(&[1, 2], &sops, format, &rewrapped)
                    .is_ok(),
                "{rewrapped}"
            );
            assert_eq!(
                people.sops_opens(&[1, 0], &sops, format, &rewrapped),
                Err(128)
            );
        }
    }
}

#[test]
fn a_file_goes_between_one_group_and_several() {
    let Some(sops) = Sops::find("a_file_goes_between") else {
        return;
    };
    let people = People::new(3);
    let one = KeyGroups::one([people.recipients[0].clone(), people.recipients[1].clone()]);
    let two = people.groups(&[0, 1], 0);
    let three = people.groups(&[2, 1, 0], 2);
    for format in Format::ALL {
        let mut sealed = seal(format, &one);
        let values = |sealed: &str| -> Vec<Option<String>> {
            let file = parse(format, sealed);
            let paths = file.key_paths();
            paths
                .iter()
                .map(|path| file.ciphertext(path).map(str::to_owned))
                .collect()
        };
        let before = values(&sealed);
        for (keys, enough, too_few) in [
            (&two, vec![0, 1], vec![0]),
            (&three, vec![2, 0], vec![1]),
            (&two, vec![0, 1], vec![1, 2]),
            (&one, vec![1], vec![2]),
        ] {
            let who = people.identities(&[0, 1]);
            sealed = parse(format, &sealed).rewrap(&who, keys).unwrap();
            assert_eq!(values(&sealed), before, "{format}: no value changes");
            assert_eq!(parse(format, &sealed).keys().groups(), keys.groups());
            assert!(
                people.sops_opens(&enough, &sops, format, &sealed).is_ok(),
                "{sealed}"
            );
            assert_eq!(
                people.sops_opens(&too_few, &sops, format, &sealed),
                Err(128)
            );
            assert!(
                parse(format, &sealed)
                    .open(&people.identities(&enough))
                    .is_ok()
            );
            assert!(
                parse(format, &sealed)
                    .open(&people.identities(&too_few))
                    .is_err()
            );
        }
        assert!(!sealed.contains("key_groups") && !sealed.contains("shamir_threshold"));
    }
}

#[test]
fn rotating_changes_every_ciphertext_and_the_key() {
    let Some(sops) = Sops::find("rotating_changes") else {
        return;
    };
    let people = People::new(3);
    for format in Format::ALL {
        for keys in [
            KeyGroups::one([people.recipients[0].clone()]),
            people.groups(&[0, 1], 0),
        ] {
            let sealed = seal(
                format,
                &KeyGroups::one([people.recipients[0].clone(), people.recipients[2].clone()]),
            );
            let who = people.identities(&[0, 1]);
            let before = parse(format, &sealed);
            let mut file = before.open(&who).unwrap();
            let contents = leaves(&file);
            file.rotate(&keys).unwrap();
            let rotated = file.seal(LATER).unwrap();
            assert!(
                people.sops_opens(&[0, 1], &sops, format, &rotated).is_ok(),
                "{rotated}"
            );
            assert_eq!(people.sops_opens(&[2], &sops, format, &rotated), Err(128));
            let after = parse(format, &rotated);
            assert_eq!(leaves(&after.open(&who).unwrap()), contents);
            assert_eq!(after.version(), before.version());
            for path in before.key_paths() {
                assert_ne!(
                    before.ciphertext(&path),
                    after.ciphertext(&path),
                    "{format} {path:?}"
                );
            }
            let secret = |text: &str| -> Vec<String> {
                text.split(|c: char| c == '"' || c.is_whitespace())
                    .filter(|word| word.len() > 60)
                    .map(str::to_owned)
                    .collect()
            };
            let old = secret(&sealed);
            let kept: Vec<String> = secret(&rotated)
                .into_iter()
                .filter(|word| old.contains(word))
                .collect();
            assert!(kept.iter().all(|word| word.contains("age1")), "{kept:?}");
        }
    }
}

#[test]
fn both_programs_agree_that_a_file_has_the_keys_of_its_rule() {
    let Some(sops) = Sops::find("both_programs_agree") else {
        return;
    };
    let people = People::new(3);
    let names: Vec<&str> = people.recipients.iter().map(Recipient::as_str).collect();
    let secrets = people.secrets.join("\n");
    for (group, keys) in [
        (
            serde_json::json!([{"age": [names[0]]}, {"age": [names[1]]}]),
            people.groups(&[0, 1], 0),
        ),
        (
            serde_json::json!([{"age": [names[2]]}]),
            people.groups(&[2], 0),
        ),
    ] {
        let rules = serde_json::json!({"creation_rules": [{"key_groups": group}]});
        sops.write(".sops.yaml", rules.to_string().as_bytes());
        let sealed = seal(Format::Yaml, &KeyGroups::one(people.recipients.clone()));
        let ours = parse(Format::Yaml, &sealed)
            .rewrap(&people.identities(&[0]), &keys)
            .unwrap();
        sops.file(&ours);
        let output = sops
            .command()
            .env("SOPS_AGE_KEY", &secrets)
            .args(["updatekeys", "-y", "file.yaml"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("already up to date"), "{said}");
        assert_eq!(sops.read("file.yaml"), ours.as_bytes());
    }
}

/// sops writes the metadata of INI files in random order.
#[test]
fn ini_metadata_in_any_order_of_lines_can_change_its_keys() {
    use rand::SeedableRng as _;
    use rand::seq::SliceRandom as _;
    let people = People::new(13);
    let everybody = || KeyGroups::one(people.recipients.clone());
    let some =
        |who: &[usize]| KeyGroups::one(who.iter().map(|number| people.recipients[*number].clone()));
    let choices = [
        everybody(),
        some(&[0]),
        some(&[0, 12]),
        people.groups(&[0, 1], 2),
        people.groups(&[0, 1, 2], 2),
        people.groups(&(0..12).collect::<Vec<_>>(), 2),
    ];
    let plain = b"[s]\nk = v\n";
    let who = people.identities(&[0, 1]);
    for seed in 0..200 {
        let mut random = rand::rngs::StdRng::seed_from_u64(seed);
        let before = choices.choose(&mut random).unwrap();
        let after = choices.choose(&mut random).unwrap();
        let file = OpenedFile::create(plain, &NewFile::new(Format::Ini, before)).unwrap();
        let sealed = file.seal(TIME).unwrap();
        let (head, lines) = sealed.split_once("[sops]\n").unwrap();
        let mut lines: Vec<&str> = lines.lines().collect();
        lines.shuffle(&mut random);
        let shuffled = format!("{head}[sops]\n{}\n", lines.join("\n"));
        let file = SealedFile::parse(shuffled.as_bytes(), Format::Ini).unwrap();
        let changed = file
            .rewrap(&who, after)
            .unwrap_or_else(|error| panic!("{seed}: {error}: {shuffled}"));
        let again = SealedFile::parse(changed.as_bytes(), Format::Ini).unwrap();
        let opened = again.open(&who).unwrap();
        assert_eq!(leaves(&opened), leaves(&file.open(&who).unwrap()));
    }
}
