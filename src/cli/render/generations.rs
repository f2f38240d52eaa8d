//! Generations: the list, one of them, and what differs between two.

use super::report::revision;
use super::{Lines, ago, size, width};
use crate::cli::generations::{GenerationEntry, GenerationList};
use crate::cli::style::{ADDED, CHANGED, FAINT, GOOD, LABEL, REMOVED, WARN, paint};
use crate::generation::{Change, ChangeKind, GcMode, GcReport, Generation, GenerationNumber};

/// `steadfast generations list`.
pub(in crate::cli) fn list(list: &GenerationList, now_secs: i64) -> String {
    let mut lines = Lines::default();
    let all = list.generations.iter().map(|entry| width(&marks(entry)));
    let room = all.max().unwrap_or(0);
    for entry in &list.generations {
        let marks = marks(entry);
        let pad = room - width(&marks);
        let number = paint(LABEL, format!("{:>4}", entry.number));
        let made = format!("{:<15}", ago(entry.created_secs, now_secs));
        let copy = entry.copy_of.map_or(String::new(), |number| {
            paint(FAINT, format!("  copy of {number}"))
        });
        lines.line(format!(
            "{} {number}  {}  {}{marks}{:pad$}  {}{copy}",
            if entry.current {
                paint(GOOD, "*")
            } else {
                " ".to_owned()
            },
            paint(FAINT, made),
            entry.revision.commit.short(),
            "",
            entry.revision.subject,
        ));
    }
    lines.finish()
}

fn marks(entry: &GenerationEntry) -> String {
    let marks = [
        entry.current.then(|| paint(GOOD, "in force")),
        entry.previous_good.then(|| paint(FAINT, "previous good")),
        entry.pinned.then(|| paint(WARN, "pinned")),
    ];
    let marks: Vec<String> = marks.into_iter().flatten().collect();
    if marks.is_empty() {
        String::new()
    } else {
        format!("  [{}]", marks.join(", "))
    }
}

/// `steadfast generations show N`.
pub(in crate::cli) fn generation(generation: &Generation, now_secs: i64) -> String {
    let manifest = &generation.manifest;
    let provenance = &generation.provenance;
    let mut lines = Lines::default();
    lines.field("generation", generation.number.to_string());
    lines.field("host", manifest.host.as_str());
    lines.field("revision", revision(&provenance.revision, now_secs));
    if let Some(signer) = &provenance.signer {
        lines.field(
            "signed by",
            format!("{} {}", signer.principal, paint(FAINT, &signer.fingerprint)),
        );
    }
    if let Some(number) = provenance.copy_of {
        lines.field("copy of", number.to_string());
    }
    lines.field("digest", generation.digest.as_str());
    lines.field("made", ago(provenance.created_secs, now_secs));
    lines.gap();
    let none = crate::generation::Manifest::empty(manifest.host.clone());
    lines.block(&differences(&crate::generation::diff(&none, manifest)));
    lines.finish()
}

/// What differs, a line each, grouped by the kind of resource.
pub(in crate::cli) fn differences(changes: &[Change]) -> String {
    let mut lines = Lines::default();
    let widest = changes
        .iter()
        .map(|change| change.resource.len())
        .max()
        .unwrap_or(0);
    let mut before = "";
    for change in changes {
        let (mark, style) = match change.kind {
            ChangeKind::Added => ("+", ADDED),
            ChangeKind::Removed => ("-", REMOVED),
            ChangeKind::Changed => ("~", CHANGED),
        };
        let heading = if change.resource == before {
            ""
        } else {
            &change.resource
        };
        before = &change.resource;
        let details = if change.details.is_empty() {
            String::new()
        } else {
            format!("  {}", paint(FAINT, change.details.join(", ")))
        };
        lines.line(format!(
            "  {}  {} {}{details}",
            paint(LABEL, format!("{heading:<widest$}")),
            paint(style, mark),
            change.name
        ));
    }
    lines.finish()
}

/// What `steadfast generations gc` forgot, or would.
pub(in crate::cli) fn gc(report: &GcReport, mode: GcMode) -> String {
    let verb = match mode {
        GcMode::Sweep => "forgot",
        GcMode::DryRun => "would forget",
    };
    let mut lines = Lines::default();
    if !report.generations.is_empty() {
        lines.field("generations", numbers(&report.generations));
    }
    if !report.kept.is_empty() {
        lines.field("kept", numbers(&report.kept));
    }
    lines.line(format!(
        "{verb} {} of {} generations and {} objects, {}",
        report.generations.len(),
        report.generations.len() + report.kept.len(),
        report.objects,
        size(report.freed_bytes),
    ));
    lines.finish()
}

fn numbers(numbers: &[GenerationNumber]) -> String {
    let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    words.join(", ")
}
