//! `man`: manual pages, made from the same text as `--help`.

use std::path::{Path, PathBuf};

use clap::{Args, builder::PossibleValuesParser};
use clap_mangen::Man;

use super::answer::{print, say};
use super::args::{NAMES, command};
use crate::report::{Problem, exit};

const AFTER: &str = "\
Examples:
  steadfast man | man -l -
  steadfast man --out /usr/local/share/man/man1     a page for every verb of all three names";

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct ManArgs {
    /// The name the program is called by
    #[arg(long = "for", value_name = "NAME", default_value = NAMES[0], value_parser = PossibleValuesParser::new(NAMES))]
    name: String,
    /// Write a page for every verb of all names to this directory instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints or writes manual pages.
pub(super) fn run(args: &ManArgs) -> Result<u8, Problem> {
    if let Some(dir) = &args.out {
        write_all(dir).map_err(|error| {
            Problem::of(&error).about(format!("cannot write manual pages to {}", dir.display()))
        })?;
        return Ok(exit::DONE);
    }
    let mut page = Vec::new();
    page_of(command(&args.name))
        .render(&mut page)
        .map_err(|error| Problem::of(&error).about("cannot make the manual page"))?;
    print(&String::from_utf8_lossy(&page))?;
    Ok(exit::DONE)
}

fn write_all(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for name in NAMES {
        write_tree(command(name), dir)?;
    }
    say(format!("manual pages are in {}", dir.display()));
    Ok(())
}

/// Not `clap_mangen::generate_to`: on a command that was built it writes pages about `help`.
fn write_tree(command: clap::Command, dir: &Path) -> std::io::Result<()> {
    for verb in command.get_subcommands() {
        if verb.get_name() != "help" {
            write_tree(verb.clone(), dir)?;
        }
    }
    page_of(command).generate_to(dir).map(drop)
}

fn page_of(command: clap::Command) -> Man {
    Man::new(command)
        .manual("Steadfast Manual")
        .source(concat!("steadfast ", env!("CARGO_PKG_VERSION")))
}
