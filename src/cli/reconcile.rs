//! `reconcile now` and `retry`: one pass, by the agent where one runs, else here.

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::answer::{print, print_json, say};
use super::flags::{Format, FormatFlags};
use super::plan::PlanAnswer;
use super::problem::print_problem;
use super::progress::Screen;
use super::style::{WARN, paint};
use super::{HostFlags, render, site};
use crate::agent::{Client, ControlError, Mode, Pass, Pausing, Retry};
use crate::generation::GenerationNumber;
use crate::host::clock;
use crate::report::{Change, Problem, Report, Trigger, exit};

/// How long a new agent may take to come after one that went away.
const SUCCESSION: Duration = Duration::from_secs(30);

/// How many may come and go: one that does not start, the one before it, and that one started anew.
const SUCCESSORS: usize = 5;

/// How often it is looked for.
const GLANCE: Duration = Duration::from_millis(100);

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Run one pass now: fetch the newest revision, check whether to trust it, build this host's generation, open its secrets, \
plan, activate, and ask health. If a step, a unit or a required check fails, the host goes back to the generation before.

Drift is put right, also where its policy is only to report it: somebody asked. Where an agent runs, it does the work, \
and this command shows how it goes.";

const AFTER: &str = "\
Examples:
  steadfast reconcile now
  steadfast reconcile now --dry-run     what it would do
  steadfast reconcile now --mode test   gone after the next boot
  steadfast reconcile now --mode boot   not before the next boot
  steadfast reconcile now --json | jq -r .outcome
  reconcile now --root /tmp/demo --repo ~/fleet --host chicago

The last one tries a host file out without touching this machine.

Exit codes: 0 done or nothing to do, 1 failed before anything was changed,
4 rolled back or held back, 5 refused by trust, 6 stuck, 7 paused: nothing was changed.";

/// What `--help` of `retry` says first.
pub(super) const RETRY_ABOUT: &str = "\
Try once more what failed on this host: a revision that was rolled back and is held back since, or the way back from an \
activation that is stuck. It is a pass like that of `reconcile now`.

Put right first what the host itself was at fault for; a commit that mends the configuration needs no retry.";

const RETRY_AFTER: &str = "\
Examples:
  steadfast status               what failed, and why
  steadfast reconcile retry

Exit codes: those of `reconcile now`.";

/// Arguments of `reconcile now`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct NowArgs {
    /// Only show what would be done; nothing is changed
    #[arg(long, conflicts_with = "despite_pause")]
    dry_run: bool,
    /// What becomes of it at the next boot
    #[arg(long, value_enum, default_value_t, conflicts_with = "dry_run")]
    mode: ModeArg,
    #[command(flatten)]
    manner: Manner,
}

/// What becomes of an activation at the next boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ModeArg {
    /// It stays
    #[default]
    Switch,
    /// The next boot goes back from it
    Test,
    /// The next boot does it, nothing is done now
    Boot,
}

/// Arguments of `reconcile retry`.
#[derive(Debug, Args)]
#[command(after_long_help = RETRY_AFTER)]
pub struct RetryArgs {
    #[command(flatten)]
    manner: Manner,
}

/// How a pass that somebody asked for is done.
#[derive(Debug, Args)]
struct Manner {
    /// Do it once although the host is paused
    #[arg(long)]
    despite_pause: bool,
    /// Do the work in this process, even if an agent runs
    #[arg(long)]
    no_agent: bool,
    #[command(flatten)]
    format: FormatFlags,
}

/// Runs one pass and prints how it ended.
pub(super) fn now(args: &NowArgs, flags: &HostFlags) -> Result<u8, Problem> {
    if args.dry_run {
        return dry_run(flags, args.manner.format.format());
    }
    let mode = match args.mode {
        ModeArg::Switch => Mode::Switch,
        ModeArg::Test => Mode::Test,
        ModeArg::Boot => Mode::Boot,
    };
    one_pass(&args.manner, (Retry::No, mode), flags)
}

/// Tries once more what failed, and prints how it ended.
pub(super) fn retry(args: &RetryArgs, flags: &HostFlags) -> Result<u8, Problem> {
    one_pass(&args.manner, (Retry::Yes, Mode::Switch), flags)
}

