//! What a host says about itself, read the way a person or a script would: `status --json`, `drift --json`, systemd.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::host::Host;

/// `steadfast status --json`.
#[derive(Debug, Clone)]
pub struct Status(pub Value);

impl Status {
    /// How the last pass ended, such as `activated`.
    pub fn outcome(&self) -> &str {
        self.0["last"]["outcome"].as_str().unwrap_or("none")
    }

    /// The commit that the last pass was about.
    pub fn last_commit(&self) -> &str {
        self.0["last"]["revision"]["commit"]
            .as_str()
            .unwrap_or("none")
    }

    /// The number of the generation in force; 0 if there is none.
    pub fn generation(&self) -> u64 {
        self.0["generation"]["number"].as_u64().unwrap_or(0)
    }

    /// The commit that the generation in force was built from.
    pub fn generation_commit(&self) -> &str {
        self.0["generation"]["revision"]["commit"]
            .as_str()
            .unwrap_or("none")
    }

    /// Whether no transaction is open.
    pub fn is_quiet(&self) -> bool {
        self.0["transaction"].is_null()
    }

    /// The phase of the transaction that is open, in words.
    pub fn transaction(&self) -> Option<&str> {
        self.0["transaction"]["phase"].as_str()
    }

    /// What health said in the last pass that made news, as JSON.
    pub fn health(&self) -> String {
        self.0["last"]["health"].to_string()
    }

    /// Why `commit` is held back, if it is.
    pub fn failure(&self, commit: &str) -> Option<&str> {
        let failed = self.0["failed"].as_array()?;
        let entry = failed
            .iter()
            .find(|entry| entry["revision"]["commit"] == commit)?;
        entry["reason"].as_str()
    }

    /// Everything the last pass has to say about what went wrong.
    pub fn problem(&self) -> String {
        self.0["last"]["problem"].to_string()
    }
}

impl Host {
    /// What `steadfast status` says; `None` while it says nothing.
    pub fn status(&self) -> Option<Status> {
        serde_json::from_str(&self.quietly("steadfast status --json"))
            .ok()
            .map(Status)
    }

    /// Waits until the last pass was about `commit` and ended well; gives the status.
    pub fn wait_converged(&self, commit: &str, within: Duration) -> Status {
        self.wait_status(
            &format!("converged to {}", &commit[..12]),
            within,
            |status| {
                status.last_commit() == commit
                    && ["activated", "nothing_to_do", "repaired"].contains(&status.outcome())
                    && status.is_quiet()
            },
        )
    }

    /// Waits until `commit` was rolled back; gives why.
    pub fn wait_rolled_back(&self, commit: &str, within: Duration) -> String {
        let status = self.wait_status(
            &format!("rolled back {}", &commit[..12]),
            within,
            |status| status.failure(commit).is_some() && status.is_quiet(),
        );
        status.failure(commit).unwrap_or_default().to_owned()
    }

    /// Waits until the last pass ended with `outcome` and mentions `words`; gives the status.
    pub fn wait_problem(&self, outcome: &str, words: &str, within: Duration) -> Status {
        self.wait_status(
            &format!("{outcome} because of {words:?}"),
            within,
            |status| status.outcome() == outcome && status.problem().contains(words),
        )
    }

    /// Waits for a status that satisfies `is_it`; panics with the last one seen otherwise.
    pub fn wait_status(
        &self,
        what: &str,
        within: Duration,
        is_it: impl Fn(&Status) -> bool,
    ) -> Status {
        let begun = Instant::now();
        loop {
            let text = self.quietly("steadfast status --json");
            let status = serde_json::from_str(&text).ok().map(Status);
            if let Some(status) = status.filter(&is_it) {
                self.transcript.note(&format!("{} {what}", self.name));
                return status;
            }
            assert!(
                begun.elapsed() < within,
                "{} has not {what} within {within:?}; its last status was {text}",
                self.name
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// `steadfast drift --json`: its exit code and its items.
    pub fn drift(&self) -> (i32, Vec<Value>) {
        let said = self.run("steadfast drift --json");
        let report: Value = serde_json::from_str(&said.stdout).unwrap_or_default();
        (
            said.code,
            report["items"].as_array().cloned().unwrap_or_default(),
        )
    }

    /// The invocation id of every unit that systemd has loaded and that has run. Units that come and go on their own are left
    /// out: those an activation of ours lives in, logins, and services that end when nobody asks them any more.
    pub fn invocations(&self) -> BTreeMap<String, String> {
        let text = self.quietly("systemctl show '*' -p Id -p InvocationID");
        text.split("\n\n")
            .filter_map(|block| {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                let id = field("InvocationID=").filter(|id| !id.is_empty())?;
                Some((field("Id=")?.to_owned(), id.to_owned()))
                    .filter(|(unit, _)| !PASSING.iter().any(|passing| unit.starts_with(passing)))
            })
            .collect()
    }
}

/// How the names of units that come and go on their own begin.
const PASSING: [&str; 8] = [
    "steadfast-",
    "session-",
    "user@",
    "user-runtime-dir@",
    "systemd-tmpfiles-clean.",
    "systemd-hostnamed.service",
    "systemd-localed.service",
    "systemd-timedated.service",
];

/// The units whose invocation differs, was not there, or is gone.
pub fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}
