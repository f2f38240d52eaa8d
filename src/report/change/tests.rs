use super::*;
use crate::config::{Enforcement, OnConflict};
use crate::host::{Digest, FileMode, GroupName, HostPath, Owner, PackageName, UserName};

fn arriving(version: &str, replaces: Option<&str>) -> Arriving {
    Arriving {
        version: version.to_owned(),
        replaces: replaces.map(str::to_owned),
    }
}

fn file(content: &str, mode: u32) -> PathEntry {
    PathEntry {
        kind: PathKind::File {
            content: Digest::of(content.as_bytes()),
            owner: UserName::new("root").unwrap(),
            group: GroupName::new("root").unwrap(),
            mode: FileMode::from_bits(mode),
        },
        on_conflict: OnConflict::Refuse,
        drift: Enforcement::Report,
        units: crate::secrets::UnitTriggers::default(),
    }
}

fn found(content: &str, mode: u32) -> PathState {
    PathState::File {
        content: Digest::of(content.as_bytes()),
        mode: FileMode::from_bits(mode),
        owner: Owner::Unknown,
        attributes: crate::host::Attributes::default(),
    }
}

fn write(entry: PathEntry, change: PathChange, found: PathState) -> Step {
    Step::WritePath {
        path: HostPath::new("/etc/motd").unwrap(),
        entry,
        change,
        found,
    }
}

#[test]
fn a_written_path_says_what_differs() {
    let link = PathState::Symlink {
        target: "/dev/null".into(),
    };
    let table = [
        (
            PathChange::Create,
            PathState::Absent,
            "create /etc/motd (file 0644 root:root)",
        ),
        (
            PathChange::Update,
            found("old", 0o644),
            "update /etc/motd (content)",
        ),
        (
            PathChange::Repair,
            found("old", 0o600),
            "repair /etc/motd (content, mode 0600 to 0644)",
        ),
        (
            PathChange::Metadata,
            found("new", 0o600),
            "update /etc/motd (mode 0600 to 0644)",
        ),
        (
            PathChange::Metadata,
            found("new", 0o644),
            "update /etc/motd (owner, group or attributes)",
        ),
        (
            PathChange::Update,
            link,
            "update /etc/motd (file 0644 root:root, was a link)",
        ),
        (
            PathChange::Backup,
            found("theirs", 0o644),
            "update /etc/motd (file 0644 root:root; the original is kept)",
        ),
    ];
    for (change, before, line) in table {
        let step = write(file("new", 0o644), change, before);
        let changes = Change::of_step(&step);
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].to_string(), line);
    }
}

#[test]
fn every_package_and_every_secret_is_a_change_of_its_own() {
    let packages = ["curl", "nfs-common"].map(|name| PackageName::new(name).unwrap());
    let secret = |name: &str, found| SecretChange {
        name: name.into(),
        found,
    };
    let plan = Plan {
        steps: vec![
            Step::InstallPackages {
                arriving: BTreeMap::from([
                    (packages[0].clone(), arriving("8.14.1-2", None)),
                    (
                        PackageName::new("libcurl4").unwrap(),
                        arriving("8.14.1-2", None),
                    ),
                    (
                        PackageName::new("libc6").unwrap(),
                        arriving("2.41-12", Some("2.41-11")),
                    ),
                ]),
                packages: BTreeSet::from(packages),
            },
            Step::InstallSecrets {
                changes: vec![
                    secret("db/password", Some(SecretState::Missing)),
                    secret("api/token", Some(SecretState::Different)),
                    secret("old", None),
                ],
            },
            Step::RestartUnit {
                unit: "app.service".parse().unwrap(),
                why: "secret api/token changed".into(),
            },
        ],
        notices: Vec::new(),
    };
    let lines: Vec<_> = Change::of_plan(&plan)
        .iter()
        .map(Change::to_string)
        .collect();
    assert_eq!(
        lines,
        [
            "install curl (8.14.1-2)",
            "install nfs-common",
            "update libc6 (2.41-11 to 2.41-12)",
            "install libcurl4 (8.14.1-2, needed by the others)",
            "create db/password",
            "update api/token (content)",
            "remove old",
            "restart app.service (secret api/token changed)",
        ]
    );
}
