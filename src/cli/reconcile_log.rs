//! `reconcile log`: what activations did, out of their journals.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::{print, print_json};
use super::flags::{Format, FormatFlags};
use super::render::{Lines, ago};
use super::secrets::{columns, counted};
use super::status::phase_in_words;
use super::style::{BAD, FAINT, GOOD, WARN, paint};
use super::{HostFlags, site};
use crate::activation::{Entry, Past, Step, TransactionId, Way, past};
use crate::generation::GenerationNumber;
use crate::health::Answer;
use crate::host::clock;
use crate::report::{Problem, exit};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Show what activations did on this host: a line for each transaction that is kept, the newest last; with its number, every \
step with its time, what health said, and why it went back.

The journals of the last twenty transactions are kept. They hold names and reasons, never contents.";

const AFTER: &str = "\
Examples:
  steadfast reconcile log
  steadfast reconcile log 12
  steadfast reconcile log --json | jq '.transactions[-1].events'";

/// Arguments of `reconcile log`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct LogArgs {
    /// The transaction to show step by step [default: list them]
    #[arg(value_name = "TXN")]
    transaction: Option<TransactionId>,
    #[command(flatten)]
    format: FormatFlags,
}

/// What `reconcile log --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LogAnswer {
    /// Format version, 1.
    pub version: u32,
    /// The transactions, the oldest first.
    pub transactions: Vec<TransactionEntry>,
}

/// A transaction.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TransactionEntry {
    /// Its number.
    pub transaction: String,
    /// When it was prepared, seconds since 1970-01-01T00:00:00Z.
    pub begun_secs: i64,
    /// The generation before; `null` on a host that had none.
    pub from: Option<GenerationNumber>,
    /// The generation it went to.
    pub to: GenerationNumber,
    /// What was planned, a line per step.
    pub steps: Vec<String>,
    /// The phase that it ended in, or stands in: `committed`, `rolled back`, `stuck`, …
    pub phase: String,
    /// Why it went back or is stuck.
    pub reason: Option<String>,
    /// Whether it is not over.
    pub open: bool,
    /// What happened, in order.
    pub events: Vec<LogEvent>,
}

/// Something that happened.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LogEvent {
    /// When, seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
    /// What, in words.
    pub text: String,
}

/// Prints what activations did.
pub(super) fn run(args: &LogArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let host = flags.look_at_host()?;
    let found = match site::store_to_read(&host)? {
        Some(store) => past(&store, args.transaction).map_err(|error| {
            Problem::of(&error).with_fix("look at it there; one that is over can be removed")
        })?,
        None => Vec::new(),
    };
    if let (Some(wanted), true) = (args.transaction, found.is_empty()) {
        return Err(Problem::new(format!("there is no transaction {wanted}"))
            .with_fix("`steadfast reconcile log` lists those that are kept"));
    }
    let answer = answer(&found);
    match (args.format.format(), args.transaction) {
        (Format::Json, _) => print_json(&answer)?,
        (Format::Text, None) => print(&list(&answer.transactions, clock::now_secs()))?,
        (Format::Text, Some(_)) => {
            for transaction in &answer.transactions {
                print(&one(transaction))?;
            }
        }
    }
    Ok(exit::DONE)
}

/// What is told about these transactions.
pub(super) fn answer(found: &[Past]) -> LogAnswer {
    LogAnswer {
        version: 1,
        transactions: found.iter().map(entry).collect(),
    }
}

fn entry(past: &Past) -> TransactionEntry {
    let (phase, reason) = phase_in_words(past.phase());
    let forward: Vec<String> = past.record.plan.steps.iter().map(Step::describe).collect();
    let mut back = Vec::new();
    let mut events = Vec::new();
    for line in &past.lines {
        if let Entry::PlannedBack { steps } = &line.entry {
            back.clone_from(steps);
        }
        events.extend(in_words(&line.entry, &forward, &back).map(|text| LogEvent {
            at_secs: line.at_secs,
            text,
        }));
    }
    TransactionEntry {
        transaction: past.record.id.to_string(),
        begun_secs: past.record.begun_secs,
        from: past.record.previous,
        to: past.record.target,
        steps: forward,
        phase: phase.to_owned(),
        reason: reason.map(str::to_owned),
        open: past.open,
        events,
    }
}

