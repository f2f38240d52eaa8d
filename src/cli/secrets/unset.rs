//! `secrets unset`: removes one value.

use std::path::PathBuf;

use clap::Args;

use super::failure::{Failure, MALFORMED};
use super::identities;
use super::options::{InputType, Opening};
use super::place::repository_for;
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::report::exit;
use crate::secrets::{self, Access, ChangeError, KeyPath, SecretFile, SecretFileErrorKind};

/// Remove one value
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct UnsetArgs {
    /// The secret file
    pub file: PathBuf,
    /// The key path, such as `db/password`
    pub key: String,
    /// Do nothing if there is no such value
    #[arg(long)]
    idempotent: bool,
    #[command(flatten)]
    input: InputType,
    #[command(flatten)]
    opening: Opening,
}

const EXAMPLES: &str = "\
Examples:
  steadfast secrets unset secrets/default.yml db/password";

/// Runs `unset`.
pub(super) fn run(args: &UnsetArgs, flags: &HostFlags) -> Result<u8, Failure> {
    let key: KeyPath = args
        .key
        .parse()
        .map_err(|error| Failure::of_key_path(&error, MALFORMED))?;
    let repository = repository_for(flags, Some(&args.file))?;
    let file = args
        .input
        .apply(SecretFile::at(&args.file, repository.as_ref()));
    let access = Access {
        identities: &identities(flags)?,
        mac: args.opening.check()?,
    };
    let path = file.path().display();
    match secrets::unset(&file, &key, access) {
        Ok(_changed) => say(format!("{key} is removed from {path}")),
        Err(ChangeError::File(error))
            if args.idempotent && matches!(*error.kind, SecretFileErrorKind::NoEntry { .. }) =>
        {
            say(format!("{path} has no {key}"));
        }
        Err(error) => return Err(Failure::of_change(&error)),
    }
    Ok(exit::DONE)
}
