//! Whole transactions below a root: forward, back, and killed at every moment.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::*;
use crate::activation::plan::tests::world::{
    directory_kind, entry, file, link_kind, manifest, path,
};
use crate::activation::{Recovered, Recovery, Unwatched};
use crate::config::OnConflict;
use crate::generation::{Built, PathEntry, Provenance};
use crate::health::Answer;
use crate::host::{Digest, FileMode};
use crate::source::{CommitId, Revision};

mod back;
mod confirm;
mod killed;
mod owned;
mod together;

struct Bed {
    directory: tempfile::TempDir,
    host: Host,
    store: Store,
}

/// A killed process: unwinds without anybody noticing, as nothing here cleans up on the way.
struct Killed;

/// Kills after so many events.
struct Fuse(Cell<usize>);

impl Progress for Fuse {
    fn tell(&self, _event: &ActivationEvent) {
        match self.0.get() {
            0 => std::panic::resume_unwind(Box::new(Killed)),
            left => self.0.set(left - 1),
        }
    }
}

/// Answers as it is told to.
struct Scripted(Answer);

impl Probes for Scripted {
    type Baseline = ();

    async fn baseline(&self) {}

    async fn verdicts(&self, (): &()) -> Vec<Verdict> {
        vec![Verdict {
            check: "scripted".to_owned(),
            required: true,
            answer: self.0.clone(),
        }]
    }
}

fn unhealthy() -> Scripted {
    Scripted(Answer::Failed {
        reason: "says the script".to_owned(),
    })
}

