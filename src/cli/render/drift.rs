//! What differs, grouped by kind, with the contents of text files side by side.

use std::collections::BTreeMap;

use super::Lines;
use super::texts::unified;
use crate::cli::style::{FAINT, GOOD, LABEL, WARN, paint};
use crate::config::Enforcement;
use crate::drift::{Contended, DriftClass, DriftItem, DriftReport};

/// `steadfast drift`.
pub(in crate::cli) fn drift(report: &DriftReport) -> String {
    let mut classes: BTreeMap<DriftClass, Vec<&DriftItem>> = BTreeMap::new();
    for item in &report.items {
        classes.entry(item.class).or_default().push(item);
    }
    let mut lines = Lines::default();
    for (class, items) in classes {
        for (number, item) in items.into_iter().enumerate() {
            let label = if number == 0 { class.name() } else { "" };
            lines.field(label, one(item));
            if let Some(diff) = &item.diff {
                lines.block(&unified(diff));
                lines.gap();
            }
        }
    }
    lines.gap();
    lines.line(sum(report));
    for notice in &report.notices {
        let subject = paint(LABEL, &notice.subject);
        lines.line(format!("note: {subject} {}", notice.text));
    }
    for pause in report.holds.iter().filter(|hold| hold.path.is_none()) {
        lines.line(paint(WARN, format!("paused {}", pause.terms())));
    }
    lines.finish()
}

fn one(item: &DriftItem) -> String {
    let policy = match (&item.hold, item.policy) {
        (Some(hold), _) => paint(WARN, format!(" (held {})", hold.terms())),
        (None, Enforcement::Report | Enforcement::Adopt) => String::new(),
        (None, Enforcement::Enforce) if item.contended.is_some() => {
            let terms = item.contended.iter().map(Contended::terms);
            paint(WARN, format!(" (left alone {})", terms.collect::<String>()))
        }
        (None, Enforcement::Enforce) => paint(FAINT, " (the agent puts it right)"),
    };
    format!("{}: {}{policy}", paint(LABEL, &item.subject), item.detail)
}

fn sum(report: &DriftReport) -> String {
    let generation = report.generation;
    let command = "`steadfast reconcile now`";
    match report.items.len() {
        0 => paint(
            GOOD,
            format!("nothing differs from generation {generation}"),
        ),
        1 => {
            let text = paint(
                WARN,
                format!("1 entry differs from generation {generation}"),
            );
            format!("{text}; {command} puts it right")
        }
        many => {
            let text = paint(
                WARN,
                format!("{many} entries differ from generation {generation}"),
            );
            format!("{text}; {command} puts them right")
        }
    }
}
