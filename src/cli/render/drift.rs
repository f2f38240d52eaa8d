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
    let differ = match report.items.len() {
        0 => {
            let text = format!("nothing differs from generation {generation}");
            return paint(GOOD, text);
        }
        1 => "1 entry differs".to_owned(),
        many => format!("{many} entries differ"),
    };
    let differ = paint(WARN, format!("{differ} from generation {generation}"));
    let held = report.items.iter().filter(|item| item.hold.is_some());
    let held = held.count();
    let command = "`steadfast reconcile now`";
    match (report.items.len() - held, held) {
        (0, _) => format!("{differ}, and is left as it is while it is held"),
        (1, 0) => format!("{differ}; {command} puts it right"),
        (_, 0) => format!("{differ}; {command} puts them right"),
        (others, held) => {
            format!("{differ}; {command} puts {others} right and leaves {held}, held by somebody")
        }
    }
}
