//! The way through the house, on real hosts: Debian with its own systemd, sshd and network, booted by the test.
//!
//! `harness` boots them, `scenarios` says what must be seen. `cargo test --test e2e -- NAME` runs one scenario; what it
//! did is in `target/e2e/logs/NAME/`.

#![expect(
    clippy::disallowed_methods,
    reason = "tests drive other programs and write their own files"
)]
#![expect(clippy::unwrap_used, reason = "a scenario fails by panicking")]
#![expect(
    unreachable_pub,
    reason = "a test program has no outside; `pub` marks what other modules use"
)]

mod harness;
mod scenarios;

use std::panic;
use std::process::ExitCode;

use harness::{Access, World};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// A scenario: its name is a sentence.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    play: fn(&World, &str),
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each scenario waits far more than it computes.
    arguments.test_threads.get_or_insert(3);
    let listed = arguments.list;
    let world = if listed { None } else { Some(harness::enter()) };
    let trials = scenarios::ALL
        .iter()
        .map(|&scenario| {
            let world = match &world {
                Some(Access::Granted(world)) => Ok(world.clone()),
                Some(Access::Denied(why)) => Err(why.clone()),
                None => Err("only listed".to_owned()),
            };
            Trial::ignorable_test(scenario.name, move || play(scenario, world))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn play(scenario: Scenario, world: Result<World, String>) -> Result<Completion, Failed> {
    let world = match world {
        Ok(world) => world,
        Err(why) => return Ok(Completion::ignored_with(format!("SKIP: {why}"))),
    };
    let name = scenario.name;
    // A fleet takes its hosts down while the panic unwinds through it.
    let ended = panic::catch_unwind(panic::AssertUnwindSafe(|| (scenario.play)(&world, name)));
    let Err(payload) = ended else {
        return Ok(Completion::Completed);
    };
    let text = payload.downcast_ref::<String>().cloned();
    let said = text.or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()));
    let logs = world.logs.join(name);
    let tail = harness::tail(&logs.join("transcript.log"), 30);
    Err(format!(
        "{}\n\nall of it is in {}; it ends with:\n{tail}",
        said.unwrap_or_default(),
        logs.display()
    )
    .into())
}
