//! What systemd was asked for and what became of it, overheard on the host's bus by somebody who is not the agent.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::Duration;

use serde_json::Value;

use super::host::Host;
use super::shell::wait_until;

const LOG: &str = "/run/observer/bus";
/// A unit of the observer's own, to see that it hears.
const MARK: &str = "observer-mark.service";

/// Somebody who listens to the bus of a host. systemd tells of jobs only while somebody is subscribed, so this one is.
pub struct Observer<'h> {
    host: &'h Host,
    processes: Vec<Child>,
}

impl<'h> Observer<'h> {
    /// Begins to listen.
    pub fn listen(host: &'h Host) -> Self {
        let sleep = "[Service]\\nExecStart=/bin/sleep infinity\\n";
        let once = "[Service]\\nType=oneshot\\nExecStart=/bin/true\\n";
        host.must(&format!(
            "mkdir -p /run/observer /run/systemd/system; cd /run/systemd/system; \
             printf '{sleep}' >observer.service; printf '{once}' >{MARK}; systemctl daemon-reload"
        ));
        let monitor = format!("exec busctl monitor --json=short org.freedesktop.systemd1 >>{LOG}");
        let processes = vec![
            host.start(&monitor),
            // It stays subscribed for as long as it waits.
            host.start("exec systemctl start --wait observer.service"),
        ];
        let observer = Self { host, processes };
        wait_until("the observer hears", Duration::from_secs(20), || {
            host.quietly(&format!("systemctl start {MARK}"));
            host.quietly(&format!("cat {LOG}")).contains("JobRemoved")
        });
        observer.forget();
        observer
    }

    /// Forgets what was heard.
    pub fn forget(&self) {
        self.host.must(&format!(": >{LOG}"));
    }

    /// Everything since [`forget`](Self::forget), a line each: `start app.service done`, and `reload` for systemd's
    /// reading of all unit files. A job that nobody asked for by name is `pulled in`. Jobs of the program itself are
    /// left out, and what makes instances of connections different.
    pub fn heard(&self) -> Vec<String> {
        // What is on its way is there when a job after it is.
        self.host.must(&format!("systemctl start {MARK}"));
        wait_until("the mark is heard", Duration::from_secs(20), || {
            let ends = records(&self.host.quietly(&format!("cat {LOG}")));
            ends.iter().any(|line| line.contains(MARK))
        });
        let mut lines = records(&self.host.quietly(&format!("cat {LOG}")));
        lines.retain(|line| !line.contains(MARK));
        self.host.transcript.note(&format!("heard: {lines:?}"));
        self.forget();
        lines
    }
}

impl Drop for Observer<'_> {
    fn drop(&mut self) {
        for process in &mut self.processes {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

fn records(log: &str) -> Vec<String> {
    let mut asked: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut lines = Vec::new();
    for line in log.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        if message["interface"] != "org.freedesktop.systemd1.Manager" {
            continue;
        }
        let words = message["payload"]["data"].as_array();
        let word = |index: usize| {
            let found = words.and_then(|words| words.get(index)?.as_str());
            found.unwrap_or_default().to_owned()
        };
        let verb = match message["member"].as_str().unwrap_or_default() {
            "StartUnit" => "start",
            "StopUnit" => "stop",
            "RestartUnit" => "restart",
            "ReloadOrRestartUnit" => "reload",
            "Reload" => {
                lines.push("reload".to_owned());
                continue;
            }
            "JobRemoved" => {
                let unit = word(2);
                let verb = asked.remove(&unit).unwrap_or("pulled in");
                // Ours, and the one that listens here.
                if !unit.starts_with("steadfast") && unit != "observer.service" {
                    lines.push(format!("{verb} {} {}", without_connection(&unit), word(3)));
                }
                continue;
            }
            _ => continue,
        };
        asked.insert(word(0), verb);
    }
    lines
}

/// `door@3-41-0.service` is the third connection: its numbers are chance.
fn without_connection(unit: &str) -> String {
    match unit.split_once('@') {
        Some((stem, rest)) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{stem}@…")
        }
        _ => unit.to_owned(),
    }
}
