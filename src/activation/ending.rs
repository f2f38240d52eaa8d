//! How a transaction ended, read from what it wrote down: for whoever was not there to hear it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::journal::{Entry, Past};
use super::transaction::{Ending, Outcome};
use super::{INTERRUPTED, Phase, Way};

impl Past {
    /// How it ended; `None` while it is open and not stuck.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        let outcome = match self.phase() {
            Phase::Committed => Outcome::Committed,
            Phase::Stuck { reason } => Outcome::Stuck {
                reason: reason.clone(),
            },
            _ if self.open => return None,
            Phase::RolledBack { reason } => Outcome::RolledBack {
                reason: reason.clone(),
            },
            // It was closed, so it is over: only the disk had no room for saying so.
            _ => Outcome::RolledBack {
                reason: "why could not be written down".to_owned(),
            },
        };
        let mut done = BTreeSet::new();
        let mut health = Vec::new();
        let mut came = BTreeMap::new();
        let mut warnings = Vec::new();
        for line in &self.lines {
            warnings.extend(line.warnings.iter().cloned());
            match &line.entry {
                Entry::StepDone {
                    way: Way::Forward,
                    index,
                } => {
                    done.insert(*index);
                }
                Entry::Probed { verdict } => health.push(verdict.clone()),
                Entry::Installed { packages } => came.extend(packages.clone()),
                _ => {}
            }
        }
        let steps = self.record.plan.steps.iter().enumerate();
        let done = steps
            .filter(|(index, _)| done.contains(index))
            .map(|(_, step)| step.clone().with_what_came(&came))
            .collect();
        Some(Ending {
            outcome,
            done,
            health,
            notices: self.record.plan.notices.clone(),
            warnings,
        })
    }
}

/// A step of the way back that failed: what is left for a person to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Remains {
    /// The step, in words.
    pub step: String,
    /// Why it failed.
    pub reason: String,
    /// How it could be put right, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl std::fmt::Display for Remains {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "left: {}: {}", self.step, self.reason)?;
        match &self.fix {
            Some(fix) => write!(f, "; fix: {fix}"),
            None => Ok(()),
        }
    }
}

impl Past {
    /// What the last way back could not take back; empty for a transaction that is not stuck.
    #[must_use]
    pub fn remains(&self) -> Vec<Remains> {
        if !matches!(self.phase(), Phase::Stuck { .. }) {
            return Vec::new();
        }
        let mut planned: &[String] = &[];
        let mut remains = Vec::new();
        for line in &self.lines {
            match &line.entry {
                Entry::PlannedBack { steps } => {
                    planned = steps;
                    remains.clear();
                }
                Entry::StepFailed {
                    way: Way::Back,
                    index,
                    reason,
                    hint,
                } => remains.push(Remains {
                    step: planned.get(*index).cloned().unwrap_or_default(),
                    reason: reason.clone(),
                    fix: hint.clone(),
                }),
                _ => {}
            }
        }
        remains
    }
}

impl Outcome {
    /// Whether it went back because it was cut off, not because anything was found to be wrong.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::RolledBack { reason } if reason == INTERRUPTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::{Line, Notice, Plan, Record, Step};
    use crate::generation::GenerationNumber;

    fn past(open: bool, entries: Vec<Entry>) -> Past {
        let step = |key: &str| Step::SetSysctl {
            key: key.to_owned(),
            value: "1".to_owned(),
            found: "0".to_owned(),
        };
        let plan = Plan {
            steps: vec![step("a"), step("b")],
            ..Plan::default()
        };
        let lines = entries.into_iter().map(|entry| Line {
            seq: 1,
            boot: None,
            at_secs: 1,
            warnings: Vec::new(),
            entry,
        });
        Past {
            record: Record::new(1, GenerationNumber(2), Some(GenerationNumber(1)), plan),
            lines: lines.collect(),
            open,
        }
    }

    fn done(index: usize, way: Way) -> Entry {
        Entry::StepDone { way, index }
    }

    #[test]
    fn what_was_done_is_read_from_the_journal_and_what_was_done_on_the_way_back_is_not_counted() {
        let ended = past(
            false,
            vec![
                Entry::Phase(Phase::Applying),
                done(1, Way::Forward),
                done(0, Way::Back),
                Entry::Phase(Phase::RolledBack {
                    reason: INTERRUPTED.to_owned(),
                }),
            ],
        );
        let ending = ended.ending().unwrap();
        assert_eq!(ending.done, [ended.record.plan.steps[1].clone()]);
        assert!(ending.outcome.is_interruption());
    }

    #[test]
    fn what_programs_warned_of_is_read_from_the_journal_in_its_order() {
        let notice = |text: &str| Notice {
            subject: "/etc/app.conf".to_owned(),
            text: text.to_owned(),
        };
        let mut ended = past(
            false,
            vec![
                Entry::Phase(Phase::Applying),
                Entry::Phase(Phase::Committed),
            ],
        );
        ended.lines[0].warnings = vec![notice("one"), notice("two")];
        ended.lines[1].warnings = vec![notice("three")];
        let told = ended.ending().unwrap().warnings;
        assert_eq!(told, ["one", "two", "three"].map(notice));
    }

    #[test]
    fn an_open_transaction_has_no_ending_unless_it_is_stuck() {
        let applying = vec![Entry::Phase(Phase::Applying)];
        assert_eq!(past(true, applying.clone()).ending(), None);
        let closed = past(false, applying).ending().unwrap().outcome;
        assert!(matches!(&closed, Outcome::RolledBack { .. }), "{closed:?}");
        assert!(!closed.is_interruption());
        let stuck = Phase::Stuck {
            reason: "why".to_owned(),
        };
        let stuck = past(true, vec![Entry::Phase(stuck)]).ending().unwrap();
        assert!(matches!(stuck.outcome, Outcome::Stuck { .. }));
    }

    #[test]
    fn what_is_left_to_a_person_is_what_failed_on_the_last_way_back() {
        let failed = |way, index, reason: &str| Entry::StepFailed {
            way,
            index,
            reason: reason.to_owned(),
            hint: (index == 1).then(|| "chattr -i /etc/a".to_owned()),
        };
        let planned = |steps: [&str; 2]| Entry::PlannedBack {
            steps: steps.map(str::to_owned).to_vec(),
        };
        let mut entries = vec![
            failed(Way::Forward, 1, "no"),
            planned(["write /etc/b", "write /etc/c"]),
            failed(Way::Back, 0, "read-only"),
            planned(["write /etc/b", "write /etc/a"]),
            failed(Way::Back, 1, "immutable"),
        ];
        assert_eq!(past(true, entries.clone()).remains(), []);
        entries.push(Entry::Phase(Phase::Stuck {
            reason: "why".to_owned(),
        }));
        let left = past(true, entries).remains();
        let left: Vec<String> = left.iter().map(ToString::to_string).collect();
        assert_eq!(
            left,
            ["left: write /etc/a: immutable; fix: chattr -i /etc/a"]
        );
    }
}
