//! `secrets textconv`: a secret file as text, for git.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use super::identities;
use super::output::Destination;
use super::place::names_around;
use crate::cli::HostFlags;
use crate::host::durable;
use crate::report::{Problem, exit};
use crate::secrets;
use crate::sops::Format;

/// More than any file that git shows as text.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Print a secret file as text for `git diff` and `git log -p`
///
/// `steadfast secrets install-git` tells git to use it. Prints the decrypted text and who can read it; without a key, the
/// sealed text without its metadata. What is no secret file is printed as it is. Never fails for want of a key.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct TextconvArgs {
    /// The file; its format is told by the end of its name
    pub file: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  steadfast secrets textconv secrets/default.yml
  git config diff.steadfast.textconv 'steadfast secrets textconv'    what install-git does";

/// Runs `textconv`.
pub(super) fn run(args: &TextconvArgs, flags: &HostFlags) -> Result<u8, Failure> {
    let failed = |error: crate::host::FileError| Problem::of(&error).with_hint(error.hint());
    let text = durable::read(&args.file, MOST_BYTES).map_err(failed)?;
    let text =
        text.ok_or_else(|| Problem::new(format!("there is no file {}", args.file.display())))?;
    let format = Format::of_path(&args.file.to_string_lossy());
    // git hands over a copy in a temporary directory, and runs this at the top of the working tree.
    let names = names_around(Path::new("."));
    let text = secrets::textconv(&text, format, &identities(flags)?, &names);
    Destination::Stdout.write_plaintext(&text)?;
    Ok(exit::DONE)
}
