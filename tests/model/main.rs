//! Random lives of a host, held against a model of it after every event: commits of all kinds, edits by hand, refusals,
//! rollbacks and kills. In the end everything is undone, and the host is what it was.
//!
//! `STEADFAST_MODEL_STEPS=5000 cargo test --test model` is the long run; `STEADFAST_MODEL_SEED` is where it begins. A failure
//! prints its seed and the smallest life that shows it. Nothing here depends on a clock: which lives are lived is settled before
//! the first begins, and kills come at a chosen system call. `way` in what is printed is a checksum of all that was there on the way.

#![expect(
    clippy::disallowed_methods,
    reason = "tests drive other programs and write their own files"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod case;
mod edits;
mod kills;
mod known;
mod machine;
mod model;
mod others;
mod play;
mod tree;
mod wanted;

use std::cell::RefCell;
use std::hash::Hasher;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use case::{Event, life};
use machine::Keys;
use play::{Counts, Play};

/// Events in the gate.
const STEPS: usize = 250;
/// Where the gate begins.
const SEED: u64 = 1;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}

/// What keeps the lives from being lived here.
fn missing() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("owners are real for root only");
    }
    let strace = std::process::Command::new("strace").arg("-V").output();
    match strace {
        Ok(output) if output.status.success() => None,
        _ => Some("strace is not there to kill at a chosen moment"),
    }
}

/// What lives come to.
#[derive(Default)]
struct Lived {
    counts: Counts,
    /// The same for the same seeds, however fast or slow the machine is.
    way: u64,
}

fn lived(keys: &Keys, life: &[Event]) -> (Lived, Result<(), String>) {
    let mut play = Play::new(keys);
    let result = play.live(life);
    let lived = Lived {
        counts: play.counts,
        way: play.way.finish(),
    };
    (lived, result)
}

fn runner(seed: u64) -> TestRunner {
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// The seeds whose lives have `steps` events together: which ones are lived depends on no clock and no thread.
fn seeds(first: u64, steps: usize) -> Vec<u64> {
    let mut events = 0;
    (first..u64::MAX)
        .take_while(|seed| {
            let is_wanted = events < steps;
            events += life().new_tree(&mut runner(*seed)).unwrap().current().len();
            is_wanted
        })
        .collect()
}

fn told(life: &[Event]) -> String {
    let lines = life.iter().enumerate();
    let lines: Vec<String> = lines
        .map(|(index, event)| format!("{index}: {event:?}"))
        .collect();
    lines.join("\n")
}

/// One random life and, if it goes wrong, the smallest that does.
fn one(keys: &Keys, seed: u64) -> Result<Lived, String> {
    let mut runner = runner(seed);
    let tree = life().new_tree(&mut runner).unwrap();
    let first = RefCell::new(None);
    let result = runner.run_one(tree, |life| {
        let (lived, result) = lived(keys, &life);
        first.borrow_mut().get_or_insert(lived);
        result.map_err(TestCaseError::fail)
    });
    match result {
        Ok(_) => Ok(first.into_inner().unwrap_or_default()),
        Err(TestError::Fail(why, life)) => Err(format!(
            "{why}\n\nthe smallest life that shows it:\n{}\n\nrun it again: STEADFAST_MODEL_SEED={seed} \
             STEADFAST_MODEL_STEPS=1 cargo test --test model",
            told(&life)
        )),
        Err(error) => Err(format!("seed {seed}: {error}")),
    }
}

#[test]
fn a_host_is_what_the_model_says_after_commits_edits_and_kills_and_in_the_end_what_it_was() {
    if let Some(why) = missing() {
        println!("SKIP 1: {why}");
        return;
    }
    let steps =
        number("STEADFAST_MODEL_STEPS").map_or(STEPS, |steps| usize::try_from(steps).unwrap());
    let first = number("STEADFAST_MODEL_SEED").unwrap_or(SEED);
    let seeds = seeds(first, steps);
    let next = AtomicUsize::new(0);
    let keys = Keys::new();
    let all: Mutex<Result<Lived, String>> = Mutex::new(Ok(Lived::default()));
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads.min(4) {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = one(&keys, *seed);
                    let mut all = all.lock().unwrap();
                    match (&mut *all, result) {
                        (Ok(all), Ok(lived)) => {
                            for (what, count) in lived.counts {
                                *all.counts.entry(what).or_default() += count;
                            }
                            all.way ^= lived.way;
                        }
                        (Ok(_), Err(wrong)) => *all = Err(wrong),
                        (Err(_), _) => {}
                    }
                    if all.is_err() {
                        break;
                    }
                }
            });
        }
    });
    match all.into_inner().unwrap() {
        Ok(Lived { counts, way }) => println!(
            "seeds {first}..={}, way {way:016x}: {counts:?}",
            first + seeds.len() as u64 - 1
        ),
        Err(wrong) => panic!("{wrong}"),
    }
}
