//! The `steadfast` program; also `reconcile` and `secrets`, by the name it is called by.

use std::process::ExitCode;

fn main() -> ExitCode {
    steadfast::cli::main(&std::env::args_os().collect::<Vec<_>>())
}
