//! Power cuts: what had reached the disk by then, and nothing else.
//!
//! The host lies on an ext4 in a file. Where the program is about to put something on disk, it is killed and the file is
//! copied before the kernel writes what it still holds back; the copy is what a machine would find when the power returns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::bed::Bed;
use crate::fleet::{Fleet, run};
use crate::trace::{Call, all, calls, disturbed, works};
use crate::tree::Which;

const MEBIBYTES: u64 = 48;

/// An ext4 in a file, mounted. Unmounted when dropped.
struct Disk {
    at: PathBuf,
}

impl Disk {
    fn mount(image: &Path, at: &Path) -> Self {
        fs::create_dir_all(at).unwrap();
        run(Command::new("mount")
            .args(["-o", "loop"])
            .arg(image)
            .arg(at));
        Self { at: at.to_owned() }
    }
}

impl Drop for Disk {
    /// Asks again while the disk is busy: what another test's thread starts holds our open files until it is executed.
    fn drop(&mut self) {
        let begun = Instant::now();
        let unmounted = || {
            let umount = Command::new("umount").arg(&self.at).status();
            umount.is_ok_and(|status| status.success())
        };
        while !unmounted() && begun.elapsed() < Duration::from_secs(30) {
            sleep(Duration::from_millis(20));
        }
    }
}

fn may_mount_ext4(test: &str, image: &Path, at: &Path) -> bool {
    if !works(test) {
        return false;
    }
    let file = fs::File::create(image).unwrap();
    file.set_len(MEBIBYTES * 1024 * 1024).unwrap();
    fs::create_dir_all(at).unwrap();
    let made = Command::new("mkfs.ext4")
        .args(["-q", "-F"])
        .arg(image)
        .status();
    let mounted = made.is_ok_and(|status| status.success())
        && Command::new("mount")
            .args(["-o", "loop"])
            .arg(image)
            .arg(at)
            .status()
            .is_ok_and(|status| status.success());
    if mounted {
        drop(Disk { at: at.to_owned() });
    } else {
        println!("SKIP {test}: it takes root that may mount an ext4 in a file");
    }
    mounted
}

#[test]
fn a_power_cut_at_any_sync_leaves_a_disk_from_which_the_old_host_or_the_new_one_comes() {
    let name = "a_power_cut_at_any_sync_leaves_a_disk_from_which_the_old_host_or_the_new_one_comes";
    let fleet = Fleet::get();
    let place = tempfile::tempdir_in(fleet.scratch()).unwrap();
    let image = place.path().join("disk");
    let at = place.path().join("root");
    if !may_mount_ext4(name, &image, &at) {
        return;
    }
    {
        let disk = Disk::mount(&image, &at);
        run(Command::new("cp")
            .args(["-a", "-T"])
            .arg(fleet.template())
            .arg(&disk.at));
        fs::remove_dir(at.join("lost+found")).unwrap();
    }
    let calls = calls(fleet);
    let is_sync = |call: &&Call| ["fsync", "fdatasync", "syncfs"].contains(&call.name.as_str());
    let syncs: Vec<&Call> = calls.iter().filter(is_sync).collect();
    let step = if all() { 1 } else { 6 };
    let mut ends = Vec::new();
    for call in syncs.iter().step_by(step) {
        let (running, cut) = (place.path().join("running"), place.path().join("cut"));
        run(Command::new("cp").arg(&image).arg(&running));
        let bed = Bed::at(fleet, at.clone());
        {
            let _disk = Disk::mount(&running, &at);
            disturbed(
                &bed,
                &format!("{}:signal=KILL:when={}", call.name, call.nth),
            );
            run(Command::new("cp").arg(&running).arg(&cut));
        }
        let _disk = Disk::mount(&cut, &at);
        let end = after_power_returns(&bed).unwrap_or_else(|why| panic!("{call}: {why}"));
        ends.push(end);
    }
    let old = ends.iter().filter(|end| **end == Which::Old).count();
    println!(
        "{} power cuts: {old} old, {} new",
        ends.len(),
        ends.len() - old
    );
    assert!(old > 3);
}

fn after_power_returns(bed: &Bed<'_>) -> Result<Which, String> {
    let nothing_said = bed.recover("now");
    bed.must_be_whole_after(&nothing_said)
}
