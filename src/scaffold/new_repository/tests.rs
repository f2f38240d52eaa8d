#![expect(clippy::disallowed_methods, reason = "a test's own temporary files")]

use super::*;
use crate::scaffold::example;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIK1NCqlaB/zws4gNIc9FurY05PZAEUXvDfWE7SfPjAx";

fn founder(name: &str) -> Founder {
    Founder {
        user: UserName::new("anna").unwrap(),
        name: name.to_owned(),
        email: "anna@example.com".to_owned(),
        ssh_key: format!("{KEY} anna@desk"),
        recipient: Recipient::parse(KEY).unwrap(),
    }
}

fn all_hosts() -> BTreeSet<HostName> {
    example_hosts().into_iter().map(|(host, _)| host).collect()
}

#[test]
fn the_list_of_embedded_files_is_complete_and_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("repo-example");
    let on_disk: BTreeMap<String, String> = walkdir::WalkDir::new(&root)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(&root).unwrap();
            (name.to_str().unwrap().to_owned(), entry.path().to_owned())
        })
        .filter(|(name, _)| !example::is_left_out(name))
        .map(|(name, path)| (name, std::fs::read_to_string(path).unwrap()))
        .collect();
    let embedded: BTreeMap<String, String> = EXAMPLE
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&embedded),
        names(&on_disk),
        "src/scaffold/example.rs lists other files"
    );
    assert_eq!(embedded, on_disk);
}

#[test]
fn a_new_repository_has_nothing_wrong_and_nothing_of_the_example_s_person() {
    for name in ["Anna B. Example", "O'Brien: \"x\", {y} [z] # w"] {
        let new = new_repository(&founder(name), &all_hosts()).unwrap();
        assert_eq!(new.wrong, Vec::<String>::new());
        // Hosts are there before their keys are.
        for warning in &new.checked.warnings {
            let said = &warning.error.message;
            assert!(said.contains("no key of it is known"), "{said}");
        }
        for (path, content) in &new.files {
            let text = String::from_utf8(content.clone()).unwrap();
            for gone in [PERSON, PERSON_NAME, "DEMO", "ssh_host_ed25519_key.pub ssh-"] {
                assert!(
                    !text.contains(gone) || path.as_str().starts_with(".schema/"),
                    "{path} has {gone}"
                );
                assert!(!path.as_str().contains(gone), "{path}");
            }
        }
        assert!(new.files().any(|path| path.as_str() == "users/anna.yml"));
    }
}

#[test]
fn every_choice_of_hosts_gives_a_repository_with_nothing_wrong() {
    for host in all_hosts() {
        let new = new_repository(&founder("Anna"), &BTreeSet::from([host.clone()])).unwrap();
        assert_eq!(new.wrong, Vec::<String>::new());
        let hosts: Vec<&HostName> = new.checked.hosts.keys().collect();
        assert_eq!(hosts, [&host]);
    }
    let nowhere = BTreeSet::from([HostName::new("nowhere").unwrap()]);
    let error = new_repository(&founder("Anna"), &nowhere).unwrap_err();
    assert!(error.fix().unwrap().contains("chicago"), "{error}");
}

#[test]
fn a_folder_that_holds_something_is_left_alone_and_one_that_fails_is_as_it_was() {
    let new = new_repository(&founder("Anna"), &all_hosts()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let full = directory.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("mine"), "x").unwrap();
    let refused: Result<(), NewRepositoryError> = new.write(&full, || Ok(()));
    assert!(matches!(refused, Err(NewRepositoryError::NotEmpty(_))));
    assert_eq!(std::fs::read_dir(&full).unwrap().count(), 1);

    let empty = directory.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let absent = directory.path().join("absent");
    for target in [&empty, &absent] {
        let failed: Result<(), NewRepositoryError> = new.write(target, || {
            assert!(target.join("fleet.yml").exists());
            Err(NewRepositoryError::NotEmpty(target.clone()))
        });
        failed.unwrap_err();
    }
    assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0);
    assert!(!absent.exists());
}

#[test]
fn words_are_replaced_and_parts_of_words_are_not() {
    assert_eq!(
        with_word("ketan: [ketan], ketans /home/ketan/x", "ketan", "anna"),
        "anna: [anna], ketans /home/anna/x"
    );
    assert_eq!(in_yaml("Anna B. Example"), "Anna B. Example");
    assert_eq!(in_yaml("a: b"), "\"a: b\"");
}
