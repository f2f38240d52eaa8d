//! Modules of a second repository, on hosts that fetch them over ssh with their own keys.

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, World};

const MODULE: &str = "\
options:
  text: { type: string }
config:
  files:
    /etc/banner: { text: \"{{ cfg.text }}\\n\" }
  units:
    banner.service: { file: banner.service, start: true }
";
const SERVICE: &str = "[Service]\nExecStart=/bin/sleep infinity\n";

pub fn a_module_of_a_second_repository_is_fetched_pinned_and_outlives_its_remote(
    world: &World,
    name: &str,
) {
    let fleet = Fleet::boot(world, name, &["yard", "dock"]);
    fleet.set_up_agents("");
    let desk = Desk::set_up(&fleet);
    let first = desk.publish(MODULE);
    fleet.clone.write(
        "fleet.yml",
        &format!(
            "inputs: {{ shared: {{ url: '{}', branch: main }} }}\n",
            desk.url
        ),
    );
    say(&fleet, "one");
    fleet.clone.commit("use the input");
    fleet.clone.push();
    let commit = desk.lock(&["inputs", "update"]);

    let (yard, dock) = (fleet.host("yard"), fleet.host("dock"));
    yard.must("systemctl enable --now --no-block steadfast.service");
    let status = yard.wait_converged(&commit, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/banner"), "one\n");
    assert_eq!(yard.must("systemctl is-active banner.service"), "active\n");

    // Another machine finds the same digest, and says where each line comes from.
    let checked = desk.says("steadfast check --host yard --json");
    let checked: serde_json::Value = serde_json::from_str(&checked).unwrap();
    assert_eq!(
        checked["hosts"][0]["digest"],
        status.0["generation"]["digest"]
    );
    let why = desk.says("steadfast why yard /etc/banner");
    for said in [
        format!("shared@{}:modules/banner/module.yml:5", &first[..7]),
        "hosts/yard/host.yml:1".to_owned(),
        "a banner (Bruno".to_owned(),
    ] {
        assert!(why.contains(&said), "{said}: {why}");
    }

    // The remote is away: a host that has the commit needs nobody, not even to change.
    desk.host.must("mv /srv/git/shared.git /srv/git/elsewhere");
    let (code, drift) = yard.drift();
    assert_eq!(code, 0, "{drift:?}");
    yard.must("systemctl restart steadfast.service && steadfast reconcile now");
    say(&fleet, "two");
    let commit = fleet.clone.commit("another text");
    fleet.clone.push();
    yard.wait_converged(&commit, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/banner"), "two\n");

    // It comes back rewritten, and the old commit is gone: who never had it stays as it is and says so.
    desk.host.must("mv /srv/git/elsewhere /srv/git/shared.git");
    desk.rewrite(&MODULE.replace("}}\\n", "}}!\\n"));
    dock.must("systemctl enable --now --no-block steadfast.service");
    let status = dock.wait_problem("failed", "the input `shared` cannot be used", EVENTUALLY);
    assert!(
        status.problem().contains("it has no commit"),
        "{}",
        status.problem()
    );
    assert_eq!(dock.must("test -e /etc/banner; echo $?"), "1\n");
    assert_eq!(status.generation(), 0);
    yard.must("steadfast reconcile now");
    assert_eq!(yard.must("cat /etc/banner"), "two\n");

    let commit = desk.lock(&["inputs", "update", "--rewritten"]);
    for host in [yard, dock] {
        host.wait_converged(&commit, EVENTUALLY);
        assert_eq!(host.must("cat /etc/banner"), "two!\n");
    }
}

/// Both hosts have the module on, with this text.
fn say(fleet: &Fleet, text: &str) {
    for host in ["yard", "dock"] {
        let modules = format!("modules: {{ shared/banner: {{ text: {text} }} }}\n");
        fleet
            .clone
            .write(&format!("hosts/{host}/host.yml"), &modules);
    }
}

/// The desk of somebody who has a clone of the fleet, and another repository: on the machine of the git server, where ssh
/// finds the keys of nobody else.
struct Desk<'f> {
    host: &'f Host,
    fleet: &'f Fleet,
    url: String,
}

impl<'f> Desk<'f> {
    fn set_up(fleet: &'f Fleet) -> Self {
        let host = &fleet.forge;
        let address = &host.place.address;
        host.must(
            "ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 && git config --global user.name Bruno && \
             git config --global user.email bruno@example.org && \
             su git -s /bin/sh -c 'git init -q --bare -b main /srv/git/shared.git' && \
             git config --global --add safe.directory '*'",
        );
        let known = format!("{address} {}\n", host.public_key());
        host.write("/root/.ssh/known_hosts", &known);
        // Whoever has a key may read both repositories.
        let keys = "/srv/git/.ssh/authorized_keys";
        let text = host.read(keys).unwrap();
        let mut text = text.replace(
            "restrict,command=\"git-upload-pack '/srv/git/fleet.git'\"",
            "restrict",
        );
        text += &host.read("/root/.ssh/id_ed25519.pub").unwrap();
        host.write(keys, &text);
        Self {
            host,
            fleet,
            url: format!("ssh://git@{address}/srv/git/shared.git"),
        }
    }

    /// Commits the module to the other repository; gives the commit.
    fn publish(&self, module: &str) -> String {
        self.host.must(&format!(
            "git init -q -b main /root/shared && git -C /root/shared remote add origin {}",
            self.url
        ));
        self.host
            .write("/root/shared/modules/banner/module.yml", module);
        self.host
            .write("/root/shared/modules/banner/banner.service", SERVICE);
        self.host.must(
            "cd /root/shared && git add -A && git commit -q -m 'a banner' && git push -q origin main && git rev-parse HEAD",
        )
    }

    /// Replaces the only commit, and lets the server forget it.
    fn rewrite(&self, module: &str) {
        self.host
            .write("/root/shared/modules/banner/module.yml", module);
        self.host.must(
            "cd /root/shared && git commit -q -a --amend -m 'another banner' && git push -q --force origin main && \
             su git -s /bin/sh -c 'cd /srv/git/shared.git && git reflog expire --expire=now --all && git gc -q --prune=now'",
        );
    }

    /// Runs a command in a clone of the fleet as it is on the server.
    fn says(&self, script: &str) -> String {
        let address = &self.host.place.address;
        self.host.must(&format!(
            "[ -d /root/fleet ] || git clone -q ssh://git@{address}/srv/git/fleet.git /root/fleet; cd /root/fleet && git pull -q && {script}"
        ))
    }

    /// Writes `fleet.lock` here, and commits it there; gives the commit.
    fn lock(&self, update: &[&str]) -> String {
        self.says(&format!("steadfast {}", update.join(" ")));
        let lock = self.host.must("cat /root/fleet/fleet.lock && git -C /root/fleet checkout -q . && git -C /root/fleet clean -q -f");
        self.fleet.clone.write("fleet.lock", &lock);
        let commit = self.fleet.clone.commit("lock");
        self.fleet.clone.push();
        commit
    }
}
