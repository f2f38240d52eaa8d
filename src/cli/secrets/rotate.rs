//! `secrets rotate`: a new data key for one file.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{Failure, KEYS_OF_NO_FILE, UNREADABLE};
use super::identities;
use super::options::{InputType, KeyOrder, recipients};
use super::output::{Destination, InPlace};
use super::place::repository_for;
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::report::{Problem, exit};
use crate::secrets::{
    self, Access, MacCheck, MustChange, RecipientChange, Repository, RotateError, SecretFile,
};

/// Give one file a new data key, and encrypt every value anew
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct RotateArgs {
    /// The secret file
    file: PathBuf,
    /// Replace the file instead of printing it
    #[arg(short, long)]
    in_place: bool,
    /// Write the result to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Add these recipients, separated by commas
    #[arg(long, value_name = "KEYS")]
    add_age: Option<String>,
    /// Remove these recipients, separated by commas
    #[arg(long, value_name = "KEYS")]
    rm_age: Option<String>,
    /// Take the format from this name instead of the file's
    #[arg(long, value_name = "NAME")]
    filename_override: Option<PathBuf>,
    #[command(flatten)]
    input: InputType,
    #[command(flatten)]
    order: KeyOrder,
}

const ABOUT: &str = "\
Give one file a new data key, encrypt every value anew, and print it, or replace the file with --in-place.

The recipients stay those of the file, whatever .sops.yaml says; `rekey --rotate` does it for all files and makes them match. \
Whoever is removed can still read every earlier revision: change the secrets that they must not know.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets rotate -i secrets/default.yml
  steadfast secrets rotate -i --rm-age age1… secrets/default.yml";

/// Runs `rotate`.
pub(super) fn run(args: &RotateArgs, flags: &HostFlags) -> Result<u8, Failure> {
    args.order.check()?;
    let in_place = InPlace::from(args.in_place);
    let destination = Destination::of(args.output.as_deref(), in_place, Some(&args.file))?;
    let change = RecipientChange {
        add: recipients(args.add_age.as_deref().unwrap_or_default())?,
        remove: args
            .rm_age
            .iter()
            .flat_map(|list| list.split(','))
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect(),
    };
    let repository = repository_for(flags, Some(&args.file))?;
    let mut file = SecretFile::at(&args.file, repository.as_ref());
    if let Some(name) = &args.filename_override {
        file = file.as_if_called(name);
    }
    let file = args.input.apply(file);
    let path = file.path().display();
    let text = file
        .read()
        .map_err(|error| Failure::new(Problem::of(&error).with_hint(error.hint()), UNREADABLE))?;
    let Some(text) = text else {
        let code = if change.add.is_empty() && change.remove.is_empty() {
            UNREADABLE
        } else {
            KEYS_OF_NO_FILE
        };
        return Err(Failure::new(
            Problem::new(format!("there is no file {path}")),
            code,
        ));
    };
    let access = Access {
        identities: &identities(flags)?,
        mac: MacCheck::Verify,
    };
    if in_place == InPlace::Yes {
        secrets::rotate(&file, &change, access).map_err(|error| of_rotate(&error))?;
        follow(repository.as_ref(), file.path(), &text)?;
        say(format!("{path} has a new data key"));
    } else {
        let sealed =
            secrets::rotated(&file, &text, &change, access).map_err(|error| of_rotate(&error))?;
        destination.write_sealed(&sealed)?;
    }
    Ok(exit::DONE)
}

/// Values that must be changed are not changed by a new data key: the list of them follows it.
fn follow(repository: Option<&Repository>, path: &Path, before: &[u8]) -> Result<(), Failure> {
    let Some(repository) = repository else {
        return Ok(());
    };
    // A file outside of the repository has no values in its list.
    let Ok(file) = repository.locate(path) else {
        return Ok(());
    };
    MustChange::follow(repository, &file, before)
        .map(drop)
        .map_err(|error| Problem::of(&error).with_hint(error.fix()).into())
}

fn of_rotate(error: &RotateError) -> Failure {
    match error {
        RotateError::Change(error) => Failure::of_change(error),
        error => Problem::of(error).with_hint(error.fix()).into(),
    }
}
