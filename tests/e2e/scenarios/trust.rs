//! Commits that must not be believed.

use std::time::Duration;

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, Signature, World, changed};

const SETTINGS: &str =
    "trust: { mode: history, allowed_signers: /etc/steadfast/allowed_signers }\n";

pub fn force_pushed_unsigned_and_strangers_commits_are_refused(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard", "dock"]);
    fleet.set_up_agents(SETTINGS);
    let config = |version: &str| format!("files:\n  /etc/version: {{ text: \"{version}\\n\" }}\n");
    let write = |version: &str| {
        for host in ["yard", "dock"] {
            fleet
                .clone
                .write(&format!("hosts/{host}/host.yml"), &config(version));
        }
    };
    write("one");
    let one = fleet.clone.commit("one");
    write("two");
    let two = fleet.clone.commit("two");
    fleet.clone.push();
    // yard is watched by its agent, dock is asked by hand.
    fleet
        .host("yard")
        .must("systemctl enable --now steadfast.service");
    fleet.host("yard").wait_converged(&two, EVENTUALLY);
    let by_hand = fleet.host("dock").run("reconcile now");
    assert_eq!(by_hand.code, 0, "{}", by_hand.all());

    let refused = |what: &str, words: &[&str]| {
        let dock = fleet.host("dock");
        let before = (
            dock.invocations(),
            dock.must("stat -c '%Y %Z' /etc/version"),
        );
        let said = dock.run("reconcile now --json");
        assert_eq!(said.code, 5, "{what}: {}", said.all());
        assert!(
            said.stdout.contains("\"refused\""),
            "{what}: {}",
            said.stdout
        );
        let text = dock.run("reconcile now");
        assert_eq!(text.code, 5, "{what}: {}", text.all());
        for word in words {
            assert!(
                text.all().contains(word),
                "{what} does not say {word:?}: {}",
                text.all()
            );
        }
        let after = (
            dock.invocations(),
            dock.must("stat -c '%Y %Z' /etc/version"),
        );
        assert_eq!(changed(&before.0, &after.0), Vec::<String>::new(), "{what}");
        assert_eq!(before.1, after.1, "{what}");
        for host in fleet.hosts() {
            assert_unchanged(host, &two, what);
        }
    };

    fleet.clone.git(&["reset", "-q", "--hard", &one]);
    fleet.clone.force_push();
    refused("a force-push to an older commit", &["descend"]);

    // What a host accepted is not forgotten with one file.
    fleet
        .host("dock")
        .must("mv /var/lib/steadfast/state.json /root/");
    refused("an older commit, with the state file lost", &["descend"]);
    fleet
        .host("dock")
        .must("rm -r /var/lib/steadfast/repo.git /var/lib/steadfast/state.json");
    refused("an older commit, with the mirror lost too", &["descend"]);

    fleet.clone.git(&["reset", "-q", "--hard", &two]);
    write("unsigned");
    fleet.clone.commit_signed("not signed", Signature::None);
    fleet.clone.force_push();
    refused("an unsigned commit", &["signed"]);

    // A good commit on top of a bad one does not make it good.
    write("on top");
    fleet.clone.commit("signed, on top of an unsigned one");
    fleet.clone.force_push();
    refused("an unsigned commit further down", &["signed"]);

    fleet.clone.git(&["reset", "-q", "--hard", &two]);
    write("stranger");
    fleet
        .clone
        .commit_signed("signed by a stranger", Signature::Stranger);
    fleet.clone.force_push();
    refused("a stranger's commit", &["SHA256:"]);

    fleet.clone.git(&["reset", "-q", "--hard", &two]);
    write("three");
    let three = fleet.clone.commit("three");
    fleet.clone.force_push();
    fleet.host("yard").wait_converged(&three, EVENTUALLY);
    let said = fleet.host("dock").run("reconcile now");
    assert_eq!(said.code, 0, "{}", said.all());
    for host in fleet.hosts() {
        assert_eq!(host.must("cat /etc/version"), "three\n");
    }
}

fn assert_unchanged(host: &Host, commit: &str, what: &str) {
    if host.name == "yard" {
        host.wait_status(
            &format!("refused {what}"),
            Duration::from_secs(20),
            |status| status.outcome() == "refused" && !status.problem().is_empty(),
        );
    }
    let status = host.status().unwrap();
    assert_eq!(
        status.generation_commit(),
        commit,
        "{what}: {} moved",
        host.name
    );
    assert_eq!(
        host.must("cat /etc/version"),
        "two\n",
        "{what}: {} changed",
        host.name
    );
    let accepted = status.0["accepted"].as_str().unwrap_or(commit);
    assert_eq!(accepted, commit, "{what}: {} accepted it", host.name);
}
