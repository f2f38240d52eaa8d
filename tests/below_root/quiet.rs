//! A pass with nothing to do does nothing: seen from the kernel's side.

use std::process::Command;

use crate::fixture::{Fleet, HOST};

/// System calls that change something where they are given a path, or a handle of a file.
const CHANGING: &str = "rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,mknod,\
mknodat,chmod,fchmod,fchmodat,fchmodat2,chown,fchown,fchownat,lchown,truncate,ftruncate,fallocate,utimensat,utime,utimes,\
futimesat,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,fsync,fdatasync,syncfs,sync,mount,\
copy_file_range,pwrite64,pwritev,pwritev2,io_uring_setup";
const OPENING: &str = "open,openat,openat2,creat";
const WRITING: &str = "write,writev,sendfile";

/// One system call that succeeded, as strace writes it: without process id.
fn succeeded(line: &str) -> Option<&str> {
    let call = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let result = call.rsplit_once(" = ")?.1;
    (!result.starts_with('-') && !result.starts_with('?')).then_some(call)
}

/// Whether a call changes something below `root`; `-y` has strace write the path behind each handle.
fn changes(call: &str, root: &str) -> bool {
    let Some((name, arguments)) = call.split_once('(') else {
        return false;
    };
    let of = |list: &str| list.split(',').any(|one| one.trim() == name);
    let touches = arguments.contains(root);
    if of(OPENING) {
        let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"];
        return touches && writes.iter().any(|flag| arguments.contains(flag));
    }
    if of(WRITING) {
        // The first argument is the handle that is written to.
        return arguments
            .split(',')
            .next()
            .is_some_and(|handle| handle.contains(root));
    }
    of(CHANGING) && touches
}

#[test]
fn an_unchanged_generation_applied_again_writes_nothing_and_changes_no_time_of_a_file() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("SKIP: no strace on this machine");
        return;
    }
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    let trace = fleet.path("../trace");
    let traced = |words: &[&str]| -> Vec<String> {
        let plain = fleet.command(words);
        let mut command = Command::new("strace");
        // `?`: an older strace does not know all of them.
        let calls = format!("{CHANGING},{OPENING},{WRITING}");
        let calls = format!("trace=?{}", calls.replace(',', ",?"));
        command
            .args([
                "-f",
                "-qq",
                "-y",
                "-s",
                "256",
                "-e",
                "signal=none",
                "-e",
                &calls,
                "-o",
            ])
            .arg(&trace)
            .arg(plain.get_program())
            .args(plain.get_args())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() || output.status.code() == Some(3),
            "{words:?}: {said}"
        );
        let root = fleet.path("").canonicalize().unwrap();
        let calls = std::fs::read_to_string(&trace).unwrap();
        let calls = calls.lines().filter_map(succeeded);
        calls
            .filter(|call| changes(call, root.to_str().unwrap()))
            .map(str::to_owned)
            .collect()
    };
    let before = fleet.times();
    // The lock is opened for writing, so that it can be made; nothing is written to it.
    let is_lock =
        |call: &String| call.contains("/var/lib/steadfast/lock\"") && !call.starts_with("write");
    for words in [
        &["reconcile", "now"][..],
        &["reconcile", "now", "--dry-run"],
        &["drift"],
    ] {
        let changed: Vec<String> = traced(words)
            .into_iter()
            .filter(|call| !is_lock(call))
            .collect();
        assert_eq!(changed, Vec::<String>::new(), "{words:?}");
    }
    assert_eq!(before, fleet.times(), "the time of a file changed");

    // The trace sees what there is to be seen.
    fleet.commit_host(&HOST.replace("yard: hello", "yard: hello again"));
    let changed = traced(&["reconcile", "now"]);
    assert!(
        changed
            .iter()
            .any(|call| call.starts_with("rename") && call.contains("motd")),
        "{changed:#?}"
    );
}
