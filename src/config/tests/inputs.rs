//! Modules of other repositories: what they see, what they cannot reach, and what is said about a wrong lock.

use std::collections::BTreeMap;

use super::support::repository;
use crate::config::{Colour, Fleet, HostName, Resolution, pins};
use crate::source::{CommitId, InputName, Mount, Snapshot};

const URL: &str = "ssh://git@example.org/community.git";
const FLEET: &str = "inputs: { community: { url: 'ssh://git@example.org/community.git' } }\n";
const NFS: &str = "\
imports: [rpcbind]
options:
  server: { type: string }
config:
  packages: [nfs-common]
  files:
    /etc/nfs.conf: { file: nfs.conf, template: true }
    /etc/port: { text: '{{ options.rpcbind.port }}' }
    /etc/shared: { file: /shared/common.conf }
";

fn commit() -> CommitId {
    CommitId::new("1a2b3c4".to_owned() + &"0".repeat(33)).unwrap()
}

fn lock() -> String {
    let tree = "f".repeat(64);
    let commit = commit();
    format!(
        "version: 1\ninputs:\n  community:\n    url: {URL}\n    commit: '{commit}'\n    tree: '{tree}'\n"
    )
}

fn fleet(own: &[(&str, &str)], input: &[(&str, &str)]) -> Snapshot {
    let lock = lock();
    let mut files = vec![("fleet.yml", FLEET), ("fleet.lock", lock.as_str())];
    // A later one wins.
    files.extend(own);
    let mut of_input = vec![
        ("modules/nfs/module.yml", NFS),
        ("modules/nfs/nfs.conf", "server={{ cfg.server }}\n"),
        (
            "modules/rpcbind/module.yml",
            "options: { port: { type: integer, default: 111 } }\n",
        ),
        ("shared/common.conf", "common\n"),
        ("secrets/default.yml", "a: ENC[x]\n"),
        ("users/mallory.yml", "groups: [sudo]\n"),
        ("hosts/web/host.yml", "packages: [evil]\n"),
    ];
    of_input.extend(input);
    repository(&files).with_input(Mount {
        name: InputName::new("community").unwrap(),
        commit: commit(),
        directory: "modules".into(),
        files: repository(&of_input),
    })
}

fn resolve(snapshot: &Snapshot) -> Result<Resolution, String> {
    let resolution = Fleet::read(snapshot).resolve(&HostName::new("web").unwrap());
    resolution.map_err(|errors| errors.excerpts(Colour::Plain).join("\n\n"))
}

fn said(own: &[(&str, &str)], input: &[(&str, &str)]) -> String {
    resolve(&fleet(own, input)).expect_err("it is wrong")
}

const HOST: (&str, &str) = (
    "hosts/web/host.yml",
    "modules: { community/nfs: { server: nas } }\nfiles:\n  /etc/seen: { text: '{{ options.community__nfs.server }}' }\n",
);

#[test]
fn a_module_of_an_input_is_used_by_its_full_name() {
    let resolution = resolve(&fleet(&[HOST], &[])).unwrap();
    let files: BTreeMap<String, String> = resolution
        .config
        .files
        .iter()
        .map(|(path, file)| (path.to_string(), format!("{:?}", file.value.source)))
        .collect();
    assert!(files["/etc/nfs.conf"].contains("server=nas"), "{files:?}");
    assert!(files["/etc/port"].contains("111"), "{files:?}");
    assert!(files["/etc/seen"].contains("nas"), "{files:?}");
    assert!(
        files["/etc/shared"].contains("community@1a2b3c4:shared/common.conf"),
        "{files:?}"
    );
    let modules: Vec<String> = resolution.modules.keys().map(ToString::to_string).collect();
    assert_eq!(modules, ["community/nfs", "community/rpcbind"]);
    let nfs = resolution.config.packages.values().next().unwrap();
    assert_eq!(
        nfs.origin.to_string(),
        "community@1a2b3c4:modules/nfs/module.yml:5:14"
    );
}

#[test]
fn the_hosts_people_and_secrets_of_an_input_do_not_count() {
    let snapshot = fleet(&[HOST], &[]);
    let fleet = Fleet::read(&snapshot);
    assert_eq!(fleet.hosts().len(), 1);
    assert_eq!(fleet.people().count(), 0);
    let resolution = resolve(&snapshot).unwrap();
    assert!(!format!("{:?}", resolution.config.packages).contains("evil"));
}