fn healthy() -> Scripted {
    Scripted(Answer::Passed)
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a secret source")]
fn no_secrets(
    _manifest: &Manifest,
) -> Result<OpenedSecrets, Box<dyn std::error::Error + Send + Sync>> {
    Ok(OpenedSecrets::default())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

impl Bed {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::below(&directory.path().join("host")).unwrap();
        let store = Store::open(&directory.path().join("state")).unwrap();
        Self {
            directory,
            host,
            store,
        }
    }

    fn activation<'a>(&'a self, progress: &'a dyn Progress) -> Activation<'a> {
        Activation {
            host: &self.host,
            store: &self.store,
            secrets: &no_secrets,
            progress,
            settle: Duration::ZERO,
            windows: Windows::default(),
        }
    }

    fn put(&self, manifest: &Manifest) -> GenerationNumber {
        let contents = ["1", "2", "3", "app 1", "app 2", "motd"];
        let objects = contents.map(|text| (Digest::of(text.as_bytes()), text.as_bytes().to_vec()));
        let built = Built {
            manifest: manifest.clone(),
            digest: Digest::of(&serde_json::to_vec(manifest).unwrap()),
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
        self.store.put(&built, &provenance).unwrap().number
    }

    fn go(&self, manifest: &Manifest, progress: &dyn Progress, probes: &Scripted) -> Ending {
        let target = self.put(manifest);
        self.go_to(manifest, target, progress, probes)
    }

    fn go_to(
        &self,
        manifest: &Manifest,
        target: GenerationNumber,
        progress: &dyn Progress,
        probes: &Scripted,
    ) -> Ending {
        let activation = self.activation(progress);
        let none = OpenedSecrets::default();
        block_on(async {
            let prepared = activation
                .prepare(manifest, Some(&none), Held::Nothing)
                .await
                .unwrap();
            activation
                .carry_out(prepared, target, &none, probes)
                .await
                .unwrap()
        })
    }

    fn recover(&self, recovery: Recovery) -> Recovered {
        block_on(self.activation(&Unwatched).recover(recovery)).unwrap()
    }

    fn plan_lines(&self, manifest: &Manifest) -> Vec<String> {
        let activation = self.activation(&Unwatched);
        let none = OpenedSecrets::default();
        let prepared = block_on(activation.prepare(manifest, Some(&none), Held::Nothing));
        prepared.unwrap().plan.lines()
    }

    fn write(&self, at: &str, content: &str) {
        let at = path(at);
        self.host.make_parents(&at).unwrap();
        let owner = match self.host.ownership() {
            crate::host::Ownership::Kept => crate::host::Owner::Ids { uid: 0, gid: 0 },
            crate::host::Ownership::Ignored => crate::host::Owner::Unknown,
        };
        let mode = FileMode::from_bits(0o640);
        self.host
            .write_file(&at, content.as_bytes(), owner, mode)
            .unwrap();
    }

    fn read(&self, at: &str) -> Option<String> {
        let content = self.host.read_file(&path(at), 1 << 20).unwrap();
        content.map(|content| String::from_utf8(content).unwrap())
    }

    /// Everything on the host, as text.
    fn tree(&self) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        walk(&self.directory.path().join("host"), "", &mut tree);
        tree
    }

    fn is_open(&self) -> bool {
        open_phase(&self.store).unwrap().is_some()
    }
}

fn walk(directory: &Path, prefix: &str, tree: &mut BTreeMap<String, String>) {
    use std::os::unix::fs::PermissionsExt as _;
    for found in std::fs::read_dir(directory).unwrap() {
        let found = found.unwrap();
        let name = format!("{prefix}/{}", found.file_name().to_str().unwrap());
        let metadata = found.path().symlink_metadata().unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        let what = if metadata.is_symlink() {
            format!("-> {}", found.path().read_link().unwrap().display())
        } else if metadata.is_dir() {
            walk(&found.path(), &name, tree);
            format!("{mode:o} directory")
        } else {
            let content = std::fs::read_to_string(found.path()).unwrap();
            format!("{mode:o} {content:?}")
        };
        tree.insert(name, what);
    }
}

fn backup(content: &str) -> PathEntry {
    PathEntry {
        on_conflict: OnConflict::Backup,
        ..file(content)
    }
}

fn first() -> Manifest {
    let mut manifest = manifest();
    let paths = &mut manifest.paths;
    paths.insert(path("/etc/motd"), backup("motd"));
    paths.insert(path("/etc/app/conf"), file("1"));
    paths.insert(path("/etc/app/old"), file("1"));
    paths.insert(path("/etc/link"), entry(link_kind("app/conf")));
    paths.insert(path("/etc/turns"), file("1"));
    manifest
}

fn second() -> Manifest {
    let mut manifest = manifest();
    let paths = &mut manifest.paths;
    paths.insert(path("/etc/issue"), backup("3"));
    paths.insert(path("/etc/app/conf"), file("2"));
    paths.insert(path("/etc/new/deep/file"), file("3"));
    paths.insert(path("/etc/link"), file("2"));
    paths.insert(path("/etc/turns"), entry(directory_kind()));
    paths.insert(path("/etc/turns/in"), file("2"));
    manifest
}

/// A host on which strangers left files and the first generation is in force.
fn settled() -> Bed {
    let bed = Bed::new();
    bed.write("/etc/motd", "Debian");
    bed.write("/etc/issue", "Debian 13");
    bed.write("/etc/turns-not", "mine");
    let ending = bed.go(&first(), &Unwatched, &healthy());
    assert_eq!(ending.outcome, Outcome::Committed, "{ending:?}");
    bed
}

/// Whether the activation was killed before it ended.
fn kill_at(bed: &Bed, desired: &Manifest, events: usize, probes: &Scripted) -> bool {
    let fuse = Fuse(Cell::new(events));
    let run = || bed.go(desired, &fuse, probes);
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

fn kill_recovery_at(bed: &Bed, events: usize) -> bool {
    let fuse = Fuse(Cell::new(events));
    let run = || block_on(bed.activation(&fuse).recover(Recovery::Automatic)).unwrap();
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

/// After recovery the host is the old generation or the new one, whole, and a second recovery finds nothing.
fn assert_whole(
    bed: &Bed,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    at: &str,
) {
    let tree = bed.tree();
    let current = bed.store.current().unwrap().unwrap().number;
    let is_new = current.0 > 1;
    let expected = if is_new { new } else { old };
    assert_eq!(&tree, expected, "{at}, generation {current}");
    let manifest = if is_new { second() } else { first() };
    assert_eq!(bed.plan_lines(&manifest), [""; 0], "{at}");
    assert_eq!(bed.recover(Recovery::Automatic), Recovered::Nothing, "{at}");
    assert_eq!(&bed.tree(), expected, "{at}");
}

/// How a host looks under the second generation.
fn tree_of_second() -> BTreeMap<String, String> {
    let bed = settled();
    bed.go(&second(), &Unwatched, &healthy());
    bed.tree()
}

#[test]
fn a_generation_goes_on_and_the_next_and_in_the_end_all_is_as_it_was() {
    let bed = Bed::new();
    bed.write("/etc/motd", "Debian");
    bed.write("/etc/issue", "Debian 13");
    let before = bed.tree();
    for generation in [first(), second(), first(), manifest()] {
        let ending = bed.go(&generation, &Unwatched, &healthy());
        assert_eq!(ending.outcome, Outcome::Committed);
        assert_eq!(bed.plan_lines(&generation), [""; 0]);
        assert!(!bed.is_open());
    }
    assert_eq!(bed.tree(), before);
    assert!(bed.store.originals().unwrap().is_empty());
}

#[test]
fn an_unchanged_generation_writes_nothing() {
    let bed = settled();
    let current = bed.store.current().unwrap().unwrap().number;
    let ending = bed.go_to(&first(), current, &Unwatched, &unhealthy());
    assert_eq!(ending.outcome, Outcome::Unchanged);
    assert!(ending.done.is_empty());
}

#[test]
fn failed_checks_roll_back() {
    let bed = settled();
    let before = bed.tree();
    let current = bed.store.current().unwrap().unwrap().number;
    let ending = bed.go(&second(), &Unwatched, &unhealthy());
    assert_eq!(
        ending.outcome,
        Outcome::RolledBack {
            reason: "unhealthy: scripted: says the script".to_owned()
        }
    );
    assert_eq!(bed.tree(), before);
    assert_eq!(bed.store.current().unwrap().unwrap().number, current);
    assert_eq!(bed.plan_lines(&first()), [""; 0]);
    assert_eq!(bed.recover(Recovery::Automatic), Recovered::Nothing);
}

#[test]
fn a_first_generation_that_fails_leaves_the_host_as_it_was() {
    let bed = Bed::new();
    bed.write("/etc/motd", "Debian");
    let before = bed.tree();
    let ending = bed.go(&first(), &Unwatched, &unhealthy());
    assert!(
        matches!(ending.outcome, Outcome::RolledBack { .. }),
        "{ending:?}"
    );
    assert_eq!(bed.tree(), before);
    assert_eq!(bed.store.current().unwrap(), None);
}

#[test]
fn a_step_that_fails_rolls_back_what_was_done_before_it() {
    let bed = settled();
    let before = bed.tree();
    // The directory is not empty of strangers, so it cannot become a file.
    let mut desired = second();
    desired.paths.insert(path("/etc/app"), file("1"));
    desired.paths.remove(&path("/etc/app/conf"));
    bed.write("/etc/app/strange", "not ours");
    let ending = bed.go(&desired, &Unwatched, &healthy());
    assert!(
        matches!(ending.outcome, Outcome::RolledBack { .. }),
        "{ending:?}"
    );
    std::fs::remove_file(bed.directory.path().join("host/etc/app/strange")).unwrap();
    assert_eq!(bed.tree(), before);
}

#[test]
fn drift_is_kept_as_an_object_before_it_is_put_right() {
    let bed = settled();
    bed.write("/etc/app/conf", "edited by hand");
    let current = bed.store.current().unwrap().unwrap().number;
    let kept = std::cell::RefCell::new(Vec::new());
    let watch = |event: &ActivationEvent| {
        if let ActivationEvent::Kept { object, .. } = event {
            kept.borrow_mut().push(object.clone());
        }
    };
    let ending = bed.go_to(&first(), current, &watch, &healthy());
    assert_eq!(ending.outcome, Outcome::Committed);
    assert_eq!(bed.read("/etc/app/conf").as_deref(), Some("1"));
    let kept = kept.into_inner();
    assert_eq!(kept, [Digest::of(b"edited by hand")]);
    assert_eq!(bed.store.object(&kept[0]).unwrap(), b"edited by hand");
}

#[test]
fn an_open_transaction_is_not_stacked_upon() {
    let bed = settled();
    kill_at(&bed, &second(), 3, &healthy());
    assert!(bed.is_open());
    let target = bed.put(&first());
    let activation = bed.activation(&Unwatched);
    let none = OpenedSecrets::default();
    let error = block_on(async {
        let prepared = activation
            .prepare(&first(), Some(&none), Held::Nothing)
            .await
            .unwrap();
        activation
            .carry_out(prepared, target, &none, &healthy())
            .await
            .unwrap_err()
    });
    assert!(matches!(error, ActivateError::Open { .. }), "{error}");
}

#[test]
fn preparing_changes_nothing() {
    let bed = Bed::new();
    bed.write("/etc/issue", "Debian 13");
    let before = bed.tree();
    assert!(!bed.plan_lines(&second()).is_empty());
    assert_eq!(bed.tree(), before);
    assert!(!bed.directory.path().join("state").exists());
}

#[test]
fn a_conflict_is_found_before_anything_changes() {
    let bed = Bed::new();
    bed.write("/etc/app/conf", "foreign");
    let activation = bed.activation(&Unwatched);
    let error = block_on(activation.prepare(&first(), None, Held::Nothing)).unwrap_err();
    let PrepareError::Conflicts(conflicts) = &error else {
        panic!("{error}");
    };
    assert_eq!(conflicts.0[0].subject, "/etc/app/conf");
    assert!(error.hint().unwrap().contains("on_conflict: backup"));
}
