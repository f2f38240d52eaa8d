//! An activation that somebody stops, and a machine that somebody shuts down in the middle of one.

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, World, wait_until};

/// A host whose service does not start before the door of its version is open.
struct Doors {
    fleet: Fleet,
    version: u32,
}

impl Doors {
    /// The first version is in force, and no agent runs: each pass is one that the scenario asks for.
    fn boot(world: &World, name: &str) -> Self {
        let fleet = Fleet::boot(world, name, &["yard"]);
        fleet.set_up_agents("");
        let mut doors = Self { fleet, version: 0 };
        doors.push();
        doors.open();
        doors.yard().must("reconcile now --no-agent");
        doors
    }

    fn yard(&self) -> &Host {
        self.fleet.host("yard")
    }

    fn open(&self) {
        self.yard()
            .must(&format!("touch /var/door-{}", self.version));
    }

    fn push(&mut self) {
        self.version += 1;
        let version = self.version;
        let host = format!(
            "files:\n  /etc/app.conf: {{ text: \"{version}\\n\" }}\nunits:\n  app.service:\n    enable: true\n    start: true\n    \
             text: |\n      [Service]\n      Type=oneshot\n      RemainAfterExit=yes\n      \
             ExecStart=/bin/sh -c 'until test -e /var/door-{version}; do sleep 0.1; done'\n      \
             [Install]\n      WantedBy=multi-user.target\n"
        );
        self.fleet.clone.write("hosts/yard/host.yml", &host);
        self.fleet.clone.commit(&format!("version {version}"));
        self.fleet.clone.push();
    }

    /// Begins to activate the next version, and waits until it is half done.
    fn begin(&mut self) -> std::process::Child {
        self.push();
        let pass = self.yard().start("reconcile now --no-agent");
        let conf = format!("{}\n", self.version);
        wait_until("the middle of an activation", EVENTUALLY, || {
            self.yard().quietly("cat /etc/app.conf") == conf
                && self.yard().quietly("systemctl is-active app.service") == "activating\n"
        });
        pass
    }

    /// The host is wholly at `version`: file, unit file, what runs, and what the program thinks of it.
    fn assert_at(&self, version: u32) {
        let yard = self.yard();
        assert_eq!(yard.must("cat /etc/app.conf"), format!("{version}\n"));
        let unit = yard.must("systemctl cat app.service; systemctl show app.service");
        assert!(unit.contains(&format!("/var/door-{version};")), "{unit}");
        assert!(
            !unit.contains(&format!("/var/door-{};", version + 1)),
            "{unit}"
        );
        assert_eq!(yard.must("systemctl is-active app.service"), "active\n");
        assert!(yard.status().unwrap().is_quiet());
        let (code, items) = yard.drift();
        assert_eq!(code, 0, "{items:?}");
    }
}

fn inhibitors(yard: &Host) -> String {
    yard.must("systemd-inhibit --list --no-pager --no-legend")
}

pub fn an_activation_that_is_stopped_is_taken_back_and_a_shutdown_waits_for_its_end(
    world: &World,
    name: &str,
) {
    let mut doors = Doors::boot(world, name);
    // Stopped: taken back at once. It was cut off once, so it is tried again.
    let mut pass = doors.begin();
    doors
        .yard()
        .must("systemctl stop steadfast-activation.service");
    assert_eq!(pass.wait().unwrap().code(), Some(4), "taken back");
    doors.assert_at(1);
    doors.open();
    doors.yard().must("reconcile now --no-agent");
    doors.assert_at(2);

    // Whoever shuts the machine down is told to wait, and why.
    let mut pass = doors.begin();
    assert!(inhibitors(doors.yard()).contains("activating generation"));
    for asked in [
        "systemctl poweroff",
        "busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager Reboot b false",
    ] {
        let said = doors.yard().run(asked);
        assert_ne!(said.code, 0, "{asked}: {}", said.all());
    }
    let state = doors.yard().quietly("systemctl is-active app.service");
    assert_eq!(state, "activating\n", "it goes on");
    doors.open();
    assert!(pass.wait().unwrap().success());
    doors.assert_at(3);
    let left = inhibitors(doors.yard());
    assert!(!left.contains("activating generation"), "{left}");
}
