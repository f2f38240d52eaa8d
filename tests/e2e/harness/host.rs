//! One real host: an overlay over the base system, a network namespace, and systemd booted in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::shell::{self, Said, Transcript, wait_for, wait_until};
use super::world::{World, mount, plain, remove_control_group};

/// How long a host may take to boot, with everything else that runs on the machine.
const BOOT: Duration = Duration::from_mins(1);

/// Where a host is on the network of its fleet.
#[derive(Debug, Clone)]
pub struct Place {
    pub bridge: String,
    pub gateway: String,
    pub address: String,
    /// Name of the outer end of its cable; at most 15 bytes.
    pub cable: String,
    /// Name of its network namespace.
    pub netns: String,
}

/// One host. Dropping it pulls the plug and removes everything of it but its journal, if the scenario failed.
pub struct Host {
    pub name: String,
    pub place: Place,
    pub transcript: Transcript,
    world: World,
    /// Holds `upper`, `work` and `root`.
    dir: PathBuf,
    running: Option<Running>,
}

struct Running {
    nspawn: Child,
    leader: u32,
}

impl Host {
    /// Builds the host and gives it keys; it is not booted yet.
    pub fn build(
        world: &World,
        dir: PathBuf,
        name: &str,
        place: Place,
        transcript: Transcript,
    ) -> Self {
        for part in ["upper", "work", "root"] {
            fs::create_dir_all(dir.join(part)).unwrap();
        }
        let options = format!(
            "lowerdir={}:{},upperdir={},workdir={}",
            world.installed.display(),
            world.base.display(),
            dir.join("upper").display(),
            dir.join("work").display()
        );
        mount(
            &["-t", "overlay", "overlay", "-o", &options],
            &dir.join("root"),
        );
        let host = Self {
            name: name.to_owned(),
            place,
            transcript,
            world: world.clone(),
            dir,
            running: None,
        };
        host.connect();
        host.write("/etc/hostname", &format!("{name}\n"));
        let id = hex::encode(&sha256(&format!("{}{}", world.id, host.place.netns))[..16]);
        host.write("/etc/machine-id", &format!("{id}\n"));
        plain(
            Command::new("ssh-keygen")
                .args([
                    "-q",
                    "-t",
                    "ed25519",
                    "-N",
                    "",
                    "-C",
                    &format!("root@{name}"),
                    "-f",
                ])
                .arg(host.path("/etc/ssh/ssh_host_ed25519_key")),
        );
        host
    }

    /// Runs a cable from the host's namespace to the bridge.
    fn connect(&self) {
        let Place {
            bridge,
            gateway,
            address,
            cable,
            netns,
        } = &self.place;
        let ip = |arguments: &str| {
            plain(Command::new("ip").args(arguments.split(' ')));
        };
        ip(&format!("netns add {netns}"));
        ip(&format!(
            "link add {cable} type veth peer name host0 netns {netns}"
        ));
        ip(&format!("link set {cable} master {bridge} up"));
        ip(&format!("-n {netns} addr add {address}/24 dev host0"));
        ip(&format!("-n {netns} link set lo up"));
        ip(&format!("-n {netns} link set host0 up"));
        ip(&format!("-n {netns} route add default via {gateway}"));
    }

    /// Pulls the network cable, or plugs it in again.
    pub fn cut_network(&self) {
        self.set_cable("down");
    }

    /// Plugs the network cable in again.
    pub fn mend_network(&self) {
        self.set_cable("up");
    }

    fn set_cable(&self, state: &str) {
        self.transcript
            .note(&format!("{}: cable {state}", self.name));
        plain(Command::new("ip").args(["link", "set", &self.place.cable, state]));
    }

