use std::collections::BTreeSet;

use super::*;
use crate::config::HostName;
use crate::report::{Problem, Trigger};

fn report(outcome: Outcome, problem: Option<&str>) -> Report {
    Report {
        version: 1,
        host: HostName::new("chicago").unwrap(),
        at_secs: 0,
        took_ms: 0,
        trigger: Trigger::Poll,
        revision: None,
        signer: None,
        generation: None,
        outcome,
        changes: Vec::new(),
        notices: Vec::new(),
        secrets: Vec::new(),
        unavailable: Vec::new(),
        health: Vec::new(),
        problem: problem.map(Problem::new),
    }
}

#[test]
fn every_event_has_its_own_documented_message_id() {
    let ids: BTreeSet<_> = Event::ALL.iter().map(|event| event.message_id()).collect();
    assert_eq!(ids.len(), Event::ALL.len());
    let docs = include_str!("../../../docs/events.md");
    for event in Event::ALL {
        let id = event.message_id();
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()));
        let row = docs.lines().find(|line| line.contains(id));
        let row = row.unwrap_or_else(|| panic!("{event:?} {id} is not in docs/events.md"));
        assert!(row.contains(event.message()), "{row}");
    }
}

#[test]
fn a_state_that_lasts_is_told_once() {
    use Outcome::{Activated, Failed, KnownBad, NothingToDo, RolledBack};
    let table = [
        (None, (NothingToDo, None), None),
        (None, (Failed, Some("x")), Some(Event::Failed)),
        (Some((Failed, Some("x"))), (Failed, Some("x")), None),
        (
            Some((Failed, Some("x"))),
            (Failed, Some("y")),
            Some(Event::Failed),
        ),
        (
            Some((Failed, Some("y"))),
            (NothingToDo, None),
            Some(Event::Recovered),
        ),
        (Some((NothingToDo, None)), (NothingToDo, None), None),
        (
            Some((Activated, None)),
            (Activated, None),
            Some(Event::Activated),
        ),
        (
            Some((RolledBack, Some("x"))),
            (KnownBad, Some("x")),
            Some(Event::HeldBack),
        ),
        (Some((KnownBad, Some("x"))), (KnownBad, Some("x")), None),
    ];
    for (before, (outcome, problem), event) in table {
        let before = before.map(|(outcome, problem)| report(outcome, problem));
        let now = report(outcome, problem);
        assert_eq!(Event::of_pass(before.as_ref(), &now), event, "{before:?}");
    }
}

#[test]
fn drift_is_told_when_it_changes() {
    let scan = |items: &[&str]| DriftSummary {
        at_secs: 0,
        generation: None,
        items: items.iter().map(ToString::to_string).collect(),
        traces: Vec::new(),
        notices: Vec::new(),
    };
    let (none, some, more) = (scan(&[]), scan(&["a"]), scan(&["a", "b"]));
    assert_eq!(Event::of_scan(None, &none), None);
    assert_eq!(Event::of_scan(None, &some), Some(Event::DriftFound));
    assert_eq!(Event::of_scan(Some(&some), &some), None);
    assert_eq!(Event::of_scan(Some(&some), &more), Some(Event::DriftFound));
    assert_eq!(Event::of_scan(Some(&more), &none), Some(Event::DriftGone));
}
