//! A command that prints identities, `SOPS_AGE_KEY_CMD`: run when nothing else opens a file.
//!
//! sops since 3.12 tells the command which recipient it is about, in `SOPS_AGE_RECIPIENT`; a command may print that one
//! identity or all of them. So it is run again for another recipient, and its answers are kept.

use std::ffi::OsString;
use std::sync::{Arc, OnceLock};

use zeroize::Zeroizing;

use super::found::Found;
use super::identity_text::{Words, parse_age_identities};
use super::problem::{SourceProblem, SourceProblemKind};
use crate::host::exec::{Program, split_words};

/// A command, and what it printed so far.
pub(super) struct KeyCommand {
    variable: &'static str,
    command: OsString,
    runs: OnceLock<Box<Run>>,
}

/// What the command printed for one recipient, and the run after it.
struct Run {
    recipient: String,
    outcome: Result<Found, Arc<SourceProblem>>,
    next: OnceLock<Box<Run>>,
}

impl KeyCommand {
    pub(super) fn new(variable: &'static str, command: OsString) -> Self {
        Self {
            variable,
            command,
            runs: OnceLock::new(),
        }
    }

    /// What the command prints for `recipient`; runs it unless it was run for that one before.
    pub(super) fn ask(&self, recipient: &str) -> Option<&Found> {
        let mut place = &self.runs;
        loop {
            let run = place.get_or_init(|| Box::new(self.run(recipient)));
            if run.recipient == recipient {
                return run.outcome.as_ref().ok();
            }
            place = &run.next;
        }
    }

    /// Everything that it printed so far.
    pub(super) fn so_far(&self) -> impl Iterator<Item = &Found> {
        self.runs().filter_map(|run| run.outcome.as_ref().ok())
    }

    /// Why it gave nothing, each reason once.
    pub(super) fn problems(&self) -> impl Iterator<Item = &Arc<SourceProblem>> {
        // The same command fails in the same way for every recipient: the first says it.
        self.runs()
            .filter_map(|run| run.outcome.as_ref().err())
            .take(1)
    }

    fn runs(&self) -> impl Iterator<Item = &Run> {
        std::iter::successors(self.runs.get(), |run| run.next.get()).map(AsRef::as_ref)
    }

    fn run(&self, recipient: &str) -> Run {
        let about = [("SOPS_AGE_RECIPIENT", recipient)];
        let known: &[(&str, &str)] = if recipient.is_empty() { &[] } else { &about };
        let outcome = output_of(&self.command, known)
            .and_then(|text| {
                Ok(parse_age_identities(
                    &text,
                    Words::OnePerLine,
                    self.variable,
                )?)
            })
            .map_err(|kind| {
                Arc::new(SourceProblem {
                    from: self.variable.to_owned(),
                    kind,
                })
            });
        Run {
            recipient: recipient.to_owned(),
            outcome,
            next: OnceLock::new(),
        }
    }
}

/// Runs a command, cut into words as a shell would but without one, and gives what it prints.
pub(super) fn output_of(
    command: &OsString,
    environment: &[(&str, &str)],
) -> Result<Zeroizing<Vec<u8>>, SourceProblemKind> {
    let words = split_words(&command.to_string_lossy()).map_err(SourceProblemKind::Words)?;
    let Some((program, args)) = words.split_first() else {
        return Err(SourceProblemKind::EmptyCommand);
    };
    let mut program = Program::new(program).args(args);
    for (key, value) in environment {
        program = program.env(key, value);
    }
    Ok(Zeroizing::new(program.run_ok()?))
}
