//! Commits that would lock people out, and people who confirm that they are not.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, World};

/// Windows short enough for a test, and long enough for a machine that does other things besides.
const HEALTH: &str = "health: { window: 8s, lockout_window: 8s, passes: 2, every: 1s }\n";

/// What a host with one operator says: somebody with a key who may become root.
fn operated(fleet: &Fleet, more: &str) -> String {
    let key = fleet.clone.public_key("developer");
    format!(
        "description: has an operator\npackages: [sudo]\nusers:\n  ketan: {{ description: Ketan, shell: /bin/bash, admin: true, ssh_keys: [\"{key}\"] }}\n{more}"
    )
}

/// A host with an operator, converged.
fn with_operator(world: &World, name: &str) -> Fleet {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents(HEALTH);
    // As every installed Debian has it; sudo looks for its host.
    let names = "127.0.0.1 localhost\n127.0.1.1 yard\n";
    fleet.host("yard").write("/etc/hosts", names);
    push(&fleet, &operated(&fleet, ""), "an operator");
    fleet.start_agents();
    let commit = fleet.clone.git(&["rev-parse", "HEAD"]);
    fleet.host("yard").wait_converged(commit.trim(), EVENTUALLY);
    log_in(&fleet);
    fleet
}

fn push(fleet: &Fleet, host: &str, message: &str) -> String {
    fleet.clone.write("hosts/yard/host.yml", host);
    let commit = fleet.clone.commit(message);
    fleet.clone.push();
    commit
}

fn log_in(fleet: &Fleet) {
    let yard = fleet.host("yard");
    let said = fleet.clone.ssh("ketan", &yard.place.address, "id -un");
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (0, "ketan\n"),
        "{}",
        said.all()
    );
}

/// Pushes what the operator must be saved from, and sees that they are.
fn is_taken_back(fleet: &Fleet, host: &str, message: &str, because: &str) {
    let yard = fleet.host("yard");
    let before = yard.status().unwrap().generation();
    let bad = push(fleet, host, message);
    let why = yard.wait_rolled_back(&bad, EVENTUALLY);
    assert!(why.contains(because), "{message}: {why}");
    log_in(fleet);
    assert_eq!(yard.status().unwrap().generation(), before, "{message}");
    assert_eq!(yard.drift().0, 0, "{message}");
    assert_eq!(
        yard.must("systemctl is-active ssh.service"),
        "active\n",
        "{message}"
    );
}

pub fn a_commit_that_breaks_sshd_is_rolled_back_and_people_log_in_again(world: &World, name: &str) {
    let fleet = with_operator(world, name);
    let nobody = "sshd: { settings: { AllowUsers: nobody } }\n";
    is_taken_back(
        &fleet,
        &operated(&fleet, nobody),
        "sshd takes its configuration, and nobody in",
        "nobody can log in",
    );
    let masked = "units:\n  ssh.service: { mask: true }\n";
    is_taken_back(&fleet, &operated(&fleet, masked), "sshd is masked", "sshd");
}

pub fn a_commit_that_breaks_pam_is_rolled_back_and_people_log_in_again(world: &World, name: &str) {
    let fleet = with_operator(world, name);
    let yard = fleet.host("yard");
    let before = yard.must("cat /etc/pam.d/sshd");
    let denied = "files:\n  /etc/pam.d/sshd:\n    on_conflict: backup\n    text: |\n      auth required pam_deny.so\n      account required pam_deny.so\n";
    is_taken_back(
        &fleet,
        &operated(&fleet, denied),
        "PAM lets nobody in",
        "nobody can log in",
    );
    assert_eq!(yard.must("cat /etc/pam.d/sshd"), before);
}

pub fn a_commit_that_drops_the_route_is_rolled_back_and_the_route_is_there_again(
    world: &World,
    name: &str,
) {
    let fleet = with_operator(world, name);
    let yard = fleet.host("yard");
    let gateway = &yard.place.gateway;
    let before = yard.must("ip route show default");
    let tidy = format!(
        "units:\n  tidy.service:\n    start: true\n    text: |\n      [Service]\n      Type=oneshot\n      RemainAfterExit=yes\n      ExecStart=ip route delete default\n      ExecStop=ip route add default via {gateway}\n"
    );
    is_taken_back(
        &fleet,
        &operated(&fleet, &tidy),
        "a unit that tidies up too much",
        "default route",
    );
    assert_eq!(yard.must("ip route show default"), before);
}

