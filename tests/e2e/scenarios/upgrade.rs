//! dpkg at work on what is ours: it upgrades under us, works while we would, breaks in the middle.

use std::fs;
use std::time::Duration;

use super::fixture::EVENTUALLY;
use super::packages::{say, serve, source, traces};
use crate::harness::{Fleet, Host, World};

const CONF: &str = "/etc/yardtool.conf";
/// Everything about a file but its times: `stat` for what it is, and a note that only the kernel keeps.
const LOOK: &str = "stat -c '%a %u:%g %s %F' /etc/yardtool.conf; cat /etc/yardtool.conf";
/// Has dpkg's lock until its input ends.
const HOLD: &str = "perl -MFcntl -e 'my $all = pack(\"s s x4 q q l x4\", F_WRLCK, 0, 0, 0, 0); \
    open(F, \"+<\", \"/var/lib/dpkg/lock-frontend\"); fcntl(F, F_SETLK, $all) or die; \
    open(H, \">\", \"/run/held\"); close H; sleep 1 while -e \"/run/held\"'";

pub fn a_package_is_upgraded_under_a_managed_configuration_file_and_nothing_is_lost(
    world: &World,
    name: &str,
) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    let yard = fleet.host("yard");
    fleet.set_up_agents("");
    serve(yard);
    let key = fs::read_to_string(yard.path("/srv/yard/key.asc")).unwrap();
    fleet.clone.write("hosts/yard/key.asc", &key);
    yard.must("dpkg -i /srv/yard/yardlib_1.0.deb /srv/yard/yardtool_1.0.deb");
    yard.must("chown daemon:adm /etc/yardtool.conf; chmod 640 /etc/yardtool.conf");
    let note = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(yard.path(CONF), "user.note", b"kept", note).unwrap();
    let original = yard.must(LOOK);

    let commit = say(&fleet, &ours("one"), "the configuration file is ours");
    fleet.start_agents();
    let status = yard.wait_converged(&commit, EVENTUALLY);
    let notices = status.0["last"]["notices"].to_string();
    assert!(
        notices.contains("is a configuration file of the package yardtool"),
        "{notices}"
    );

    an_upgrade_keeps_ours_and_what_it_left_is_told(yard);
    whoever_works_with_packages_is_waited_for(&fleet);
    a_file_of_a_package_is_not_taken(&fleet);
    what_cannot_be_set_up_is_taken_away_again(&fleet);
    a_program_that_comes_with_the_plan_judges_before_files_are_written(&fleet);

    let commit = say(&fleet, "description: nothing\n", "nothing is ours");
    yard.wait_converged(&commit, EVENTUALLY);
    assert_eq!(yard.must(LOOK), original);
    let mut value = [0; 16];
    let length = rustix::fs::getxattr(yard.path(CONF), "user.note", &mut value[..]).unwrap();
    assert_eq!(&value[..length], b"kept");
}

fn ours(text: &str) -> String {
    format!("files: {{ {CONF}: {{ text: \"{text}\\n\", on_conflict: backup }} }}\n")
}

fn an_upgrade_keeps_ours_and_what_it_left_is_told(yard: &Host) {
    yard.must(
        "DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold -i /srv/yard/yardtool_2.0.deb",
    );
    assert_eq!(
        yard.must("cat /usr/share/yardtool/version"),
        "yardtool 2.0\n"
    );
    assert_eq!(yard.must("cat /etc/yardtool.conf"), "one\n");
    assert_eq!(
        yard.must("cat /etc/yardtool.conf.dpkg-dist"),
        "of the package 2.0\n"
    );
    let (code, items) = yard.drift();
    assert_eq!(code, 3);
    let [item] = &items[..] else {
        panic!("{items:?}");
    };
    assert_eq!(item["class"], "residue");
    assert_eq!(item["subject"], "/etc/yardtool.conf.dpkg-dist");
    yard.must("rm /etc/yardtool.conf.dpkg-dist");
    assert_eq!(yard.drift().0, 0);
}

fn whoever_works_with_packages_is_waited_for(fleet: &Fleet) {
    let yard = fleet.host("yard");
    let mut holder = yard.start(HOLD);
    yard.must("while ! [ -e /run/held ]; do sleep 0.1; done");
    let commit = say(fleet, &ours("two"), "a change while dpkg is at work");
    yard.must("until journalctl --no-pager | grep -q 'waiting for whoever is working with packages'; do sleep 0.2; done");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(
        yard.must("cat /etc/yardtool.conf"),
        "one\n",
        "it was changed under dpkg's hands"
    );
    yard.must("rm /run/held");
    holder.wait().unwrap();
    yard.wait_converged(&commit, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/yardtool.conf"), "two\n");
}

fn a_file_of_a_package_is_not_taken(fleet: &Fleet) {
    let yard = fleet.host("yard");
    let before = yard.must("cat /usr/share/yardtool/version");
    let theirs =
        "files: { /usr/share/yardtool/version: { text: \"ours\\n\", on_conflict: backup } }\n";
    say(fleet, theirs, "a file of the package");
    yard.wait_problem("failed", "a file of the package yardtool", EVENTUALLY);
    assert_eq!(yard.must("cat /usr/share/yardtool/version"), before);
    assert_eq!(
        yard.must("cat /etc/yardtool.conf"),
        "two\n",
        "something was changed"
    );
}

fn what_cannot_be_set_up_is_taken_away_again(fleet: &Fleet) {
    let yard = fleet.host("yard");
    // Without it, yardlib would have to be taken for somebody else's.
    let before = traces(yard);
    let broken = format!(
        "{}packages: [yardbad]\n{}",
        source("key.asc"),
        ours("three")
    );
    let commit = say(fleet, &broken, "a package whose script fails");
    let why = yard.wait_rolled_back(&commit, EVENTUALLY);
    assert!(why.contains("cannot install `yardbad`"), "{why}");
    assert!(why.contains("yardbad"), "{why}");
    assert_eq!(yard.must("cat /etc/yardtool.conf"), "two\n");
    assert_eq!(traces(yard), before, "what came by halves is still there");
    assert_eq!(yard.must("dpkg --audit"), "");
}

fn a_program_that_comes_with_the_plan_judges_before_files_are_written(fleet: &Fleet) {
    let yard = fleet.host("yard");
    let before = traces(yard);
    let judged = |content: &str| {
        format!(
            "{}packages: [yardcheck]\nfiles:\n  {CONF}: {{ text: \"two\\n\", on_conflict: backup }}\n  \
             /etc/judged.conf: {{ text: \"{content}\\n\", validate: [/usr/bin/yardcheck, \"{{file}}\"] }}\n",
            source("key.asc")
        )
    };
    let commit = say(
        fleet,
        &judged("bad"),
        "a program that comes with the plan says no",
    );
    let why = yard.wait_rolled_back(&commit, EVENTUALLY);
    assert!(
        why.contains("/etc/judged.conf") && why.contains("1:bad"),
        "{why}"
    );
    assert_eq!(traces(yard), before);
    yard.must("! [ -e /etc/judged.conf ]");

    let commit = say(fleet, &judged("good"), "and then yes");
    yard.wait_converged(&commit, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/judged.conf"), "good\n");
}