/// An entry in words; `None` for one that the entries around it say already.
fn in_words(entry: &Entry, forward: &[String], back: &[String]) -> Option<String> {
    let step = |way: Way, index: usize| {
        let (steps, sign) = match way {
            Way::Forward => (forward, ""),
            Way::Back => (back, "back "),
        };
        let text = steps.get(index).map_or("a step", String::as_str);
        format!("{sign}[{}/{}] {text}", index + 1, steps.len())
    };
    Some(match entry {
        Entry::Phase(phase) => match phase_in_words(phase) {
            (word, None) => word.to_owned(),
            (word, Some(reason)) => format!("{word}: {reason}"),
        },
        Entry::Begun { .. } | Entry::StepBegun { .. } => return None,
        Entry::StepDone { way, index } => step(*way, *index),
        Entry::StepFailed {
            way, index, reason, ..
        } => {
            format!("{}: failed: {reason}", step(*way, *index))
        }
        Entry::PlannedBack { steps } => format!("planned {} back", counted(steps.len(), "step")),
        Entry::Kept { path, object, .. } => {
            format!(
                "kept the changed {path} as object {}",
                &object.as_str()[..12]
            )
        }
        Entry::Installed { packages } => {
            let packages: Vec<String> = packages
                .iter()
                .map(|(name, version)| format!("{name} {version}"))
                .collect();
            format!("installed {}", packages.join(", "))
        }
        Entry::Confirmed { by } => format!("confirmed by {by}"),
        Entry::Probed { verdict } => match &verdict.answer {
            Answer::Passed => format!("{}: passed", verdict.check),
            Answer::Failed { reason } => format!("{}: failed: {reason}", verdict.check),
            Answer::FailedBefore { reason } => {
                format!("{}: failed, as before: {reason}", verdict.check)
            }
            Answer::NotAsked { reason } => format!("{}: not asked: {reason}", verdict.check),
        },
    })
}

fn list(transactions: &[TransactionEntry], now_secs: i64) -> String {
    if transactions.is_empty() {
        return "no transaction yet\n".to_owned();
    }
    let rows: Vec<[String; 5]> = transactions
        .iter()
        .map(|one| {
            [
                one.transaction.trim_start_matches('0').to_owned(),
                ago(one.begun_secs, now_secs),
                way(one),
                one.steps.len().to_string(),
                ended(one),
            ]
        })
        .collect();
    let table = columns(["number", "begun", "generation", "steps", "ended"], &rows);
    let hint = "`steadfast reconcile log NUMBER` tells one step by step";
    format!("{table}\n{}\n", paint(FAINT, hint))
}

fn way(one: &TransactionEntry) -> String {
    let from = one
        .from
        .map_or_else(|| "none".to_owned(), |from| from.to_string());
    format!("{from} to {}", one.to)
}

fn ended(one: &TransactionEntry) -> String {
    let style = match one.phase.as_str() {
        "committed" => GOOD,
        "stuck" => BAD,
        _ => WARN,
    };
    let open = if one.open { " (not over)" } else { "" };
    let first = one
        .reason
        .as_deref()
        .and_then(|reason| reason.lines().next());
    let reason = first.map_or(String::new(), |reason| format!(": {reason}"));
    format!("{}{open}{reason}", paint(style, &one.phase))
}

fn one(transaction: &TransactionEntry) -> String {
    let mut lines = Lines::default();
    let number = transaction.transaction.trim_start_matches('0');
    lines.field("transaction", format!("{number}, {}", ended(transaction)));
    lines.field("generation", way(transaction));
    lines.field("begun", clock::rfc3339(transaction.begun_secs));
    lines.gap();
    for event in &transaction.events {
        let after = event.at_secs.saturating_sub(transaction.begun_secs);
        let when = paint(FAINT, format!("{after:>4} s"));
        let mut text = event.text.lines();
        lines.line(format!("{when}  {}", text.next().unwrap_or_default()));
        for more in text {
            lines.line(format!("        {more}"));
        }
    }
    lines.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Phase;

    #[test]
    fn what_happened_is_told_with_the_words_of_its_step() {
        let forward = [
            "create file /etc/motd".to_owned(),
            "start app.service".to_owned(),
        ];
        let back = ["remove file /etc/motd".to_owned()];
        let words = |entry: &Entry| in_words(entry, &forward, &back);
        let done = Entry::StepDone {
            way: Way::Forward,
            index: 0,
        };
        assert_eq!(words(&done).unwrap(), "[1/2] create file /etc/motd");
        let failed = Entry::StepFailed {
            way: Way::Forward,
            index: 1,
            reason: "it ended at once".to_owned(),
            hint: None,
        };
        assert_eq!(
            words(&failed).unwrap(),
            "[2/2] start app.service: failed: it ended at once"
        );
        let undone = Entry::StepDone {
            way: Way::Back,
            index: 0,
        };
        assert_eq!(words(&undone).unwrap(), "back [1/1] remove file /etc/motd");
        let rolled_back = Entry::Phase(Phase::RolledBack {
            reason: "app.service failed".to_owned(),
        });
        assert_eq!(
            words(&rolled_back).unwrap(),
            "rolled back: app.service failed"
        );
        let begun = Entry::StepBegun {
            way: Way::Forward,
            index: 0,
        };
        assert_eq!(words(&begun), None);
    }
}
