//! `secrets encrypt`: a file that lies in the clear.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{CONFLICT, Failure, UNREADABLE};
use super::options::{NewFile, Types};
use super::output::Destination;
use super::place::repository_for;
use super::view::read_stdin;
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::identity::Plaintext;
use crate::report::{Problem, exit};
use crate::secrets::{self, Recipe, SecretFile};

/// Encrypt a file that lies in the clear
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct EncryptArgs {
    /// The file [default: stdin, which needs --filename-override]
    pub file: Option<PathBuf>,
    /// Replace the file by its encrypted form
    #[arg(short, long)]
    in_place: bool,
    /// Write the encrypted form to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    types: Types,
    /// Take rule and format from this name instead of the file's
    #[arg(long, value_name = "NAME")]
    filename_override: Option<PathBuf>,
    #[command(flatten)]
    new: NewFile,
}

const ABOUT: &str = "\
Encrypt a file that lies in the clear, for the recipients of its rule; print it, or replace the file with --in-place.

If the file was ever pushed in the clear, change the secrets in it: they stay in git's history.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets encrypt -i secrets/default.yml
  steadfast secrets encrypt --age age1… notes.txt > notes.txt.sops
  generate | steadfast secrets encrypt --filename-override secrets/x.yml --output secrets/x.yml";

/// Runs `encrypt`.
pub(super) fn run(args: &EncryptArgs, flags: &HostFlags) -> Result<u8, Failure> {
    let destination = Destination::of(
        args.output.as_deref(),
        args.in_place.into(),
        args.file.as_deref(),
    )?;
    let called = args.filename_override.as_deref();
    let Some(name) = args.file.as_deref().or(called) else {
        return Err(Failure::new(
            Problem::new(
                "what comes from stdin has no name by which its rule and format are found",
            )
            .with_fix("name a file, or give a name with --filename-override"),
            CONFLICT,
        ));
    };
    let repository = repository_for(flags, Some(called.unwrap_or(name)))?;
    let mut file = SecretFile::at(name, repository.as_ref());
    if let Some(called) = called {
        file = file.as_if_called(called);
    }
    let file = args.types.apply(file);
    if args.file.is_some() && !file.path().exists() {
        return Err(Failure::no_file(file.path()));
    }
    let recipe =
        Recipe::of(&file, &args.new.wishes()?).map_err(|error| Failure::of_recipe(&error))?;
    let output = args.types.output_of(&file);
    if destination == Destination::File(name.to_owned()) && args.in_place {
        secrets::encrypt(&file, &recipe, output).map_err(|error| Failure::of_change(&error))?;
        say(format!("{} is encrypted", file.path().display()));
        return Ok(exit::DONE);
    }
    let plain = read(args.file.is_some(), &file)?;
    let sealed = secrets::encrypted(&file, &plain, &recipe, output)
        .map_err(|error| Failure::of_file(&error))?;
    destination.write_sealed(&sealed)?;
    Ok(exit::DONE)
}

fn read(named: bool, file: &SecretFile<'_>) -> Result<Plaintext, Failure> {
    if !named {
        return read_stdin().map(Plaintext::new);
    }
    file.read()
        .map_err(|error| Failure::new(Problem::of(&error).with_hint(error.hint()), UNREADABLE))?
        .map(Plaintext::new)
        .ok_or_else(|| Failure::no_file(Path::new(file.path())))
}
