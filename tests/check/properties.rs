//! What holds for every repository: thousands of small ones, made of all kinds of resources.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::sample::subsequence;
use steadfast::activation::{Held, Observed, Owned, plan};
use steadfast::config::{Colour, HostName, resolve};
use steadfast::generation::Additions;
use steadfast::generation::{Built, build};
use steadfast::source::Snapshot;

use crate::world::repository;

/// Everything that a host, a module or a person can ask for: a key, an entry below it (none for a list), what it says.
/// All of them go together, in whatever files they stand.
const ENTRIES: &[(&str, Option<&str>, &str)] = &[
    ("hostname", None, "web"),
    ("timezone", None, "Europe/Berlin"),
    ("locale", None, "en_US.UTF-8"),
    ("keymap", None, "us"),
    ("sysctls", Some("vm.swappiness"), "10"),
    ("sysctls", Some("net.ipv4.ip_forward"), "1"),
    ("hosts", Some("10.0.0.2"), "[nas, nas.lan]"),
    ("resolv", Some("nameservers"), "[10.0.0.1]"),
    ("groups", Some("deploy"), "{ gid: 1200 }"),
    ("groups", Some("metrics"), "{ system: true }"),
    (
        "users",
        Some("deploy"),
        "{ uid: 1200, group: deploy, shell: /usr/sbin/nologin }",
    ),
    (
        "users",
        Some("metrics"),
        "{ system: true, home: /var/lib/metrics }",
    ),
    (
        "users",
        Some("anna"),
        "{ uid: 1500, ssh_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIvRj2f8PQWNdMcWeQl5ZVqdMuO5bAmiGnDUOMRJqSyD] }",
    ),
    (
        "files",
        Some("/etc/motd"),
        "{ text: \"{{ host.name }}\\n\" }",
    ),
    (
        "files",
        Some("/etc/app/app.conf"),
        "{ file: /shared/app.conf, mode: 0640, units: { restart: [app.service] } }",
    ),
    (
        "files",
        Some("/etc/app/filled.conf"),
        "{ file: /shared/filled.conf, template: true, on_conflict: backup }",
    ),
    (
        "files",
        Some("/usr/local/bin/run"),
        "{ text: \"#!/bin/sh\\n\", mode: 0755, drift: enforce }",
    ),
    ("directories", Some("/srv/data"), "{ mode: 0750 }"),
    ("directories", Some("/srv/data/deep/er"), ""),
    ("symlinks", Some("/etc/app/current"), "app.conf"),
    (
        "symlinks",
        Some("/usr/local/bin/vi"),
        "{ target: /usr/bin/vim, on_conflict: adopt }",
    ),
    (
        "units",
        Some("app.service"),
        "{ text: \"[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n\", enable: true, start: true }",
    ),
    (
        "units",
        Some("app.timer"),
        "{ file: /shared/app.timer, enable: true, start: true }",
    ),
    (
        "units",
        Some("work@a.service"),
        "{ file: /shared/work.service }",
    ),
    (
        "units",
        Some("nginx.service"),
        "{ enable: true, drop_ins: { slow.conf: { text: \"[Service]\\nNice=9\\n\" } } }",
    ),
    ("units", Some("apt-daily.timer"), "{ mask: true }"),
    (
        "mounts",
        Some("/var/cache/build"),
        "{ type: tmpfs, options: [\"size=1G\"] }",
    ),
    (
        "mounts",
        Some("/srv/nas"),
        "{ what: \"nas.lan:/export\", type: nfs, automount: true, nofail: true }",
    ),
    ("sshd", Some("settings"), "{ PasswordAuthentication: no }"),
    ("network", Some("manager"), "networkd"),
    ("network", Some("interfaces"), "{ enp1s0: { dhcp: true } }"),
    (
        "home",
        Some("anna"),
        "{ files: { .vimrc: { text: \"set nu\\n\" } }, session_variables: { EDITOR: vim } }",
    ),
    ("packages", None, "curl"),
    ("packages", None, "vim"),
    ("packages", None, "htop"),
    ("kernel_modules", None, "loop"),
    ("kernel_modules", None, "nct6775"),
    ("health", None, "{ unit: app.service }"),
    ("health", None, "{ file: /etc/motd, contains: web }"),
];

/// An entry: its key, and its name below that.
type Key = (&'static str, &'static str);

