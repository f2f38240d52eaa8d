//! A journal whose last record a power cut tore.

use std::fmt;
use std::fs;

use crate::bed::Bed;
use crate::fleet::Fleet;
use crate::trace::{Call, all, calls, disturbed, each, works};
use crate::tree::Which;

const JOURNAL: &str = "transactions/00000002/journal";

/// A kill before a record, and what became of the record before it.
struct Torn<'a> {
    call: &'a Call,
    /// Which part of the last record is left, in thousandths.
    left: usize,
    damage: Damage,
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Cut,
    Flipped,
}

impl fmt::Display for Torn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} at {}/1000 of the record before {}",
            self.damage, self.left, self.call
        )
    }
}

fn tear(bed: &Bed<'_>, torn: &Torn<'_>) -> Result<Which, String> {
    let run = disturbed(bed, &format!("write:signal=KILL:when={}", torn.call.nth));
    let path = bed.state(JOURNAL);
    let mut text = fs::read(&path).map_err(|error| error.to_string())?;
    let before = &text[..text.len().saturating_sub(1)];
    let begins = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let at = begins + (text.len() - begins) * torn.left / 1000;
    match torn.damage {
        Damage::Cut => text.truncate(at),
        Damage::Flipped => text[at] ^= 0x10,
    }
    fs::write(&path, text).map_err(|error| error.to_string())?;
    bed.must_be_whole_after(&run)
}

/// The writes of records after the first two, without which there is no transaction.
fn records(calls: &[Call]) -> Vec<&Call> {
    let is_record = |call: &&Call| call.name == "write" && call.text.contains("/journal>");
    let records: Vec<&Call> = calls.iter().filter(is_record).skip(3).collect();
    assert!(records.len() > 60, "only {} records", records.len());
    records
}

#[test]
fn a_journal_torn_anywhere_in_its_last_record_is_recovered_from() {
    if !works("a_journal_torn_anywhere_in_its_last_record_is_recovered_from") {
        return;
    }
    let fleet = Fleet::get();
    let calls = calls(fleet);
    let mut cases = Vec::new();
    for (index, call) in records(&calls).into_iter().enumerate() {
        let lefts: Vec<usize> = if all() {
            // Forty places in each record, others in the next.
            (index * 7 % 25..1000).step_by(25).collect()
        } else {
            vec![index * 17 % 1000]
        };
        for left in lefts {
            let damage = if (index + left) % 2 == 0 {
                Damage::Cut
            } else {
                Damage::Flipped
            };
            cases.push(Torn { call, left, damage });
        }
    }
    each(fleet, &cases, tear);
}

#[test]
fn the_record_of_a_phase_may_be_torn_at_every_byte() {
    if !works("the_record_of_a_phase_may_be_torn_at_every_byte") {
        return;
    }
    let fleet = Fleet::get();
    let calls = calls(fleet);
    // Before the last record, `committed`, stands what was probed, and before that a phase.
    let records = records(&calls);
    let probing = records
        .iter()
        .rposition(|call| call.text.contains("probing"))
        .unwrap();
    let bed = Bed::copy(fleet);
    disturbed(
        &bed,
        &format!("write:signal=KILL:when={}", records[probing + 1].nth),
    );
    let path = bed.state(JOURNAL);
    let whole = fs::read(&path).unwrap();
    let begins = whole[..whole.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap()
        + 1;
    // Reading does not change the host, so one bed is enough: what is read is the phase before, or that phase.
    for cut in begins..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let phase = phase_of(&bed);
        let expected = if cut == whole.len() {
            "probing"
        } else {
            "settling"
        };
        assert_eq!(
            phase,
            expected,
            "cut at byte {cut} of {begins}..{}",
            whole.len()
        );
    }
    for at in begins..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        fs::write(&path, flipped).unwrap();
        assert_eq!(phase_of(&bed), "settling", "flipped at byte {at}");
    }
}

fn phase_of(bed: &Bed<'_>) -> String {
    let output = bed
        .command(&["status", "--json"], &bed.fleet.repository())
        .output()
        .unwrap();
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    status["transaction"]["phase"]
        .as_str()
        .unwrap_or_else(|| panic!("{status:#}"))
        .to_owned()
}

#[test]
fn a_damaged_plan_is_stuck_and_nothing_is_changed() {
    if !works("a_damaged_plan_is_stuck_and_nothing_is_changed") {
        return;
    }
    let fleet = Fleet::get();
    let calls = calls(fleet);
    let records = records(&calls);
    let bed = Bed::copy(fleet);
    disturbed(&bed, &format!("write:signal=KILL:when={}", records[30].nth));
    let plan = bed.state("transactions/00000002/plan.json");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("\"target\": 2", "\"target\": 1")).unwrap();
    let before = crate::tree::times(&bed.root);
    for verb in ["now", "retry"] {
        let said = bed.recover(verb);
        said.ends_with(6);
        assert!(said.said.contains("is damaged"), "{}", said.said);
    }
    assert_eq!(crate::tree::times(&bed.root), before);
    fs::write(&plan, text).unwrap();
    bed.must_be_whole_after(&bed.recover("now")).unwrap();
}
