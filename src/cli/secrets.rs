//! `secrets …`: for people who work in a clone of the config repository.

mod answers;
mod args;
mod check;
mod columns;
pub(super) mod commit;
mod diff;
mod edit;
mod encrypt;
mod exec;
mod failure;
mod get;
mod host_key;
mod install_git;
mod joining_key;
mod list;
mod merge;
mod new;
mod offboard;
mod onboard;
mod options;
mod output;
mod place;
mod progress;
pub(super) mod prompt;
mod rekey;
mod rotate;
mod set;
mod status;
mod textconv;
mod unset;
mod usage;
mod view;
mod who;

pub(super) use args::{SecretsArgs, SecretsCommand};
pub(super) use check::CheckAnswer;
pub(super) use diff::SecretDiff;
pub(super) use host_key::HostKeyAnswer;
pub(super) use joining_key::WantedKey;
pub(super) use list::SecretList;
pub(super) use new::NewAnswer;
pub(super) use offboard::OffboardAnswer;
pub(super) use onboard::OnboardAnswer;
pub(super) use progress::Progress;
pub(super) use rekey::{
    RekeyAnswer, RekeyedFile, exclusive, of_rekey, rekeyed_files, warn_of_closed,
};
pub(super) use status::SecretsStatus;
pub(super) use usage::usage_in;
pub(super) use who::WhoAnswer;

pub(super) use columns::{columns, counted, some_of};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::failure::Failure;
use super::HostFlags;
use super::answer::say;
use crate::identity::Identities;
use crate::report::Problem;
use crate::secrets::{Repository, RepositoryError};
use crate::source::RepoPath;

#[expect(
    clippy::unnecessary_wraps,
    reason = "all verbs of the program return the same"
)]
/// Runs one `secrets` verb; the answer goes to stdout, the exit code is returned.
pub(super) fn run(args: &SecretsArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let ended: Result<u8, Failure> = (|| match &args.command {
        SecretsCommand::Edit(args) => edit::run(args, flags),
        SecretsCommand::View(args) => view::run(args, flags),
        SecretsCommand::Get(args) => get::run(args, flags),
        SecretsCommand::Set(args) => set::run(args, flags),
        SecretsCommand::Unset(args) => unset::run(args, flags),
        SecretsCommand::Encrypt(args) => encrypt::run(args, flags),
        SecretsCommand::New(args) => new::run(args, flags),
        SecretsCommand::ExecEnv(args) => exec::env(args, flags),
        SecretsCommand::ExecFile(args) => exec::file(args, flags),
        SecretsCommand::Rotate(args) => rotate::run(args, flags),
        SecretsCommand::Status(args) => status::run(args, flags),
        SecretsCommand::List(args) => Ok(list::run(args, flags)?),
        SecretsCommand::Who(args) => Ok(who::run(args, flags)?),
        SecretsCommand::Check(args) => Ok(check::run(args, flags)?),
        SecretsCommand::Rekey(args) => Ok(rekey::run(args, flags)?),
        SecretsCommand::Diff(args) => diff::run(args, flags),
        SecretsCommand::Merge(args) => Ok(merge::run(args, flags)?),
        SecretsCommand::Textconv(args) => textconv::run(args, flags),
        SecretsCommand::InstallGit(args) => Ok(install_git::run(args, flags)?),
        SecretsCommand::Onboard(args) => Ok(onboard::run(args, flags)?),
        SecretsCommand::Offboard(args) => Ok(offboard::run(args, flags)?),
        SecretsCommand::HostKey(args) => host_key::run(args, flags),
    })();
    Ok(ended.unwrap_or_else(|failure| failure.end()))
}

/// The keys of `--identity`, and those that sops would find for this person; passphrases are asked for on the terminal.
pub(super) fn identities(flags: &HostFlags) -> Result<Identities, Problem> {
    let own = Identities::of_person().asking(Arc::new(prompt::OnTerminal));
    match &flags.identity {
        None => Ok(own),
        Some(path) => {
            let named = Identities::of_file(path)
                .map_err(|error| Problem::of(&error).with_fix(error.fix()))?;
            Ok(named.and(own))
        }
    }
}

/// The repository of `--repo`, or the one that this directory is in.
pub(super) fn repository(flags: &HostFlags) -> Result<Repository, Problem> {
    let repository = Repository::find(&start_of(flags)).map_err(|error| of_repository(&error))?;
    tell_of_misnamed_rules(&repository);
    Ok(repository)
}

/// Says so where a file with rules has a name that nobody reads.
fn tell_of_misnamed_rules(repository: &Repository) {
    if let Some(path) = repository.misnamed_rules() {
        let path = path.display();
        say(format!(
            "warning: {path} has no meaning; sops and this program read .sops.yaml only"
        ));
    }
}

/// Where the repository is looked for.
fn start_of(flags: &HostFlags) -> PathBuf {
    let repo = flags.repo.as_ref();
    repo.map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// A file as typed: relative to this directory or, where it is not there, to the repository's.
fn locate(repository: &Repository, path: &Path) -> Result<RepoPath, Problem> {
    let typed = repository.locate(path);
    let beside = repository.root().join(path);
    match typed {
        Ok(file) if repository.path(&file).exists() || !beside.exists() => Ok(file),
        _ if path.is_relative() && beside.exists() => repository.locate(&beside),
        other => other,
    }
    .map_err(|error| of_repository(&error))
}

fn of_repository(error: &RepositoryError) -> Problem {
    Problem::of(error).with_hint(error.fix())
}
