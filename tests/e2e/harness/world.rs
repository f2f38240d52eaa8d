//! The world the hosts live in: namespaces of the test process's own, gone with it however it ends.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::base;

const INSIDE: &str = "STEADFAST_E2E_WORLD";
const MAY_SUDO: &str = "STEADFAST_E2E_SUDO";

/// Programs that must be there, and the Debian packages that bring them.
const NEEDED: &[(&str, &str)] = &[
    ("systemd-nspawn", "systemd-container"),
    ("mmdebstrap", "mmdebstrap"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("ip", "iproute2"),
    ("git", "git"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("strace", "strace"),
];

/// Where hosts can be booted.
#[derive(Debug, Clone)]
pub struct World {
    /// Memory-backed, in a mount namespace of our own.
    pub scratch: PathBuf,
    /// The unpacked base system, read-only for all hosts.
    pub base: PathBuf,
    /// What `install.sh` put in place, laid over the base system.
    pub installed: PathBuf,
    /// On disk: transcripts and journals.
    pub logs: PathBuf,
    /// In the name of everything that has one name for the whole machine.
    pub id: String,
}

/// Whether scenarios can run here.
pub enum Access {
    Granted(World),
    /// Why not, for the person who reads "SKIP".
    Denied(String),
}

/// Steps into namespaces of our own. Does not return when it succeeds: the program begins again inside.
pub fn enter() -> Access {
    if let Ok(id) = std::env::var(INSIDE) {
        return Access::Granted(World::open(id));
    }
    if !rustix::process::geteuid().is_root() {
        if std::env::var_os(MAY_SUDO).is_some() {
            begin_again(Command::new("sudo").args(["--preserve-env", "--"]));
        }
        return Access::Denied("booting hosts needs root: run ./test.sh, or this as root".into());
    }
    for (program, package) in NEEDED {
        if !is_installed(program) {
            return Access::Denied(format!("`{program}` is missing: apt install {package}"));
        }
    }
    // Root of a container may lack what root of a machine has.
    let probe = Command::new("unshare")
        .args([
            "--mount",
            "--net",
            "--pid",
            "--fork",
            "--mount-proc",
            "true",
        ])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return Access::Denied("this root may not make namespaces: a container, perhaps".into());
    }
    base::ensure(&cache());
    forget_the_dead();
    let id = format!("steadfast-{}", std::process::id());
    // The shell is there to be interrupted: process 1 of a namespace ignores signals it has no handler for.
    let shell = "trap 'exit 130' INT TERM; \"$@\" & wait $!";
    begin_again(
        Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child"])
            .args(["--mount-proc", "--", "sh", "-c", shell, "e2e"])
            .env(INSIDE, id),
    )
}

fn begin_again(command: &mut Command) -> ! {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let error = command
        .arg(std::env::current_exe().unwrap())
        .args(arguments)
        .exec();
    panic!("cannot run {command:?}: {error}");
}

fn is_installed(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// `target/e2e` of the checkout.
pub fn cache() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_steadfast"))
        .ancestors()
        .nth(2)
        .unwrap();
    target.join("e2e")
}

impl World {
    fn open(id: String) -> Self {
        let cache = cache();
        let scratch = cache.join("scratch");
        let logs = cache.join("logs");
        for dir in [&scratch, &logs] {
            fs::create_dir_all(dir).unwrap();
        }
        mount(&["-t", "tmpfs", "-o", "mode=0755", "e2e"], &scratch);
        fs::create_dir_all("/run/netns").unwrap();
        mount(&["-t", "tmpfs", "e2e"], Path::new("/run/netns"));
        plain(Command::new("ip").args(["link", "set", "lo", "up"]));

        let world = Self {
            base: scratch.join("base"),
            installed: scratch.join("installed"),
            scratch,
            logs,
            id,
        };
        base::unpack(&cache, &world.base);
        world.install();
        world
    }

    /// Puts the program in place the way a user does, in a layer of its own.
    fn install(&self) {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        plain(
            Command::new(checkout.join("install.sh"))
                .arg("--binary")
                .arg(env!("CARGO_BIN_EXE_steadfast"))
                .env("DESTDIR", &self.installed),
        );
    }

    /// The control group of one host: on either hierarchy, two hosts in one group would stop each other's services.
    pub fn control_groups(&self, host: &str) -> Vec<PathBuf> {
        hierarchies()
            .into_iter()
            .map(|root| root.join(format!("{}-{host}", self.id)))
            .collect()
    }
}

fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    [root.join("systemd"), root.join("unified"), root.to_owned()]
        .into_iter()
        .filter(|dir| dir.join("cgroup.procs").exists())
        .collect()
}

/// Removes the empty control groups of test processes that were killed.
fn forget_the_dead() {
    for root in hierarchies() {
        for entry in fs::read_dir(root).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(pid) = name
                .strip_prefix("steadfast-")
                .and_then(|rest| rest.split('-').next())
            else {
                continue;
            };
            if !Path::new("/proc").join(pid).exists() {
                remove_control_group(&entry.path());
            }
        }
    }
}

/// Removes a control group and those in it; one that still has processes stays.
pub fn remove_control_group(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_control_group(&entry.path());
        }
    }
    // Busy for as long as its processes are dying; the next run tries again.
    drop(fs::remove_dir(dir));
}

pub fn mount(arguments: &[&str], at: &Path) {
    plain(Command::new("mount").args(arguments).arg(at));
}

/// Runs something that is not part of a scenario.
pub fn plain(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
