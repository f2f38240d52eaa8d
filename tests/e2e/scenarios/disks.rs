//! Disks that are full or read-only, and a person who goes back.

use super::fixture::{EVENTUALLY, running_fleet};
use crate::harness::{Fleet, World};

pub fn full_and_read_only_disks_leave_the_host_whole(world: &World, name: &str) {
    let (fleet, good) = running_fleet(world, name, &["yard"], "");
    a_full_disk_rolls_back(&fleet, &good);
    read_only_state_stops_everything(&fleet);
}

fn a_full_disk_rolls_back(fleet: &Fleet, good: &str) {
    let yard = fleet.host("yard");
    yard.must("mkdir -p /etc/small && mount -t tmpfs -o size=64k,mode=0755 small /etc/small");
    let large = "x".repeat(200_000);
    fleet.clone.write("hosts/yard/large", &large);
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "files:\n",
        "files:\n  /etc/a-first.conf: { text: \"a\\n\" }\n  /etc/small/large: { file: large }\n",
    );
    fleet
        .clone
        .edit("hosts/yard/host.yml", "greeting = hello", "greeting = full");
    let bad = fleet.clone.commit("a file that does not fit");
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
        "",
        "no half-written file stays"
    );
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = hello\n");
    assert_eq!(yard.drift().0, 0);

    yard.must("umount /etc/small");
    let retried = yard.run("reconcile retry --json");
    assert_eq!(retried.code, 0, "with room it fits: {}", retried.all());
    assert_eq!(yard.must("stat -c %s /etc/small/large"), "200000\n");
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
