//! The power is back, the network is not.

use super::fixture::{EVENTUALLY, running_fleet};
use crate::harness::World;

pub fn secrets_and_generation_are_back_after_a_reboot_without_network(world: &World, name: &str) {
    let (mut fleet, commit) = running_fleet(world, name, &["yard"], "");
    let generation = fleet.host("yard").status().unwrap().generation();
    fleet.host("yard").cut_network();
    fleet.host_mut("yard").reboot();
    check(&fleet, generation, &commit);
    fleet.host_mut("yard").kill();
    fleet.host_mut("yard").power_on();
    fleet.host("yard").wait_booted();
    check(&fleet, generation, &commit);

    let yard = fleet.host("yard");
    yard.mend_network();
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "greeting = hello",
        "greeting = after",
    );
    let after = fleet.clone.commit("after the reboot");
    fleet.clone.push();
    yard.wait_converged(&after, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = after\n");
}

fn check(fleet: &crate::harness::Fleet, generation: u64, commit: &str) {
    let yard = fleet.host("yard");
    assert_eq!(
        yard.must("systemctl is-active steadfast-boot.service app.service"),
        "active\nactive\n"
    );
    assert_eq!(
        yard.must("cat /run/app/seen"),
        "first",
        "the service read its secret when it started"
    );
    assert_eq!(
        yard.must("stat -L -c '%a %U' /run/secrets/app/token"),
        "400 ketan\n"
    );
    assert_eq!(
        yard.must("cat /run/secrets/rendered/app.env"),
        "TOKEN=first\n"
    );
    let times = yard.must(
        "systemctl show -P ActiveEnterTimestampMonotonic steadfast-boot.service
         systemctl show -P ExecMainStartTimestampMonotonic app.service
         systemctl show -P ActiveEnterTimestampMonotonic sysinit.target",
    );
    let times: Vec<u64> = times.lines().map(|line| line.parse().unwrap()).collect();
    assert!(
        times[0] < times[1] && times[0] <= times[2],
        "boot, app, sysinit: {times:?}"
    );
    let status = yard.status().unwrap();
    assert_eq!(status.generation(), generation);
    assert_eq!(status.generation_commit(), commit);
    assert_eq!(yard.drift().0, 0);
}
