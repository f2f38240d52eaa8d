//! A host at a glance.

use super::report::{outcome, revision};
use super::{Lines, ago};
use crate::cli::style::{BAD, FAINT, GOOD, WARN, paint};
use crate::report::{AgentStatus, DriftSummary, FailedRevision, Status};

/// Entries of a list that are shown before "and N more".
const SHOWN: usize = 8;

/// `steadfast status`.
pub(in crate::cli) fn status(status: &Status) -> String {
    let now = status.at_secs;
    let mut lines = Lines::default();
    lines.field("host", status.host.as_str());
    lines.field("agent", agent(&status.agent, now));
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
    pending(&mut lines, status);
    if let Some(open) = &status.transaction {
        let reason = open
            .reason
            .as_ref()
            .map_or(String::new(), |reason| format!(": {reason}"));
        lines.field(
            "transaction",
            paint(WARN, format!("{}{reason}", open.phase)),
        );
    }
    match &status.last {
        Some(last) => {
            let when = paint(FAINT, format!("({})", ago(last.at_secs, now)));
            lines.field("last news", format!("{} {when}", outcome(last.outcome)));
            if let Some(problem) = &last.problem {
                lines.field("", &problem.what);
                lines.field(
                    "",
                    problem
                        .causes
                        .iter()
                        .map(|cause| format!("cause: {cause}"))
                        .collect::<Vec<_>>()
                        .join("\n"),
                );
                lines.field(
                    "",
                    problem
                        .fix
                        .iter()
                        .map(|fix| format!("fix: {fix}"))
                        .collect::<String>(),
                );
            }
        }
        None => lines.field("last news", "none yet"),
    }
    for (number, failed) in status.failed.iter().rev().take(SHOWN).enumerate() {
        lines.field(
            if number == 0 { "held back" } else { "" },
            held_back(failed, now),
        );
    }
    lines.field("drift", drift(status.drift.as_ref(), now));
    lines.finish()
}

fn agent(agent: &AgentStatus, now_secs: i64) -> String {
    match agent {
        AgentStatus::Running(live) => {
            let mut text = format!("{}, {}", paint(GOOD, "running"), live.phase);
            if let Some(next) = live.next_poll_secs {
                text.push_str(&format!(", next look {}", ago(next, now_secs)));
            }
            if live.failures_in_a_row > 0 {
                let failures = live.failures_in_a_row;
                text.push_str(&format!(
                    " {}",
                    paint(WARN, format!("({failures} failures in a row)"))
                ));
            }
            let started = ago(live.started_secs, now_secs);
            let process = format!(
                "pid {}, version {}, started {started}",
                live.pid, live.version
            );
            format!("{text}\n{}", paint(FAINT, process))
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
    if drift.items.is_empty() {
        return format!("{} {when}", paint(GOOD, "none"));
    }
    let mut text = match drift.items.len() {
        1 => format!("{} {when}", paint(WARN, "1 entry differs")),
        many => format!("{} {when}", paint(WARN, format!("{many} entries differ"))),
    };
    for item in drift.items.iter().take(SHOWN) {
        text.push_str(&format!("\n{item}"));
    }
    if drift.items.len() > SHOWN {
        text.push_str(&format!("\nand {} more", drift.items.len() - SHOWN));
    }
    text
}
