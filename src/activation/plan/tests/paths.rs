use super::world::*;
use crate::activation::{Held, Hold, PathChange, Step};
use crate::config::{Enforcement, OnConflict};
use crate::generation::{Manifest, PathEntry};
use crate::host::{Attributes, FileMode, HostPath, PackagedFile, PathState, Upkeep};
use crate::secrets::UnitTriggers;

pub(super) fn with(at: &str, entry: PathEntry) -> Manifest {
    let mut manifest = manifest();
    manifest.paths.insert(path(at), entry);
    manifest
}

fn backup(content: &str) -> PathEntry {
    PathEntry {
        on_conflict: OnConflict::Backup,
        ..file(content)
    }
}

fn enforced(content: &str) -> PathEntry {
    PathEntry {
        drift: Enforcement::Enforce,
        ..file(content)
    }
}

/// What one row of the three-way table ends in.
fn verdict(world: &World, desired: &Manifest, held: Held) -> String {
    match world.plan(desired, held) {
        Err(conflicts) => format!("conflict: {}", conflicts.0[0]),
        Ok(plan) => text(&plan),
    }
}

#[test]
fn every_row_of_the_three_way_table_is_decided() {
    let other = |content| file_state(content);
    let link = PathState::Symlink {
        target: "/tmp".to_owned(),
    };
    // (last applied, actual, desired, decision)
    let table: [(Option<&str>, PathState, Option<&str>, &str); 15] = [
        (
            None,
            PathState::Absent,
            Some("new"),
            "create file /etc/motd",
        ),
        (None, other("new"), Some("new"), ""),
        (
            None,
            other("foreign"),
            Some("new"),
            "conflict: /etc/motd: a file that is not ours (mode 0644) is in its place",
        ),
        (Some("old"), other("old"), Some("old"), ""),
        (
            Some("old"),
            other("old"),
            Some("new"),
            "update file /etc/motd",
        ),
        (
            Some("old"),
            other("drifted"),
            Some("old"),
            "note: /etc/motd: was changed by somebody; it is left so, because drift is only reported",
        ),
        (
            Some("old"),
            other("drifted"),
            Some("new"),
            "put file /etc/motd right",
        ),
        (Some("old"), other("new"), Some("new"), ""),
        (
            Some("old"),
            PathState::Absent,
            Some("old"),
            "note: /etc/motd: is gone; it is left so, because drift is only reported",
        ),
        (
            Some("old"),
            PathState::Absent,
            Some("new"),
            "create file /etc/motd",
        ),
        (Some("old"), other("old"), None, "remove file /etc/motd"),
        (Some("old"), PathState::Absent, None, ""),
        (
            Some("old"),
            other("drifted"),
            None,
            "note: /etc/motd: is no longer asked for, but was changed by somebody: it stays, and is no longer ours",
        ),
        (
            Some("old"),
            directory_state(),
            Some("new"),
            "conflict: /etc/motd: a directory is where our file was",
        ),
        (Some("old"), link, Some("new"), "put file /etc/motd right"),
    ];
    for (last, actual, desired, decision) in table {
        let mut world = World::fresh();
        world.active = last.map(|content| with("/etc/motd", file(content)));
        world.put("/etc/motd", actual.clone());
        let desired_manifest = match desired {
            Some(content) => with("/etc/motd", file(content)),
            None => manifest(),
        };
        let found = verdict(&world, &desired_manifest, Held::Reported);
        assert_eq!(found, decision, "{last:?} {actual:?} {desired:?}");
    }
}

#[test]
fn drift_is_put_right_when_the_policy_says_so_or_somebody_asks() {
    let mut world = World::fresh();
    world.active = Some(with("/etc/motd", enforced("old")));
    world.put("/etc/motd", file_state("drifted"));
    let desired = with("/etc/motd", enforced("old"));
    assert_eq!(
        verdict(&world, &desired, Held::Reported),
        "put file /etc/motd right"
    );
    let reported = with("/etc/motd", file("old"));
    assert_eq!(
        verdict(&world, &reported, Held::Nothing),
        "put file /etc/motd right"
    );
}

