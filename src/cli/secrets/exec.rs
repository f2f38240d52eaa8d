//! `secrets exec-env` and `secrets exec-file`: a command with decrypted values.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;

use clap::Args;

use super::failure::Failure;
use super::options::{KeyOrder, Types};
use super::place::repository_to_read;
use super::{answers, identities};
use crate::cli::HostFlags;
use crate::host::become_user;
use crate::host::exec::Inherited;
use crate::report::{Problem, exit};
use crate::secrets::{
    Handover, MacCheck, RunError, SecretFile, ShellCommand, run_program, run_with_file, variables,
};
use crate::sops::OpenedFile;

/// Run a command with the values of a secret file in its environment
#[derive(Debug, Args)]
#[command(long_about = ENV_ABOUT, after_long_help = ENV_EXAMPLES)]
pub struct ExecEnvArgs {
    /// The secret file
    file: PathBuf,
    /// What `/bin/sh -c` gets
    command: String,
    /// Give the command nothing of this environment but the values
    #[arg(long)]
    pristine: bool,
    /// Become the command instead of waiting for it
    #[arg(long)]
    same_process: bool,
    /// Run the command as this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    order: KeyOrder,
}

/// Run a command with a secret file, decrypted, as a file that never reaches a disk
#[derive(Debug, Args)]
#[command(long_about = FILE_ABOUT, after_long_help = FILE_EXAMPLES)]
pub struct ExecFileArgs {
    /// The secret file
    file: PathBuf,
    /// What `/bin/sh -c` gets; `{}` in it is replaced by the path of the decrypted file
    command: String,
    /// Use a file in memory, which can be read more than once, instead of a FIFO
    #[arg(long)]
    no_fifo: bool,
    /// What the decrypted file is called
    #[arg(long, value_name = "NAME", default_value = "tmp-file")]
    filename: String,
    /// Run the command as this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    order: KeyOrder,
}

const ENV_ABOUT: &str = "\
Run a command with the values of a secret file in its environment. The file has single values only, no maps and lists.

An environment can be read by every process of the same user, and is handed on to whatever the command starts. Where a \
program can read a file, exec-file is better.

The exit code is the command's; 128 + n if signal n ended it.";

const ENV_EXAMPLES: &str = "\
Examples:
  steadfast secrets exec-env secrets/app.env ./run-app
  steadfast secrets exec-env --pristine secrets/app.env 'env | sort'";

const FILE_ABOUT: &str = "\
Run a command with a secret file, decrypted, as a file that never reaches a disk: a FIFO that can be read once, or with \
--no-fifo a file in memory. It is gone when the command ends.

The exit code is the command's; 128 + n if signal n ended it.";

const FILE_EXAMPLES: &str = "\
Examples:
  steadfast secrets exec-file secrets/app.yml './run-app --config {}'
  steadfast secrets exec-file --no-fifo --filename app.json --output-type json secrets/app.yml './run-app {}'";

/// Runs `exec-env`.
pub(super) fn env(args: &ExecEnvArgs, flags: &HostFlags) -> Result<u8, Failure> {
    args.order.check()?;
    let (opened, _file) = open(&args.file, &args.types, flags)?;
    let variables = variables(&opened).map_err(|error| of_run(&error))?;
    drop(opened);
    become_other(args.user.as_deref())?;
    let command = ShellCommand {
        text: &args.command,
        inherited: if args.pristine {
            Inherited::Nothing
        } else {
            Inherited::All
        },
    };
    let program = command.with_variables(&variables);
    drop(variables);
    if args.same_process {
        return Err(of_run(&program.become_it().into()));
    }
    let status = run_program(&program).map_err(|error| of_run(&error))?;
    Ok(code(status))
}

/// Runs `exec-file`.
pub(super) fn file(args: &ExecFileArgs, flags: &HostFlags) -> Result<u8, Failure> {
    args.order.check()?;
    let (opened, file) = open(&args.file, &args.types, flags)?;
    let content = answers::plain_text(&opened, &file, None, args.types.output_of(&file))?;
    drop(opened);
    drop(file);
    become_other(args.user.as_deref())?;
    let command = ShellCommand {
        text: &args.command,
        inherited: Inherited::All,
    };
    let handover = if args.no_fifo {
        Handover::File
    } else {
        Handover::Fifo
    };
    let environment = |name: &str| std::env::var_os(name);
    let status = run_with_file(command, (&args.filename, content), handover, &environment)
        .map_err(|error| of_run(&error))?;
    Ok(code(status))
}

fn open(
    path: &std::path::Path,
    types: &Types,
    flags: &HostFlags,
) -> Result<(OpenedFile, SecretFile<'static>), Failure> {
    let repository = repository_to_read(flags, Some(path))?;
    let file = types.apply(SecretFile::at(path, repository.as_ref()));
    let opened = file
        .open(&identities(flags)?, MacCheck::Verify)
        .map_err(|error| Failure::of_file(&error))?;
    Ok((opened, file.without_repository()))
}

fn become_other(user: Option<&str>) -> Result<(), Failure> {
    let Some(user) = user else { return Ok(()) };
    become_user(user).map_err(|error| Problem::of(&error).with_hint(error.hint()).into())
}

fn of_run(error: &RunError) -> Failure {
    Problem::of(error).with_hint(error.fix()).into()
}

/// The command's exit code, as a shell has it.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    u8::try_from(code).unwrap_or(exit::FAILED)
}