pub fn a_commit_that_removes_the_last_operators_key_is_rolled_back(world: &World, name: &str) {
    let fleet = with_operator(world, name);
    let key = fleet.clone.public_key("developer");
    let gone = operated(&fleet, "").replace(&format!(", ssh_keys: [\"{key}\"]"), "");
    assert!(!gone.contains(&key));
    is_taken_back(
        &fleet,
        &gone,
        "the operator's key is gone",
        "nobody with a key can become root any more, as ketan could",
    );

    // One of two is a colleague who leaves.
    let stranger = fleet.clone.public_key("stranger");
    let anna = format!(
        "  anna: {{ description: Anna, shell: /bin/bash, admin: true, ssh_keys: [\"{stranger}\"] }}\n"
    );
    let both = push(&fleet, &operated(&fleet, &anna), "a second operator");
    let yard = fleet.host("yard");
    yard.wait_converged(&both, EVENTUALLY);
    let one = push(&fleet, &format!("{gone}{anna}"), "the first one leaves");
    yard.wait_converged(&one, EVENTUALLY);
    let said = fleet.clone.ssh("ketan", &yard.place.address, "true");
    assert_ne!(said.code, 0, "the key is gone");
}

pub fn a_good_commit_stays_while_the_git_remote_is_down_for_other_reasons(
    world: &World,
    name: &str,
) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents(HEALTH);
    let yard = fleet.host("yard");
    // The remote gives the commit, and is gone before health is asked for the first time.
    let host = "files:\n  /etc/app.conf:\n    text: \"good\\n\"\n    validate: [/bin/sh, -c, \"touch /run/judging; sleep 6\", \"{file}\"]\nunits:\n  app.service: { text: \"[Service]\\nExecStart=/bin/sleep infinity\\n\", start: true }\n";
    let commit = push(&fleet, host, "good");
    fleet.start_agents();
    crate::harness::wait_until("the commit is judged", EVENTUALLY, || {
        yard.run("test -e /run/judging").code == 0
    });
    fleet.forge.must("systemctl stop ssh.service");
    let status = yard.wait_converged(&commit, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/app.conf"), "good\n");
    let health = status.health();
    assert!(
        health.contains("git remote") && health.contains("failed_before"),
        "the report says that the remote was down before: {health}"
    );
    fleet.forge.must("systemctl start ssh.service");
}

/// A host that waits `within` for a person who logs in as root, and has a first generation that needs nobody.
fn confirmed(world: &World, name: &str, within: &str) -> Fleet {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents(&format!(
        "{HEALTH}confirm: lockout\nconfirm_within: {within}\n"
    ));
    let yard = fleet.host("yard");
    yard.write_with_mode(
        "/root/.ssh/authorized_keys",
        &format!("{}\n", fleet.clone.public_key("developer")),
        0o600,
    );
    yard.must("chmod 700 /root/.ssh");
    let commit = push(&fleet, "description: nothing yet\n", "nothing yet");
    fleet.start_agents();
    yard.wait_converged(&commit, EVENTUALLY);
    fleet
}

/// What every login goes through.
const RISKY: &str =
    "files:\n  /etc/security/limits.d/ours.conf: { text: \"* soft nofile 4096\\n\" }\n";

fn wait_asked(yard: &Host) {
    yard.wait_status("waits for a person", EVENTUALLY, |status| {
        status.transaction() == Some("waits to be confirmed")
    });
}