#[test]
fn a_held_path_is_left_as_somebody_made_it_until_a_commit_changes_it() {
    let mut world = World::fresh();
    world.active = Some(with("/etc/motd", enforced("old")));
    world.observed.holds = vec![Hold {
        path: Some(HostPath::new("/etc/motd").unwrap()),
        since_secs: 0,
        until_secs: 1_772_366_400,
        reason: Some("outage".to_owned()),
    }];
    let same = with("/etc/motd", enforced("old"));
    for held in [Held::Nothing, Held::Reported] {
        world.put("/etc/motd", file_state("drifted"));
        assert_eq!(
            verdict(&world, &same, held),
            "note: /etc/motd: was changed by somebody; it is left so, held until 2026-03-01T12:00:00Z: outage"
        );
        world.put("/etc/motd", directory_state());
        let found = verdict(&world, &same, held);
        assert!(found.starts_with("note: /etc/motd: was changed"), "{found}");
    }
    world.put("/etc/motd", file_state("drifted"));
    let newer = with("/etc/motd", enforced("new"));
    assert_eq!(
        verdict(&world, &newer, Held::Reported),
        "put file /etc/motd right"
    );
}

#[test]
fn a_policy_that_changes_alone_does_not_make_drift_a_change() {
    let mut world = World::fresh();
    world.active = Some(with("/etc/motd", enforced("old")));
    world.put("/etc/motd", file_state("drifted"));
    let found = verdict(&world, &with("/etc/motd", file("old")), Held::Reported);
    assert!(found.starts_with("note: /etc/motd"), "{found}");
}

#[test]
fn a_backup_comes_back_byte_for_byte_when_its_entry_goes() {
    let mut world = World::fresh();
    let foreign = PathState::File {
        content: crate::host::Digest::of(b"foreign"),
        mode: FileMode::from_bits(0o4711),
        owner: crate::host::Owner::Ids { uid: 7, gid: 8 },
        attributes: Attributes::default(),
    };
    world.put("/etc/motd", foreign.clone());
    let plan = world.go(&with("/etc/motd", backup("ours")));
    assert_eq!(text(&plan), "take over /etc/motd, keeping the original");
    let plan = world.go(&with("/etc/motd", backup("ours again")));
    assert_eq!(text(&plan), "update file /etc/motd");
    let plan = world.go(&manifest());
    assert_eq!(text(&plan), "restore the original /etc/motd");
    assert_eq!(world.tree()[&path("/etc/motd")], foreign);
    assert!(world.originals.is_empty());
}

#[test]
fn what_others_answer_for_is_refused_by_the_host_too_whatever_the_manifest_says() {
    let world = World::fresh();
    for at in [
        "/etc/shadow",
        "/boot/grub/grub.cfg",
        "/run/app",
        "/var/lib/dpkg/status",
        "/dev/null",
    ] {
        let conflicts = world
            .plan(&with(at, backup("ours")), Held::Nothing)
            .unwrap_err();
        let [conflict] = &conflicts.0[..] else {
            panic!("{conflicts:?}");
        };
        assert!(
            conflict.found.starts_with("cannot be an entry: "),
            "{conflict}"
        );
    }
}

#[test]
fn a_file_of_a_package_is_refused_and_a_configuration_file_is_taken_with_a_word_about_it() {
    let packaged = |upkeep| PackagedFile {
        package: "openssh-server".to_owned(),
        upkeep,
    };
    let mut world = World::fresh();
    world.put("/etc/ssh", directory_state());
    world.put("/etc/ssh/sshd_config", file_state("theirs"));
    let at = path("/etc/ssh/sshd_config");
    let desired = with("/etc/ssh/sshd_config", backup("ours"));
    let known = &mut world.observed.packaged;
    known.insert(at.clone(), packaged(Upkeep::Kept));
    let plan = world.plan(&desired, Held::Nothing).unwrap();
    assert_eq!(
        text(&plan),
        "take over /etc/ssh/sshd_config, keeping the original\n\
         note: /etc/ssh/sshd_config: is a configuration file of the package openssh-server: upgrades keep ours, and \
         leave theirs beside it as sshd_config.dpkg-dist; what is in /etc/ssh/sshd_config.d is read besides it, and \
         would leave it alone"
    );
    let refused = with("/etc/ssh/sshd_config", file("ours"));
    let conflicts = world.plan(&refused, Held::Nothing).unwrap_err();
    let hint = &conflicts.0[0].hint;
    assert!(
        hint.starts_with("put what differs into a file in /etc/ssh/sshd_config.d, which"),
        "{hint}"
    );

    // Whatever the entry says, and also where the file is the same, or was removed.
    let known = &mut world.observed.packaged;
    known.insert(at.clone(), packaged(Upkeep::Replaced));
    for found in [file_state("theirs"), file_state("ours"), PathState::Absent] {
        world.put(at.as_str(), found);
        let conflicts = world.plan(&desired, Held::Nothing).unwrap_err();
        let [conflict] = &conflicts.0[..] else {
            panic!("{conflicts:?}");
        };
        assert!(
            conflict.hint.contains("dpkg-divert --local"),
            "{conflict:?}"
        );
    }
    // What is ours already is not asked about again.
    world.active = Some(desired.clone());
    world.put(at.as_str(), file_state("ours"));
    assert_eq!(text(&world.plan(&desired, Held::Nothing).unwrap()), "");
}

