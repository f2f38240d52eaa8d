//! `secrets set`: one value.

use std::io::{self, Read as _};
use std::path::PathBuf;

use clap::Args;

use super::failure::{Failure, MALFORMED};
use super::options::{InputType, NewFile, Opening};
use super::place::repository_for;
use super::{identities, prompt};
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::host::durable;
use crate::identity::Plaintext;
use crate::report::{Problem, exit};
use crate::secrets::{self, Access, Changed, KeyPath, Recipe, SecretFile};

/// Values are small; a file far larger was not meant.
const LARGEST_VALUE_BYTES: u64 = 4 * 1024 * 1024;

/// Set one value, read from stdin or a file
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct SetArgs {
    /// The secret file; one that is not there is made
    pub file: PathBuf,
    /// The key path, such as `db/password`
    pub key: String,
    /// Read the value from this file instead of stdin
    #[arg(long, value_name = "FILE")]
    pub value_file: Option<PathBuf>,
    /// Keep the value byte for byte, with a line break at its end
    #[arg(long)]
    pub raw: bool,
    #[command(flatten)]
    input: InputType,
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    new: NewFile,
}

const ABOUT: &str = "\
Set one value of a secret file; the file is made if it is not there.

The value never is an argument, where every user of the machine could read it: it comes from stdin, from a file, or is \
asked for when stdin is a terminal. One line break at the end of a single line is dropped, since `echo` and editors add \
it; --raw keeps it.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets set secrets/default.yml db/password                 asks, without showing it
  openssl rand -hex 32 | steadfast secrets set secrets/default.yml api/token
  steadfast secrets set secrets/tls.yml web/key --value-file key.pem";

/// Runs `set`.
pub(super) fn run(args: &SetArgs, flags: &HostFlags) -> Result<u8, Failure> {
    let key: KeyPath = args
        .key
        .parse()
        .map_err(|error| Failure::of_key_path(&error, MALFORMED))?;
    let mac = args.opening.check()?;
    let repository = repository_for(flags, Some(&args.file))?;
    let file = args
        .input
        .apply(SecretFile::at(&args.file, repository.as_ref()));
    let recipe = if file.path().exists() {
        None
    } else {
        let wishes = args.new.wishes()?;
        Some(Recipe::of(&file, &wishes).map_err(|error| Failure::of_recipe(&error))?)
    };
    let identities = identities(flags)?;
    let value = read_value(args, &key)?;
    let access = Access {
        identities: &identities,
        mac,
    };
    let changed = secrets::set(&file, (&key, &value), access, recipe.as_ref())
        .map_err(|error| Failure::of_change(&error))?;
    let path = file.path().display();
    say(match changed {
        Changed::Unchanged => format!("{key} in {path} has this value already"),
        Changed::Changed => format!("{key} in {path} is set"),
        Changed::Created => format!("{path} is made, and {key} is set"),
    });
    Ok(exit::DONE)
}

fn read_value(args: &SetArgs, key: &KeyPath) -> Result<Plaintext, Problem> {
    let value = match &args.value_file {
        Some(path) => durable::read(path, LARGEST_VALUE_BYTES)
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))?
            .map(Plaintext::new)
            .ok_or_else(|| Problem::new(format!("there is no file {}", path.display())))?,
        None if prompt::somebody_is_there() => {
            return prompt::hidden_line(&format!("Value of {key} (not shown):"));
        }
        None => read_stdin()?,
    };
    Ok(if args.raw {
        value
    } else {
        without_final_line_break(value)
    })
}

fn read_stdin() -> Result<Plaintext, Problem> {
    let mut value = Vec::with_capacity(64 * 1024);
    let read = io::stdin()
        .lock()
        .take(LARGEST_VALUE_BYTES + 1)
        .read_to_end(&mut value);
    let value = Plaintext::new(value);
    read.map_err(|error| Problem::of(&error).about("cannot read the value from stdin"))?;
    if value.len() as u64 > LARGEST_VALUE_BYTES {
        return Err(Problem::new("the value is larger than 4 MiB"));
    }
    Ok(value)
}

/// Drops the line break that `echo` and editors add to a single line. Texts of several lines, such as keys, keep theirs.
fn without_final_line_break(value: Plaintext) -> Plaintext {
    let bytes = value.expose();
    match bytes.strip_suffix(b"\n") {
        Some(line) if !line.contains(&b'\n') => {
            Plaintext::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_break_of_a_single_line_is_dropped() {
        for (value, expected) in [
            ("hunter2\n", "hunter2"),
            ("hunter2\r\n", "hunter2"),
            ("hunter2", "hunter2"),
            ("a\nb\n", "a\nb\n"),
            ("\n", ""),
            ("x\n\n", "x\n\n"),
        ] {
            let value = Plaintext::new(value.as_bytes().to_vec());
            assert!(without_final_line_break(value).same_as(expected.as_bytes()));
        }
    }
}
