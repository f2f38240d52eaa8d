//! How a pass goes on, on stderr: a spinner at a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::style::{BAD, FAINT, WARN, paint};
use crate::activation::{ActivationEvent, Phase, Way};
use crate::agent::PassEvent;
use crate::health::Answer;
use crate::host::clock;

/// What one event is to somebody who watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// What is being done now, until the next event.
    Doing(String),
    /// Something that stays on the screen.
    Fact(String),
    /// Nothing.
    Nothing,
}

/// Somebody watches a pass.
pub(super) struct Screen {
    spinner: Option<ProgressBar>,
}

impl Screen {
    /// Begins to show how a pass goes on.
    pub(super) fn begin() -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed:>4}") {
                spinner.set_style(style);
            }
            spinner.enable_steady_tick(Duration::from_millis(120));
            spinner
        });
        Self { spinner }
    }

    /// Shows `event`.
    pub(super) fn tell(&self, event: &PassEvent) {
        match (told(event), &self.spinner) {
            (Told::Doing(text), Some(spinner)) => spinner.set_message(text),
            (Told::Fact(text), Some(spinner)) => {
                spinner.suspend(|| super::answer::say(&text));
            }
            (Told::Doing(text) | Told::Fact(text), None) => super::answer::say(text),
            (Told::Nothing, _) => {}
        }
    }

    /// Clears the spinner: what comes next is the answer.
    pub(super) fn end(self) {
        if let Some(spinner) = self.spinner {
            spinner.finish_and_clear();
        }
    }
}

/// Runs `work`, and says at a terminal meanwhile what is being waited for.
pub(super) fn spin<T>(text: &str, work: impl FnOnce() -> T) -> T {
    let screen = Screen::begin();
    if let Some(spinner) = &screen.spinner {
        spinner.set_message(text.to_owned());
    }
    let done = work();
    screen.end();
    done
}

/// Puts `event` in words.
pub(super) fn told(event: &PassEvent) -> Told {
    match event {
        PassEvent::Waiting => {
            Told::Fact("an activation is under way; waiting for its end".to_owned())
        }
        PassEvent::Queued => Told::Fact("another pass is at work; waiting for its end".to_owned()),
        PassEvent::Recovering => {
            Told::Fact("finishing an activation that was interrupted".to_owned())
        }
        PassEvent::Fetching { remote } => Told::Doing(format!("fetching {remote}")),
        PassEvent::Found(revision) => Told::Fact(format!(
            "found {} {}",
            revision.commit.short(),
            revision.subject
        )),
        PassEvent::Building => Told::Doing("building the generation".to_owned()),
        PassEvent::Opening { secrets: 0 } => Told::Nothing,
        PassEvent::Opening { secrets } => Told::Doing(match secrets {
            1 => "opening 1 secret".to_owned(),
            many => format!("opening {many} secrets"),
        }),
        PassEvent::Observing => Told::Doing("looking at the host".to_owned()),
        PassEvent::Activation(event) => activation(event),
    }
}

fn activation(event: &ActivationEvent) -> Told {
    match event {
        ActivationEvent::Planned { way, steps, .. } => {
            let steps = match steps.len() {
                1 => "1 step".to_owned(),
                many => format!("{many} steps"),
            };
            match way {
                Way::Forward => Told::Doing(format!("planned {steps}")),
                Way::Back => Told::Fact(paint(WARN, format!("going back, {steps}"))),
            }
        }
        ActivationEvent::StepBegun {
            way,
            index,
            total,
            text,
        } => {
            let back = match way {
                Way::Forward => "",
                Way::Back => "back ",
            };
            Told::Doing(format!(
                "{} {text}",
                paint(FAINT, format!("{back}[{}/{total}]", index + 1))
            ))
        }
        ActivationEvent::StepFailed { reason, .. } => {
            Told::Fact(format!("{} {reason}", paint(BAD, "failed:")))
        }
        ActivationEvent::Kept { path, object } => {
            let object = &object.as_str()[..12];
            Told::Fact(format!("kept the changed {path} as object {object}"))
        }
        ActivationEvent::StepDone { .. } | ActivationEvent::Watching { units: 0, .. } => {
            Told::Nothing
        }
        ActivationEvent::Watching { units, window_ms } => {
            let units = match units {
                1 => "1 unit".to_owned(),
                many => format!("{many} units"),
            };
            Told::Doing(format!("watching {units} for {} s", window_ms / 1_000))
        }
        ActivationEvent::Probed { verdict } => match &verdict.answer {
            Answer::Failed { reason } => Told::Fact(format!(
                "{} {}: {reason}",
                paint(BAD, "failed:"),
                verdict.check
            )),
            _ => Told::Doing(format!("asked {}", verdict.check)),
        },
        ActivationEvent::Phase { phase } => in_phase(phase),
    }
}

fn in_phase(phase: &Phase) -> Told {
    match phase {
        Phase::Prepared | Phase::Applying | Phase::Committed | Phase::RolledBack { .. } => {
            Told::Nothing
        }
        Phase::Settling => Told::Doing("waiting for units to settle".to_owned()),
        Phase::Probing => Told::Doing("asking health".to_owned()),
        Phase::AwaitingConfirmation { awaited } => {
            let until = clock::rfc3339(awaited.until_secs);
            let command = "log in anew and type `steadfast reconcile confirm`";
            Told::Fact(paint(
                WARN,
                format!("healthy; to keep it, {command} before {until}"),
            ))
        }
        Phase::RollingBack { reason } => {
            Told::Fact(format!("{} {reason}", paint(WARN, "rolling back:")))
        }
        Phase::Stuck { reason } => Told::Fact(format!("{} {reason}", paint(BAD, "stuck:"))),
    }
}

#[cfg(test)]
mod tests;