/// What needs another entry: homes their account, interfaces somebody who configures them.
const NEEDS: &[(Key, Key)] = &[
    (("home", "anna"), ("users", "anna")),
    (("network", "interfaces"), ("network", "manager")),
];

/// Where an entry is in the table.
fn index_of((key, name): (&str, &str)) -> usize {
    let found = ENTRIES
        .iter()
        .position(|(group, entry, _)| *group == key && *entry == Some(name));
    found.unwrap()
}

const LISTS: &[&str] = &["packages", "kernel_modules", "health"];

type Chosen = BTreeSet<usize>;

/// One file: the entries that it has, and whether it has them in the order of the table or in the other one.
fn yaml(chosen: &Chosen, indent: &str, reversed: bool) -> String {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for index in chosen {
        let (key, entry, value) = ENTRIES[*index];
        let line = match entry {
            Some(entry) => format!("{indent}  {entry}: {value}\n"),
            None if LISTS.contains(&key) => format!("{indent}  - {value}\n"),
            None => value.to_owned(),
        };
        groups.entry(key).or_default().push(line);
    }
    let mut parts: Vec<String> = groups
        .into_iter()
        .map(|(key, mut lines)| {
            // The order of a list means something; that of a map does not.
            if reversed && !LISTS.contains(&key) {
                lines.reverse();
            }
            match lines.as_slice() {
                [only] if !only.ends_with('\n') => format!("{indent}{key}: {only}\n"),
                _ => format!("{indent}{key}:\n{}", lines.concat()),
            }
        })
        .collect();
    if reversed {
        parts.reverse();
    }
    parts.concat()
}

/// A repository whose host, modules and person say these things.
fn files(drafts: &[Chosen; 4], reversed: bool) -> Vec<(&'static str, String)> {
    let [host, first, second, person] = drafts;
    let body = |chosen: &Chosen| match yaml(chosen, "  ", reversed) {
        text if text.is_empty() => "config: {}\n".to_owned(),
        text => format!("config:\n{text}"),
    };
    let mut web = yaml(host, "", reversed);
    let uses_list = if host.iter().any(|index| ENTRIES[*index].0 == "users") {
        web = web.replacen("users:\n", "users:\n  carl:\n", 1);
        ""
    } else {
        "users: [carl]\n"
    };
    let _ = writeln!(web, "{uses_list}modules: {{ a: , b: }}");
    let carl = format!("uid: 1700\nshell: /usr/sbin/nologin\n{}", body(person));
    let mut files = vec![
        ("hosts/web/host.yml", web),
        (
            "modules/a/module.yml",
            format!("imports: [c]\n{}", body(first)),
        ),
        ("modules/b/module.yml", body(second)),
        ("modules/c/module.yml", body(second)),
        ("users/carl.yml", carl),
        ("shared/app.conf", "color = green\n".to_owned()),
        ("shared/filled.conf", "name = {{ host.name }}\n".to_owned()),
        (
            "shared/app.timer",
            "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n".to_owned(),
        ),
        (
            "shared/work.service",
            "[Service]\nExecStart=/bin/echo %i\n".to_owned(),
        ),
    ];
    if reversed {
        files.reverse();
    }
    files
}

fn chosen() -> impl Strategy<Value = Chosen> {
    let all: Vec<usize> = (0..ENTRIES.len()).collect();
    subsequence(all, 0..12).prop_map(|chosen| {
        let mut chosen: Chosen = chosen.into_iter().collect();
        for (needs, needed) in NEEDS {
            if chosen.contains(&index_of(*needs)) {
                chosen.insert(index_of(*needed));
            }
        }
        chosen
    })
}

fn drafts() -> impl Strategy<Value = [Chosen; 4]> {
    [chosen(), chosen(), chosen(), chosen()]
}

