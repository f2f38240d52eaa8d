//! The command line: what can be typed, and what `--help` says about it.

use clap::{Arg, Args, CommandFactory as _, Parser, Subcommand};

use super::agent::AgentArgs;
use super::backup::BackupArgs;
use super::check::CheckArgs;
use super::completions::CompletionsArgs;
use super::config::ConfigArgs;
use super::drift::DriftArgs;
use super::flags::HostFlags;
use super::generations::GenerationsArgs;
use super::host::HostArgs;
use super::init::InitArgs;
use super::inputs::InputsArgs;
use super::man::ManArgs;
use super::plan::PlanArgs;
use super::reconcile::{NowArgs, RetryArgs};
use super::reconcile_confirm::ConfirmArgs;
use super::reconcile_log::LogArgs;
use super::reconcile_pause::{PauseArgs, ResumeArgs};
use super::recover::RecoverArgs;
use super::schema::SchemaArgs;
use super::secrets::SecretsArgs;
use super::status::StatusArgs;
use super::why::WhyArgs;

const ABOUT: &str = "\
Push a commit, and every host becomes what it says, or stays what it was and tells you why.

Steadfast keeps this host as its config repository says: it fetches the revision, decides whether to trust it, opens \
the secrets that are encrypted to this host's SSH key, builds a generation, activates it under health checks and goes \
back by itself when they fail. In between it reports drift.";

const AFTER: &str = "\
Exit codes:
  0  done, or nothing to do
  1  failed; the host is as it was
  2  the command line is wrong
  3  drift was found
  4  rolled back, or held back because it failed before
  5  refused by trust
  6  a rollback failed; a human must look
  7  the host is paused; nothing was changed

Environment:
  STEADFAST_LOG  what is logged on stderr, such as `debug` or `warn,steadfast::source=trace`
  NO_COLOR       set to anything: no colours

Files:
  /etc/steadfast/agent.yml           settings: remotes, branch, intervals, trust
  /etc/ssh/ssh_host_ed25519_key      the key that opens this host's secrets
  /var/lib/steadfast                 mirror, generations, state
  /run/secrets                       installed secrets

The program also answers to the names `reconcile` and `secrets`:
`reconcile now` is `steadfast reconcile now`.";

const AFTER_SHORT: &str = "`steadfast VERB --help` explains a verb, with examples.";

/// `steadfast …`
#[derive(Debug, Parser)]
#[command(
    name = "steadfast",
    version,
    about = "Keep this host as its config repository says",
    long_about = ABOUT,
    after_help = AFTER_SHORT,
    after_long_help = AFTER,
    arg_required_else_help = true,
    max_term_width = 100,
)]
pub struct Cli {
    /// Which host, which repository.
    #[command(flatten)]
    pub flags: HostFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// `reconcile …`, the same as `steadfast reconcile …`.
#[derive(Debug, Parser)]
#[command(
    name = "reconcile",
    version,
    about = "Make this host what its config repository says",
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct ReconcileCli {
    /// Which host, which repository.
    #[command(flatten)]
    pub flags: HostFlags,
    /// What to do.
    #[command(flatten)]
    pub args: ReconcileArgs,
}

/// `secrets …`, the same as `steadfast secrets …`.
#[derive(Debug, Parser)]
#[command(
    name = "secrets",
    version,
    about = "Edit, read and re-encrypt the secrets of a config repository",
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct SecretsCli {
    /// Which host, which repository.
    #[command(flatten)]
    pub flags: HostFlags,
    /// What to do.
    #[command(flatten)]
    pub args: SecretsArgs,
}

/// The verbs.
#[derive(Debug, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "one is made, once, when the process begins"
)]
pub enum Command {
    /// Make this host what its config repository says
    #[command(arg_required_else_help = true)]
    Reconcile(ReconcileArgs),
    /// Show this host at a glance
    #[command(long_about = super::status::ABOUT)]
    Status(StatusArgs),
    /// Show what differs from the active generation
    #[command(long_about = super::drift::ABOUT)]
    Drift(DriftArgs),
    /// Show what would change, without changing anything
    #[command(long_about = super::plan::ABOUT)]
    Plan(PlanArgs),
    /// Make a new config repository from the example fleet
    #[command(long_about = super::init::ABOUT)]
    Init(InitArgs),
    /// Add hosts to a config repository
    #[command(arg_required_else_help = true)]
    Host(HostArgs),
    /// Say all that is wrong with a config repository
    #[command(long_about = super::check::ABOUT)]
    Check(CheckArgs),
    /// Show what the repository says about a host, and the schemas of its files
    #[command(arg_required_else_help = true)]
    Config(ConfigArgs),
    /// Say why a host has something: which line of which file, and who wrote it
    #[command(arg_required_else_help = true, long_about = super::why::ABOUT)]
    Why(WhyArgs),
    /// List and update the repositories whose modules this one uses
    #[command(arg_required_else_help = true, long_about = super::inputs::ABOUT)]
    Inputs(InputsArgs),
    /// List, compare, pin and go back to generations
    #[command(arg_required_else_help = true, long_about = super::generations::ABOUT)]
    Generations(GenerationsArgs),
    /// Edit, read and re-encrypt secrets
    #[command(arg_required_else_help = true)]
    Secrets(SecretsArgs),
    /// Make, look at, bring back and verify backups of this host
    #[command(arg_required_else_help = true)]
    Backup(BackupArgs),
    /// Run the agent: watch the repository and keep this host as it says
    #[command(long_about = super::agent::ABOUT)]
    Agent(AgentArgs),
    /// Finish what a power cut interrupted and install secrets, before the network is up
    #[command(hide = true, long_about = super::agent::BOOT_ABOUT)]
    Boot,
    /// Carry out the activation that a pass decided on
    #[command(hide = true, long_about = super::recover::ACTIVATE_ABOUT)]
    Activate,
    /// Finish an activation that was cut off
    #[command(hide = true, long_about = super::recover::RECOVER_ABOUT)]
    Recover(RecoverArgs),
    /// Print a completion script for a shell
    #[command(arg_required_else_help = true)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them to a directory
    Man(ManArgs),
    /// Print the JSON Schema of a `--json` output
    Schema(SchemaArgs),
}

