//! Files that are made together and put in place one by one.

use super::*;
use crate::activation::progress::Way;

/// Files enough that they are put on disk at once.
const MANY: usize = 20;

fn many(content: &str) -> Manifest {
    let mut manifest = manifest();
    for number in 0..MANY {
        let at = path(&format!("/etc/many/{number:02}"));
        manifest.paths.insert(at, file(content));
    }
    manifest
}

/// Does something when the step at a place begins on the way forward.
struct When<F: Fn()>(usize, F);

impl<F: Fn()> Progress for When<F> {
    fn tell(&self, event: &ActivationEvent) {
        if let ActivationEvent::StepBegun {
            way: Way::Forward,
            index,
            ..
        } = event
            && *index == self.0
        {
            (self.1)();
        }
    }
}

/// A host with the files.
fn settled_with_many() -> Bed {
    let bed = Bed::new();
    let ending = bed.go(&many("1"), &Unwatched, &healthy());
    assert_eq!(ending.outcome, Outcome::Committed, "{ending:?}");
    bed
}

/// What is in the directory of the files, by name.
fn contents(bed: &Bed) -> BTreeMap<String, String> {
    let names = bed.host.list(&path("/etc/many")).unwrap().unwrap();
    let content = |name: &String| bed.read(&format!("/etc/many/{name}")).unwrap();
    names
        .into_iter()
        .map(|name| (name.clone(), content(&name)))
        .collect()
}

/// All files with this content, and nothing besides.
fn all(content: &str) -> BTreeMap<String, String> {
    let named = (0..MANY).map(|number| (format!("{number:02}"), content.to_owned()));
    named.collect()
}

/// Makes sure that the host is back, and that what somebody wrote meanwhile can be had.
fn assert_back(bed: &Bed) {
    assert_eq!(contents(bed), all("1"));
    let theirs = Digest::of(b"theirs");
    assert_eq!(bed.store.object(&theirs).unwrap(), b"theirs");
}

#[test]
fn no_file_is_in_its_place_before_all_are_made_and_then_all_are() {
    let bed = settled_with_many();
    let seen = Cell::new(None);
    let last = When(MANY - 1, || seen.set(bed.read("/etc/many/00")));
    let ending = bed.go(&many("2"), &last, &healthy());
    assert_eq!(ending.outcome, Outcome::Committed, "{ending:?}");
    assert_eq!(ending.done.len(), MANY);
    assert_eq!(seen.take().as_deref(), Some("1"));
    assert_eq!(contents(&bed), all("2"));
}

#[test]
fn a_file_that_somebody_changes_while_others_are_made_ends_it_and_their_version_is_kept() {
    let bed = settled_with_many();
    let edit = When(MANY - 1, || bed.write("/etc/many/03", "theirs"));
    let ending = bed.go(&many("2"), &edit, &healthy());
    let Outcome::RolledBack { reason } = &ending.outcome else {
        panic!("{ending:?}")
    };
    let said = "/etc/many/03 was changed by somebody";
    assert!(reason.contains(said), "{reason}");
    assert_back(&bed);
}

#[test]
fn one_that_cannot_be_made_leaves_nothing_of_those_made_before_it() {
    let bed = settled_with_many();
    let edit = When(MANY - 1, || bed.write("/etc/many/11", "theirs"));
    let ending = bed.go(&many("2"), &edit, &healthy());
    let Outcome::RolledBack { reason } = &ending.outcome else {
        panic!("{ending:?}")
    };
    let said = "/etc/many/11 was changed by somebody";
    assert!(reason.contains(said), "{reason}");
    assert_back(&bed);
}
