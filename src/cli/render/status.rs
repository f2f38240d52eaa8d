//! A host at a glance.

use super::report::{outcome, revision};
use super::{Lines, Page, ago};
use crate::activation::Hold;
use crate::cli::style::{BAD, FAINT, GOOD, WARN, paint};
use crate::report::{AgentStatus, DriftSummary, FailedRevision, NextBootStatus, Report, Status};

/// Entries of a list that are shown before "and N more".
const SHOWN: usize = 8;

/// `steadfast status`.
pub(in crate::cli) fn status(status: &Status, page: Page) -> String {
    let now = status.at_secs;
    let mut lines = Lines::on(page);
    lines.field("host", status.host.as_str());
    lines.field("agent", agent(&status.agent, now));
    for pause in status.holds.iter().filter(|hold| hold.path.is_none()) {
        let ends = format!("changes nothing, ends {}", ago(pause.until_secs, now));
        lines.field("paused", format!("{}{}", paint(WARN, ends), why(pause)));
    }
    if let Some(repository) = &status.repository {
        let branch = status
            .branch
            .as_ref()
            .map_or(String::new(), |name| format!(" ({name})"));
        lines.field("repository", format!("{repository}{branch}"));
    }
    match &status.generation {
        Some(generation) => {
            let when = paint(
                FAINT,
                format!("(made {})", ago(generation.created_secs, now)),
            );
            lines.field("generation", format!("{} {when}", generation.number));
            lines.field("revision", revision(&generation.revision, now));
            if let Some(signer) = &generation.signer {
                lines.field("signed by", &signer.principal);
            }
        }
        None => lines.field("generation", "none yet"),
    }
    if let Some(next) = status.next_boot {
        lines.field("next boot", next_boot(next));
    }
    pending(&mut lines, status);
    if let Some(open) = &status.transaction {
        let reason = open
            .reason
            .as_ref()
            .map_or(String::new(), |reason| format!(": {reason}"));
        let until = open.confirm_until_secs.map_or(String::new(), |until| {
            let ends = ago(until, now);
            format!(
                "; goes back {ends}\nto keep it, log in anew and type `steadfast reconcile confirm`"
            )
        });
        lines.field(
            "transaction",
            format!("{}{until}", paint(WARN, format!("{}{reason}", open.phase))),
        );
        for remains in &open.remains {
            lines.field("", remains.to_string());
        }
    }
    lines.field("last news", news(status.last.as_ref(), now));
    for (number, failed) in status.failed.iter().rev().take(SHOWN).enumerate() {
        lines.field(
            if number == 0 { "held back" } else { "" },
            held_back(failed, now),
        );
    }
    lines.field("drift", drift(status.drift.as_ref(), now));
    held(&mut lines, &status.holds, now);
    for (number, fought) in status.contended.iter().enumerate() {
        let ends = format!("not put right, ends {}", ago(fought.until_secs, now));
        let by = fought.by.as_deref().unwrap_or("somebody");
        let label = if number == 0 { "contended" } else { "" };
        let ends = paint(WARN, ends);
        lines.field(
            label,
            format!("{}: {ends} (changed by {by})", fought.subject),
        );
    }
    lines.finish()
}

fn next_boot(next: NextBootStatus) -> String {
    match next {
        NextBootStatus::Leave {
            generation,
            back_to,
        } => {
            let text =
                format!("goes back from generation {generation}, which is tried, to {back_to}");
            format!("{}\n`steadfast reconcile now` keeps it", paint(WARN, text))
        }
        NextBootStatus::Begin { generation } => {
            let text = format!("activates generation {generation}");
            format!(
                "{}\n`steadfast reconcile now` does it at once",
                paint(WARN, text)
            )
        }
    }
}

/// The paths that are left alone.
fn held(lines: &mut Lines, holds: &[Hold], now_secs: i64) {
    let held = holds
        .iter()
        .filter_map(|hold| Some((hold.path.as_ref()?, hold)));
    for (number, (path, hold)) in held.enumerate() {
        let ends = paint(WARN, format!("ends {}", ago(hold.until_secs, now_secs)));
        let label = if number == 0 { "held" } else { "" };
        lines.field(label, format!("{path}: {ends}{}", why(hold)));
    }
}

fn why(hold: &Hold) -> String {
    let reason = hold.reason.as_ref();
    reason.map_or(String::new(), |reason| format!(": {reason}"))
}

fn news(last: Option<&Report>, now_secs: i64) -> String {
    let Some(last) = last else {
        return "none yet".to_owned();
    };
    let when = paint(FAINT, format!("({})", ago(last.at_secs, now_secs)));
    let mut lines = vec![format!("{} {when}", outcome(last.outcome))];
    if let Some(problem) = &last.problem {
        lines.push(problem.what.clone());
        lines.extend(problem.causes.iter().map(|cause| format!("cause: {cause}")));
        lines.extend(problem.fix.iter().map(|fix| format!("fix: {fix}")));
    }
    lines.join("\n")
}

fn agent(agent: &AgentStatus, now_secs: i64) -> String {
    match agent {
        AgentStatus::Running(live) => {
            let next = live.next_poll_secs.map_or(String::new(), |next| {
                format!(", next look {}", ago(next, now_secs))
            });
            let failures = match live.failures_in_a_row {
                0 => String::new(),
                failures => paint(WARN, format!(" ({failures} failures in a row)")),
            };
            let process = format!(
                "pid {}, version {}, started {}",
                live.pid,
                live.version,
                ago(live.started_secs, now_secs)
            );
            let running = paint(GOOD, "running");
            format!(
                "{running}, {}{next}{failures}\n{}",
                live.phase,
                paint(FAINT, process)
            )
        }
        AgentStatus::NotRunning => paint(BAD, "not running"),
        AgentStatus::Unknown { reason } => format!("{} {reason}", paint(WARN, "unknown:")),
    }
}

/// The newest accepted revision, where it is not the one in force.
fn pending(lines: &mut Lines, status: &Status) {
    let Some(accepted) = &status.accepted else {
        return;
    };
    let active = status
        .generation
        .as_ref()
        .map(|generation| &generation.revision.commit);
    if active != Some(accepted) {
        lines.field("accepted", format!("{} is not in force", accepted.short()));
    }
}

fn held_back(failed: &FailedRevision, now_secs: i64) -> String {
    let when = ago(failed.at_secs, now_secs);
    let why = paint(BAD, format!("rolled back {when}: {}", failed.reason));
    format!("{}\n{why}", revision(&failed.revision, now_secs))
}

fn drift(drift: Option<&DriftSummary>, now_secs: i64) -> String {
    let Some(drift) = drift else {
        return "not looked yet".to_owned();
    };
    let when = paint(FAINT, format!("(looked {})", ago(drift.at_secs, now_secs)));
    let mut lines = vec![match drift.items.len() {
        0 => format!("{} {when}", paint(GOOD, "none")),
        1 => format!("{} {when}", paint(WARN, "1 entry differs")),
        many => format!("{} {when}", paint(WARN, format!("{many} entries differ"))),
    }];
    lines.extend(drift.items.iter().take(SHOWN).cloned());
    if drift.items.len() > SHOWN {
        lines.push(format!("and {} more", drift.items.len() - SHOWN));
    }
    lines.extend(drift.notices.iter().take(SHOWN).cloned());
    lines.join("\n")
}
