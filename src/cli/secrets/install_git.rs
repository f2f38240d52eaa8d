//! `secrets install-git`: git's diff and merge of secret files, and a pre-commit hook.

use std::path::Path;

use clap::Args;

use super::{repository, start_of};
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::report::{Problem, exit};
use crate::secrets::{GitError, Setup, SetupError, SetupStep, StepState, Worktree};

/// Make git show, merge and guard secret files by what is in them
///
/// Sets up `git diff` and `git log -p` (decrypted, for those who have a key), `git merge`, `rebase` and `cherry-pick` (value
/// by value), and a pre-commit hook that refuses secrets in the clear: .gitattributes, which is committed, and the
/// configuration of this clone, which is not. So everybody runs this once in each clone. A hook that is there is kept.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct InstallGitArgs {
    /// Take it out again
    #[arg(long)]
    pub remove: bool,
}

const EXAMPLES: &str = "\
Examples:
  steadfast secrets install-git && git add .gitattributes
  steadfast secrets install-git --remove";

/// Runs `install-git`.
pub(super) fn run(args: &InstallGitArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    let worktree = Worktree::find(&start_of(flags)).map_err(|error| of_git(&error))?;
    let setup = Setup {
        repository: &repository,
        worktree: &worktree,
        command: command(),
    };
    let steps = if args.remove {
        setup.remove()
    } else {
        setup.install()
    };
    for step in steps.map_err(|error: SetupError| Problem::of(&error).with_hint(error.fix()))? {
        say(sentence(&step));
    }
    if !args.remove {
        say(
            "each clone needs this once: git does not copy its configuration. Commit .gitattributes",
        );
    }
    Ok(exit::DONE)
}

fn sentence(step: &SetupStep) -> String {
    let place = &step.place;
    match &step.state {
        StepState::Done => format!("{place}: set up"),
        StepState::AlreadyThere => format!("{place}: set up already"),
        StepState::Removed => format!("{place}: taken out"),
        StepState::NotThere => format!("{place}: nothing to take out"),
        StepState::Yours { how } => format!("{place} is kept by another program; {how}"),
    }
}

pub(super) fn of_git(error: &GitError) -> Problem {
    Problem::of(error).with_hint(error.fix())
}

/// How git's shell starts `secrets`: by name if that is this program, by its place otherwise.
fn command() -> String {
    const NAME: &str = "steadfast";
    let Ok(program) = std::env::current_exe() else {
        return format!("{NAME} secrets");
    };
    let same = |path: &Path| {
        path.canonicalize()
            .is_ok_and(|path| Ok(path) == program.canonicalize().map_err(|_| ()))
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = std::env::split_paths(&path)
        .map(|it| it.join(NAME))
        .find(|it| it.is_file());
    if first.is_some_and(|found| same(&found)) {
        return format!("{NAME} secrets");
    }
    format!(
        "'{}' secrets",
        program.display().to_string().replace('\'', "'\\''")
    )
}
