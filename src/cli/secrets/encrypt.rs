//! `secrets encrypt`: a file that lies in the clear.

use std::path::PathBuf;

use clap::Args;

use super::{locate, of_change, repository};
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::report::{Problem, exit};
use crate::secrets::{self, Changed};

/// Encrypt a file that lies in the clear, in place
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct EncryptArgs {
    /// The file
    pub file: PathBuf,
}

const ABOUT: &str = "\
Encrypt a YAML file that lies in the clear, in place, for the recipients of its rule.

If the file was ever pushed in the clear, change the secrets in it: they stay in git's history.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets encrypt secrets/default.yml";

/// Runs `encrypt`.
pub(super) fn run(args: &EncryptArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    let file = locate(&repository, &args.file)?;
    let changed = secrets::encrypt(&repository, &file).map_err(|error| of_change(&error))?;
    say(match changed {
        Changed::Unchanged => format!("{file} is encrypted already"),
        Changed::Changed | Changed::Created => format!("{file} is encrypted"),
    });
    Ok(exit::DONE)
}
