//! The `steadfast` program; also `reconcile` and `secrets`, by the name it is called by.

use std::process::ExitCode;

use steadfast::{cli, host};

fn main() -> ExitCode {
    // First, while no key was read yet.
    if let Err(error) = host::memory::harden_process() {
        return cli::fail(&error);
    }
    let args: Vec<_> = std::env::args_os().collect();
    cli::main(&args)
}
