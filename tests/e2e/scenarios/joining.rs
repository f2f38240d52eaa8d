//! A host that can open nothing joins by its scanned key, and leaves again.

use super::fixture::{EVENTUALLY, application, service};
use crate::harness::{Fleet, World};

pub fn a_host_joins_by_its_scanned_key_and_is_out_after_it_leaves(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard", "dock"]);
    fleet.set_up_agents("");
    let dock = fleet.host("dock");
    fleet.share_secrets_with(&["yard"]);
    fleet
        .clone
        .seal("secrets/default.yml", "app:\n  token: first\n");
    for host in ["yard", "dock"] {
        fleet.clone.write(
            &format!("hosts/{host}/host.yml"),
            &application(&fleet.clone, ""),
        );
        fleet.clone.write(
            &format!("hosts/{host}/app.service"),
            &service("app", "/run/secrets/app/token"),
        );
    }
    let known = format!("{}\n", fleet.host("yard").public_key());
    fleet
        .clone
        .write("hosts/yard/ssh_host_ed25519_key.pub", &known);
    let first = fleet.clone.commit("the application, for yard");
    fleet.clone.push();
    fleet.start_agents();
    fleet.host("yard").wait_converged(&first, EVENTUALLY);
    dock.wait_problem("failed", "recipient", EVENTUALLY);
    let checked = fleet.clone.steadfast(&["secrets", "check"], b"");
    assert_eq!(checked.code, 3, "{}", checked.all());

    // The fingerprint comes from the host itself, the key from the network.
    let shown = dock.must("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
    let fingerprint = shown.split_whitespace().nth(1).unwrap();
    let address = &dock.place.address;
    let onboard = ["secrets", "onboard", "dock", "--ssh-keyscan", address];
    let wrong = [&onboard[..], &["--fingerprint", "SHA256:wrong"]].concat();
    assert_eq!(fleet.clone.steadfast(&wrong, b"").code, 1);
    let right = [&onboard[..], &["--fingerprint", fingerprint]].concat();
    fleet.clone.must(&right, b"");
    fleet.clone.must(&["secrets", "check"], b"");
    let second = fleet.clone.commit("dock joins");
    fleet.clone.push();
    dock.wait_converged(&second, EVENTUALLY);
    assert_eq!(dock.must("cat /run/app/seen"), "first");

    let said = fleet.clone.must(&["secrets", "offboard", "dock"], b"");
    assert!(
        said.contains("app/token"),
        "what it could read is named: {said}"
    );
    fleet
        .clone
        .set_secret("secrets/default.yml", "app/token", "second");
    let third = fleet.clone.commit("dock leaves");
    fleet.clone.push();
    fleet.host("yard").wait_converged(&third, EVENTUALLY);
    dock.wait_problem("failed", "recipient", EVENTUALLY);
    assert_eq!(dock.must("cat /run/app/seen"), "first");
    assert_eq!(fleet.host("yard").must("cat /run/app/seen"), "second");
}
