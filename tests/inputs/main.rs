//! Inputs with the program and real git: locking, moving on, and what goes wrong; a host that is reconciled with a module
//! of an input.

#![expect(
    clippy::disallowed_methods,
    reason = "tests drive other programs and write their own files"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use serde_json::Value;
use world::World;

#[test]
fn an_input_is_locked_used_and_moved_on() {
    let world = World::new();
    let before = world.run(&["check"]);
    before.ends_with(1);
    assert!(
        before.stdout.contains("is not locked to a commit"),
        "{before:?}"
    );

    let update = world.run(&["inputs", "update"]);
    update.ends_with(0);
    let first = world.upstream_head();
    assert!(update.stdout.contains(&first[..12]), "{update:?}");
    assert!(world.lock().contains(&first), "{}", world.lock());
    world.run(&["check"]).ends_with(0);

    // A branch that moves changes nothing until somebody says so.
    let second = world.change_upstream("packages: [nfs-common, nfs4-acl-tools]", "nfs: acl tools");
    let show = world.run(&["config", "show", "yard"]);
    assert!(!show.stdout.contains("nfs4-acl-tools"), "{show:?}");
    let update = world.run(&["inputs", "update", "community", "--json"]);
    update.ends_with(0);
    let answer: Value = serde_json::from_str(&update.stdout).unwrap();
    assert_eq!(answer["inputs"][0]["from"], first);
    assert_eq!(answer["inputs"][0]["to"]["commit"], second);
    assert_eq!(answer["inputs"][0]["log"][0]["subject"], "nfs: acl tools");
    let show = world.run(&["config", "show", "yard"]);
    let place = format!("community@{}:modules/nfs/module.yml", &second[..7]);
    assert!(show.stdout.contains("nfs4-acl-tools"), "{show:?}");
    assert!(show.stdout.contains(&place), "{show:?}");

    let text = world.lock();
    world.run(&["inputs", "update"]).ends_with(0);
    assert_eq!(text, world.lock(), "nothing moved");
}

#[test]
fn what_was_fetched_once_needs_no_network() {
    let world = World::locked();
    world.take_upstream_away();
    world.run(&["check"]).ends_with(0);
    let list = world.run(&["inputs", "list", "--json"]);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(
        list["inputs"][0]["modules"],
        serde_json::json!(["community/nfs"])
    );

    world.forget_the_cache();
    let offline = world.run(&["check"]);
    offline.ends_with(1);
    for said in [
        "the input `community` cannot be used",
        "cannot fetch",
        "fix:",
    ] {
        assert!(offline.stderr.contains(said), "{said}: {}", offline.stderr);
    }
    let update = world.run(&["inputs", "update"]);
    update.ends_with(1);
    assert!(
        update.stderr.contains("the input `community` is as it was"),
        "{update:?}"
    );
}

#[test]
fn a_server_that_cannot_be_reached_says_what_helps() {
    let world = World::locked();
    let lock = world
        .lock()
        .replace(&world.url(), "ssh://git@127.0.0.1:1/x");
    world.put("fleet.lock", &lock);
    world.put(
        "fleet.yml",
        "inputs: { community: { url: 'ssh://git@127.0.0.1:1/x', branch: main } }\n",
    );
    world.run(&["check"]).ends_with(0);
    world.forget_the_cache();
    let offline = world.run(&["check"]);
    offline.ends_with(1);
    assert!(
        offline.stderr.contains("is not in the cache yet"),
        "{}",
        offline.stderr
    );
}

#[test]
fn a_rewritten_upstream_is_refused_until_somebody_has_looked() {
    let world = World::locked();
    let locked = world.upstream_head();
    world.rewrite_upstream();
    world.run(&["check"]).ends_with(0);
    let refused = world.run(&["inputs", "update"]);
    refused.ends_with(1);
    assert!(
        refused.stderr.contains("its history was rewritten"),
        "{refused:?}"
    );
    assert!(world.lock().contains(&locked));
    let taken = world.run(&["inputs", "update", "--rewritten"]);
    taken.ends_with(0);
    assert!(
        taken.stdout.contains("its history was rewritten"),
        "{taken:?}"
    );
    assert!(world.lock().contains(&world.upstream_head()));
}

