//! Packages from a signed source: they come as pinned and are held, and go without a trace when it fails.

use std::fs;
use std::path::Path;

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, World};

/// What `make.sh` beside it made.
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/packages");

const WANTED: &str = "packages: [{ name: yardtool, hold: true }]\n\
                      files: { /etc/yardtool.conf: { text: \"ours\\n\" } }\n";

pub fn packages_come_from_a_signed_source_and_a_failure_leaves_no_trace(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    let yard = fleet.host("yard");
    fleet.set_up_agents("");
    serve(yard);
    for key in ["key.asc", "stranger.asc"] {
        let text = fs::read_to_string(Path::new(REPOSITORY).join(key)).unwrap();
        fleet.clone.write(&format!("hosts/yard/{key}"), &text);
    }
    let before = traces(yard);
    say(&fleet, "description: nothing yet\n", "nothing yet");
    fleet.start_agents();

    what_fails_leaves_no_trace(&fleet, &before);
    they_come_as_pinned_and_are_held(&fleet);
}

/// Puts the repository on the host's disk.
pub(super) fn serve(yard: &Host) {
    fs::create_dir_all(yard.path("/srv/yard")).unwrap();
    for entry in fs::read_dir(REPOSITORY).unwrap() {
        let file = entry.unwrap();
        let to = yard.path("/srv/yard").join(file.file_name());
        fs::copy(file.path(), to).unwrap();
    }
}

/// Every package with its state, who asked for it, and apt's own files.
pub(super) fn traces(yard: &Host) -> String {
    yard.must(
        "dpkg-query --show --showformat='${Package} ${Version} ${db:Status-Abbrev}\\n'; \
         apt-mark showauto; apt-mark showhold; find /etc/apt -printf '%p %m %u:%g\\n' | sort; cat /etc/apt/*.d/* /etc/apt/sources.list | sha256sum",
    )
}

pub(super) fn source(key: &str) -> String {
    format!(
        "apt:\n  repositories:\n    yard: {{ uris: ['file:/srv/yard'], suites: [./], key: {key} }}\n  \
         pins: [{{ packages: [yardtool], version: '1.*', priority: 1001 }}]\n"
    )
}

pub(super) fn say(fleet: &Fleet, host: &str, message: &str) -> String {
    fleet.clone.write("hosts/yard/host.yml", host);
    let commit = fleet.clone.commit(message);
    fleet.clone.push();
    commit
}

fn what_fails_leaves_no_trace(fleet: &Fleet, before: &str) {
    let yard = fleet.host("yard");
    let strange = source("stranger.asc") + WANTED;
    let commit = say(fleet, &strange, "the key of a stranger");
    let why = yard.wait_rolled_back(&commit, EVENTUALLY);
    assert!(
        why.contains("fetch the package lists of yard.sources"),
        "{why}"
    );
    assert_eq!(traces(yard), before);

    let failing = source("key.asc")
        + WANTED
        + "units: { bad.service: { text: \"[Service]\\nExecStart=/bin/false\\n\", start: true } }\n";
    let commit = say(fleet, &failing, "a service that fails");
    let why = yard.wait_rolled_back(&commit, EVENTUALLY);
    assert!(why.contains("bad.service"), "{why}");
    assert_eq!(traces(yard), before);
}

fn they_come_as_pinned_and_are_held(fleet: &Fleet) {
    let yard = fleet.host("yard");
    let commit = say(fleet, &(source("key.asc") + WANTED), "the right key");
    yard.wait_converged(&commit, EVENTUALLY);
    assert_eq!(
        yard.must("cat /usr/share/yardtool/version /usr/share/yardlib/version"),
        "yardtool 1.0\nyardlib 1.0\n"
    );
    assert_eq!(yard.must("cat /etc/yardtool.conf"), "ours\n");
    assert_eq!(yard.must("apt-mark showhold"), "yardtool\n");
    yard.must("grep -q '\"entry\":\"installed\",\"packages\":{\"yardlib\":\"1.0\",\"yardtool\":\"1.0\"}' /var/lib/steadfast/transactions/*/journal");
}
