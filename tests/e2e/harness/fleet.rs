//! A fleet: hosts on a bridge, a git server (`forge`), a developer's clone.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::clone::Clone;
use super::host::{Host, Place, write};
use super::shell::Transcript;
use super::world::{World, plain};

static FLEETS: AtomicU32 = AtomicU32::new(0);

/// Hosts, their git server and a clone. The fields drop in order, the hosts first.
pub struct Fleet {
    hosts: Vec<Host>,
    pub forge: Host,
    pub clone: Clone,
    pub transcript: Transcript,
    dir: PathBuf,
    bridge: String,
}

impl Fleet {
    /// Boots `names` and the git server, with an empty repository and an agent that is installed but not set up.
    pub fn boot(world: &World, scenario: &str, names: &[&str]) -> Self {
        let number = FLEETS.fetch_add(1, Ordering::Relaxed);
        assert!(number < 250, "no more networks");
        let logs = world.logs.join(scenario);
        if logs.exists() {
            fs::remove_dir_all(&logs).unwrap();
        }
        let transcript = Transcript::create(logs.join("transcript.log"));
        let dir = world.scratch.join(format!("fleet{number}"));
        let bridge = format!("fleet{number}");
        for arguments in [
            format!("link add {bridge} type bridge"),
            format!("addr add 10.213.{number}.1/24 dev {bridge}"),
            format!("link set {bridge} up"),
        ] {
            plain(Command::new("ip").args(arguments.split(' ')));
        }
        let build = |index: usize, name: &str| {
            let place = Place {
                bridge: bridge.clone(),
                gateway: format!("10.213.{number}.1"),
                address: format!("10.213.{number}.{}", index + 2),
                cable: format!("f{number}h{index}"),
                netns: format!("fleet{number}-{name}"),
            };
            let mut host = Host::build(world, dir.join(name), name, place, transcript.clone());
            host.power_on();
            host
        };
        let forge = build(0, "forge");
        let hosts: Vec<Host> = names
            .iter()
            .enumerate()
            .map(|(index, name)| build(index + 1, name))
            .collect();
        let clone = Clone::create(dir.join("clone"), dir.join("home"), transcript.clone());
        let fleet = Self {
            hosts,
            forge,
            clone,
            transcript,
            dir,
            bridge,
        };
        for host in &fleet.hosts {
            host.wait_booted();
        }
        fleet.forge.wait_booted();
        fleet.serve_git();
        fleet
    }

    /// The host called `name`.
    pub fn host(&self, name: &str) -> &Host {
        self.hosts.iter().find(|host| host.name == name).unwrap()
    }

    /// The host called `name`, to switch it on and off.
    pub fn host_mut(&mut self, name: &str) -> &mut Host {
        self.hosts
            .iter_mut()
            .find(|host| host.name == name)
            .unwrap()
    }

    /// Every host.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Every host, to switch them on and off.
    pub fn hosts_mut(&mut self) -> &mut [Host] {
        &mut self.hosts
    }

    /// The address of the config repository.
    pub fn url(&self) -> String {
        format!("ssh://git@{}/srv/git/fleet.git", self.forge.place.address)
    }

    /// Sets up the bare repository: the developer may push, host keys may only fetch.
    fn serve_git(&self) {
        self.forge.must(
            "useradd --create-home --home-dir /srv/git --shell /usr/bin/git-shell git && \
             su git -s /bin/sh -c 'git init -q --bare -b main /srv/git/fleet.git'",
        );
        let mut keys = format!("restrict {}\n", self.clone.public_key("developer"));
        for host in &self.hosts {
            let only = "restrict,command=\"git-upload-pack '/srv/git/fleet.git'\"";
            writeln!(keys, "{only} {} {}", host.public_key(), host.name).unwrap();
        }
        self.forge.write("/srv/git/.ssh/authorized_keys", &keys);
        let mut pinned = String::new();
        for host in self.hosts.iter().chain([&self.forge]) {
            writeln!(pinned, "{} {}", host.place.address, host.public_key()).unwrap();
        }
        write(&self.clone.home.join("known_hosts"), &pinned);
        self.clone.git(&["remote", "add", "origin", &self.url()]);
    }

    /// Gives the host called `name` another SSH host key, `private` and `public`, and lets the git server know it.
    pub fn change_host_key(&self, name: &str, private: &str, public: &str) {
        let host = self.host(name);
        let key = "/etc/ssh/ssh_host_ed25519_key";
        host.write_with_mode(key, private, 0o600);
        host.write(&format!("{key}.pub"), public);
        let known = "/srv/git/.ssh/authorized_keys";
        let keys = self.forge.read(known).unwrap();
        let only = "restrict,command=\"git-upload-pack '/srv/git/fleet.git'\"";
        let keys = format!("{keys}{only} {} {name}\n", host.public_key());
        self.forge.write(known, &keys);
    }

    /// Says in `.sops.yaml` that `secrets/default.yml` is for the developer and these hosts: every other one by its
    /// SSH key, the rest by the age key that is derived from it.
    pub fn share_secrets_with(&self, names: &[&str]) {
        let mut recipients = vec![self.clone.age_recipient()];
        for (index, name) in names.iter().enumerate() {
            let public = self.host(name).public_key();
            recipients.push(if index % 2 == 0 {
                steadfast::identity::recipient_of_public_key(&public).unwrap()
            } else {
                public
            });
        }
        let rules = format!(
            "creation_rules:\n  - path_regex: ^secrets/default\\.yml$\n    age: \"{}\"\n",
            recipients.join(",")
        );
        self.clone.write(".sops.yaml", &rules);
    }

    /// Writes the agent's settings of every host: those of `more`, and what is usual here where it does not say otherwise.
    pub fn set_up_agents(&self, more: &str) {
        const USUAL: [&str; 3] = [
            "poll_interval: 2s\n",
            "settle: 3s\n",
            "health: { window: 20s, lockout_window: 20s, passes: 2, every: 1s }\n",
        ];
        let says = |usual: &&str| {
            let key = usual.split_inclusive(':').next().unwrap_or_default();
            more.lines().any(|line| line.starts_with(key))
        };
        let usual: String = USUAL.into_iter().filter(|usual| !says(usual)).collect();
        for host in &self.hosts {
            let settings = format!(
                "host: {}\nremotes: [\"{}\"]\nbranch: main\n{usual}{more}",
                host.name,
                self.url()
            );
            host.write("/etc/steadfast/agent.yml", &settings);
            let pinned = format!("{} {}\n", self.forge.place.address, self.forge.public_key());
            host.write("/etc/steadfast/known_hosts", &pinned);
            let signers = format!(
                "anna@example.org namespaces=\"git\" {}\n",
                self.clone.public_key("developer")
            );
            host.write("/etc/steadfast/allowed_signers", &signers);
        }
    }

    /// Starts the agent on every host.
    pub fn start_agents(&self) {
        for host in &self.hosts {
            host.must("systemctl enable --now --no-block steadfast.service");
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.hosts.clear();
        drop(
            Command::new("ip")
                .args(["link", "delete", &self.bridge])
                .status(),
        );
        // The clone, in memory.
        drop(fs::remove_dir_all(self.dir.join("clone")));
    }
}