pub fn a_confirmation_counts_over_a_new_connection_and_not_over_one_from_before(
    world: &World,
    name: &str,
) {
    let fleet = confirmed(world, name, "60s");
    let yard = fleet.host("yard");
    let master = Master::open(&fleet, yard);
    let commit = push(&fleet, RISKY, "limits");
    wait_asked(yard);

    let confirm = "steadfast reconcile confirm";
    let text = yard.must("steadfast status");
    assert!(
        text.contains(confirm) && text.contains("goes back"),
        "{text}"
    );
    let old = master.run(&fleet, yard, confirm);
    assert_eq!(old.code, 1, "{}", old.all());
    assert!(
        old.stderr.contains("older than the activation"),
        "{}",
        old.all()
    );
    assert!(old.stderr.contains("ControlPath=none"), "{}", old.all());
    let none = yard.run(confirm);
    assert_eq!(none.code, 1, "{}", none.all());
    assert!(
        none.stderr.contains("connection of its own"),
        "{}",
        none.all()
    );

    let new = fleet.clone.ssh("root", &yard.place.address, confirm);
    assert_eq!(new.code, 0, "{}", new.all());
    assert!(new.stdout.contains("stays"), "{}", new.all());
    yard.wait_converged(&commit, EVENTUALLY);
    let log = yard.must("steadfast reconcile log --json");
    assert!(
        log.contains("confirmed by ssh connection of process"),
        "{log}"
    );
    let late = fleet.clone.ssh("root", &yard.place.address, confirm);
    assert_eq!(late.code, 1);
    assert!(
        late.stderr.contains("no activation waits"),
        "{}",
        late.all()
    );
    what_is_pushed_meanwhile_comes_after_it(&fleet, confirm);
}

/// A commit that arrives while a person is waited for is not taken up before that is over.
fn what_is_pushed_meanwhile_comes_after_it(fleet: &Fleet, confirm: &str) {
    let yard = fleet.host("yard");
    let before = yard.status().unwrap().generation_commit().to_owned();
    let asked = push(fleet, &RISKY.replace("4096", "8192"), "other limits");
    wait_asked(yard);
    let harmless = "  /etc/app.conf: { text: \"x\\n\" }\n";
    let next = push(
        fleet,
        &format!("{}{harmless}", RISKY.replace("4096", "8192")),
        "harmless",
    );
    // Whoever asks for it waits as well, and is told.
    let mut typed = yard.start("steadfast reconcile now --no-agent >/run/typed 2>&1");
    crate::harness::wait_until("somebody is told to wait", EVENTUALLY, || {
        let said = yard.quietly("cat /run/typed");
        said.contains("an activation is under way")
    });
    let status = yard.status().unwrap();
    assert_eq!(status.transaction(), Some("waits to be confirmed"));
    assert_eq!(status.generation_commit(), before);
    assert_eq!(yard.run("test -e /etc/app.conf").code, 1);
    let said = fleet.clone.ssh("root", &yard.place.address, confirm);
    assert_eq!(said.code, 0, "{}", said.all());
    yard.wait_converged(&next, EVENTUALLY);
    // It does what is left to do, if the agent was not faster.
    drop(typed.wait());
    let known = yard.must("steadfast generations list --json");
    assert!(known.contains(&asked), "it was in force first: {known}");
}

pub fn an_activation_that_nobody_confirms_goes_back_by_itself(world: &World, name: &str) {
    let fleet = confirmed(world, name, "6s");
    let yard = fleet.host("yard");
    let bad = push(&fleet, RISKY, "limits");
    wait_asked(yard);
    let why = yard.wait_rolled_back(&bad, EVENTUALLY);
    assert!(why.contains("nobody confirmed it"), "{why}");
    assert_eq!(yard.run("test -e /etc/security/limits.d/ours.conf").code, 1);

    // What can lock nobody out asks nobody.
    let harmless = "files:\n  /etc/app.conf: { text: \"x\\n\" }\n";
    let good = push(&fleet, harmless, "harmless");
    yard.wait_converged(&good, EVENTUALLY);
}

/// A connection that stays open, over which others may go.
struct Master {
    child: std::process::Child,
    socket: String,
}

impl Master {
    fn open(fleet: &Fleet, yard: &Host) -> Self {
        let socket = fleet.clone.home.join("master").display().to_string();
        let mut command = Command::new("ssh");
        command
            .args(fleet.clone.ssh_options())
            .args(["-M", "-N", "-S", &socket])
            .arg(format!("root@{}", yard.place.address))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let master = Self { child, socket };
        crate::harness::wait_until(
            "the first connection is up",
            Duration::from_secs(20),
            || master.run(fleet, yard, "true").code == 0,
        );
        master
    }

    fn run(&self, fleet: &Fleet, yard: &Host, script: &str) -> crate::harness::Said {
        // Without the socket this must fail rather than connect anew.
        let shared = ["-S", self.socket.as_str(), "-oProxyCommand=false"];
        fleet
            .clone
            .ssh_with(&shared, "root", &yard.place.address, script)
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        // It may be gone already, with its host.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
