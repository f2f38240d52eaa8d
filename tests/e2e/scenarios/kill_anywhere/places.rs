//! Where there is something to kill: the records of an activation that nobody disturbed.

use std::fmt;
use std::iter::StepBy;
use std::slice;
use std::time::Duration;

use serde_json::Value;

use super::version::Packages;
use crate::harness::Host;

/// A record of the journal.
#[derive(Debug)]
pub struct Place {
    /// Its line, from 1.
    pub number: usize,
    /// What the version has that the activation goes to; the one before has it not, or the other way round.
    packages: Packages,
    /// What happened: `phase`, `step_begun`, `step_done`, …
    entry: String,
    /// Its phase or its kind of step; empty where there is none.
    what: String,
    /// The step's place in the plan.
    index: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            packages,
            entry,
            what,
            ..
        } = self;
        write!(f, "record {number}, {entry} {what}, package {packages:?}")
    }
}

impl Place {
    /// Whether `line` of a journal says it.
    pub fn is_said_by(&self, line: &str) -> bool {
        let index = self.index.map(|index| format!("\"index\":{index}}}"));
        let phase = (self.entry == "phase").then(|| format!("\"phase\":\"{}\"", self.what));
        line.contains(&format!("\"entry\":\"{}\"", self.entry))
            && [index, phase].iter().flatten().all(|it| line.contains(it))
    }

    /// Its phase, its kind of step, or what kind of record it is.
    pub fn what(&self) -> String {
        let what = if self.what.is_empty() {
            &self.entry
        } else {
            &self.what
        };
        what.clone()
    }

    /// Whether it is at a step that moves packages.
    pub fn is_about_packages(&self) -> bool {
        self.what.contains("package")
    }
}

/// The records of the newest transaction of `host`, which went to a version with `packages`.
pub fn of(host: &Host, packages: Packages) -> Vec<Place> {
    let newest = "cat $(ls -d /var/lib/steadfast/transactions/0* | tail -1)";
    let journal = host.quietly(&format!("{newest}/journal"));
    let plan: Value = serde_json::from_str(&host.quietly(&format!("{newest}/plan.json"))).unwrap();
    let places = journal.lines().enumerate().map(|(index, line)| {
        let (_, line) = line.split_once(' ').unwrap();
        let record: Value = serde_json::from_str(line).unwrap();
        let step = record["index"].as_u64();
        let what = match (record["phase"].as_str(), step) {
            (Some(phase), _) => phase,
            (None, Some(step)) => plan["plan"]["steps"][usize::try_from(step).unwrap()]["step"]
                .as_str()
                .unwrap(),
            (None, None) => "",
        };
        Place {
            number: index + 1,
            packages,
            entry: record["entry"].as_str().unwrap().to_owned(),
            what: what.to_owned(),
            index: step,
        }
    });
    places.collect()
}

/// Where each host is killed in one activation.
#[derive(Debug, Clone, Copy)]
pub struct Round<'p> {
    yard: &'p Place,
    dock: &'p Place,
}

impl<'p> Round<'p> {
    /// Where the host called `name` is killed.
    pub fn at(&self, name: &str) -> &'p Place {
        if name == "yard" { self.yard } else { self.dock }
    }

    /// What the version has that the activation goes to.
    pub fn packages(&self) -> Packages {
        self.yard.packages
    }
}

/// The rounds that are asked for, or those of the gate, which end after `patience`.
pub fn rounds(places: &[Place], patience: Duration) -> (Vec<Round<'_>>, Option<Duration>) {
    let asked = std::env::var("STEADFAST_KILLS").unwrap_or_default();
    let both = |place| Round {
        yard: place,
        dock: place,
    };
    if asked == "all" {
        return (places.iter().map(both).collect(), None);
    }
    if let Some(chosen) = within(places, &asked) {
        return (chosen.map(both).collect(), None);
    }
    (of_the_gate(places), Some(patience))
}

/// Those of `all` that are `asked` for: `40..60` are the 40th to the 59th, `40..60/5` every fifth of these. `None` if it says
/// nothing of the kind.
pub fn within<'a, T>(all: &'a [T], asked: &str) -> Option<StepBy<slice::Iter<'a, T>>> {
    let (from, to) = asked.split_once("..")?;
    let (to, every) = to.split_once('/').unwrap_or((to, "1"));
    let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
    let within = &all[from - 1..to.min(all.len() + 1) - 1];
    Some(within.iter().step_by(every.parse().unwrap()))
}

/// Of every kind of step and of the phases that are entered on the way one, half of them on each host.
fn of_the_gate(places: &[Place]) -> Vec<Round<'_>> {
    let mut rounds = Vec::new();
    for packages in [Packages::Present, Packages::Absent] {
        let mut chosen: Vec<&Place> = Vec::new();
        let telling = |place: &&Place| {
            place.packages == packages
                && (place.entry == "step_done" || place.entry == "phase")
                && place.what != "prepared"
        };
        for place in places.iter().filter(telling) {
            if chosen.iter().all(|other| other.what != place.what) {
                chosen.push(place);
            }
        }
        let half = chosen.len() / 2;
        // Where they are odd, the one in the middle is of both.
        let later = &chosen[half..];
        let earlier = &chosen[..chosen.len() - half];
        let pairs = earlier.iter().zip(later);
        rounds.extend(pairs.map(|(&yard, &dock)| Round { yard, dock }));
    }
    rounds
}
