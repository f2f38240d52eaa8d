//! What differs, grouped by kind, with the contents of text files side by side.

use std::collections::BTreeMap;

use super::texts::diffs_on;
use super::{Lines, Page};
use crate::cli::style::{FAINT, GOOD, LABEL, WARN, paint};
use crate::config::Enforcement;
use crate::drift::{Contended, DriftClass, DriftItem, DriftReport};

/// `steadfast drift`: what differs, then how, then what comes of it.
pub(in crate::cli) fn drift(report: &DriftReport, page: Page) -> String {
    let mut classes: BTreeMap<DriftClass, Vec<&DriftItem>> = BTreeMap::new();
    for item in &report.items {
        classes.entry(item.class).or_default().push(item);
    }
    let mut lines = Lines::on(page);
    for (class, items) in &classes {
        for (number, item) in items.iter().enumerate() {
            let label = if number == 0 { class.name() } else { "" };
            lines.field(label, one(item));
        }
    }
    let in_order = classes.values().flatten();
    let diffs = in_order.filter_map(|item| item.diff.as_deref());
    lines.block(&diffs_on(page, diffs));
    lines.gap();
    lines.line(sum(report, &classes));
    let adoptable = |item: &DriftItem| {
        item.hold.is_none() && matches!(item.class, DriftClass::Content | DriftClass::Metadata)
    };
    if report.items.iter().any(adoptable) {
        let text = "what is right as it is now: `steadfast drift adopt PATH` prints the commit that keeps it";
        lines.line(paint(FAINT, text));
    }
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

fn sum(report: &DriftReport, classes: &BTreeMap<DriftClass, Vec<&DriftItem>>) -> String {
    let generation = report.generation;
    let differ = match report.items.len() {
        0 => {
            let text = format!("nothing differs from generation {generation}");
            return paint(GOOD, text);
        }
        1 => "1 entry differs".to_owned(),
        many => format!("{many} entries differ"),
    };
    let counts: Vec<String> = classes
        .iter()
        .map(|(class, items)| format!("{} {}", class.name(), items.len()))
        .collect();
    let counts = match counts.as_slice() {
        [] | [_] => String::new(),
        several => format!(" ({})", several.join(", ")),
    };
    let differ = paint(
        WARN,
        format!("{differ} from generation {generation}{counts}"),
    );
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
