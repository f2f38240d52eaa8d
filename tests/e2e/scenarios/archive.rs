//! The packages of all hosts of `repo-example/`, also of the one that is too large to be booted, in Debian's archive.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::example::copy;
use crate::harness::{Clone, Transcript, World};

const HOSTS: [&str; 4] = ["boulder", "chicago", "vm-bootstrap", "yakima"];

/// Every name is in a component of the archive that its host fetches from. The lists are of one architecture, that of the
/// test hosts: Debian's i386 brings what `steam-installer` depends on, and no host of the example asks for any of it by name.
pub fn every_package_of_the_example_is_in_debians_archive(world: &World, name: &str) {
    let archive = fs::read_to_string(world.base.join("srv/archive-names")).unwrap();
    let archive: BTreeSet<(&str, &str)> = archive
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    assert!(archive.len() > 50_000, "{}", archive.len());
    let transcript = Transcript::create(world.logs.join(name).join("transcript.log"));
    let home = world.scratch.join(name);
    let clone = Clone::create(home.join("clone"), home.join("home"), transcript);
    copy(&clone);
    clone.commit("the example");

    for host in HOSTS {
        let json = |arguments: &[&str]| -> Value {
            serde_json::from_str(&clone.must(arguments, b"")).unwrap()
        };
        let plan = json(&["plan", "--host", host, "--json"]);
        let packages: BTreeSet<&str> = plan["changes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|change| change["resource"] == "package")
            .map(|change| change["name"].as_str().unwrap())
            .collect();
        assert!(packages.contains("openssh-server"), "{host}: {packages:?}");

        let shown = json(&["config", "show", host, "--json"]);
        let more = &shown["config"]["apt"]["repositories"]["debian-more"]["components"];
        let more = more.as_array().map(Vec::as_slice).unwrap_or_default();
        let components: Vec<&str> = more
            .iter()
            .filter_map(Value::as_str)
            .chain(["main"])
            .collect();
        assert_eq!(components.len(), if host == "yakima" { 4 } else { 1 });

        let is_there = |package: &str| {
            components
                .iter()
                .any(|one| archive.contains(&(one, package)))
        };
        let absent: Vec<&&str> = packages.iter().filter(|one| !is_there(one)).collect();
        assert!(absent.is_empty(), "{host}: {absent:?}");
        let count = packages.len();
        assert!(
            host != "yakima" || count > 50,
            "yakima asks for {count} packages"
        );
    }
    fs::remove_dir_all(home).unwrap();
}
