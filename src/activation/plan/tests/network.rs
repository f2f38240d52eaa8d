//! Mounts, tunnels, connections and quadlets, from what is written to the steps that come of it.

use super::world::*;
use crate::activation::Held;
use crate::config::{HostName, resolve};
use crate::generation::{Manifest, build};
use crate::host::{ActiveState, PathState};
use crate::source::{RepoPath, Snapshot};

fn host(yaml: &str) -> Manifest {
    let path = RepoPath::new("hosts/web/host.yml").unwrap();
    let snapshot = Snapshot::in_memory([(path, yaml.as_bytes().to_vec())].into());
    let config = resolve(&snapshot, &HostName::new("web").unwrap()).unwrap();
    build(&config, &snapshot).unwrap().manifest
}

/// The steps about mounts alone: units, and directories outside of /etc.
fn acts(world: &mut World, yaml: &str) -> String {
    let lines = text(&world.go(&host(yaml)));
    let about = |line: &&str| !line.contains(" /etc/") || line.starts_with("note:");
    lines.lines().filter(about).collect::<Vec<_>>().join("\n")
}

fn tmpfs(rest: &str) -> String {
    format!("mounts: {{ /srv/cache: {{ type: tmpfs, {rest} }} }}")
}

#[test]
fn a_mount_is_made_remounted_with_other_options_and_gone_with_its_directory() {
    let mut world = World::fresh();
    insta::assert_snapshot!(acts(&mut world, &tmpfs("options: [size=1M]")), @r"
    create directory /srv
    create directory /srv/cache
    let systemd read its unit files
    start srv-cache.mount (it is to run)
    ");
    insta::assert_snapshot!(acts(&mut world, &tmpfs("options: [size=2M]")), @r"
    let systemd read its unit files
    reload srv-cache.mount (its options change)
    ");
    let other = "mounts: { /srv/cache: { what: /dev/sdb1, type: ext4 } }";
    insta::assert_snapshot!(acts(&mut world, other), @r"
    stop srv-cache.mount (what is mounted changes)
    let systemd read its unit files
    start srv-cache.mount (what is mounted changes)
    ");
    insta::assert_snapshot!(acts(&mut world, ""), @r"
    stop srv-cache.mount (it is removed)
    remove directory /srv/cache
    remove directory /srv
    let systemd read its unit files
    ");
}

#[test]
fn an_automount_waits_for_somebody_to_look_and_takes_the_place_of_a_mount() {
    let mut world = World::fresh();
    world.put("/srv", directory_state());
    world.put("/srv/cache", directory_state());
    acts(&mut world, &tmpfs("options: [size=1M]"));
    insta::assert_snapshot!(acts(&mut world, &tmpfs("options: [size=1M], automount: true")), @r"
    stop srv-cache.mount (when it is mounted changes)
    let systemd read its unit files
    start srv-cache.automount (it is to run)
    ");
    world.run("srv-cache.mount", ActiveState::Active);
    let nfs =
        "mounts: { /srv/cache: { what: 'nas:/a', type: nfs, automount: true, nofail: true } }";
    insta::assert_snapshot!(acts(&mut world, nfs), @r"
    stop srv-cache.mount (what is mounted changes)
    install nfs-common
    let systemd read its unit files
    ");
    world.run("srv-cache.mount", ActiveState::Active);
    let soft = nfs.replace("nofail", "options: [soft], nofail");
    // The kernel takes no other options for what is mounted by NFS.
    insta::assert_snapshot!(acts(&mut world, &soft), @r"
    stop srv-cache.mount (its options change)
    let systemd read its unit files
    ");
    world.run("srv-cache.mount", ActiveState::Active);
    let gone = acts(&mut world, "");
    assert!(gone.contains(
        "stop srv-cache.automount (it is removed)\nstop srv-cache.mount (it is removed)"
    ));
    assert!(
        !gone.contains("remove directory"),
        "it was there before: {gone}"
    );
}

#[test]
fn what_is_mounted_already_stays_and_what_is_in_the_place_of_a_mount_point_is_a_conflict() {
    let mut world = World::fresh();
    world.put("/srv", directory_state());
    world.put("/srv/cache", directory_state());
    world.run("srv-cache.mount", ActiveState::Active);
    let taken = acts(&mut world, &tmpfs(""));
    assert!(
        taken.contains("note: srv-cache.mount: is mounted already"),
        "{taken}"
    );

    let mut world = World::fresh();
    world.put("/srv", directory_state());
    world.put("/srv/cache", file_state("x"));
    let conflicts = world.plan(&host(&tmpfs("")), Held::Nothing).unwrap_err();
    assert_eq!(conflicts.0[0].subject, "/srv/cache");
}

#[test]
fn a_mount_that_is_there_as_asked_for_is_left_alone() {
    let mut world = World::fresh();
    acts(&mut world, &tmpfs("options: [size=1M]"));
    let again = world.plan(&host(&tmpfs("options: [size=1M]")), Held::Nothing);
    assert!(again.unwrap().is_empty());
}

#[test]
fn the_unit_of_a_quadlet_restarts_with_it_and_stops_before_it_goes() {
    let quadlet = |image: &str| {
        format!(
            "containers: {{ web.container: {{ text: \"[Container]\\nImage={image}\\n\", start: true }} }}"
        )
    };
    let mut world = World::fresh();
    insta::assert_snapshot!(acts(&mut world, &quadlet("a")), @r"
    install podman
    let systemd read its unit files
    start web.service (it is to run)
    ");
    insta::assert_snapshot!(acts(&mut world, &quadlet("b")), @r"
    stop web.service (/etc/containers/systemd/web.container changes)
    let systemd read its unit files
    start web.service (/etc/containers/systemd/web.container changes)
    ");
    let gone = acts(&mut world, "");
    assert!(gone.contains("stop web.service (it is removed)"), "{gone}");
}

#[test]
fn network_manager_reads_connections_that_change_and_brings_up_ours() {
    let network = |address: &str| {
        format!(
            "network: {{ manager: networkmanager, interfaces: {{ enp1s0: {{ addresses: [{address}] }} }} }}"
        )
    };
    let mut world = World::fresh();
    insta::assert_snapshot!(acts(&mut world, &network("10.0.0.5/24")), @r"
    install network-manager
    let NetworkManager read its connections, and bring up enp1s0
    start NetworkManager.service (it is to run)
    ");
    insta::assert_snapshot!(acts(&mut world, &network("10.0.0.6/24")), @"let NetworkManager read its connections, and bring up enp1s0");
    let without = acts(&mut world, "network: { manager: networkmanager }");
    assert_eq!(without, "let NetworkManager read its connections");
}

#[test]
fn network_manager_leaves_with_its_package_and_takes_no_address_away_before() {
    let mut world = World::fresh();
    let network = "network: { manager: networkmanager, interfaces: { enp1s0: { addresses: [10.0.0.5/24] } } }";
    acts(&mut world, network);
    insta::assert_snapshot!(acts(&mut world, ""), @r"
    remove network-manager
    note: NetworkManager: goes with its package; addresses and routes that it has set stay until the next boot
    note: NetworkManager.service: is no longer managed; it stays enabled and running as it is
    ");
    // One that was there before us stays, and lets go of what is not said any more.
    let mut world = World::fresh();
    let installed = world.observed.packages.get_or_insert_default();
    installed.insert(package("network-manager"));
    acts(&mut world, network);
    let without = acts(&mut world, "");
    assert!(
        without.contains("let NetworkManager read its connections"),
        "{without}"
    );
}

#[test]
fn a_mount_point_of_ours_is_kept_while_a_path_or_a_mount_needs_it() {
    let mut world = World::fresh();
    acts(&mut world, "mounts: { /srv/a/b: { type: tmpfs } }");
    let moved = acts(&mut world, "mounts: { /srv/a: { type: tmpfs } }");
    assert!(moved.contains("remove directory /srv/a/b"), "{moved}");
    assert!(!moved.contains("remove directory /srv/a\n"), "{moved}");
    assert!(matches!(
        world.observed.paths[&path("/srv/a")],
        PathState::Directory { .. }
    ));
}
