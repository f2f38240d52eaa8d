//! From the process's arguments to the verb and its exit code.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use super::args::{Command, ReconcileCommand};
use super::{Cli, HostFlags, ReconcileCli, SecretsCli, print_problem, secrets};
use crate::report::Problem;
use crate::report::exit;

/// Runs the program: parses `args`, whose first is the name it was called by, and runs the verb.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    match dispatch(args) {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            print_problem(&problem);
            ExitCode::from(exit::FAILED)
        }
    }
}

fn dispatch(args: Vec<OsString>) -> Result<u8, Problem> {
    let name = args.first().map(Path::new).and_then(Path::file_name);
    match name.and_then(|name| name.to_str()) {
        Some("reconcile") => {
            let cli = ReconcileCli::parse_from(args);
            reconcile(&cli.command, &cli.flags)
        }
        Some("secrets") => {
            let cli = SecretsCli::parse_from(args);
            secrets::run(&cli.args, &cli.flags)
        }
        _ => {
            let cli = Cli::parse_from(args);
            match cli.command {
                Command::Reconcile(command) => reconcile(&command, &cli.flags),
                Command::Secrets(args) => secrets::run(&args, &cli.flags),
            }
        }
    }
}

fn reconcile(command: &ReconcileCommand, _flags: &HostFlags) -> Result<u8, Problem> {
    match command {
        ReconcileCommand::Now => Ok(exit::DONE),
    }
}