    /// Turns the power on.
    pub fn power_on(&mut self) {
        assert!(self.running.is_none(), "{} runs already", self.name);
        self.transcript.note(&format!("{}: power on", self.name));
        let groups = self.control_groups();
        for group in &groups {
            fs::create_dir_all(group).unwrap();
        }
        let console = fs::File::options()
            .create(true)
            .append(true)
            .open(self.dir.join("console.log"))
            .unwrap();
        // The shell moves itself into the control groups before it becomes nspawn; later would be a race.
        let shell = "while [ \"$1\" != -- ]; do echo $$ >\"$1/cgroup.procs\"; shift; done; shift; exec \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", shell, "boot"]).args(&groups).arg("--");
        command
            .args([
                "systemd-nspawn",
                "--quiet",
                "--boot",
                "--register=no",
                "--keep-unit",
            ])
            .args(["--link-journal=no", "--resolv-conf=off", "--timezone=off"])
            // A container may neither set routes nor lock memory; these are to be as good as real.
            .arg("--capability=all")
            // The agent asks who writes a file.
            .arg("--system-call-filter=fanotify_init fanotify_mark")
            .arg(format!("--machine={}", self.name))
            .arg(format!("--directory={}", self.dir.join("root").display()))
            .arg(format!(
                "--network-namespace-path=/run/netns/{}",
                self.place.netns
            ))
            // What is mounted on demand needs it.
            .args(
                Path::new("/dev/autofs")
                    .exists()
                    .then_some("--bind=/dev/autofs"),
            )
            .env("SYSTEMD_NSPAWN_API_VFS_WRITABLE", "network")
            .stdin(Stdio::null())
            .stdout(console.try_clone().unwrap())
            .stderr(console);
        let mut nspawn = command.spawn().unwrap();
        let console = self.dir.join("console.log");
        let leader = wait_for(&format!("{} has a process 1", self.name), BOOT, || {
            if let Some(status) = nspawn.try_wait().unwrap() {
                let text = fs::read_to_string(&console).unwrap();
                panic!("systemd-nspawn ended with {status}:\n{text}");
            }
            leader_of(nspawn.id())
        });
        self.running = Some(Running { nspawn, leader });
    }

    /// Waits until systemd has started all it wants to start.
    pub fn wait_booted(&self) {
        wait_until(&format!("{} is up", self.name), BOOT, || {
            matches!(
                self.quietly("systemctl is-system-running").trim(),
                "running" | "degraded"
            )
        });
    }

    /// Pulls the plug: every process of the host is gone at once, nothing is stopped in order.
    pub fn kill(&mut self) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        self.transcript.note(&format!("{}: plug pulled", self.name));
        // The kernel kills a namespace with its process 1; nspawn only notices.
        plain(Command::new("kill").args(["-KILL", &running.leader.to_string()]));
        running.nspawn.kill().unwrap();
        running.nspawn.wait().unwrap();
        wait_until(&format!("{} is dead", self.name), BOOT, || {
            is_gone(running.leader)
        });
    }

    /// Shuts down in order.
    pub fn power_off(&mut self) {
        self.run("systemctl poweroff");
        let mut running = self.running.take().unwrap();
        wait_until(&format!("{} is off", self.name), BOOT, || {
            running.nspawn.try_wait().unwrap().is_some()
        });
    }

    /// Shuts down in order and boots the same disk again.
    pub fn reboot(&mut self) {
        self.power_off();
        self.power_on();
        self.wait_booted();
    }

    /// Runs a shell command as root inside.
    pub fn run(&self, script: &str) -> Said {
        let shown = format!("{}# {script}", self.name);
        shell::run_as(&shown, &mut self.enter(script), b"", &self.transcript)
    }

    /// Runs a shell command as root inside that must succeed; gives its standard output.
    pub fn must(&self, script: &str) -> String {
        let said = self.run(script);
        assert_eq!(said.code, 0, "{}# {script}\n{}", self.name, said.all());
        said.stdout
    }

    /// Runs a shell command inside without a line in the transcript: for questions asked again and again.
    pub fn quietly(&self, script: &str) -> String {
        let output = self.enter(script).stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts a shell command inside and leaves it running.
    pub fn start(&self, script: &str) -> Child {
        self.transcript
            .note(&format!("{}: started {script}", self.name));
        self.enter(script)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Process 1 of the host, as it is called out here.
    pub fn leader(&self) -> u32 {
        self.running.as_ref().map_or(0, |running| running.leader)
    }

    fn enter(&self, script: &str) -> Command {
        let leader = self.running.as_ref().map_or(0, |running| running.leader);
        assert_ne!(leader, 0, "{} is off", self.name);
        let mut command = Command::new("nsenter");
        command
            .args(["--all", "--target", &leader.to_string(), "--", "env", "-i"])
            .args(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
            .args([
                "HOME=/root",
                "LANG=C.UTF-8",
                "NO_COLOR=1",
                "sh",
                "-c",
                script,
            ]);
        command
    }

    /// Where a path of the host is on this machine.
    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.join("root").join(path.trim_start_matches('/'))
    }

    /// Writes a file of the host from outside, with its directories.
    pub fn write(&self, path: &str, content: &str) {
        self.write_with_mode(path, content, 0o644);
    }

    /// Writes a file of the host from outside, with its directories.
    pub fn write_with_mode(&self, path: &str, content: &str, mode: u32) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Reads a file of the host's disk; memory-backed ones such as `/run` are not there.
    pub fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path(path)).ok()
    }

    /// The public half of the SSH host key, `ssh-ed25519 AAAA…`, without its comment.
    pub fn public_key(&self) -> String {
        let line = self.read("/etc/ssh/ssh_host_ed25519_key.pub").unwrap();
        line.split(' ')
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
            .trim()
            .to_owned()
    }

    fn control_groups(&self) -> Vec<PathBuf> {
        self.world.control_groups(&self.place.netns)
    }

    /// Keeps what helps to understand a failure.
    fn keep_evidence(&self) {
        if self.running.is_none() {
            return;
        }
        for (name, script) in [
            ("journal", "journalctl --no-pager -o short-precise"),
            (
                "units",
                "systemctl --no-pager --all list-units; systemctl --no-pager --failed",
            ),
            (
                "state",
                "find /var/lib/steadfast -type f | head -200; cat /var/lib/steadfast/state.json",
            ),
        ] {
            let path = self
                .transcript
                .path()
                .with_file_name(format!("{}-{name}.log", self.name));
            write(&path, &self.quietly(script));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if thread::panicking() || std::env::var_os("STEADFAST_E2E_KEEP").is_some() {
            self.keep_evidence();
        }
        if thread::panicking() {
            drop(catch_unwind(AssertUnwindSafe(|| self.kill())));
        } else {
            self.kill();
        }
        let root = self.dir.join("root");
        // Nothing here may panic: the namespaces, and with them all of this, end with the test process anyway.
        let quiet = |command: &mut Command| drop(command.stderr(Stdio::null()).status());
        quiet(Command::new("umount").arg("--lazy").arg(&root));
        quiet(Command::new("ip").args(["netns", "delete", &self.place.netns]));
        drop(fs::remove_dir_all(&self.dir));
        let begun = Instant::now();
        for group in self.control_groups() {
            while group.exists() && begun.elapsed() < Duration::from_secs(2) {
                remove_control_group(&group);
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// The only child of an nspawn process: process 1 of the host.
fn leader_of(nspawn: u32) -> Option<u32> {
    // For a moment the child is nspawn itself, which has not entered anything yet.
    let children = fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children")).ok()?;
    let child: u32 = children.split_whitespace().next()?.parse().ok()?;
    let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
    (name.trim() == "systemd").then_some(child)
}

/// Whether a process is gone. One that waits for its parent to read its status is.
fn is_gone(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

fn sha256(text: &str) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).into()
}

pub fn write(path: &Path, content: &str) {
    fs::write(path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
