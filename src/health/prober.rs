//! Asking before and after an activation: only what got worse counts against it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::debug;

use super::{Answer, Check, Probe, Verdict};
use crate::host::{Host, UnitId, UnitName};

/// Time between two attempts at the same check.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the built-in checks may take until they pass.
const BUILT_IN_WITHIN: Duration = Duration::from_secs(20);

/// Asks whether the git remote answers; the error says why not.
pub type RemoteProbe = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Everything that is asked about one activation.
#[derive(Clone)]
pub struct Prober {
    host: Host,
    checks: Vec<Check>,
    before: Vec<Check>,
    remote: Option<RemoteProbe>,
}

/// The answers from before an activation.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    failing: BTreeMap<String, String>,
    failed_units: BTreeSet<UnitName>,
}

/// A check that every host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BuiltIn {
    FailedUnits,
    DefaultRoute,
    Ssh,
    Remote,
}

impl BuiltIn {
    const ALL: [Self; 4] = [
        Self::FailedUnits,
        Self::DefaultRoute,
        Self::Ssh,
        Self::Remote,
    ];

    fn label(self) -> &'static str {
        match self {
            Self::FailedUnits => "failed units",
            Self::DefaultRoute => "default route",
            Self::Ssh => "sshd",
            Self::Remote => "git remote",
        }
    }
}

impl Prober {
    /// Asks `checks`, those of the generation to activate; `before` are those of the generation in force.
    #[must_use]
    pub fn new(host: Host, checks: Vec<Check>, before: Vec<Check>) -> Self {
        Self {
            host,
            checks,
            before,
            remote: None,
        }
    }

    /// Also asks whether the git remote still answers.
    #[must_use]
    pub fn with_remote(mut self, remote: RemoteProbe) -> Self {
        self.remote = Some(remote);
        self
    }

    /// The state of things before anything is changed. Each check is asked once.
    pub async fn baseline(&self) -> Baseline {
        let mut baseline = Baseline {
            failed_units: self.failed_units().await,
            ..Baseline::default()
        };
        for built_in in self.built_ins() {
            if let Answer::Failed { reason } = self.ask_built_in(built_in, &baseline).await {
                baseline.failing.insert(built_in.label().to_owned(), reason);
            }
        }
        for (label, answer) in self.ask_all(Ask::Once).await {
            // A check that is new with this generation has no "before": it must pass.
            let known = self.before.iter().any(|check| check.probe.label() == label);
            if let (Answer::Failed { reason }, true) = (answer, known) {
                baseline.failing.insert(label, reason);
            }
        }
        debug!(
            failing = baseline.failing.len(),
            failed_units = baseline.failed_units.len(),
            "baseline"
        );
        baseline
    }

