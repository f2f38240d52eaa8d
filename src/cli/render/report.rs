//! The report of one pass.

use super::changes::{Tense, changes, tally};
use super::{Lines, Page, ago, took};
use crate::cli::style::{BAD, FAINT, GOOD, WARN, paint};
use crate::health::{Answer, Verdict};
use crate::report::{Outcome, Report};
use crate::source::Revision;

/// Everything about a pass but its problem, which is talk and goes to stderr.
pub(in crate::cli) fn report(report: &Report, now_secs: i64, page: Page) -> String {
    let mut lines = Lines::on(page);
    lines.field("host", report.host.as_str());
    if let Some(found) = &report.revision {
        lines.field("revision", revision(found, now_secs));
    }
    if let Some(signer) = &report.signer {
        lines.field("signed by", &signer.principal);
    }
    if !report.changes.is_empty() {
        lines.gap();
        match report.outcome {
            Outcome::RolledBack => lines.line("tried, and taken back:"),
            Outcome::Stuck => lines.line("tried:"),
            Outcome::Paused => lines.line("waits for the end of the pause:"),
            Outcome::PutOff => lines.line("waits for the next boot:"),
            _ => {}
        }
        lines.block(&changes(&report.changes, page));
        lines.gap();
    }
    if !report.secrets.is_empty() {
        lines.field("secrets", report.secrets.join("\n"));
    }
    for secret in &report.unavailable {
        let fix = secret
            .fix
            .as_ref()
            .map_or(String::new(), |fix| format!("\nfix: {fix}"));
        let missing = format!("{} is not there: {}{fix}", secret.name, secret.cause);
        lines.field("", format!("{} {missing}", paint(WARN, "!")));
    }
    for (number, notice) in report.notices.iter().enumerate() {
        let label = if number == 0 { "left alone" } else { "" };
        lines.field(label, format!("{}: {}", notice.subject, notice.text));
    }
    if !report.health.is_empty() {
        lines.field("health", health(&report.health));
    }
    lines.gap();
    lines.line(result(report));
    lines.finish()
}

/// A revision on one line.
pub(in crate::cli) fn revision(revision: &Revision, now_secs: i64) -> String {
    let author = revision.author.split(" <").next().unwrap_or_default();
    format!(
        "{} {} {}",
        revision.commit.short(),
        revision.subject,
        paint(
            FAINT,
            format!("({author}, {})", ago(revision.time_secs, now_secs))
        ),
    )
}

fn health(verdicts: &[Verdict]) -> String {
    let mut passed = 0;
    let mut not_asked = Vec::new();
    let mut failed = Vec::new();
    for verdict in verdicts {
        let (mark, word, reason) = match &verdict.answer {
            Answer::Passed => {
                passed += 1;
                continue;
            }
            Answer::NotAsked { reason } => {
                not_asked.push(format!("{} ({reason})", verdict.check));
                continue;
            }
            Answer::Failed { reason } if verdict.required => (paint(BAD, "x"), "failed", reason),
            Answer::Failed { reason } => (paint(WARN, "!"), "failed, only reported", reason),
            Answer::FailedBefore { reason } => (paint(WARN, "!"), "failed before as well", reason),
        };
        failed.push(format!("{mark} {}: {word}: {reason}", verdict.check));
    }
    let mut lines = vec![match passed + failed.len() {
        1 => format!("{passed} of 1 check passed"),
        all => format!("{passed} of {all} checks passed"),
    }];
    lines.extend(failed);
    if !not_asked.is_empty() {
        let list = format!("not asked: {}", not_asked.join(", "));
        lines.push(paint(FAINT, list));
    }
    lines.join("\n")
}

/// The last line: how it ended, and how long it took.
fn result(report: &Report) -> String {
    let took = took(report.took_ms);
    let generation = report.generation.map_or_else(
        || "no generation".to_owned(),
        |number| format!("generation {number}"),
    );
    let (style, text) = match report.outcome {
        Outcome::NothingToDo => (GOOD, format!("nothing to do, {generation} is in force")),
        Outcome::Activated => (GOOD, format!("activated {generation}")),
        Outcome::Repaired => (
            GOOD,
            format!("put right what had drifted from {generation}"),
        ),
        Outcome::RolledBack => (BAD, format!("rolled back, {generation} is in force")),
        Outcome::KnownBad => (
            WARN,
            format!("held back because it failed before, {generation} is in force"),
        ),
        Outcome::Refused => (
            BAD,
            format!("refused, nothing was changed, {generation} is in force"),
        ),
        Outcome::Failed => (
            BAD,
            format!("failed, nothing was changed, {generation} is in force"),
        ),
        Outcome::Stuck => (
            BAD,
            "stuck: the rollback failed, a human must look".to_owned(),
        ),
        Outcome::Paused => (
            WARN,
            format!("paused, nothing was changed, {generation} is in force"),
        ),
        Outcome::PutOff => (
            GOOD,
            format!("put off until the next boot, {generation} is in force"),
        ),
    };
    let counts = match report.outcome {
        Outcome::Activated | Outcome::Repaired if !report.changes.is_empty() => {
            format!(": {}", tally(&report.changes, Tense::Done))
        }
        _ => String::new(),
    };
    format!(
        "{}{counts} {}",
        paint(style, text),
        paint(FAINT, format!("({took})"))
    )
}

/// How a pass ended, in a word or two.
pub(in crate::cli) fn outcome(outcome: Outcome) -> String {
    let (style, text) = match outcome {
        Outcome::NothingToDo => (GOOD, "nothing to do"),
        Outcome::Activated => (GOOD, "activated"),
        Outcome::Repaired => (GOOD, "repaired"),
        Outcome::RolledBack => (BAD, "rolled back"),
        Outcome::KnownBad => (WARN, "held back"),
        Outcome::Refused => (BAD, "refused"),
        Outcome::Failed => (BAD, "failed"),
        Outcome::Stuck => (BAD, "stuck"),
        Outcome::Paused => (WARN, "paused"),
        Outcome::PutOff => (GOOD, "put off until the next boot"),
    };
    paint(style, text)
}