fn built(snapshot: &Snapshot) -> Built {
    let web = HostName::new("web").unwrap();
    let shown = |errors: steadfast::config::ConfigErrors| -> Built {
        panic!("{}", errors.excerpts(Colour::Plain).join("\n"))
    };
    match resolve(snapshot, &web) {
        Ok(config) => build(&config, snapshot).unwrap_or_else(shown),
        Err(errors) => shown(errors),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(700))]

    /// A host that is what its generation says needs nothing, whatever the generation says; and from nothing, it needs
    /// something if anything is said.
    #[test]
    fn a_host_that_was_made_so_has_nothing_left_to_be_done(drafts in drafts()) {
        let built = built(&repository(&files(&drafts, false)));
        let originals = BTreeMap::new();
        let additions = Additions::default();
        let owned = || Owned {
            generations: vec![&built.manifest],
            originals: &originals,
            additions: &additions,
            unfinished: BTreeMap::new(),
        };
        let after = Observed::as_if(&built.manifest);
        let nothing = plan(&built.manifest, &owned(), &after, Held::Nothing).unwrap();
        prop_assert!(nothing.is_empty(), "{:?}", nothing.lines());
    }

    /// Neither the order of keys nor that of files decides what a host is.
    #[test]
    fn order_means_nothing(drafts in drafts()) {
        let one = built(&repository(&files(&drafts, false)));
        let other = built(&repository(&files(&drafts, true)));
        prop_assert_eq!(one.digest, other.digest);
    }

    /// What a module says could as well be said by another one that is on too.
    #[test]
    fn it_does_not_matter_which_module_says_something(drafts in drafts()) {
        let [host, first, second, person] = &drafts;
        let lists = |index: &usize| LISTS.contains(&ENTRIES[*index].0);
        // Lists append in the order of the modules, which is the one thing that moves.
        let moved: Chosen = first.iter().copied().filter(|index| !lists(index)).collect();
        let stays: Chosen = first.difference(&moved).copied().collect();
        let second_too = second.union(&moved).copied().collect();
        let one = built(&repository(&files(&drafts, false)));
        let other = [host.clone(), stays, second_too, person.clone()];
        let other = built(&repository(&files(&other, false)));
        prop_assert_eq!(one.digest, other.digest);
    }
}

fn written(files: &[(&str, String)], folder: &Path) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A few of the repositories that the properties above go through, always the same.
fn some(count: usize) -> Vec<[Chosen; 4]> {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    (0..count)
        .map(|_| drafts().new_tree(&mut runner).unwrap().current())
        .collect()
}

#[test]
fn the_digest_is_the_same_wherever_the_checkout_lies_and_however_its_files_were_made() {
    for drafts in some(12) {
        let memory = built(&repository(&files(&drafts, false)));
        let place = tempfile::tempdir().unwrap();
        let near = place.path().join("a");
        let far = place.path().join("b/much/longer/path to it");
        written(&files(&drafts, false), &near);
        // Made in the other order, which on many file systems is the order in which they are listed.
        written(&files(&drafts, true), &far);
        for folder in [&near, &far] {
            // The keys of the second are in the other order too, which `order_means_nothing` says is the same.
            let folder = Snapshot::of_folder(folder).unwrap();
            assert_eq!(built(&folder).digest, memory.digest);
        }
        git(&far, &["init", "-q", "-b", "main"]);
        git(&far, &["add", "-A"]);
        git(&far, &["commit", "-q", "-m", "all"]);
        let tracked = Snapshot::of_folder(&far).unwrap();
        assert_eq!(built(&tracked).digest, memory.digest);
    }
}

/// The same with everything really written, below a directory: the second run finds nothing to do.
#[test]
fn a_second_run_on_a_real_tree_finds_nothing_to_do() {
    for drafts in some(6) {
        let place = tempfile::tempdir().unwrap();
        let repository = place.path().join("fleet");
        written(&files(&drafts, false), &repository);
        git(&repository, &["init", "-q", "-b", "main"]);
        git(&repository, &["add", "-A"]);
        git(&repository, &["commit", "-q", "-m", "all"]);
        let key = place.path().join("host_key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&key)
            .status()
            .unwrap();
        assert!(made.success());
        let reconcile = || {
            let output = Command::new(env!("CARGO_BIN_EXE_steadfast"))
                .args(["reconcile", "now", "--host", "web", "--root"])
                .arg(place.path().join("root"))
                .arg("--repo")
                .arg(&repository)
                .arg("--identity")
                .arg(&key)
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .output()
                .unwrap();
            let said = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            assert_eq!(output.status.code(), Some(0), "{drafts:?}\n{said}");
            said
        };
        reconcile();
        let second = reconcile();
        assert!(second.contains("nothing to do"), "{drafts:?}\n{second}");
    }
}
