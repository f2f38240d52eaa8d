//! Asking before and after an activation: only what got worse counts against it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tracing::debug;

use super::built_in::{Before, BuiltIn, Means, Question};
use super::probe::Asking;
use super::{Answer, Check, Operators, Probe, Risk, Verdict, Window, Windows};
use crate::host::Host;

/// Everything that is asked about one activation.
#[derive(Clone)]
pub struct Prober {
    means: Means,
    checks: Vec<Check>,
    before: Vec<Check>,
    risk: Risk,
    window: Window,
}

/// The answers from before an activation.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    /// What failed already, by what was asked.
    failing: BTreeMap<String, String>,
    found: Before,
}

impl Prober {
    /// Asks `checks`, those of the generation to activate; `before` are those of the generation in force. Of the built-in
    /// questions those are asked that `risk` raises, as long and as often as `windows` say.
    #[must_use]
    pub fn new(
        host: Host,
        (checks, before): (Vec<Check>, Vec<Check>),
        risk: Risk,
        windows: &Windows,
    ) -> Self {
        Self {
            window: windows.of(&risk),
            means: Means {
                host,
                remote: None,
                remote_name: None,
                agent: None,
                operators: Operators::Kept,
                directories: Vec::new(),
            },
            checks,
            before,
            risk,
        }
    }

    /// Also asks whether the git remote still answers, and whether `name`, where it has one, can be found.
    #[must_use]
    pub fn with_remote(mut self, remote: Question, name: Option<String>) -> Self {
        self.means.remote = Some(remote);
        self.means.remote_name = name;
        self
    }

    /// Also asks whether the agent could start anew and open its secrets.
    #[must_use]
    pub fn with_agent(mut self, agent: Question) -> Self {
        self.means.agent = Some(agent);
        self
    }

    /// Says whether somebody with a key must still be able to become root.
    #[must_use]
    pub fn with_operators(mut self, operators: Operators) -> Self {
        self.means.operators = operators;
        self
    }

    /// Also asks for room on the file system of `directory`.
    #[must_use]
    pub fn with_room_in(mut self, directory: PathBuf) -> Self {
        self.means.directories.push(directory);
        self
    }

    /// The state of things before anything is changed. Each question is asked once.
    pub async fn baseline(&self) -> Baseline {
        let mut baseline = Baseline::default();
        for built_in in BuiltIn::raised_by(&self.risk, &self.means) {
            let asked = built_in.ask_before(&self.means, &self.risk, &mut baseline.found);
            if let Answer::Failed { reason } = asked.await {
                baseline.failing.insert(built_in.label().to_owned(), reason);
            }
        }
        // A check that is new with this generation has no "before": it must pass.
        let was_there = |check: &Check| {
            self.before
                .iter()
                .any(|b| b.probe.label() == check.probe.label())
        };
        let mut asked = Vec::new();
        for check in self.checks.iter().filter(|check| was_there(check)) {
            asked.push((check, check.probe.begin(&self.means.host).await));
        }
        for (check, asking) in asked {
            if let Answer::Failed { reason } = asking.answer().await {
                baseline.failing.insert(check.probe.label(), reason);
            }
        }
        debug!(
            failing = baseline.failing.len(),
            risk = self.risk.in_words(),
            "baseline"
        );
        baseline
    }

    /// The state of things after: each question is asked until it has passed often enough in a row, or its time is over.
    pub async fn verdicts(&self, baseline: &Baseline) -> Vec<Verdict> {
        let began = Instant::now();
        let mut questions = self.questions(baseline);
        loop {
            let mut asked = Vec::new();
            for (index, question) in questions.iter().enumerate() {
                if question.is_open {
                    asked.push((index, question.begin(&self.means, baseline).await));
                }
            }
            for (index, asking) in asked {
                let answer = asking.answer().await;
                questions[index].hear(answer, began.elapsed());
            }
            if questions.iter().all(|question| !question.is_open) {
                return questions.into_iter().map(Asked::verdict).collect();
            }
            tokio::time::sleep(self.window.every).await;
        }
    }

    fn questions(&self, baseline: &Baseline) -> Vec<Asked<'_>> {
        let was_bad = |label: &str| baseline.failing.contains_key(label);
        let built_ins = BuiltIn::raised_by(&self.risk, &self.means)
            .into_iter()
            .map(|built_in| Asked {
                passes: built_in.passes(self.window.passes),
                was_bad: was_bad(built_in.label()),
                ..Asked::new(
                    Subject::BuiltIn(built_in),
                    (self.window.within, self.window.within),
                )
            });
        let declared = self.checks.iter().map(|check| {
            let within = Duration::from_millis(check.within_ms);
            // A file changes only if a program makes it; below a --root none runs.
            let is_settled =
                matches!(check.probe, Probe::File { .. }) && !self.means.host.is_live();
            let within = if is_settled { Duration::ZERO } else { within };
            let window = match self.window.passes {
                1 => within,
                _ => within.max(self.window.within),
            };
            Asked {
                passes: self.window.passes,
                is_required: check.required,
                was_bad: was_bad(&check.probe.label()),
                ..Asked::new(Subject::Declared(check), (within, window))
            }
        });
        built_ins.chain(declared).collect()
    }
}