#[test]
fn what_dpkg_left_beside_a_file_of_ours_is_told_until_it_is_gone() {
    let mut world = World::fresh();
    let desired = with("/etc/app.conf", file("ours"));
    world.go(&desired);
    world
        .observed
        .residue
        .insert(path("/etc/app.conf.dpkg-dist"), path("/etc/app.conf"));
    assert_eq!(
        text(&world.plan(&desired, Held::Reported).unwrap()),
        "note: /etc/app.conf: dpkg left /etc/app.conf.dpkg-dist beside it: look what differs, then remove it"
    );
}

/// `state` with one extended attribute.
fn noted(state: PathState, name: &str) -> PathState {
    match state {
        PathState::File {
            content,
            mode,
            owner,
            ..
        } => PathState::File {
            content,
            mode,
            owner,
            attributes: Attributes::default().with(name, b"x"),
        },
        other => other,
    }
}

#[test]
fn a_file_of_ours_has_the_attributes_of_the_file_it_took_the_place_of_and_no_others() {
    const NOTE: &str = "user.note";
    const CAPABILITY: &str = "security.capability";
    let original = |name| noted(file_state("foreign"), name);
    for (original, found, expected) in [
        (None, file_state("ours"), ""),
        (None, noted(file_state("ours"), NOTE), "metadata"),
        (Some(original(NOTE)), noted(file_state("ours"), NOTE), ""),
        (Some(original(NOTE)), file_state("ours"), "metadata"),
        // It was given to other content.
        (Some(original(CAPABILITY)), file_state("ours"), ""),
        (
            Some(original(CAPABILITY)),
            noted(file_state("ours"), CAPABILITY),
            "metadata",
        ),
        // The same content: nothing was ever written.
        (
            Some(noted(file_state("ours"), CAPABILITY)),
            noted(file_state("ours"), CAPABILITY),
            "",
        ),
    ] {
        let mut world = World::fresh();
        let desired = with("/etc/motd", backup("ours"));
        world.active = Some(desired.clone());
        if let Some(original) = original.clone() {
            world.originals.insert(path("/etc/motd"), original);
        }
        world.put("/etc/motd", found.clone());
        let plan = world.plan(&desired, Held::Nothing).unwrap();
        let lines = match expected {
            "" => "",
            _ => "set owner and mode of /etc/motd",
        };
        assert_eq!(text(&plan), lines, "{original:?} {found:?}");
    }
}

#[test]
fn what_is_not_ours_yet_is_taken_as_it_is_whatever_its_attributes() {
    let mut world = World::fresh();
    let found = noted(file_state("ours"), "user.note");
    world.put("/etc/motd", found.clone());
    for entry in [
        file("ours"),
        PathEntry {
            on_conflict: OnConflict::Adopt,
            ..file("ours")
        },
    ] {
        let mut world = world.clone();
        let desired = with("/etc/motd", entry);
        assert_eq!(text(&world.go(&desired)), "");
        assert_eq!(text(&world.go(&desired)), "", "nor is it drift");
        assert_eq!(text(&world.go(&manifest())), "");
        assert_eq!(world.tree()[&path("/etc/motd")], found);
    }
}

