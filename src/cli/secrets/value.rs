//! `secrets view`, `get`, `set`, `unset`, `encrypt`.

use std::io::{self, ErrorKind, IsTerminal as _, Read as _, Write as _};

use super::args::{FileArgs, KeyArgs, SetArgs};
use super::{identities, locate, names_around, of_change, of_file, prompt, repository};
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::host::durable;
use crate::identity::Plaintext;
use crate::report::{Problem, exit};
use crate::secrets::{self, Changed};

/// Values are small; a file far larger was not meant.
const LARGEST_VALUE_BYTES: u64 = 4 * 1024 * 1024;

/// Runs `view`.
pub(super) fn view(args: &FileArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let text = secrets::view(&args.file, &identities(flags)?, &names_around(&args.file))
        .map_err(|error| of_file(&error))?;
    print_plaintext(&text)
}

/// Runs `get`.
pub(super) fn get(args: &KeyArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let names = names_around(&args.file);
    let value = secrets::get(&args.file, &args.key, &identities(flags)?, &names)
        .map_err(|error| of_file(&error))?;
    print_plaintext(&value)?;
    if io::stdout().is_terminal() && !value.expose().ends_with(b"\n") {
        println!();
    }
    Ok(exit::DONE)
}

/// Runs `set`.
pub(super) fn set(args: &SetArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    let file = locate(&repository, &args.at.file)?;
    let identities = identities(flags)?;
    let value = read_value(args)?;
    let change = (&args.at.key, &value);
    let changed =
        secrets::set(&repository, &file, change, &identities).map_err(|error| of_change(&error))?;
    let key = &args.at.key;
    say(match changed {
        Changed::Unchanged => format!("{key} in {file} has this value already"),
        Changed::Changed => format!("{key} in {file} is set"),
        Changed::Created => format!("{file} is made, and {key} is set"),
    });
    Ok(exit::DONE)
}

/// Runs `unset`.
pub(super) fn unset(args: &KeyArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    let file = locate(&repository, &args.file)?;
    secrets::unset(&repository, &file, &args.key, &identities(flags)?)
        .map_err(|error| of_change(&error))?;
    say(format!("{} is removed from {file}", args.key));
    Ok(exit::DONE)
}

/// Runs `encrypt`.
pub(super) fn encrypt(args: &FileArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    let file = locate(&repository, &args.file)?;
    let changed = secrets::encrypt(&repository, &file).map_err(|error| of_change(&error))?;
    say(match changed {
        Changed::Unchanged => format!("{file} is encrypted already"),
        Changed::Changed | Changed::Created => format!("{file} is encrypted"),
    });
    Ok(exit::DONE)
}

fn read_value(args: &SetArgs) -> Result<Plaintext, Problem> {
    let value = match &args.value_file {
        Some(path) => durable::read(path, LARGEST_VALUE_BYTES)
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))?
            .map(Plaintext::new)
            .ok_or_else(|| Problem::new(format!("there is no file {}", path.display())))?,
        None if prompt::somebody_is_there() => {
            return prompt::hidden_line(&format!("Value of {} (not shown):", args.at.key));
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

/// Prints plaintext byte for byte; a reader that went away is no error.
fn print_plaintext(text: &Plaintext) -> Result<u8, Problem> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.expose())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Problem::of(&error).about("cannot write the answer to stdout"))
        }
        _ => Ok(exit::DONE),
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