#[test]
fn a_commit_that_is_gone_and_a_lock_that_was_changed_say_so() {
    let world = World::locked();
    let locked = world.upstream_head();
    world.put(
        "fleet.lock",
        &world.lock().replace(&locked, &"5".repeat(40)),
    );
    let gone = world.run(&["check"]);
    gone.ends_with(1);
    assert!(gone.stderr.contains("it has no commit 5555"), "{gone:?}");
    assert!(gone.stderr.contains("steadfast inputs update"), "{gone:?}");

    let world = World::locked();
    let lock = world.lock();
    let tree = lock.lines().find(|line| line.contains("tree:")).unwrap();
    let forged = format!("    tree: \"{}\"", "0".repeat(64));
    world.put("fleet.lock", &lock.replace(tree, &forged));
    let forged = world.run(&["check"]);
    forged.ends_with(1);
    assert!(
        forged
            .stderr
            .contains("has other files than fleet.lock says"),
        "{forged:?}"
    );
}

#[test]
fn a_host_is_reconciled_with_a_module_of_an_input() {
    let world = World::locked();
    world.commit("use the input");
    let first = world.reconcile();
    first.ends_with(0);
    assert_eq!(world.on_host("etc/nfs.conf"), "server=nas\n");

    // A later push upstream, even a rewritten one, changes nothing on the host.
    world.rewrite_upstream();
    let again = world.reconcile();
    again.ends_with(0);
    assert!(again.stdout.contains("nothing to do"), "{again:?}");

    world.run(&["inputs", "update", "--rewritten"]).ends_with(0);
    world.commit("take what is new upstream");
    world.reconcile().ends_with(0);
    assert_eq!(world.on_host("etc/nfs.conf"), "server=nas # rewritten\n");

    // The digest that a laptop finds is the one in force.
    let check = world.run(&["check", "--json"]);
    let check: Value = serde_json::from_str(&check.stdout).unwrap();
    let list = world.host(&["generations", "list", "--json"]);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    let current = list["generations"].as_array().unwrap().last().unwrap();
    assert_eq!(check["hosts"][0]["digest"], current["digest"]);
}

#[test]
fn a_host_that_cannot_get_a_locked_commit_stays_what_it_is() {
    let world = World::locked();
    world.commit("use the input");
    world.reconcile().ends_with(0);
    let locked = world.upstream_head();
    world.put(
        "fleet.lock",
        &world.lock().replace(&locked, &"5".repeat(40)),
    );
    world.commit("a lock by hand");
    let failed = world.reconcile();
    failed.ends_with(1);
    assert!(
        failed
            .stderr
            .contains("the input `community` cannot be used"),
        "{failed:?}"
    );
    assert_eq!(world.on_host("etc/nfs.conf"), "server=nas\n");

    let lock = world.lock().replace(&"5".repeat(40), &locked);
    let tree = lock.lines().find(|line| line.contains("tree:")).unwrap();
    let forged = format!("    tree: \"{}\"", "0".repeat(64));
    world.put("fleet.lock", &lock.replace(tree, &forged));
    world.commit("another tree");
    let refused = world.reconcile();
    refused.ends_with(5);
    assert_eq!(world.on_host("etc/nfs.conf"), "server=nas\n");
}

#[test]
fn names_that_are_no_inputs_are_told() {
    let world = World::locked();
    let wrong = world.run(&["inputs", "update", "comunity"]);
    wrong.ends_with(1);
    assert!(
        wrong.stderr.contains("did you mean `community`?"),
        "{wrong:?}"
    );
}
