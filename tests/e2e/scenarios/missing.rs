//! A repository in which nothing useful is to be found.

use super::fixture::{EVENTUALLY, running_fleet};
use crate::harness::{World, changed};

pub fn a_host_without_a_usable_config_stays_as_it_is_and_says_why(world: &World, name: &str) {
    let (fleet, good) = running_fleet(world, name, &["yard"], "");
    let yard = fleet.host("yard");
    let repository = "/srv/git/fleet.git";
    let before = (
        yard.invocations(),
        yard.must("stat -c '%Y %Z' /etc/app/app.conf /etc/systemd/system/app.service"),
    );
    let generation = yard.status().unwrap().generation();
    let stays = |outcome: &str, words: &str| {
        yard.wait_problem(outcome, words, EVENTUALLY);
        let said = yard.run("reconcile now");
        assert_eq!(said.code, 1, "{}", said.all());
        assert!(
            said.all().contains(words),
            "not {words:?} in {}",
            said.all()
        );
        let text = yard.must("steadfast status");
        assert!(
            text.contains(words),
            "status does not say {words:?}:\n{text}"
        );
        let status = yard.status().unwrap();
        assert_eq!(status.generation(), generation);
        let files = "stat -c '%Y %Z' /etc/app/app.conf /etc/systemd/system/app.service";
        assert_eq!(yard.must(files), before.1);
        assert_eq!(
            changed(&before.0, &yard.invocations()),
            Vec::<String>::new()
        );
        assert_eq!(yard.must("systemctl is-active app.service"), "active\n");
        assert_eq!(yard.drift().0, 0);
    };

    fleet.clone.write(
        "hosts/yard/host.yml",
        "files:\n  /etc/app.conf: { text: [not, text] }\n  /etc/x: {text: \"\n",
    );
    fleet.clone.commit("invalid YAML");
    fleet.clone.push();
    stays("failed", "hosts/yard/host.yml:");

    fleet
        .clone
        .write("hosts/yard/host.yml", "fils:\n  /etc/x: { text: x }\n");
    fleet.clone.commit("an unknown key");
    fleet.clone.push();
    stays("failed", "fils");

    fleet.clone.git(&["rm", "-rqf", "hosts/yard"]);
    fleet
        .clone
        .write("hosts/other/host.yml", "description: another host\n");
    fleet.clone.commit("no yard any more");
    fleet.clone.push();
    stays("failed", "hosts/yard");

    // Another branch stays, so that the repository is not empty.
    fleet
        .clone
        .git(&["push", "-q", "origin", "HEAD:refs/heads/other"]);
    fleet.forge.must(&format!(
        "su git -s /bin/sh -c 'git -C {repository} update-ref -d refs/heads/main'"
    ));
    stays("failed", "main");

    fleet.forge.must(&format!(
        "su git -s /bin/sh -c 'mv {repository} /srv/git/away && git init -q --bare -b main {repository}'"
    ));
    stays("failed", "the repository is empty");

    fleet.forge.must(&format!("rm -rf {repository}"));
    stays("failed", "fleet.git");

    fleet.forge.must(&format!("mv /srv/git/away {repository}"));
    fleet.clone.git(&["checkout", "-q", &good, "--", "."]);
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "greeting = hello",
        "greeting = again",
    );
    let back = fleet.clone.commit("yard is back");
    fleet.clone.push();
    yard.wait_converged(&back, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = again\n");
}
