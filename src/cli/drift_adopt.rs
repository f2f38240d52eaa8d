//! `drift adopt`: the change to the repository that would make drift the truth.

use clap::Args;

use super::HostFlags;
use super::answer::{print, print_json, say};
use super::flags::Format;
use crate::host::HostPath;
use crate::report::{Problem, exit};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Print the change to the config repository that would make a path right as it is on this host: a unified diff of the file of \
the repository that holds its content, and of the entry that names owner, group and mode. Nothing is changed, neither here \
nor there.

It is made against the revision that is in force, and applies with `git apply` in a clone. What an expression makes, and what \
holds secrets, is refused with what to do instead.";

const AFTER: &str = "\
Examples:
  steadfast drift adopt /etc/app.conf
  ssh chicago steadfast drift adopt /etc/app.conf | git apply";

/// Arguments of `drift adopt`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(super) struct AdoptArgs {
    /// The path, as `drift` shows it
    path: HostPath,
}

/// Prints the change.
pub(super) fn adopt(args: &AdoptArgs, format: Format, flags: &HostFlags) -> Result<u8, Problem> {
    let adoption = flags.open_as_it_is()?.adopt(&args.path)?;
    match format {
        Format::Json => print_json(&adoption)?,
        Format::Text if adoption.diff.is_empty() => {
            say(format!("{} is as the repository says", args.path));
        }
        Format::Text => print(&adoption.diff)?,
    }
    Ok(exit::DONE)
}
