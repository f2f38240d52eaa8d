//! Random lives of a host, held against a model of it after every event: commits of all kinds, edits by hand, refusals,
//! rollbacks and kills. In the end everything is undone, and the host is what it was.
//!
//! `STEADFAST_MODEL_STEPS=5000 cargo test --test model` is the long run; `STEADFAST_MODEL_SEED` is where it begins. A failure
//! prints its seed and the smallest life that shows it.

#![expect(
    clippy::disallowed_methods,
    reason = "tests drive other programs and write their own files"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod case;
mod machine;
mod model;
mod others;
mod play;
mod tree;
mod wanted;

use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

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

fn lived(keys: &Keys, life: &[Event]) -> (Counts, Result<(), String>) {
    let mut play = Play::new(keys);
    let result = play.live(life);
    (play.counts, result)
}

fn told(life: &[Event]) -> String {
    let lines = life.iter().enumerate();
    let lines: Vec<String> = lines
        .map(|(index, event)| format!("{index}: {event:?}"))
        .collect();
    lines.join("\n")
}

/// One random life and, if it goes wrong, the smallest that does.
fn one(keys: &Keys, seed: u64) -> Result<Counts, String> {
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let counts = RefCell::new(None);
    let result = runner.run(&life(), |life| {
        let (counted, result) = lived(keys, &life);
        counts.borrow_mut().get_or_insert(counted);
        result.map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => Ok(counts.into_inner().unwrap_or_default()),
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
    let next = AtomicU64::new(number("STEADFAST_MODEL_SEED").unwrap_or(SEED));
    let keys = Keys::new();
    let all: Mutex<Result<Counts, String>> = Mutex::new(Ok(Counts::new()));
    let is_over = || match &*all.lock().unwrap() {
        Ok(counts) => counts.get("events").is_some_and(|events| *events >= steps),
        Err(_) => true,
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads.min(4) {
            scope.spawn(|| {
                while !is_over() {
                    let result = one(&keys, next.fetch_add(1, Ordering::Relaxed));
                    let mut all = all.lock().unwrap();
                    match (&mut *all, result) {
                        (Ok(all), Ok(counts)) => {
                            for (what, count) in counts {
                                *all.entry(what).or_default() += count;
                            }
                        }
                        (Ok(_), Err(wrong)) => *all = Err(wrong),
                        (Err(_), _) => {}
                    }
                }
            });
        }
    });
    match all.into_inner().unwrap() {
        Ok(counts) => println!("{counts:?}"),
        Err(wrong) => panic!("{wrong}"),
    }
}
