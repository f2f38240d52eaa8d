//! A host in which every version changes fifty files, ten units, three accounts, five secrets, and some a package.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::harness::{Fleet, Host};

const FILES: usize = 50;
const SECRETS: usize = 5;
const USERS: [&str; 3] = ["ketan", "lena", "dave"];

/// Whether the package is part of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packages {
    Absent,
    Present,
}

impl Packages {
    pub fn turned(self) -> Self {
        match self {
            Self::Absent => Self::Present,
            Self::Present => Self::Absent,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Version {
    pub number: usize,
    pub packages: Packages,
}

impl Version {
    pub fn new(number: usize, packages: Packages) -> Self {
        Self { number, packages }
    }

    /// The version after it.
    pub fn next(self, packages: Packages) -> Self {
        Self::new(self.number + 1, packages)
    }

    /// Writes it for both hosts and pushes; gives the commit.
    pub fn commit_to(self, fleet: &Fleet) -> String {
        let config = self.config();
        for host in ["yard", "dock"] {
            let clone = &fleet.clone;
            clone.write(&format!("hosts/{host}/host.yml"), &config);
        }
        let mut plain = String::new();
        for secret in 0..SECRETS {
            writeln!(plain, "s{secret}: \"{}\"", self.number).unwrap();
        }
        fleet.clone.seal("secrets/default.yml", &plain);
        let commit = fleet.clone.commit(&format!("version {}", self.number));
        fleet.clone.push();
        commit
    }

    fn config(self) -> String {
        let version = self.number;
        let mut config = String::from("directories:\n  /etc/ka: {}\nfiles:\n");
        for file in 0..FILES {
            let place = if file % 10 == 0 {
                format!("/etc/ka/v{version}-{file:02}.conf")
            } else {
                format!("/etc/ka/{file:02}.conf")
            };
            let mode = if (file + version).is_multiple_of(2) {
                "0640"
            } else {
                "0600"
            };
            writeln!(
                config,
                "  {place}: {{ text: \"{version}\\n\", mode: \"{mode}\" }}"
            )
            .unwrap();
        }
        config.push_str("users:\n");
        for user in USERS {
            writeln!(config, "  {user}: {{ description: Version {version} }}").unwrap();
        }
        config.push_str("secrets:\n");
        for secret in 0..SECRETS {
            writeln!(
                config,
                "  s{secret}: {{ units: {{ restart: [ka-reads.service] }} }}"
            )
            .unwrap();
        }
        if self.packages == Packages::Present {
            config.push_str("packages: [hello]\n");
        }
        config.push_str("units:\n");
        let units = UNITS.replace("VERSION", &version.to_string());
        let units = units.replace("YEAR", timer_year(version));
        config.push_str(&units.replace("MOUNT", mount_size(version)));
        let masked = version % 2;
        writeln!(config, "  ka-masked{masked}.service: {{ mask: true }}").unwrap();
        config
    }
}

/// KiB of the mount, in which versions that follow each other differ.
fn mount_size(version: usize) -> &'static str {
    if version.is_multiple_of(2) {
        "64"
    } else {
        "128"
    }
}

/// When the timer is due, in which versions that follow each other differ as well.
fn timer_year(version: usize) -> &'static str {
    if version.is_multiple_of(2) {
        "2098"
    } else {
        "2099"
    }
}

/// One of each kind. What runs shows its version in a file of its own.
const UNITS: &str = r#"  ka-main.service:
    text: "[Service]\nExecStartPre=/bin/sh -c 'echo VERSION >/run/ka-main'\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    enable: true
    start: true
    drop_ins: { version.conf: { text: "[Service]\nEnvironment=KA=VERSION\n" } }
  ka-reads.service:
    text: "[Service]\nExecStartPre=/bin/sh -c 'cat /run/secrets/s0 >/run/ka-reads'\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    enable: true
    start: true
  ka-sock.socket:
    text: "[Unit]\nDescription=VERSION\n[Socket]\nListenStream=/run/ka-VERSION.sock\n[Install]\nWantedBy=sockets.target\n"
    enable: true
    start: true
  ka-sock.service:
    text: "[Service]\nEnvironment=KA=VERSION\nExecStart=/bin/sleep infinity\n"
  ka-tick.timer:
    text: "[Unit]\nDescription=VERSION\n[Timer]\nOnCalendar=YEAR-01-01\nUnit=ka-tick.service\n[Install]\nWantedBy=timers.target\n"
    enable: true
    start: true
  ka-tick.service:
    text: "[Service]\nEnvironment=KA=VERSION\nType=oneshot\nExecStart=/bin/true\n"
  ka-watch.path:
    text: "[Path]\nPathExists=/nonexistent/VERSION\nUnit=ka-tick.service\n[Install]\nWantedBy=multi-user.target\n"
    enable: true
    start: true
  srv-ka.mount:
    text: "[Mount]\nWhat=tmpfs\nWhere=/srv/ka\nType=tmpfs\nOptions=size=MOUNTk\n[Install]\nWantedBy=multi-user.target\n"
    enable: true
    start: true
  ka-all.target:
    text: "[Unit]\nDescription=VERSION\nWants=ka-main.service\n[Install]\nWantedBy=multi-user.target\n"
    enable: true
    start: true
  ka-many@one.service:
    text: "[Service]\nExecStartPre=/bin/sh -c 'echo VERSION >/run/ka-many-%i'\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    enable: true
    start: true
"#;

const RUNNING: &str = "ka-main.service ka-reads.service ka-sock.socket ka-tick.timer ka-watch.path srv-ka.mount \
    ka-all.target ka-many@one.service";

/// What there is of which version on the host: counted lines.
pub fn facts(host: &Host) -> BTreeMap<String, usize> {
    let text = host.must(&format!(
        "for f in /etc/ka/*.conf; do echo \"file $(cat $f) $(stat -c %a $f)\"; done
         ls /etc/ka | sed -n 's/^v\\([0-9]*\\)-.*/name \\1/p'
         getent passwd {users} | sed 's/.*Version \\([0-9]*\\):.*/user \\1/'
         for s in /run/secrets/s?; do echo secret $(cat $s); done
         echo main $(cat /run/ka-main); echo reads $(cat /run/ka-reads); echo many $(cat /run/ka-many-one)
         echo env $(systemctl show -P Environment ka-main.service ka-sock.service ka-tick.service)
         echo path $(systemctl show -P Paths ka-watch.path)
         echo mount $(findmnt -no OPTIONS /srv/ka | grep -o 'size=[0-9]*k')
         echo socket $(systemctl show -P Listen ka-sock.socket)
         echo listens $(grep -o '/run/ka-[0-9]*.sock' /proc/net/unix | sort -u)
         echo target $(systemctl show -P Description ka-all.target)
         echo timer $(systemctl show -P Description ka-tick.timer)
         echo due $(systemctl show -P NextElapseUSecRealtime ka-tick.timer | grep -o '20[0-9][0-9]')
         ls /etc/systemd/system/ka-masked?.service | sed 's/^/mask /'
         systemctl is-active {RUNNING} | sed 's/^/is /'
         systemctl is-failed {RUNNING} | sed 's/^/failed? /'
         echo package $(dpkg-query -W -f '${{db:Status-Status}}' hello 2>/dev/null || echo not-installed)
         find /etc /run/secrets/ /home -name '.steadfast-*' | sed 's/^/left /'
         true",
        users = USERS.join(" ")
    ));
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        *counts.entry(line.trim().to_owned()).or_default() += 1;
    }
    counts
}