#[test]
fn an_adopted_file_is_removed_with_its_entry_but_an_equal_one_stays() {
    let mut world = World::fresh();
    world.put("/etc/adopted", file_state("foreign"));
    world.put("/etc/equal", file_state("ours"));
    let mut desired = with("/etc/equal", file("ours"));
    let adopted = PathEntry {
        on_conflict: OnConflict::Adopt,
        ..file("ours")
    };
    desired.paths.insert(path("/etc/adopted"), adopted);
    assert_eq!(text(&world.go(&desired)), "take over /etc/adopted");
    assert_eq!(text(&world.go(&manifest())), "remove file /etc/adopted");
    assert!(world.tree().contains_key(&path("/etc/equal")));
}

#[test]
fn missing_parents_are_made_from_the_top_and_go_again_from_the_bottom() {
    let mut world = World::fresh();
    let plan = world.go(&with("/etc/a/b/c", file("x")));
    assert_eq!(
        text(&plan),
        "create directory /etc/a\ncreate directory /etc/a/b\ncreate file /etc/a/b/c"
    );
    let plan = world.go(&with("/etc/a/d", file("x")));
    assert_eq!(
        text(&plan),
        "create file /etc/a/d\nremove file /etc/a/b/c\nremove directory /etc/a/b"
    );
    world.go(&manifest());
    assert_eq!(world.tree(), World::fresh().tree());
}

#[test]
fn directories_in_a_home_belong_to_the_account() {
    let mut world = World::fresh();
    world.put("/home", directory_state());
    let mut desired = with("/home/ketan/.ssh/authorized_keys", file("key"));
    let name = crate::host::UserName::new("ketan").unwrap();
    desired.users.insert(name, user("/home/ketan"));
    let plan = world.go(&desired);
    insta::assert_snapshot!(text(&plan), @r"
    create group users
    create user ketan
    create directory /home/ketan
    create directory /home/ketan/.ssh
    create file /home/ketan/.ssh/authorized_keys
    ");
    let Step::WritePath { entry, change, .. } = &plan.steps[3] else {
        panic!("{plan:?}");
    };
    assert_eq!(*change, PathChange::Create);
    let private = FileMode::from_bits(0o700);
    assert!(
        matches!(&entry.kind, crate::generation::PathKind::Directory { owner, mode, .. }
            if owner.as_str() == "ketan" && *mode == private)
    );
    // The account is locked, not deleted, so its home stays.
    let plan = world.go(&manifest());
    insta::assert_snapshot!(text(&plan), @r"
    lock user ketan
    remove file /home/ketan/.ssh/authorized_keys
    remove directory /home/ketan/.ssh
    ");
}

#[test]
fn what_uses_a_file_acts_when_it_changes_and_when_it_goes() {
    let triggers = UnitTriggers {
        restart: [unit_name("app.service")].into(),
        reload: [unit_name("ssh.service")].into(),
    };
    let entry = |content: &str| PathEntry {
        units: triggers.clone(),
        ..file(content)
    };
    let mut world = World::fresh();
    world.run("app.service", crate::host::ActiveState::Active);
    world.run("ssh.service", crate::host::ActiveState::Active);
    let expected =
        "reload ssh.service (/etc/app.conf changes)\nrestart app.service (/etc/app.conf changes)";
    let plan = world.go(&with("/etc/app.conf", entry("a")));
    assert_eq!(
        text(&plan),
        format!("create file /etc/app.conf\n{expected}")
    );
    let plan = world.go(&manifest());
    assert_eq!(
        text(&plan),
        format!("remove file /etc/app.conf\n{expected}")
    );
}

#[test]
fn an_owner_that_nothing_makes_is_refused_before_anything_changes() {
    let mut entry = file("x");
    entry.kind = crate::generation::PathKind::File {
        content: crate::host::Digest::of(b"x"),
        owner: crate::host::UserName::new("ghost").unwrap(),
        group: crate::host::GroupName::new("root").unwrap(),
        mode: FileMode::from_bits(0o644),
    };
    let desired = with("/etc/a", entry);
    let found = verdict(&World::fresh(), &desired, Held::Nothing);
    assert_eq!(
        found,
        "conflict: /etc/a: its owner `ghost` does not exist on this host"
    );
}
