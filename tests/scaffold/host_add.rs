//! `host add`, with a real sshd in the place of the machine.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::world::World;

/// A machine called `dallas` in the person's ssh settings: a real sshd on the loopback. Ends when dropped.
struct Machine {
    process: Child,
    fingerprint: String,
}

impl Machine {
    /// `None` where there is no sshd.
    fn start(world: &World) -> Option<Self> {
        const SSHD: &str = "/usr/sbin/sshd";
        let separation = Path::new("/run/sshd");
        let can_separate = separation.exists() || std::fs::create_dir(separation).is_ok();
        if !Path::new(SSHD).exists() || !can_separate {
            println!("SKIP host add over ssh: no sshd");
            return None;
        }
        let key = world.keygen("machine/host_key");
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        world.write(
            "machine/sshd_config",
            &format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
                 StrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n",
                key.display(),
                world.at("home/.ssh/id_ed25519.pub").display(),
            ),
        );
        // OpenSSH takes its settings from the home of the account, whatever HOME says.
        world.write(
            "ssh_config",
            &format!(
                "Host dallas\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {}\n",
                world.at("home/.ssh/id_ed25519").display()
            ),
        );
        let config = world.at("ssh_config");
        world.write(
            "bin/ssh",
            &format!(
                "#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n",
                config.display()
            ),
        );
        world.command("chmod").args(["+x", "bin/ssh"]).ends_with(0);
        #[expect(clippy::disallowed_methods, reason = "a server that outlives the call")]
        let process = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(world.at("machine/sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let listed = world
            .command("ssh-keygen")
            .args(["-lf", "machine/host_key.pub"])
            .ends_with(0);
        let machine = Self {
            process,
            fingerprint: listed.stdout.split(' ').nth(1).unwrap().to_owned(),
        };
        for _ in 0..200 {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
                let mut banner = [0; 4];
                if stream.read_exact(&mut banner).is_ok() && &banner == b"SSH-" {
                    return Some(machine);
                }
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("sshd does not answer");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn fleet() -> World {
    let world = World::new();
    world
        .steadfast(&["init", "fleet", "--hosts", "chicago"])
        .ends_with(0);
    world
}

fn add(world: &World, args: &[&str]) -> crate::world::Said {
    world.steadfast(&[&["host", "add", "--repo", "fleet"], args].concat())
}

/// What this machine, which plays the other one, is.
fn os_release(name: &str) -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}=")));
    line.unwrap().trim_matches('"').to_owned()
}

#[test]
fn a_machine_is_asked_what_it_is_and_joins_with_its_key_and_its_secrets() {
    let world = fleet();
    let Some(machine) = Machine::start(&world) else {
        return;
    };
    let before = world.files("fleet");
    let dallas = ["dallas", "--from", "chicago", "--ssh", "dallas"];
    // Nobody is there to compare the fingerprint.
    let said = add(&world, &dallas).ends_with(1);
    assert!(
        said.stderr.contains(&machine.fingerprint),
        "{}",
        said.stderr
    );
    let wrong = add(
        &world,
        &[&dallas[..], &["--fingerprint", "SHA256:no"]].concat(),
    )
    .ends_with(1);
    assert!(wrong.stderr.contains("not SHA256:no"), "{}", wrong.stderr);
    let dry = [
        &dallas[..],
        &["--fingerprint", &machine.fingerprint, "--dry-run"],
    ]
    .concat();
    add(&world, &dry).ends_with(0);
    assert_eq!(world.files("fleet"), before);

    let right = [
        &dallas[..],
        &["--fingerprint", &machine.fingerprint, "--json"],
    ]
    .concat();
    let said = add(&world, &right).ends_with(0).json();
    assert_eq!(said["facts"]["os"], os_release("ID"));
    let files: Vec<&str> = said["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    assert_eq!(
        files,
        [
            ".sops.yaml",
            "hosts/dallas/host.yml",
            "hosts/dallas/ssh_host_ed25519_key.pub",
            "secrets/default.yml"
        ]
    );
    let host = world.read("fleet/hosts/dallas/host.yml");
    let version = os_release("VERSION_ID");
    assert!(
        host.contains(&format!(
            "os: {}, version: \"{version}\", arch: ",
            os_release("ID")
        )),
        "{host}"
    );
    assert!(host.contains("profiles: [server]"), "{host}");
    for command in said["commit"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| !it.as_str().unwrap().contains("push"))
    {
        world
            .command("sh")
            .args(["-c", command.as_str().unwrap()])
            .ends_with(0);
    }
    assert_eq!(world.git("fleet", &["status", "--porcelain"]), "");
    world.steadfast(&["check", "fleet"]).ends_with(0);
    let key = world.at("machine/host_key").to_str().unwrap().to_owned();
    let get = [
        "secrets",
        "--repo",
        "fleet",
        "get",
        "fleet/secrets/default.yml",
        "registry/token",
        "--identity",
        &key,
    ];
    world.steadfast(&get).ends_with(0);
    let taken = add(&world, &["dallas"]).ends_with(1);
    assert!(
        taken.stderr.contains("there is a host `dallas` already"),
        "{}",
        taken.stderr
    );
}

#[test]
fn a_machine_that_lets_nobody_in_leaves_the_repository_as_it_was() {
    let world = fleet();
    let Some(machine) = Machine::start(&world) else {
        return;
    };
    world.keygen("stranger");
    let config = world
        .read("ssh_config")
        .replace("home/.ssh/id_ed25519", "stranger");
    world.write("ssh_config", &config);
    let before = world.files("fleet");
    let said = add(
        &world,
        &[
            "dallas",
            "--from",
            "server",
            "--ssh",
            "dallas",
            "--fingerprint",
            &machine.fingerprint,
        ],
    )
    .ends_with(1);
    assert!(
        said.stderr.contains("cannot ask dallas what it is"),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("`ssh dallas true`"), "{}", said.stderr);
    assert_eq!(world.files("fleet"), before);
}

#[test]
fn a_host_from_a_profile_is_there_before_its_key_is() {
    let world = fleet();
    let said = add(&world, &["dallas", "--from", "server"]).ends_with(0);
    assert!(
        said.stdout.contains("new  hosts/dallas/host.yml"),
        "{}",
        said.stdout
    );
    assert!(
        said.stderr.contains("steadfast secrets onboard dallas"),
        "{}",
        said.stderr
    );
    let host = world.read("fleet/hosts/dallas/host.yml");
    assert!(
        host.starts_with("# yaml-language-server: $schema=../../.schema/host.json\n"),
        "{host}"
    );
    assert!(host.contains("profiles: [server]"), "{host}");
    world.steadfast(&["check", "fleet"]).ends_with(0);
    // Its key comes later.
    let key = world.keygen("dallas").with_extension("pub");
    let onboard = [
        "secrets",
        "--repo",
        "fleet",
        "onboard",
        "dallas",
        "--file",
        key.to_str().unwrap(),
    ];
    world.steadfast(&onboard).ends_with(0);
    let strict = world
        .steadfast(&["secrets", "--repo", "fleet", "who", "dallas", "--json"])
        .ends_with(0)
        .json();
    assert_eq!(strict["files"][0]["file"], "secrets/default.yml");
}

#[test]
fn a_name_that_is_neither_a_host_nor_a_profile_is_answered_with_the_nearest() {
    let world = fleet();
    let before = world.files("fleet");
    let said = add(&world, &["dallas", "--from", "chicgo"]).ends_with(1);
    assert!(
        said.stderr.contains("did you mean `chicago`?"),
        "{}",
        said.stderr
    );
    assert_eq!(world.files("fleet"), before);
}
