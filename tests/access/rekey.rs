//! `rekey` on hostile ground: killed, at once with another, on a full or read-only disk.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use crate::world::{ALICE, BOB, World, command};

/// So many files that a rekey takes a while.
fn many(count: usize) -> World {
    let world = World::new();
    let text = world.read("secrets/other.yml");
    for number in 0..count {
        world.write(&format!("secrets/{number:03}.yml"), &text);
    }
    world
}

fn only_alice(world: &World) {
    let rules = world
        .read(".sops.yaml")
        .replace("age: [*alice, *bob]", "age: [*alice]");
    world.write(".sops.yaml", &rules);
}

fn states(world: &World) -> (usize, usize) {
    let secret = |(name, _): &&(String, String)| {
        name.starts_with("secrets/") && name.rsplit('.').next() == Some("yml")
    };
    let files = world.files();
    let both = files
        .iter()
        .filter(secret)
        .filter(|(_, text)| text.contains(BOB[0]))
        .count();
    let all = files.iter().filter(secret).count();
    (both, all - both)
}

#[test]
fn a_kill_at_any_time_leaves_whole_files_and_the_next_run_finishes() {
    let world = many(60);
    only_alice(&world);
    let before = world.files();
    let all = states(&world).0;
    let mut killed = 0;
    for delay in 0..10 {
        let mut child = world
            .command(&["rekey"], ALICE[1])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(delay * 20));
        // It may be done already.
        let _ = child.kill();
        let status = child.wait().unwrap();
        killed += usize::from(status.signal().is_some());
        let (bob, alice) = states(&world);
        assert_eq!(bob + alice, all);
        for file in ["secrets/000.yml", "secrets/059.yml", "secrets/other.yml"] {
            assert_eq!(
                world.get(file, "x", ALICE[1]).stdout,
                "three",
                "{file} after {delay}"
            );
        }
        let said = world.alice(&["rekey"]).ends_with(0);
        assert_eq!(states(&world), (0, all), "{}", said.stderr);
        let names = |files: &[(String, String)]| {
            files
                .iter()
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(&world.files()),
            names(&before),
            "nothing is left over"
        );
        for (name, text) in &before {
            world.write(name, text);
        }
    }
    assert!(killed > 0, "no run was killed");
}

#[test]
fn of_two_at_once_one_does_it_and_both_leave_whole_files() {
    let world = many(40);
    only_alice(&world);
    let run = || world.command(&["rekey"], ALICE[1]).output().unwrap();
    let (a, b) = std::thread::scope(|scope| {
        let other = scope.spawn(run);
        (run(), other.join().unwrap())
    });
    assert!(a.status.success() || b.status.success());
    for said in [&a, &b].into_iter().filter(|said| !said.status.success()) {
        let text = String::from_utf8_lossy(&said.stderr);
        assert!(text.contains("somebody else is changing"), "{text}");
    }
    assert_eq!(states(&world).0, 0);
    world.ci(&["rekey", "--check"]).ends_with(0);
}

#[test]
fn one_broken_file_among_good_ones_stops_all_and_is_named() {
    let world = World::new();
    only_alice(&world);
    let text = world.read("secrets/tls.yml");
    world.write(
        "secrets/tls.yml",
        &text.replace("lastmodified: \"2", "lastmodified: \"1"),
    );
    let files = world.files();
    let said = world.alice(&["rekey"]).ends_with(1);
    assert!(
        said.stderr.contains("secrets/tls.yml") && said.stderr.contains("nothing was rekeyed"),
        "{}",
        said.stderr
    );
    assert_eq!(world.files(), files);
    world.write("secrets/tls.yml", "a: [\nsops: 1\n");
    let files = world.files();
    world.alice(&["rekey"]).ends_with(1);
    assert_eq!(world.files(), files);
    // The others alone.
    world
        .alice(&["rekey", "secrets/other.yml", "secrets/default.yml"])
        .ends_with(0);
    assert_eq!(states(&world).0, 0);
}

#[test]
fn a_new_data_key_gives_every_value_a_new_ciphertext_and_bob_nothing() {
    let world = World::new();
    let before = world.read("secrets/other.yml");
    let said = world
        .alice(&["rekey", "--rotate", "--json"])
        .ends_with(0)
        .json();
    assert_eq!(said["changes"].as_array().unwrap().len(), 3);
    assert_eq!(said["changes"][0]["new_data_key"], true);
    let after = world.read("secrets/other.yml");
    let value = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("x:"))
            .unwrap()
            .to_owned()
    };
    assert_ne!(value(&before), value(&after));
    assert_eq!(world.get("secrets/other.yml", "x", BOB[1]).stdout, "three");
    world.alice(&["check", "--verify", "--strict"]).ends_with(3);
    world.ci(&["rekey", "--check"]).ends_with(0);
}

/// A small tmpfs; nothing where this cannot be mounted.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    fn mounted(size: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = command("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "steadfast"])
            .arg(directory.path())
            .output()
            .unwrap();
        if !mounted.status.success() {
            eprintln!("cannot mount a tmpfs here; not tried");
            return None;
        }
        Some(Self(directory))
    }

    fn remount(&self, option: &str) {
        let done = command("mount")
            .args(["-o", &format!("remount,{option}")])
            .arg(self.0.path())
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = command("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_or_read_only_disk_changes_nothing_and_leaves_nothing() {
    let Some(disk) = Tmpfs::mounted("400k") else {
        return;
    };
    let world = World::at(tempfile::tempdir().unwrap(), disk.0.path().join("repo"));
    world.fill();
    let text = world.read("secrets/other.yml");
    for number in 0..20 {
        world.write(&format!("secrets/{number:03}.yml"), &text);
    }
    only_alice(&world);
    // What is left is enough for the record and a few files.
    let room = rustix::fs::statvfs(disk.0.path()).unwrap();
    let free = room.f_bavail * room.f_bsize;
    let filler = "x".repeat(usize::try_from(free.saturating_sub(32 * 1024)).unwrap());
    world.write("filler", &filler);
    let files = world.files();
    let said = world.alice(&["rekey"]).ends_with(1);
    assert!(said.stderr.contains("make room"), "{}", said.stderr);
    assert_eq!(world.files(), files);
    fs::remove_file(world.repo("filler")).unwrap();
    let files = world.files();
    disk.remount("ro");
    let said = world.alice(&["rekey"]).ends_with(1);
    assert!(
        said.stderr.contains("read-only") || said.stderr.contains("Read-only"),
        "{}",
        said.stderr
    );
    world.ci(&["rekey", "--check"]).ends_with(3);
    disk.remount("rw");
    assert_eq!(world.files(), files);
    world.alice(&["rekey"]).ends_with(0);
    assert_eq!(states(&world).0, 0);
}
