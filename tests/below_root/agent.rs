//! The agent below `--root`: it notices a commit, does what it is asked over its socket, and ends when told.

use std::io::{BufRead, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fixture::{Fleet, HOST};

/// A running agent; killed when dropped.
pub(crate) struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Fleet {
    pub(crate) fn start_agent(&self) -> Agent {
        // Its own clock would not notice within the test: what it does, it does because somebody told it.
        self.write(
            "etc/steadfast/agent.yml",
            "poll_interval: 1d\ndrift_interval: 1d\n",
        );
        let agent = Command::new(env!("CARGO_BIN_EXE_steadfast"))
            .args(["agent", "--host", "yard", "--root"])
            .arg(self.path(""))
            .arg("--repo")
            .arg(self.repository())
            .arg("--identity")
            .arg(self.repository().with_file_name("host_key"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Agent(agent)
    }
}

pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < Duration::from_mins(2),
            "{what}: not within two minutes"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_agent_notices_a_commit_answers_on_its_socket_and_ends_when_told() {
    let fleet = Fleet::new();
    let mut agent = fleet.start_agent();
    let says = |file: &str, text: &str| {
        std::fs::read_to_string(fleet.path(file)).is_ok_and(|found| found == text)
    };
    wait_until("the first pass", || says("etc/motd", "yard: hello\n"));

    fleet.commit_host(&HOST.replace("yard: hello", "yard: hello 2"));
    wait_until("the commit is noticed", || {
        says("etc/motd", "yard: hello 2\n")
    });

    let running =
        || -> Value { serde_json::from_str(&fleet.run(&["status", "--json"]).stdout).unwrap() };
    wait_until("the pass is over", || running()["agent"]["phase"] == "idle");
    assert_eq!(running()["agent"]["state"], "running");
    assert_eq!(running()["agent"]["pid"], agent.0.id());

    fleet.write("etc/motd", "hacked\n");
    let asked = fleet.run(&["reconcile", "now"]);
    asked.ends_with(0);
    assert!(asked.stdout.contains("/etc/motd"), "{asked:?}");
    assert!(says("etc/motd", "yard: hello 2\n"));

    let terminated = rustix::process::Pid::from_child(&agent.0);
    rustix::process::kill_process(terminated, rustix::process::Signal::TERM).unwrap();
    wait_until("the agent ends", || agent.0.try_wait().unwrap().is_some());
    assert!(agent.0.wait().unwrap().success());
    let mut said = String::new();
    agent
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(!said.contains(crate::fixture::CANARY));
    assert!(
        !fleet.path("run/steadfast/control.sock").exists(),
        "the socket was left behind"
    );
}

#[test]
fn a_second_pass_waits_for_the_first_and_is_told_who_holds_the_host() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    let lock = std::fs::File::open(fleet.path("var/lib/steadfast/lock")).unwrap();
    lock.lock().unwrap();
    let mut second = fleet
        .command(&["reconcile", "now"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufReader::new(second.stderr.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    assert!(first.contains("another pass is at work"), "{first}");
    lock.unlock().unwrap();
    assert!(second.wait().unwrap().success());

    // It has its time, and no more.
    lock.lock().unwrap();
    let refused = fleet.reconcile();
    refused.ends_with(1);
    let me = format!("process {}", std::process::id());
    assert!(refused.stderr.contains(&me), "{}", refused.stderr);
}
