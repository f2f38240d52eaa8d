//! Generations that are tried until the next boot, and those that begin there.

use super::fixture::{EVENTUALLY, running_fleet};
use crate::harness::{Fleet, World, changed};

/// Pushes another greeting, and takes it in `mode` before the agent does it by itself.
fn take(fleet: &Fleet, mode: &str) -> String {
    let yard = fleet.host("yard");
    yard.must("steadfast reconcile pause");
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "greeting = hello",
        "greeting = tried",
    );
    fleet.clone.edit(
        "hosts/yard/app.service",
        "Description=app",
        "Description=app, tried",
    );
    let commit = fleet.clone.commit(mode);
    fleet.clone.push();
    yard.must(&format!(
        "steadfast reconcile now --despite-pause --mode {mode}"
    ));
    yard.must("steadfast reconcile resume");
    commit
}

/// Long enough for three polls.
fn three_polls() {
    std::thread::sleep(std::time::Duration::from_secs(7));
}

pub fn a_generation_that_is_tried_is_gone_before_the_network_comes_up(world: &World, name: &str) {
    let (mut fleet, good) = running_fleet(world, name, &["yard"], "");
    let before = fleet.host("yard").status().unwrap().generation();
    let unit = fleet
        .host("yard")
        .must("cat /etc/systemd/system/app.service");
    let tried = take(&fleet, "test");
    let yard = fleet.host("yard");
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = tried\n");
    assert_eq!(yard.drift().0, 0);
    let text = yard.must("steadfast status");
    assert!(text.contains("which is tried"), "{text}");
    three_polls();
    yard.must("systemctl restart steadfast.service");
    three_polls();
    assert_eq!(
        yard.must("cat /etc/app/app.conf"),
        "greeting = tried\n",
        "neither a poll nor a new agent minds"
    );

    yard.must("sync");
    fleet.host_mut("yard").kill();
    fleet.host_mut("yard").power_on();
    fleet.host("yard").wait_booted();
    let yard = fleet.host("yard");
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = hello\n");
    assert_eq!(yard.must("cat /etc/systemd/system/app.service"), unit);
    let journal = yard.must("journalctl --no-pager -b -o cat -u steadfast-boot.service");
    assert!(journal.contains("files are back"), "{journal}");
    yard.wait_status("is back where it was", EVENTUALLY, |status| {
        status.generation() == before && status.is_quiet()
    });
    three_polls();
    let status = yard.status().unwrap();
    assert_eq!(status.generation_commit(), good);
    assert!(status.failure(&tried).unwrap().contains("tried"));
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = hello\n");
    assert_eq!(yard.must("systemctl is-active app.service"), "active\n");
    assert_eq!(yard.drift().0, 0);

    fleet
        .clone
        .edit("hosts/yard/host.yml", "greeting = tried", "greeting = new");
    let next = fleet.clone.commit("another one");
    fleet.clone.push();
    yard.wait_converged(&next, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = new\n");
}

pub fn a_generation_that_is_put_off_touches_nothing_before_the_next_boot(
    world: &World,
    name: &str,
) {
    let (mut fleet, good) = running_fleet(world, name, &["yard"], "");
    let yard = fleet.host("yard");
    let before = yard.invocations();
    let put_off = take(&fleet, "boot");
    three_polls();
    let yard = fleet.host("yard");
    assert_eq!(changed(&before, &yard.invocations()), Vec::<String>::new());
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = hello\n");
    assert_eq!(yard.status().unwrap().generation_commit(), good);
    let text = yard.must("steadfast status");
    assert!(text.contains("next boot"), "{text}");

    fleet.host_mut("yard").reboot();
    let yard = fleet.host("yard");
    yard.wait_converged(&put_off, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = tried\n");
    assert_eq!(yard.status().unwrap().generation_commit(), put_off);
    assert_eq!(yard.drift().0, 0);
}
