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
fn a_stuck_host_is_told_of_when_it_comes_to_that_when_it_changes_and_every_hour() {
    let stuck = |what: &str, cause: &str, at_secs| {
        let mut problem = Problem::new(what);
        problem.causes.push(cause.to_owned());
        Report {
            problem: Some(problem),
            at_secs,
            ..report(Outcome::Stuck, None)
        }
    };
    let begun = stuck("generation 2 failed, and so did the way back", "x", 1_000);
    let found = |cause, at_secs| stuck("the way back from generation 2 failed", cause, at_secs);
    let told = |now: &Report| Event::of_pass(Some(&begun), now);
    assert_eq!(Event::of_pass(None, &begun), Some(Event::Stuck));
    assert_eq!(told(&found("x", 1_002)), None);
    assert_eq!(told(&found("x", 1_000 + 3_599)), None);
    assert_eq!(told(&found("y", 1_002)), Some(Event::Stuck));
    assert_eq!(told(&found("x", 1_000 + 3_600)), Some(Event::Stuck));
    assert!(found("x", 1_000 + 3_600).is_reminder(&begun));
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