/// What [`facts`] are to be.
pub fn wholly(version: Version) -> BTreeMap<String, usize> {
    let Version { number, packages } = version;
    let package = match packages {
        Packages::Present => "package installed",
        Packages::Absent => "package not-installed",
    };
    let running = RUNNING.split_whitespace().count();
    BTreeMap::from([
        (format!("file {number} 640"), FILES / 2),
        (format!("file {number} 600"), FILES / 2),
        (format!("name {number}"), FILES / 10),
        (format!("user {number}"), USERS.len()),
        (format!("secret {number}"), SECRETS),
        (format!("main {number}"), 1),
        (format!("reads {number}"), 1),
        (format!("many {number}"), 1),
        (format!("env KA={number} KA={number} KA={number}"), 1),
        (format!("path /nonexistent/{number} (PathExists)"), 1),
        (format!("mount size={}k", mount_size(number)), 1),
        (format!("socket /run/ka-{number}.sock (Stream)"), 1),
        (format!("listens /run/ka-{number}.sock"), 1),
        (format!("target {number}"), 1),
        (format!("timer {number}"), 1),
        (format!("due {}", timer_year(number)), 1),
        (
            format!("mask /etc/systemd/system/ka-masked{}.service", number % 2),
            1,
        ),
        ("is active".to_owned(), running),
        ("failed? active".to_owned(), running),
        (package.to_owned(), 1),
    ])
}
