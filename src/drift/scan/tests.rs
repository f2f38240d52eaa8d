use std::collections::BTreeMap;

use super::*;
use crate::activation::testing::*;
use crate::activation::{Activation, NoProbes, Unwatched};
use crate::config::Enforcement;
use crate::generation::{Built, PathEntry, Provenance};
use crate::host::{Digest, FileMode, Ownership};
use crate::source::{CommitId, Revision};

const CONTENTS: [&str; 3] = ["one\ntwo\nthree\n", "a\0b", "plain\n"];

fn wanted() -> Manifest {
    let mut manifest = manifest();
    let paths = &mut manifest.paths;
    paths.insert(path("/etc/text"), file(CONTENTS[0]));
    paths.insert(path("/etc/binary"), file(CONTENTS[1]));
    let enforced = PathEntry {
        drift: Enforcement::Enforce,
        ..file(CONTENTS[2])
    };
    paths.insert(path("/etc/enforced"), enforced);
    paths.insert(path("/etc/gone"), file(CONTENTS[2]));
    paths.insert(path("/etc/mode"), file(CONTENTS[2]));
    paths.insert(path("/etc/turned"), file(CONTENTS[2]));
    paths.insert(path("/etc/swapped"), file(CONTENTS[2]));
    paths.insert(path("/etc/link"), entry(link_kind("text")));
    manifest
}

struct Bed {
    directory: tempfile::TempDir,
    host: Host,
    store: Store,
    current: Generation,
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}

fn bed() -> Bed {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::below(&directory.path().join("host")).unwrap();
    let store = Store::open(&directory.path().join("state")).unwrap();
    let manifest = wanted();
    let objects = CONTENTS.map(|text| (Digest::of(text.as_bytes()), text.as_bytes().to_vec()));
    let built = Built {
        digest: Digest::of(&serde_json::to_vec(&manifest).unwrap()),
        manifest: manifest.clone(),
        objects: objects.into(),
        origins: BTreeMap::new(),
    };
    let provenance = Provenance {
        revision: Revision {
            commit: CommitId::new("0123456789012345678901234567890123456789").unwrap(),
            author: "Anna".to_owned(),
            time_secs: 0,
            subject: "test".to_owned(),
        },
        signer: None,
        created_secs: 0,
        copy_of: None,
        origins: BTreeMap::new(),
    };
    let number = store.put(&built, &provenance).unwrap().number;
    let none = OpenedSecrets::default();
    let no_secrets = |_: &Manifest| Ok(OpenedSecrets::default());
    let activation = Activation {
        host: &host,
        store: &store,
        secrets: &no_secrets,
        progress: &Unwatched,
        settle: std::time::Duration::ZERO,
        windows: crate::health::Windows::default(),
    };
    block_on(async {
        let prepared = activation
            .prepare(&manifest, Some(&none), Held::Nothing)
            .await
            .unwrap();
        activation
            .carry_out(prepared, number, &none, &NoProbes)
            .await
            .unwrap()
    });
    let current = store.current().unwrap().unwrap();
    Bed {
        directory,
        host,
        store,
        current,
    }
}

impl Bed {
    fn write(&self, at: &str, content: &str, mode: u32) {
        let owner = match self.host.ownership() {
            Ownership::Kept => crate::host::Owner::Ids { uid: 0, gid: 0 },
            Ownership::Ignored => crate::host::Owner::Unknown,
        };
        let mode = FileMode::from_bits(mode);
        self.host
            .write_file(&path(at), content.as_bytes(), owner, mode)
            .unwrap();
    }

    fn scan(&self) -> DriftReport {
        block_on(scan(
            &self.host,
            &self.store,
            &self.current,
            Some(&OpenedSecrets::default()),
        ))
        .unwrap()
    }
}

fn drifted() -> Bed {
    let bed = bed();
    bed.write("/etc/text", "one\n2\nthree\n", 0o644);
    bed.write("/etc/binary", "a\0c", 0o644);
    bed.write("/etc/enforced", "other\n", 0o600);
    bed.write("/etc/mode", CONTENTS[2], 0o4755);
    bed.host.remove(&path("/etc/gone")).unwrap();
    bed.host
        .make_symlink(&path("/etc/link"), "elsewhere")
        .unwrap();
    bed.host
        .make_symlink(&path("/etc/swapped"), "/etc/shadow")
        .unwrap();
    bed.host.remove(&path("/etc/turned")).unwrap();
    std::fs::create_dir(bed.directory.path().join("host/etc/turned")).unwrap();
    bed
}

#[test]
fn a_host_that_was_just_activated_has_no_drift() {
    assert_eq!(bed().scan().items, []);
}

#[test]
fn every_kind_of_path_drift_has_its_class_and_texts_their_diff() {
    let bed = drifted();
    let report = bed.scan();
    let traced = |item: &&DriftItem| item.trace.is_some();
    assert_eq!(
        report.items.iter().filter(traced).count(),
        7,
        "all but the one that is gone"
    );
    insta::assert_json_snapshot!(report, { ".items[].trace" => "(when and whose)" });
    // Looking again finds the same: nothing was touched.
    assert_eq!(bed.scan(), report);
}

#[test]
fn a_file_too_large_to_show_says_so() {
    let bed = bed();
    let large = "x".repeat(usize::try_from(LARGEST_SHOWN_BYTES).unwrap() + 1);
    bed.write("/etc/text", &large, 0o644);
    let report = bed.scan();
    assert_eq!(report.items.len(), 1);
    assert_eq!(
        report.items[0].detail,
        "has other content (too large to show)"
    );
    assert_eq!(report.items[0].diff, None);
}

#[test]
fn secrets_drift_by_name_only() {
    let bed = bed();
    let mut current = bed.current.clone();
    let spec = crate::secrets::SecretSpec {
        file: crate::source::RepoPath::new("secrets/default.yml").unwrap(),
        key: vec!["db".to_owned()],
        ciphertext: "00".to_owned(),
        owner: crate::host::UserName::new("root").unwrap(),
        group: crate::host::GroupName::new("root").unwrap(),
        mode: FileMode::from_bits(0o400),
        optional: false,
        units: crate::secrets::UnitTriggers::default(),
    };
    current.manifest.secrets.insert(secret_name("db"), spec);
    let opened = OpenedSecrets::of([("db", "CANARY")]);
    let found = block_on(scan(&bed.host, &bed.store, &current, Some(&opened))).unwrap();
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(found.items.len(), 1, "{text}");
    assert_eq!(found.items[0].class, DriftClass::Secret);
    assert_eq!(found.items[0].detail, "is not installed");
    assert!(!text.contains("CANARY"));
}
