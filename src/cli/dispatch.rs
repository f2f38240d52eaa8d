//! From the process's arguments to the verb and its exit code.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::ErrorKind;

use super::args::{Command, ReconcileArgs, ReconcileCommand, command, parser};
use super::problem::print_problem;
use super::{Cli, HostFlags, ReconcileCli, SecretsCli};
use super::{
    agent, backup, check, completions, config, drift, generations, host, init, inputs, man, plan,
    reconcile, reconcile_confirm, reconcile_log, reconcile_pause, recover, schema, secrets, status,
    why,
};
use crate::report::{Announce, Audience, Problem, exit, start_log};

/// A command line that was understood.
struct Invocation {
    flags: HostFlags,
    command: Command,
}

/// Runs the program: parses `args`, whose first is the name it was called by, and runs the verb.
#[must_use]
pub fn main(args: &[OsString]) -> ExitCode {
    let invocation = match Invocation::parse(args) {
        Ok(invocation) => invocation,
        Err(error) => {
            // Help goes to stdout, usage errors to stderr; a closed stream is nobody's mistake.
            let _ = error.print();
            let code = if error.use_stderr() {
                exit::USAGE
            } else {
                exit::DONE
            };
            return ExitCode::from(code);
        }
    };
    match invocation.run() {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            print_problem(&problem);
            ExitCode::from(exit::FAILED)
        }
    }
}

/// Says that the program could not even begin.
#[must_use]
pub fn fail(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    print_problem(&Problem::of(error));
    ExitCode::from(exit::FAILED)
}

impl Invocation {
    fn parse(args: &[OsString]) -> Result<Self, clap::Error> {
        let name = args.first().map(Path::new).and_then(Path::file_name);
        let name = name.and_then(|name| name.to_str()).unwrap_or_default();
        let matches = match parser(name).try_get_matches_from(args) {
            Ok(matches) => matches,
            Err(said) if said.kind() == ErrorKind::DisplayVersion => return Err(said),
            // Help and complaints are about the whole tree, and hide options that say nothing to a verb.
            Err(_said_again) => command(name).try_get_matches_from(args)?,
        };
        let parsed = match name {
            "reconcile" => ReconcileCli::from_arg_matches(&matches).map(|cli| Self {
                flags: cli.flags,
                command: Command::Reconcile(cli.args),
            }),
            "secrets" => SecretsCli::from_arg_matches(&matches).map(|cli| Self {
                flags: cli.flags,
                command: Command::Secrets(cli.args),
            }),
            _ => Cli::from_arg_matches(&matches).map(|cli| Self {
                flags: cli.flags,
                command: cli.command,
            }),
        };
        parsed.map_err(|error| error.format(&mut command(name)))
    }

    fn run(&self) -> Result<u8, Problem> {
        let audience = match &self.command {
            Command::Agent(_) | Command::Boot | Command::Activate => Audience::Service,
            Command::Recover(args) if args.is_for_systemd() => Audience::Service,
            _ => Audience::Person,
        };
        let announce = match (&self.command, &self.flags.root) {
            // They change files in a clone, and nothing of this host.
            (Command::Secrets(_), _) | (_, Some(_)) => Announce::Nowhere,
            (_, None) => Announce::ToJournal,
        };
        start_log(audience, announce).map_err(|error| Problem::of(&error).with_fix(error.fix()))?;
        let flags = &self.flags;
        match &self.command {
            Command::Reconcile(ReconcileArgs {
                command: ReconcileCommand::Now(args),
            }) => reconcile::now(args, flags),
            Command::Reconcile(ReconcileArgs {
                command: ReconcileCommand::Retry(args),
            }) => reconcile::retry(args, flags),
            Command::Reconcile(ReconcileArgs {
                command: ReconcileCommand::Confirm(args),
            }) => reconcile_confirm::run(args, flags),
            Command::Reconcile(ReconcileArgs {
                command: ReconcileCommand::Log(args),
            }) => reconcile_log::run(args, flags),
            Command::Reconcile(ReconcileArgs {
                command: ReconcileCommand::Pause(args),
            }) => reconcile_pause::pause(args, flags),
            Command::Reconcile(ReconcileArgs {
                command: ReconcileCommand::Resume(args),
            }) => reconcile_pause::resume(args, flags),
            Command::Status(args) => status::run(args, flags),
            Command::Drift(args) => drift::run(args, flags),
            Command::Plan(args) => plan::run(args, flags),
            Command::Init(args) => init::run(args, flags),
            Command::Host(args) => host::run(args, flags),
            Command::Check(args) => check::run(args, flags),
            Command::Config(args) => config::run(args, flags),
            Command::Why(args) => why::run(args, flags),
            Command::Inputs(args) => inputs::run(args, flags),
            Command::Generations(args) => generations::run(args, flags),
            Command::Secrets(args) => secrets::run(args, flags),
            Command::Backup(args) => backup::run(args, flags),
            Command::Agent(args) => agent::run(args, flags),
            Command::Boot => agent::boot(flags),
            Command::Activate => recover::activate(flags),
            Command::Recover(args) => recover::run(args, flags),
            Command::Completions(args) => completions::run(args),
            Command::Man(args) => man::run(args),
            Command::Schema(args) => schema::run(args),
        }
    }
}
