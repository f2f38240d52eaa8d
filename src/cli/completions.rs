//! `completions`: scripts for shells.

use std::path::PathBuf;

use clap::{Args, builder::PossibleValuesParser};
use clap_complete::Shell;

use super::answer::{print, say};
use super::args::{NAMES, command};
use crate::report::{Problem, exit};

const AFTER: &str = "\
Examples:
  steadfast completions bash > /etc/bash_completion.d/steadfast
  steadfast completions zsh --for reconcile > ~/.zfunc/_reconcile
  steadfast completions fish --out ~/.config/fish/completions     all three names";

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
    /// The name the program is called by
    #[arg(long = "for", value_name = "NAME", default_value = NAMES[0], value_parser = PossibleValuesParser::new(NAMES))]
    name: String,
    /// Write the scripts for all names to this directory instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints or writes completion scripts.
pub(super) fn run(args: &CompletionsArgs) -> Result<u8, Problem> {
    if let Some(dir) = &args.out {
        for name in NAMES {
            let path = clap_complete::generate_to(args.shell, &mut command(name), name, dir)
                .map_err(|error| {
                    Problem::of(&error).about(format!("cannot write to {}", dir.display()))
                })?;
            say(path.display());
        }
        return Ok(exit::DONE);
    }
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut command(&args.name),
        &args.name,
        &mut script,
    );
    print(&String::from_utf8_lossy(&script))?;
    Ok(exit::DONE)
}
