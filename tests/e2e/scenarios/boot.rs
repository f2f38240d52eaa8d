//! The harness itself: without it no other scenario means anything.

use crate::harness::{Fleet, World};

pub fn hosts_boot_talk_git_and_survive_a_pulled_plug(world: &World, name: &str) {
    let mut fleet = Fleet::boot(world, name, &["yard", "dock"]);
    fleet.clone.write("README", "a fleet\n");
    let commit = fleet.clone.commit("begin");
    fleet.clone.push();
    fleet.set_up_agents("");

    for host in fleet.hosts() {
        let ssh = "export GIT_SSH_COMMAND='ssh -F none -i /etc/ssh/ssh_host_ed25519_key -oBatchMode=yes \
                   -oUserKnownHostsFile=/etc/steadfast/known_hosts -oStrictHostKeyChecking=yes'";
        let url = fleet.url();
        let listed = host.must(&format!("{ssh}; git ls-remote {url} main"));
        assert!(listed.starts_with(&commit), "{listed}");
        host.must(&format!("{ssh}; git clone -q --bare {url} /tmp/clone"));
        let pushed = host.run(&format!(
            "{ssh}; cd /tmp/clone && git push -q {url} main:other"
        ));
        assert_ne!(pushed.code, 0, "a host key can push");
    }

    fleet.host("yard").must("echo kept >/var/kept && sync");
    fleet.host_mut("yard").kill();
    fleet.host_mut("yard").power_on();
    fleet.host("yard").wait_booted();
    assert_eq!(fleet.host("yard").must("cat /var/kept"), "kept\n");

    fleet.host("dock").cut_network();
    let cut = fleet.host("dock").run(&format!(
        "timeout 3 bash -c '</dev/tcp/{}/22'",
        fleet.forge.place.address
    ));
    assert_ne!(cut.code, 0, "the cable is cut");
    fleet.host("dock").mend_network();
    fleet.host_mut("dock").reboot();
    fleet.host("dock").must(&format!(
        "timeout 9 bash -c '</dev/tcp/{}/22'",
        fleet.forge.place.address
    ));

    fleet
        .host("dock")
        .must("apt-get -qq install hello && hello");
}
