//! strace: which calls an activation makes, and faults at one of them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::bed::{Bed, Run};
use crate::fleet::Fleet;
use crate::tree::Which;

/// Every call that changes a disk, and `openat`, which may.
const CALLS: &str = "write,pwrite64,writev,fsync,fdatasync,syncfs,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,\
    rmdir,symlink,symlinkat,link,linkat,chmod,fchmod,fchmodat,fchown,ftruncate,fallocate,openat,fsetxattr,fremovexattr";

/// One call of an activation: the `nth` of its name by the program's first thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) nth: usize,
    /// As strace shows it.
    pub(crate) text: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.name, self.nth, self.text)
    }
}

/// Whether strace is here and may trace; says SKIP otherwise.
pub(crate) fn works(test: &str) -> bool {
    let probe = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .output();
    let works = probe.is_ok_and(|output| output.status.success());
    if !works {
        println!("SKIP {test}: no strace that may trace; apt install strace");
    }
    works
}

/// Whether everything is to be tried, not only a part of it.
pub(crate) fn all() -> bool {
    std::env::var("STEADFAST_FAULTS").is_ok_and(|value| value == "all")
}

/// The program with `words` under strace, which writes to `log` and does `inject`.
pub(crate) fn traced(bed: &Bed<'_>, inject: &[String], log: &Path) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-y", "-s", "200", "-o"])
        .arg(log);
    command.args(["-e", &format!("trace={CALLS}")]);
    for inject in inject {
        command.args(["-e", &format!("inject={inject}")]);
    }
    command.arg(env!("CARGO_BIN_EXE_steadfast"));
    command.args(bed.words(&["reconcile", "now"], &bed.fleet.repository()));
    command.env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// An activation with `inject`.
pub(crate) fn disturbed(bed: &Bed<'_>, inject: &str) -> Run {
    let command = &mut traced(bed, &[inject.to_owned()], Path::new("/dev/null"));
    Run::of(&command.output().unwrap())
}

/// The calls with which an undisturbed activation changes what is below the root, in order.
pub(crate) fn calls(fleet: &Fleet) -> Vec<Call> {
    let bed = Bed::copy(fleet);
    let log = bed.root.with_extension("strace");
    let run = Run::of(&traced(&bed, &[], &log).output().unwrap());
    run.ends_with(0);
    let text = fs::read_to_string(&log).unwrap();
    let root = bed.root.to_str().unwrap();
    let mut counts = BTreeMap::new();
    let mut calls = Vec::new();
    let first_thread = text.split_whitespace().next().unwrap();
    for line in text.lines() {
        let Some(line) = line.strip_prefix(first_thread).map(str::trim_start) else {
            continue;
        };
        let Some((name, arguments)) = line.split_once('(') else {
            continue;
        };
        let nth: &mut usize = counts.entry(name.to_owned()).or_default();
        *nth += 1;
        let only_reads =
            name == "openat" && !arguments.contains("O_CREAT") && !arguments.contains("O_WRONLY");
        if !only_reads && arguments.contains(root) {
            calls.push(Call {
                name: name.to_owned(),
                nth: *nth,
                text: arguments.replace(root, "").chars().take(300).collect(),
            });
        }
    }
    calls
}

/// Does `case` with each of `cases` on a fresh copy, some at a time, and panics with all that failed. Gives how many ended
/// old and new.
pub(crate) fn each<T: Sync + fmt::Display>(
    fleet: &Fleet,
    cases: &[T],
    case: impl Fn(&Bed<'_>, &T) -> Result<Which, String> + Sync,
) -> (usize, usize) {
    let next = AtomicUsize::new(0);
    let ended = Mutex::new((Vec::new(), 0, 0));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(one) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let bed = Bed::copy(fleet);
                    let result = case(&bed, one);
                    let mut ended = ended.lock().unwrap();
                    match result {
                        Ok(Which::Old) => ended.1 += 1,
                        Ok(Which::New) => ended.2 += 1,
                        Err(why) => ended.0.push(format!("{one}\n  {why}")),
                    }
                }
            });
        }
    });
    let (failed, old, new) = ended.into_inner().unwrap();
    println!(
        "{} cases: {old} old, {new} new, {} wrong",
        cases.len(),
        failed.len()
    );
    assert!(
        failed.is_empty(),
        "{} of {} went wrong:\n\n{}",
        failed.len(),
        cases.len(),
        failed.into_iter().take(30).collect::<Vec<_>>().join("\n\n")
    );
    (old, new)
}

/// An activation that stands still.
pub(crate) struct Stopped {
    strace: std::process::Child,
    pid: String,
}

impl Stopped {
    /// Stops an activation where it is about to do `call`.
    pub(crate) fn at(bed: &Bed<'_>, call: &Call) -> Self {
        Self::with(bed, call, &[])
    }

    /// As [`at`](Self::at), with more in the environment.
    pub(crate) fn with(bed: &Bed<'_>, call: &Call, environment: &[(&str, &str)]) -> Self {
        let log = bed.root.with_extension("strace");
        let inject = format!("{}:signal=STOP:when={}", call.name, call.nth);
        let mut command = traced(bed, &[inject], &log);
        command.envs(environment.iter().copied());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut strace = command.spawn().unwrap();
        let begun = Instant::now();
        loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let stopped = text
                .lines()
                .find(|line| line.contains("--- stopped by SIGSTOP ---"));
            if let Some(pid) = stopped.and_then(|line| line.split_whitespace().next()) {
                let pid = pid.to_owned();
                return Self { strace, pid };
            }
            let ended = strace.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before {call}");
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "it does not stop at {call}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Lets it go on to its end.
    pub(crate) fn go_on(self) -> Run {
        crate::fleet::run(Command::new("kill").args(["-CONT", &self.pid]));
        Run::of(&self.strace.wait_with_output().unwrap())
    }
}
