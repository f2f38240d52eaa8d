//! Ways back that are further than they look.

use super::*;
use crate::activation::plan::tests::world::user;
use crate::generation::GroupEntry;
use crate::host::{GroupName, UserName};

fn with_mary(shell: Option<&str>) -> Manifest {
    let mut manifest = first();
    let users = GroupName::new("users").unwrap();
    let group = GroupEntry {
        gid: None,
        system: false,
    };
    manifest.groups.insert(users, group);
    let mut mary = user("/home/mary");
    mary.shell = shell.map(path);
    manifest.users.insert(UserName::new("mary").unwrap(), mary);
    manifest
}

fn mary(bed: &Bed) -> (String, Option<bool>) {
    let accounts = bed.host.accounts().unwrap();
    let mary = &accounts.users[&UserName::new("mary").unwrap()];
    (mary.shell.clone(), mary.locked)
}

#[test]
fn what_only_the_failed_generation_said_of_an_account_is_taken_back() {
    let bed = Bed::new();
    bed.go(&with_mary(None), &Unwatched, &healthy());
    let before = mary(&bed);
    let failed = bed.go(&with_mary(Some("/bin/zsh")), &Unwatched, &unhealthy());
    assert!(matches!(failed.outcome, Outcome::RolledBack { .. }));
    assert_eq!(mary(&bed), before);
}

#[test]
fn an_account_that_was_locked_before_is_locked_again() {
    let bed = Bed::new();
    bed.go(&with_mary(None), &Unwatched, &healthy());
    bed.go(&first(), &Unwatched, &healthy());
    assert_eq!(mary(&bed).1, Some(true));
    let failed = bed.go(&with_mary(None), &Unwatched, &unhealthy());
    assert!(matches!(failed.outcome, Outcome::RolledBack { .. }));
    assert_eq!(mary(&bed).1, Some(true));
}

#[test]
fn a_directory_comes_back_below_one_that_had_become_a_file() {
    let bed = Bed::new();
    let mut nested = manifest();
    nested
        .paths
        .insert(path("/etc/app/d"), entry(directory_kind()));
    bed.go(&nested, &Unwatched, &healthy());
    let before = bed.tree();
    let mut flat = manifest();
    flat.paths.insert(path("/etc/app"), file("1"));
    let failed = bed.go(&flat, &Unwatched, &unhealthy());
    assert!(
        matches!(failed.outcome, Outcome::RolledBack { .. }),
        "{failed:?}"
    );
    assert_eq!(bed.tree(), before);
}

#[test]
fn originals_that_had_to_make_way_for_a_directory_or_a_file_come_back_when_their_place_is_free() {
    let taken = |text: &str| PathEntry {
        on_conflict: OnConflict::Backup,
        ..file(text)
    };
    let one = |at: &str, entry: PathEntry| {
        let mut manifest = manifest();
        manifest.paths.insert(path(at), entry);
        manifest
    };
    // A file that a directory takes the place of.
    let bed = Bed::new();
    bed.write("/etc/app", "theirs");
    let before = bed.tree();
    bed.go(&one("/etc/app", taken("1")), &Unwatched, &healthy());
    let nested = one("/etc/app/conf", file("1"));
    bed.go(&nested, &Unwatched, &healthy());
    assert_eq!(bed.plan_lines(&nested), [""; 0]);
    let failed = bed.go(&manifest(), &Unwatched, &unhealthy());
    assert!(matches!(failed.outcome, Outcome::RolledBack { .. }));
    assert_eq!(bed.read("/etc/app/conf").as_deref(), Some("1"));
    bed.go(&manifest(), &Unwatched, &healthy());
    assert_eq!(bed.tree(), before);

    // A file in a directory that a file takes the place of.
    let bed = Bed::new();
    bed.write("/etc/app/conf", "theirs");
    let before = bed.tree();
    let mut nested = one("/etc/app/conf", taken("1"));
    nested
        .paths
        .insert(path("/etc/app"), entry(directory_kind()));
    bed.go(&nested, &Unwatched, &healthy());
    let flat = one("/etc/app", file("2"));
    bed.go(&flat, &Unwatched, &healthy());
    assert_eq!(bed.read("/etc/app").as_deref(), Some("2"));
    assert_eq!(bed.plan_lines(&flat), [""; 0]);
    bed.go(&manifest(), &Unwatched, &healthy());
    assert_eq!(bed.tree(), before);
}
