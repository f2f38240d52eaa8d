//! What installed packages leave when nobody asks for them any more: nothing, and nothing of anybody else's goes along.

use super::fixture::EVENTUALLY;
use super::packages::{say, serve, source, traces};
use crate::harness::{Fleet, World};

/// `locales` brings `libc-l10n`, which libc6 suggests on every host; `jq` brings two libraries.
const WANTED: &str = "packages: [{ name: yardtool, hold: true }, hello, jq, locales]\n";
const CAME: [&str; 8] = [
    "hello",
    "jq",
    "libc-l10n",
    "libjq1",
    "libonig5",
    "locales",
    "yardlib",
    "yardtool",
];

pub fn packages_that_came_with_us_go_again_and_nothing_else(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    let yard = fleet.host("yard");
    fleet.set_up_agents("");
    serve(yard);
    let key = std::fs::read_to_string(yard.path("/srv/yard/key.asc")).unwrap();
    fleet.clone.write("hosts/yard/key.asc", &key);
    let before = traces(yard);
    let names = || -> Vec<String> {
        let listed = yard.must("dpkg-query --show --showformat='${Package}\\n'");
        listed.lines().map(str::to_owned).collect()
    };
    let at_first = names();
    let more = || -> Vec<String> {
        let mut now = names();
        now.retain(|name| !at_first.contains(name));
        now
    };
    let source = source("key.asc");
    let commit = say(&fleet, &format!("{source}{WANTED}"), "packages");
    fleet.start_agents();
    yard.wait_converged(&commit, EVENTUALLY);
    assert_eq!(more(), CAME);
    assert_eq!(yard.must("apt-mark showhold"), "yardtool\n");

    // A person installs something that needs one of ours, and asks for a library of ours by its name.
    yard.must("apt-get -qq -y install yardguest && apt-mark manual libonig5");
    let commit = say(&fleet, &source, "no packages any more");
    yard.wait_converged(&commit, EVENTUALLY);
    assert_eq!(more(), ["libonig5", "yardguest", "yardlib", "yardtool"]);
    assert_eq!(yard.must("apt-mark showhold"), "");
    let plan = yard.run("steadfast plan").all();
    assert!(plan.contains("needed by yardguest"), "{plan}");

    // Without it, what it needed goes with the next activation, and the host is what it was.
    yard.must("apt-get -qq -y purge yardguest libonig5");
    let commit = say(&fleet, "description: nothing\n", "no package source either");
    yard.wait_converged(&commit, EVENTUALLY);
    assert_eq!(more(), [""; 0]);
    assert_eq!(traces(yard), before);
    let additions = yard.read("/var/lib/steadfast/additions.json").unwrap();
    let additions: serde_json::Value = serde_json::from_str(&additions).unwrap();
    for kind in ["packages", "brought", "holds"] {
        let left: Vec<&str> = additions[kind]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(serde_json::Value::as_str)
            .collect();
        assert_eq!(left, [""; 0], "{kind}: what a person removed is forgotten");
    }
}
