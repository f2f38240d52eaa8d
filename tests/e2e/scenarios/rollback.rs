//! Commits that are bad for the host.

use super::fixture::{EVENTUALLY, running_fleet};
use crate::harness::{World, changed};

pub fn a_service_that_crashes_after_its_job_is_done_is_rolled_back_and_not_tried_for_three_polls(
    world: &World,
    name: &str,
) {
    let (fleet, good) = running_fleet(world, name, &["yard"], "");
    let yard = fleet.host("yard");
    let generation = yard.status().unwrap().generation();
    let unit = fleet.clone.read("hosts/yard/app.service");

    fleet.clone.edit(
        "hosts/yard/app.service",
        "exec sleep infinity",
        "sleep 1; exit 3",
    );
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "greeting = hello",
        "greeting = goodbye",
    );
    let bad = fleet.clone.commit("a service that crashes");
    fleet.clone.push();
    let why = yard.wait_rolled_back(&bad, EVENTUALLY);
    assert!(
        why.contains("app.service"),
        "the reason names the unit: {why}"
    );

    let status = yard.status().unwrap();
    assert_eq!(
        status.generation(),
        generation,
        "the generation in force is the old one"
    );
    assert_eq!(status.generation_commit(), good);
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = hello\n");
    assert_eq!(yard.must("systemctl is-active app.service"), "active\n");
    assert_eq!(yard.must("cat /etc/systemd/system/app.service"), unit);
    assert!(
        yard.must("systemctl show -p ExecStart app.service")
            .contains("sleep infinity")
    );
    assert_eq!(yard.must("systemctl is-system-running"), "running\n");
    assert_eq!(yard.drift().0, 0);
    let text = yard.must("steadfast status");
    assert!(
        text.contains("app.service") && text.contains(&bad[..12]),
        "status says why:\n{text}"
    );

    // Known bad: three polls later nothing was tried again, and asking for it says so.
    let before = yard.invocations();
    let now = yard.run("reconcile now --json");
    assert_eq!(now.code, 4, "{}", now.all());
    assert!(now.stdout.contains("known_bad"), "{}", now.stdout);
    let passes = || yard.must("journalctl --no-pager -o cat -u steadfast | wc -l");
    passes();
    std::thread::sleep(std::time::Duration::from_secs(7));
    assert_eq!(changed(&before, &yard.invocations()), Vec::<String>::new());

    fleet.clone.write("hosts/yard/app.service", &unit);
    let next = fleet.clone.commit("the old service, the new greeting");
    fleet.clone.push();
    yard.wait_converged(&next, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = goodbye\n");
    assert_eq!(yard.must("systemctl is-active app.service"), "active\n");
}

pub fn a_commit_that_cuts_the_host_off_its_remote_rolls_back_by_itself(world: &World, name: &str) {
    let (fleet, _) = running_fleet(world, name, &["yard"], "");
    let yard = fleet.host("yard");
    let generation = yard.status().unwrap().generation();
    let forge = &fleet.forge.place.address;
    let wall = format!(
        "[Unit]\nDescription=a firewall\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
         ExecStart=ip route add blackhole {forge}/32\nExecStop=ip route delete blackhole {forge}/32\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    );
    fleet.clone.write("hosts/yard/wall.service", &wall);
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "units:\n  app.service:",
        "units:\n  wall.service: { file: wall.service, enable: true, start: true }\n  app.service:",
    );
    let bad = fleet.clone.commit("a wall");
    fleet.clone.push();
    let why = yard.wait_rolled_back(&bad, EVENTUALLY);
    assert!(
        why.contains("git") || why.contains("remote"),
        "the reason names the remote: {why}"
    );
    assert_eq!(yard.status().unwrap().generation(), generation);
    assert_eq!(yard.must("ip route show type blackhole"), "");
    assert_eq!(yard.run("test -e /etc/systemd/system/wall.service").code, 1);
    assert_eq!(yard.drift().0, 0);

    fleet.clone.edit(
        "hosts/yard/host.yml",
        "  wall.service: { file: wall.service, enable: true, start: true }\n",
        "",
    );
    fleet
        .clone
        .edit("hosts/yard/host.yml", "greeting = hello", "greeting = free");
    let next = fleet.clone.commit("no wall");
    fleet.clone.push();
    yard.wait_converged(&next, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = free\n");
}
