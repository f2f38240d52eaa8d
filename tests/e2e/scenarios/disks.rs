//! Disks that are full or read-only, and a person who goes back.

use super::fixture::{EVENTUALLY, running_fleet};
use crate::harness::{Fleet, World};

pub fn full_and_read_only_disks_leave_the_host_whole(world: &World, name: &str) {
    let (fleet, _) = running_fleet(world, name, &["yard"], "");
    a_disk_that_becomes_full_rolls_back(&fleet);
    a_full_disk_is_seen_before_anything_changes(&fleet);
    read_only_state_stops_everything(&fleet);
}

/// A service that fills the disk when it stops, which is before files are written: nobody can see that coming.
const FILLER: &str = "[Service]\nExecStart=/bin/sleep infinity\n\
    ExecStop=/bin/sh -c 'head -c 60000 /dev/zero >/etc/small/filler'\n";

fn a_disk_that_becomes_full_rolls_back(fleet: &Fleet) {
    let yard = fleet.host("yard");
    yard.must("mkdir -p /etc/small && mount -t tmpfs -o size=64k,mode=0755 small /etc/small");
    fleet.clone.write("hosts/yard/filler.service", FILLER);
    let unit = "units:\n  filler.service: { file: filler.service, start: true }\n";
    fleet.clone.edit("hosts/yard/host.yml", "units:\n", unit);
    let good = fleet
        .clone
        .commit("a service that fills the disk when it stops");
    fleet.clone.push();
    yard.wait_converged(&good, EVENTUALLY);

    fleet.clone.write("hosts/yard/large", &"x".repeat(30_000));
    fleet.clone.edit("hosts/yard/host.yml", unit, "units:\n");
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "files:\n",
        "files:\n  /etc/a-first.conf: { text: \"a\\n\" }\n  /etc/small/large: { file: large }\n",
    );
    fleet
        .clone
        .edit("hosts/yard/host.yml", "greeting = hello", "greeting = full");
    let bad = fleet
        .clone
        .commit("a file that fits until the service stops");
    fleet.clone.push();
    let why = yard.wait_rolled_back(&bad, EVENTUALLY);
    assert!(
        why.contains("/etc/small/large") && why.contains("space"),
        "{why}"
    );
    assert_eq!(yard.status().unwrap().generation_commit(), good);
    assert_eq!(
        yard.run("test -e /etc/a-first.conf").code,
        1,
        "what came before it is taken back"
    );
    assert_eq!(
        yard.must("ls -A /etc/small"),
        "filler\n",
        "no half-written file stays"
    );
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = hello\n");
    assert_eq!(yard.must("systemctl is-active filler.service"), "active\n");
    assert_eq!(yard.drift().0, 0);
}

/// The disk is full now, and the way back needed no room on it.
fn a_full_disk_is_seen_before_anything_changes(fleet: &Fleet) {
    let yard = fleet.host("yard");
    let refused = yard.run("reconcile retry");
    assert_eq!(refused.code, 1, "{}", refused.all());
    assert!(
        refused
            .all()
            .contains("the file system of /etc/small has room for")
            && refused.all().contains("nothing was changed"),
        "{}",
        refused.all()
    );
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = hello\n");
    assert_eq!(yard.run("test -e /etc/a-first.conf").code, 1);

    yard.must("umount /etc/small");
    let retried = yard.run("reconcile retry --json");
    assert_eq!(retried.code, 0, "with room it fits: {}", retried.all());
    assert_eq!(yard.must("stat -c %s /etc/small/large"), "30000\n");
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = full\n");
}

fn read_only_state_stops_everything(fleet: &Fleet) {
    let yard = fleet.host("yard");
    yard.must("mount --bind /var/lib/steadfast /var/lib/steadfast && mount -o remount,bind,ro /var/lib/steadfast");
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "greeting = full",
        "greeting = written",
    );
    let next = fleet.clone.commit("while the state is read-only");
    fleet.clone.push();
    let said = yard.run("reconcile now");
    assert_eq!(said.code, 1, "{}", said.all());
    assert!(said.all().contains("/var/lib/steadfast"), "{}", said.all());
    assert!(
        said.all().to_lowercase().contains("read-only"),
        "{}",
        said.all()
    );
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = full\n");
    assert_eq!(
        yard.must("systemctl is-active steadfast.service app.service"),
        "active\nactive\n"
    );

    yard.must("umount /var/lib/steadfast");
    yard.wait_converged(&next, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = written\n");
}

pub fn a_person_goes_back_and_the_agent_leaves_it_so(world: &World, name: &str) {
    let (fleet, first) = running_fleet(world, name, &["yard"], "");
    let yard = fleet.host("yard");
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "greeting = hello",
        "greeting = second",
    );
    let second = fleet.clone.commit("second");
    fleet.clone.push();
    yard.wait_converged(&second, EVENTUALLY);

    let said = yard.run("steadfast generations rollback --json");
    assert_eq!(said.code, 0, "{}", said.all());
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = hello\n");
    std::thread::sleep(std::time::Duration::from_secs(7));
    assert_eq!(
        yard.must("cat /etc/app/app.conf"),
        "greeting = hello\n",
        "three polls later"
    );
    let status = yard.status().unwrap();
    assert_eq!(status.generation(), 3, "numbers only grow");
    assert_eq!(status.generation_commit(), first);
    assert_eq!(yard.drift().0, 0);
    assert_eq!(
        yard.run("reconcile now").code,
        4,
        "the newest revision is held back"
    );

    fleet.clone.edit(
        "hosts/yard/host.yml",
        "greeting = second",
        "greeting = third",
    );
    let third = fleet.clone.commit("third");
    fleet.clone.push();
    yard.wait_converged(&third, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = third\n");
}
