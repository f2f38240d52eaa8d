//! Real file systems that fill up or become read-only in the middle. They take root, to be mounted.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bed::Bed;
use crate::fleet::{Fleet, run};
use crate::trace::{Call, Stopped, calls, works};
use crate::tree::Which;

/// A memory-backed file system of its own, with what was at its place. Unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn over(at: &Path, kibibytes: usize) -> Self {
        let aside = at.with_extension("aside");
        fs::rename(at, &aside).unwrap();
        fs::create_dir(at).unwrap();
        run(Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("mode=0755,size={kibibytes}k"),
                "faults",
            ])
            .arg(at));
        let mounted = Self(at.to_owned());
        run(Command::new("cp").args(["-a", "-T"]).arg(&aside).arg(at));
        fs::remove_dir_all(aside).unwrap();
        mounted
    }

    fn remount(&self, how: &str) {
        run(Command::new("mount")
            .args(["-o", &format!("remount,{how}")])
            .arg(&self.0));
    }

    /// Leaves not a byte free.
    fn fill(&self) {
        let mut filler = fs::File::create(self.0.join("filler")).unwrap();
        for size in [64 * 1024, 4096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Busy for as long as a process of a failed test is dying.
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

fn may_mount(test: &str) -> bool {
    if !works(test) {
        return false;
    }
    let is_root = rustix::process::geteuid().is_root();
    let place = tempfile::tempdir().unwrap();
    let mounts = is_root
        && Command::new("mount")
            .args(["-t", "tmpfs", "probe"])
            .arg(place.path())
            .status()
            .unwrap()
            .success();
    if mounts {
        run(Command::new("umount").arg(place.path()));
    } else {
        println!("SKIP {test}: it takes root that may mount");
    }
    mounts
}

/// Every eighth record of the journal.
fn some_records(calls: &[Call]) -> Vec<&Call> {
    let is_record = |call: &&Call| call.name == "write" && call.text.contains("/journal>");
    calls.iter().filter(is_record).skip(3).step_by(8).collect()
}

#[test]
fn a_state_directory_that_fills_up_at_any_step_is_rolled_back_cleanly() {
    let name = "a_state_directory_that_fills_up_at_any_step_is_rolled_back_cleanly";
    if !may_mount(name) {
        return;
    }
    let fleet = Fleet::get();
    let calls = calls(fleet);
    let mut rolled_back = 0;
    for call in some_records(&calls) {
        let bed = Bed::copy(fleet);
        let mounted = Mounted::over(&bed.state(""), 20 * 1024);
        let stopped = Stopped::at(&bed, call);
        mounted.fill();
        let run = stopped.go_on();
        let ended = match run.code {
            Some(0) => Which::New,
            Some(4) => Which::Old,
            _ => panic!("{call}: {}", run.said),
        };
        assert!(!bed.is_open(), "{call}: {}", run.said);
        assert_eq!(bed.which(), Ok(ended), "{call}: {}", run.said);
        rolled_back += usize::from(ended == Which::Old);
        mounted.make_room();
        bed.must_be_whole_after(&run)
            .unwrap_or_else(|why| panic!("{call}: {why}"));
    }
    assert!(
        rolled_back > 5,
        "only {rolled_back} were rolled back while the disk was full"
    );
}

#[test]
fn a_root_that_fills_up_at_any_step_is_rolled_back_cleanly() {
    let name = "a_root_that_fills_up_at_any_step_is_rolled_back_cleanly";
    if !may_mount(name) {
        return;
    }
    let fleet = Fleet::get();
    let calls = calls(fleet);
    for call in some_records(&calls) {
        let bed = Bed::copy(fleet);
        let mounted = Mounted::over(&bed.root.join("etc"), 1024);
        let stopped = Stopped::at(&bed, call);
        mounted.fill();
        let run = stopped.go_on();
        mounted.make_room();
        bed.must_be_whole_after(&run)
            .unwrap_or_else(|why| panic!("{call}: {why}"));
    }
}

#[test]
fn a_root_that_becomes_read_only_at_any_step_is_brought_back_when_it_can_be_written() {
    let name = "a_root_that_becomes_read_only_at_any_step_is_brought_back_when_it_can_be_written";
    if !may_mount(name) {
        return;
    }
    let fleet = Fleet::get();
    let calls = calls(fleet);
    let mut stuck = 0;
    for call in some_records(&calls) {
        let bed = Bed::copy(fleet);
        let mounted = Mounted::over(&bed.root.join("etc"), 1024);
        let stopped = Stopped::at(&bed, call);
        mounted.remount("ro");
        let run = stopped.go_on();
        stuck += usize::from(run.code == Some(6));
        mounted.remount("rw");
        bed.must_be_whole_after(&run)
            .unwrap_or_else(|why| panic!("{call}: {why}"));
    }
    assert!(stuck > 0, "a way back that cannot be written says so");
}

#[test]
fn a_disk_without_room_is_refused_before_anything_changes() {
    let name = "a_disk_without_room_is_refused_before_anything_changes";
    if !may_mount(name) {
        return;
    }
    let fleet = Fleet::get();
    for place in ["etc", "var/lib/steadfast"] {
        let bed = Bed::copy(fleet);
        let kibibytes = if place == "etc" { 200 } else { 20 * 1024 };
        let mounted = Mounted::over(&bed.root.join(place), kibibytes);
        mounted.fill();
        let said = bed.reconcile();
        said.ends_with(1);
        assert!(!bed.is_open(), "{}", said.said);
        fs::remove_file(bed.root.join(place).join("filler")).unwrap();
        assert_eq!(bed.which(), Ok(Which::Old), "{}", said.said);
        bed.must_be_whole_after(&said).unwrap();
    }
}