    /// The state of things after: each check is asked until it passes or its time is over.
    pub async fn verdicts(&self, baseline: &Baseline) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for built_in in self.built_ins() {
            let answer = self.await_built_in(built_in, baseline).await;
            verdicts.push(verdict(built_in.label().to_owned(), true, answer, baseline));
        }
        let mut declared = self.ask_all(Ask::UntilPassed).await;
        for check in &self.checks {
            let label = check.probe.label();
            if let Some(answer) = declared.remove(&label) {
                verdicts.push(verdict(label, check.required, answer, baseline));
            }
        }
        verdicts
    }

    /// Asks every declared check in rounds: those that can wait for the network side by side, units one by one.
    async fn ask_all(&self, ask: Ask) -> BTreeMap<String, Answer> {
        let began = Instant::now();
        let mut answers = BTreeMap::new();
        let mut open: Vec<&Check> = self.checks.iter().collect();
        loop {
            let mut asked = Vec::new();
            for check in open {
                asked.push((check, check.probe.begin(&self.host).await));
            }
            open = Vec::new();
            for (check, asking) in asked {
                let answer = asking.answer().await;
                if matches!(answer, Answer::Failed { .. }) && self.may_pass_later(check, ask, began)
                {
                    open.push(check);
                }
                answers.insert(check.probe.label(), answer);
            }
            if open.is_empty() {
                return answers;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn may_pass_later(&self, check: &Check, ask: Ask, began: Instant) -> bool {
        // A file changes only if a program makes it; below a --root none runs.
        let settled = matches!(check.probe, Probe::File { .. }) && !self.host.is_live();
        matches!(ask, Ask::UntilPassed)
            && !settled
            && began.elapsed() < Duration::from_millis(check.within_ms)
    }

    /// The built-in checks that mean something here: below a `--root` only the remote is real.
    fn built_ins(&self) -> impl Iterator<Item = BuiltIn> + use<> {
        let (live, remote) = (self.host.is_live(), self.remote.is_some());
        BuiltIn::ALL
            .into_iter()
            .filter(move |built_in| match built_in {
                BuiltIn::Remote => remote,
                BuiltIn::FailedUnits | BuiltIn::DefaultRoute | BuiltIn::Ssh => live,
            })
    }

    async fn await_built_in(&self, built_in: BuiltIn, baseline: &Baseline) -> Answer {
        let deadline = Instant::now() + BUILT_IN_WITHIN;
        loop {
            let answer = self.ask_built_in(built_in, baseline).await;
            let failed_before = baseline.failing.contains_key(built_in.label());
            if !matches!(answer, Answer::Failed { .. })
                || failed_before
                || Instant::now() >= deadline
            {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn ask_built_in(&self, built_in: BuiltIn, baseline: &Baseline) -> Answer {
        let failure = match built_in {
            BuiltIn::FailedUnits => self.new_failed_units(baseline).await,
            BuiltIn::DefaultRoute => self.missing_route(),
            BuiltIn::Ssh => return self.ask_ssh().await,
            BuiltIn::Remote => return self.ask_remote().await,
        };
        failure.map_or(Answer::Passed, |reason| Answer::Failed { reason })
    }

    async fn failed_units(&self) -> BTreeSet<UnitName> {
        if !self.host.is_live() {
            return BTreeSet::new();
        }
        match self.host.units().await {
            Ok(units) => units.failed().await.unwrap_or_default(),
            Err(_) => BTreeSet::new(),
        }
    }

    async fn new_failed_units(&self, baseline: &Baseline) -> Option<String> {
        let now = self.failed_units().await;
        let new: Vec<&str> = now
            .difference(&baseline.failed_units)
            .map(UnitName::as_str)
            .collect();
        (!new.is_empty()).then(|| format!("failed since the activation began: {}", new.join(", ")))
    }

    fn missing_route(&self) -> Option<String> {
        match self.host.has_default_route() {
            Ok(Some(false)) => Some("there is no default route".to_owned()),
            Ok(Some(true) | None) => None,
            Err(error) => Some(error.to_string()),
        }
    }

    async fn ask_ssh(&self) -> Answer {
        let names = ["ssh.service", "sshd.service", "ssh.socket"];
        let names: BTreeSet<UnitId> = names
            .iter()
            .filter_map(|name| UnitName::new(*name).ok())
            .map(UnitId::from)
            .collect();
        let states = match self.host.units().await {
            Ok(units) => units.observe(&names).await,
            Err(error) => {
                return Answer::Failed {
                    reason: error.to_string(),
                };
            }
        };
        match states {
            Ok(states)
                if states
                    .values()
                    .any(|s| s.active.is_some_and(crate::host::ActiveState::is_up)) =>
            {
                Answer::Passed
            }
            Ok(_) => Answer::Failed {
                reason: "neither ssh.service nor ssh.socket is active".to_owned(),
            },
            Err(error) => Answer::Failed {
                reason: error.to_string(),
            },
        }
    }

    async fn ask_remote(&self) -> Answer {
        let Some(remote) = self.remote.clone() else {
            return Answer::NotAsked {
                reason: "no remote is configured".to_owned(),
            };
        };
        match tokio::task::spawn_blocking(move || remote()).await {
            Ok(Ok(())) => Answer::Passed,
            Ok(Err(reason)) => Answer::Failed { reason },
            Err(panic) => Answer::Failed {
                reason: format!("the probe ended badly: {panic}"),
            },
        }
    }
}

/// How often a declared check is asked.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Once,
    UntilPassed,
}

fn verdict(check: String, required: bool, answer: Answer, baseline: &Baseline) -> Verdict {
    let answer = match answer {
        Answer::Failed { reason } if baseline.failing.contains_key(&check) => {
            Answer::FailedBefore { reason }
        }
        answer => answer,
    };
    Verdict {
        check,
        required,
        answer,
    }
}