/// Arguments of `reconcile`.
#[derive(Debug, Args)]
pub struct ReconcileArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ReconcileCommand,
}

/// Verbs below `reconcile`.
#[derive(Debug, Subcommand)]
pub enum ReconcileCommand {
    /// Run one pass now: fetch, check, plan, activate, ask health
    #[command(long_about = super::reconcile::ABOUT)]
    Now(NowArgs),
    /// Try once more what failed
    #[command(long_about = super::reconcile::RETRY_ABOUT)]
    Retry(RetryArgs),
    /// Keep an activation that waits for somebody to log in anew
    #[command(long_about = super::reconcile_confirm::ABOUT)]
    Confirm(ConfirmArgs),
    /// Show what activations did, step by step
    #[command(long_about = super::reconcile_log::ABOUT)]
    Log(LogArgs),
    /// Leave this host as it is for a while
    #[command(long_about = super::reconcile_pause::PAUSE_ABOUT)]
    Pause(PauseArgs),
    /// End a pause before its time
    #[command(long_about = super::reconcile_pause::RESUME_ABOUT)]
    Resume(ResumeArgs),
}

/// The names that the program answers to.
pub const NAMES: [&str; 3] = ["steadfast", "reconcile", "secrets"];

/// What can be typed under one of [`NAMES`], for a command line that is right. It is not built as a whole, which would be
/// most of what the program does before a verb begins: only the verb that was typed is.
#[must_use]
pub(super) fn parser(name: &str) -> clap::Command {
    match name {
        "reconcile" => ReconcileCli::command(),
        "secrets" => SecretsCli::command(),
        _ => Cli::command(),
    }
}

/// The whole tree under one of [`NAMES`]; any other name gives `steadfast`'s.
///
/// Verbs that look at no host do not list the host options in their help, though they take them.
#[must_use]
pub fn command(name: &str) -> clap::Command {
    let mut command = parser(name);
    // Global options reach the subcommands in `build`; they can only be changed there after it.
    command.build();
    match name {
        "reconcile" => command,
        "secrets" => with_options_of(command, person),
        _ => {
            let command = command
                .mut_subcommand("secrets", |secrets| with_options_of(secrets, person))
                .mut_subcommand("host", |host| with_options_of(host, person))
                .mut_subcommand("check", |check| with_options_of(check, reader))
                .mut_subcommand("config", |config| with_options_of(config, reader))
                .mut_subcommand("why", |why| with_options_of(why, reader))
                .mut_subcommand("inputs", |inputs| with_options_of(inputs, reader))
                .mut_subcommand("backup", |backup| with_options_of(backup, place));
            ["completions", "init", "man", "schema"]
                .into_iter()
                .fold(command, |command, verb| {
                    command.mut_subcommand(verb, |verb| with_options_of(verb, nobody))
                })
        }
    }
}

/// The command and all below it, their host options as `option` has them.
fn with_options_of(command: clap::Command, option: fn(Arg) -> Arg) -> clap::Command {
    let verbs: Vec<String> = command
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .collect();
    let command = command.mut_args(|arg| {
        if arg.get_help_heading() == Some(super::flags::HEADING) {
            option(arg)
        } else {
            arg
        }
    });
    verbs.into_iter().fold(command, |command, verb| {
        command.mut_subcommand(verb, |verb| with_options_of(verb, option))
    })
}

/// An option where no host is looked at.
fn nobody(option: Arg) -> Arg {
    option.hide(true)
}

/// An option where the host is looked at without its repository.
fn place(option: Arg) -> Arg {
    if option.get_id().as_str() == "root" {
        option
    } else {
        nobody(option)
    }
}

/// An option where the files of a repository are read, and nothing else.
fn reader(option: Arg) -> Arg {
    if option.get_id().as_str() == "repo" {
        person(option)
    } else {
        nobody(option)
    }
}

/// An option where a person works in a clone.
fn person(option: Arg) -> Arg {
    let help = match option.get_id().as_str() {
        "repo" => "The clone of the config repository [default: the one around this directory]",
        "identity" => "One more key that may open files, an age key or an SSH key",
        _ => return option.hide(true),
    };
    option.help(help).help_heading(None::<&str>)
}
