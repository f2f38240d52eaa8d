//! A host that is not a recipient, and then is.

use super::fixture::{EVENTUALLY, application, service};
use crate::harness::{Fleet, World};

pub fn a_host_that_cannot_open_a_secret_says_so_and_is_unharmed_until_a_rekey(
    world: &World,
    name: &str,
) {
    let fleet = Fleet::boot(world, name, &["yard", "dock"]);
    fleet.set_up_agents("");
    let dock = fleet.host("dock");
    let base = "files:\n  /etc/base: { text: \"base\\n\" }\n";
    for host in ["yard", "dock"] {
        fleet.clone.write(&format!("hosts/{host}/host.yml"), base);
    }
    let first = fleet.clone.commit("a file each");
    fleet.clone.push();
    fleet.start_agents();
    for host in fleet.hosts() {
        host.wait_converged(&first, EVENTUALLY);
    }
    let before = dock.invocations();
    let generation = dock.status().unwrap().generation();

    fleet.share_secrets_with(&["yard"]);
    fleet
        .clone
        .seal("secrets/default.yml", "app:\n  token: only-for-yard\n");
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
    let second = fleet.clone.commit("the application, for yard");
    fleet.clone.push();
    fleet.host("yard").wait_converged(&second, EVENTUALLY);
    let status = dock.wait_problem("failed", "recipient", EVENTUALLY);
    let said = status.0["last"].to_string();
    assert!(said.contains("app/token"), "the secret is named: {said}");
    assert!(
        said.contains("secrets/default.yml"),
        "its file is named: {said}"
    );
    assert!(said.contains("rekey"), "the way out is named: {said}");
    let now = dock.run("reconcile now");
    assert_eq!(now.code, 1, "{}", now.all());
    assert!(now.all().contains("app/token"), "{}", now.all());

    assert_eq!(dock.status().unwrap().generation(), generation);
    assert_eq!(dock.must("cat /etc/base"), "base\n");
    assert_eq!(dock.run("id ketan").code, 1, "no account was made");
    assert_eq!(dock.run("test -e /etc/app").code, 1, "no file was made");
    assert_eq!(
        dock.run("dpkg -s hello").code,
        1,
        "no package was installed"
    );
    assert_eq!(dock.invocations(), before, "no unit was touched");
    assert_eq!(dock.drift().0, 0);

    fleet.share_secrets_with(&["yard", "dock"]);
    let unchanged = ciphertexts(&fleet.clone.read("secrets/default.yml"));
    fleet.clone.must(&["secrets", "rekey"], b"");
    assert_eq!(
        ciphertexts(&fleet.clone.read("secrets/default.yml")),
        unchanged,
        "rekey leaves values as they are"
    );
    let third = fleet.clone.commit("the application, for dock too");
    fleet.clone.push();
    dock.wait_converged(&third, EVENTUALLY);
    assert_eq!(dock.must("cat /run/app/seen"), "only-for-yard");
}

/// The lines with encrypted values, without the metadata.
fn ciphertexts(text: &str) -> Vec<String> {
    let document = text.split("\nsops:").next().unwrap();
    document.lines().map(str::to_owned).collect()
}