/// What an input may try, and what is said.
#[test]
fn an_input_reaches_nothing_but_itself() {
    let of = |config: &str| format!("config:\n  {config}\n");
    let table = [
        (
            of("files: { /etc/a: { file: ../../../hosts/web/key } }"),
            "cannot be a file of the repository",
        ),
        (
            of("files: { /etc/a: { file: /hosts/db/host.yml } }"),
            "there is no file `community@1a2b3c4:hosts/db/host.yml`",
        ),
        (
            of("files: { /etc/a: { file: '/community@1a2b3c4:shared/common.conf' } }"),
            "there is no file",
        ),
        (
            of("secrets: { a: { file: /secrets/default.yml } }"),
            "a secret cannot come from a file of an input",
        ),
        (
            of("files: { /etc/a: { text: '{{ options.base.x }}' } }"),
            "there is no module `base`",
        ),
        (of("users: [mallory]"), "there is no person `mallory`"),
        (
            "imports: [base]\n".to_owned(),
            "there is no module `community/base`",
        ),
        (
            "imports: [other/base]\n".to_owned(),
            "names modules of its own repository only",
        ),
    ];
    for (module, expected) in table {
        let own = [
            ("hosts/web/host.yml", "modules: { community/hostile: }\n"),
            ("hosts/db/host.yml", "{}\n"),
            (
                "modules/base/module.yml",
                "options: { x: { type: string, default: x } }\n",
            ),
        ];
        let said = said(&own, &[("modules/hostile/module.yml", &module)]);
        assert!(said.contains(expected), "{module}:\n{said}");
        assert!(
            said.contains("--> community@1a2b3c4:modules/hostile/module.yml:"),
            "{said}"
        );
    }
}

#[test]
fn files_of_an_input_are_for_its_modules_alone() {
    let host = "files: { /etc/a: { file: '/community@1a2b3c4:shared/common.conf' } }\n";
    let said = said(&[("hosts/web/host.yml", host)], &[]);
    assert!(said.contains("which only its modules can name"), "{said}");
}

#[test]
fn a_module_cannot_take_the_name_of_an_inputs() {
    for path in [
        "modules/community/nfs/module.yml",
        "modules/community--nfs/module.yml",
    ] {
        let said = said(&[HOST, (path, "description: x\n")], &[]);
        assert!(said.contains("the name of"), "{path}: {said}");
        assert!(said.contains(path), "{said}");
    }
}

#[test]
fn a_module_that_an_input_does_not_have_names_the_nearest() {
    let host = ("hosts/web/host.yml", "modules: { community/nsf: }\n");
    let said = said(&[host], &[]);
    assert!(said.contains("did you mean `community/nfs`?"), "{said}");
}

/// Locks that cannot be used, without the files of the input: that is how they are met first.
#[test]
fn a_lock_that_does_not_fit_says_which_command_mends_it() {
    let lock = lock();
    let commit = commit();
    let moved = lock.replace("example.org", "example.com");
    let branch = lock.replace("    commit", "    branch: next\n    commit");
    let short = lock.replace(commit.as_str(), "1a2b3c4");
    let other = format!(
        "{lock}  old:\n    url: /x\n    commit: '{commit}'\n    tree: '{}'\n",
        "f".repeat(64)
    );
    let merged = format!("<<<<<<< ours\n{lock}=======\n");
    let table: [(Option<&str>, &str); 6] = [
        (None, "there is no fleet.lock"),
        (Some(&moved), "locked at another address or branch"),
        (Some(&branch), "locked at another address or branch"),
        (Some(&short), "must be 40 lower-case hex digits"),
        (Some(&other), "which fleet.yml does not declare"),
        (Some(&merged), "cannot stand here"),
    ];
    for (lock, expected) in table {
        let mut files = vec![("fleet.yml", FLEET), HOST];
        files.extend(lock.map(|lock| ("fleet.lock", lock)));
        let snapshot = repository(&files);
        assert!(pins(&snapshot).is_empty());
        let said = resolve(&snapshot).expect_err("it is wrong");
        assert!(said.contains(expected), "{expected}:\n{said}");
        assert!(said.contains("steadfast inputs update"), "{said}");
    }
    let good = repository(&[("fleet.yml", FLEET), ("fleet.lock", &lock), HOST]);
    let pinned = pins(&good);
    assert_eq!(pinned.len(), 1);
    assert_eq!(pinned[0].commit, commit);
}

#[test]
fn an_input_is_declared_with_what_can_be_fetched() {
    for (input, expected) in [
        ("{}", "needs the key `url`"),
        ("{ url: ../community }", "is not the same everywhere"),
        ("{ url: 'http://example.org/x' }", "plain http"),
        ("{ url: /x, signers: [] }", "nobody may sign"),
        ("{ url: /x, signers: [anna] }", "not a public SSH key"),
        ("{ url: /x, directory: ../up }", "must be relative"),
        ("{ url: /x, comit: 1 }", "is not a key of an input"),
    ] {
        let fleet = format!("inputs: {{ community: {input} }}\n");
        let files = [("fleet.yml", fleet.as_str()), ("hosts/web/host.yml", "{}")];
        let said = resolve(&repository(&files)).expect_err("it is wrong");
        assert!(said.contains(expected), "{input}:\n{said}");
    }
}

#[test]
fn a_lock_that_is_written_is_read_back() {
    let name = InputName::new("community").unwrap();
    let snapshot = repository(&[("fleet.yml", FLEET), ("fleet.lock", &lock())]);
    let locked = crate::config::inputs(&snapshot).unwrap()[0].locked.clone();
    let entries = BTreeMap::from([(name, locked.clone().unwrap())]);
    let text = crate::config::lock_text(&entries);
    let again = repository(&[("fleet.yml", FLEET), ("fleet.lock", &text)]);
    assert_eq!(crate::config::inputs(&again).unwrap()[0].locked, locked);
}