fn one_pass(
    manner: &Manner,
    (retry, mode): (Retry, Mode),
    flags: &HostFlags,
) -> Result<u8, Problem> {
    let pausing = if manner.despite_pause {
        Pausing::Overruled
    } else {
        Pausing::Obeyed
    };
    let pass = Pass {
        trigger: Trigger::Manual,
        retry,
        pausing,
        mode,
    };
    let agent = if manner.no_agent {
        None
    } else {
        Client::connect(flags.open_host()?.root()).map_err(|error| unreachable(&error))?
    };
    let report = match agent {
        Some(agent) => by_agent(agent, flags, pass)?,
        None => by_ourselves(flags, pass)?,
    };
    conclude(&report, manner.format.format())
}

fn by_agent(agent: Client, flags: &HostFlags, pass: Pass) -> Result<Report, Problem> {
    let unheard = flags.unheard_by_agent();
    if !unheard.is_empty() {
        let warning = paint(WARN, "warning:");
        let flags = unheard.join(", ");
        say(format!(
            "{warning} the agent has settings of its own; {flags} counts only with --no-agent"
        ));
    }
    let screen = Screen::begin();
    let mut report = agent.reconcile(pass, &|event| screen.tell(event));
    // An agent that is restarted, also by the very activation that was asked for, is followed by another: it waits for
    // the activation, and what was asked for is asked of it.
    for _ in 0..SUCCESSORS {
        if !matches!(report, Err(ControlError::Gone)) {
            break;
        }
        let Some(next) = next_agent(flags)? else {
            break;
        };
        let again = Pass {
            retry: Retry::No,
            ..pass
        };
        report = next.reconcile(again, &|event| screen.tell(event));
    }
    screen.end();
    report.map_err(|error| unreachable(&error))
}

/// The agent that comes after one that went away; `None` if none comes.
fn next_agent(flags: &HostFlags) -> Result<Option<Client>, Problem> {
    let host = flags.open_host()?;
    let deadline = Instant::now() + SUCCESSION;
    while Instant::now() < deadline {
        std::thread::sleep(GLANCE);
        if let Some(next) = Client::connect(host.root()).map_err(|error| unreachable(&error))? {
            return Ok(Some(next));
        }
    }
    Ok(None)
}

fn by_ourselves(flags: &HostFlags, pass: Pass) -> Result<Report, Problem> {
    let reconciler = flags.open_reconciler()?;
    let screen = Screen::begin();
    let (report, _) = reconciler.pass_blocking(pass, &|event| screen.tell(event));
    screen.end();
    Ok(report)
}

fn unreachable(error: &ControlError) -> Problem {
    Problem::of(error)
        .with_fix("look at `systemctl status steadfast`, or do it without the agent by --no-agent")
}

/// Prints what a pass would do.
pub(super) fn dry_run(flags: &HostFlags, format: Format) -> Result<u8, Problem> {
    let reconciler = flags.open_reconciler()?;
    let screen = Screen::begin();
    let preview = site::wait(reconciler.preview(&|event| screen.tell(event)));
    screen.end();
    let preview = preview??;
    let answer = PlanAnswer {
        version: 1,
        host: reconciler.settings().host.clone(),
        revision: preview.revision,
        generation: preview.current,
        changes: Change::of_plan(&preview.plan),
        texts: preview.texts,
        notices: preview.plan.notices,
    };
    match format {
        Format::Json => print_json(&answer)?,
        Format::Text => print(&render::plan(
            &answer,
            clock::now_secs(),
            render::Page::of_stdout(),
        ))?,
    }
    Ok(exit::DONE)
}

/// Activates an older generation again and prints how it ended.
pub(super) fn rollback(
    flags: &HostFlags,
    to: Option<GenerationNumber>,
    format: Format,
) -> Result<u8, Problem> {
    let reconciler = flags.open_reconciler()?;
    let screen = Screen::begin();
    let report = site::wait(reconciler.roll_back(to, &|event| screen.tell(event)));
    screen.end();
    conclude(&report?, format)
}

fn conclude(report: &Report, format: Format) -> Result<u8, Problem> {
    match format {
        Format::Json => print_json(report)?,
        Format::Text => print(&render::report(
            report,
            clock::now_secs(),
            render::Page::of_stdout(),
        ))?,
    }
    if let Some(problem) = &report.problem {
        print_problem(problem);
    }
    Ok(report.outcome.exit_code())
}
