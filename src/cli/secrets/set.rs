//! `secrets set`: one value.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{Failure, MALFORMED, UNREADABLE};
use super::options::{InputType, NewFile, Opening};
use super::place::repository_for;
use super::{identities, prompt};
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::host::durable;
use crate::identity::Plaintext;
use crate::report::{Problem, exit};
use crate::secrets::{self, Access, Changed, KeyPath, NewValue, Recipe, SecretFile};

/// Values are small; a file far larger was not meant.
const LARGEST_VALUE_BYTES: u64 = 4 * 1024 * 1024;

/// Set one value, asked for or read from stdin or a file
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct SetArgs {
    /// The secret file; one that is not there is made
    pub file: PathBuf,
    /// The key path, such as `db/password`
    pub key: String,
    /// The value as JSON, as sops takes it; everybody on this machine can read it while the command runs
    value: Option<String>,
    /// Read the value, as text, from this file
    #[arg(long = "file", id = "text-file", value_name = "FILE", conflicts_with_all = ["value", "stdin"])]
    text_file: Option<PathBuf>,
    /// Read the value, as text, from stdin, even on a terminal
    #[arg(long, conflicts_with = "value")]
    stdin: bool,
    /// Keep text byte for byte, with a line break at its end
    #[arg(long)]
    raw: bool,
    /// VALUE is the name of a file that holds the value as JSON
    #[arg(long, requires = "value", conflicts_with = "value_stdin")]
    value_file: bool,
    /// Read the value, as JSON, from stdin
    #[arg(long, conflicts_with_all = ["value", "text-file", "stdin"])]
    value_stdin: bool,
    /// Accepted for sops: a value that is there already is never written again
    #[arg(long)]
    idempotent: bool,
    #[command(flatten)]
    input: InputType,
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    new: NewFile,
}

const ABOUT: &str = "\
Set one value of a secret file; the file is made if it is not there.

Without VALUE, the value is text: from --file, from stdin, or asked for when stdin is a terminal. One line break at the \
end of a single line is dropped, since `echo` and editors add it; --raw keeps it.

With VALUE, --value-file or --value-stdin it is JSON, as in sops: `\"text\"`, numbers, maps. An argument can be read by \
every user of the machine while the command runs, and stays in the shell's history: better use one of the other ways.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets set secrets/default.yml db/password                 asks, without showing it
  openssl rand -hex 32 | steadfast secrets set secrets/default.yml api/token
  steadfast secrets set secrets/tls.yml web/key --file key.pem
  steadfast secrets set secrets/default.yml db/port 5432
  steadfast secrets set --value-stdin secrets/default.yml '[\"db\"]' < db.json";

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
        // As in sops: nothing can be set in a file that is not there and cannot be made.
        let recipe = Recipe::of(&file, &wishes);
        Some(recipe.map_err(|error| Failure::of_recipe(&error).with_code(UNREADABLE))?)
    };
    let identities = identities(flags)?;
    let value = read_value(args, &key)?;
    let access = Access {
        identities: &identities,
        mac,
    };
    let value = match args.form() {
        Form::Text => NewValue::Text(&value),
        Form::Json => NewValue::Json(&value),
    };
    let changed = secrets::set(&file, (&key, value), access, recipe.as_ref())
        .map_err(|error| Failure::of_change(&error))?;
    let path = file.path().display();
    say(match changed {
        Changed::Unchanged => format!("{key} in {path} has this value already"),
        Changed::Changed => format!("{key} in {path} is set"),
        Changed::Created => format!("{path} is made, and {key} is set"),
    });
    Ok(exit::DONE)
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
}

impl SetArgs {
    fn form(&self) -> Form {
        if self.value.is_some() || self.value_stdin {
            Form::Json
        } else {
            Form::Text
        }
    }
}

fn read_value(args: &SetArgs, key: &KeyPath) -> Result<Plaintext, Failure> {
    if let Some(value) = &args.value {
        return if args.value_file {
            read_file(Path::new(value))
        } else {
            Ok(Plaintext::new(value.clone().into_bytes()))
        };
    }
    if args.value_stdin {
        return Ok(read_stdin()?);
    }
    let value = match &args.text_file {
        Some(path) => read_file(path)?,
        None if !args.stdin && prompt::somebody_is_there() => {
            return Ok(prompt::hidden_line(&format!(
                "Value of {key} (not shown):"
            ))?);
        }
        // An empty value is mostly what a command that failed has left in a pipe.
        None => Some(read_stdin()?)
            .filter(|value| args.stdin || !value.is_empty())
            .ok_or_else(|| {
                Failure::new(
                    Problem::new(format!("no value for {key} came from stdin"))
                        .with_fix("for an empty value, give --stdin"),
                    MALFORMED,
                )
            })?,
    };
    Ok(if args.raw {
        value
    } else {
        without_final_line_break(value)
    })
}

fn read_file(path: &Path) -> Result<Plaintext, Failure> {
    durable::read(path, LARGEST_VALUE_BYTES)
        .map_err(|error| Failure::new(Problem::of(&error).with_hint(error.hint()), UNREADABLE))?
        .map(Plaintext::new)
        .ok_or_else(|| Failure::no_file(path).with_code(UNREADABLE))
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