/// What is asked.
#[derive(Clone, Copy)]
enum Subject<'a> {
    BuiltIn(BuiltIn),
    Declared(&'a Check),
}

/// One question while it is asked.
struct Asked<'a> {
    subject: Subject<'a>,
    is_required: bool,
    was_bad: bool,
    /// How often in a row it must pass.
    passes: u32,
    /// The time after which a failure counts: that until the first pass; once it passed, the window.
    patience: Duration,
    window: Duration,
    in_a_row: u32,
    is_open: bool,
    answer: Answer,
}

impl<'a> Asked<'a> {
    fn new(subject: Subject<'a>, (patience, window): (Duration, Duration)) -> Self {
        Self {
            subject,
            is_required: true,
            was_bad: false,
            passes: 1,
            patience,
            window,
            in_a_row: 0,
            is_open: true,
            answer: Answer::Passed,
        }
    }

    async fn begin(&self, means: &Means, baseline: &Baseline) -> Asking {
        match self.subject {
            Subject::BuiltIn(built_in) => built_in.begin(means, &baseline.found).await,
            Subject::Declared(check) => check.probe.begin(&means.host).await,
        }
    }

    /// Takes an answer that came when `elapsed` had gone by since the first question.
    fn hear(&mut self, answer: Answer, elapsed: Duration) {
        match &answer {
            Answer::Passed => {
                self.patience = self.window;
                self.in_a_row += 1;
                self.is_open = self.in_a_row < self.passes;
            }
            Answer::Failed { .. } => {
                self.in_a_row = 0;
                self.is_open = !self.was_bad && elapsed < self.patience;
            }
            Answer::FailedBefore { .. } | Answer::NotAsked { .. } => self.is_open = false,
        }
        self.answer = answer;
    }

    fn verdict(self) -> Verdict {
        let answer = match self.answer {
            Answer::Failed { reason } if self.was_bad => Answer::FailedBefore { reason },
            answer => answer,
        };
        let check = match self.subject {
            Subject::BuiltIn(built_in) => built_in.label().to_owned(),
            Subject::Declared(check) => check.probe.label(),
        };
        Verdict {
            check,
            required: self.is_required,
            answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Answer {
        Answer::Failed {
            reason: "no".to_owned(),
        }
    }

    fn asked() -> Asked<'static> {
        let within = Duration::from_secs(20);
        Asked {
            passes: 3,
            ..Asked::new(Subject::BuiltIn(BuiltIn::Remote), (within, within * 6))
        }
    }

    fn hear(asked: &mut Asked<'_>, answers: &[(u64, Answer)]) {
        for (secs, answer) in answers {
            assert!(asked.is_open, "closed before second {secs}");
            asked.hear(answer.clone(), Duration::from_secs(*secs));
        }
    }

    #[test]
    fn three_passes_in_a_row_are_wanted_and_a_failure_between_begins_anew() {
        let mut one = asked();
        let pass = || Answer::Passed;
        hear(
            &mut one,
            &[
                (0, pass()),
                (5, pass()),
                (10, failed()),
                (15, pass()),
                (20, pass()),
                (25, pass()),
            ],
        );
        assert!(!one.is_open);
        assert_eq!(one.verdict().answer, Answer::Passed);
    }

    #[test]
    fn what_never_passed_fails_after_its_time_and_what_did_after_the_window() {
        let mut never = asked();
        hear(&mut never, &[(0, failed()), (19, failed()), (20, failed())]);
        assert!(!never.is_open && never.verdict().rolls_back());
        let mut once = asked();
        hear(
            &mut once,
            &[(0, Answer::Passed), (60, failed()), (120, failed())],
        );
        assert!(!once.is_open && once.verdict().rolls_back());
    }

    #[test]
    fn what_was_bad_before_is_asked_once_and_never_counts() {
        let mut one = Asked {
            was_bad: true,
            ..asked()
        };
        hear(&mut one, &[(0, failed())]);
        assert!(!one.is_open);
        let verdict = one.verdict();
        assert!(!verdict.rolls_back());
        assert!(matches!(verdict.answer, Answer::FailedBefore { .. }));
    }
}
