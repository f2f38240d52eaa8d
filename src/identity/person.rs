//! The keys of the person who runs a command: the same sources as sops, all of them pooled.
//!
//! In order: `SOPS_AGE_SSH_PRIVATE_KEY_FILE`, `SOPS_AGE_SSH_PRIVATE_KEY_CMD`, `~/.ssh/id_ed25519`, `~/.ssh/id_rsa`,
//! `SOPS_AGE_KEY`, `SOPS_AGE_KEY_FILE`, `SOPS_AGE_KEY_CMD`, and `sops/age/keys.txt` in the user's config directory.
//!
//! Source: SOPS format §age, identities.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::host_key::{KeyError, read_key_file};
use super::identity_text::{IdentityTextError, Words, parse_age_identities, parse_ssh_identity};
use super::pool::{Entry, Identities};
use crate::host::exec::{Environment, ExecError, Program, UnclosedQuote, split_words};

/// A source of identities that could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{from} gives no identity")]
pub struct SourceProblem {
    /// The source: a variable's name, or a path.
    pub from: String,
    /// What is wrong with it.
    #[source]
    pub kind: SourceProblemKind,
}

/// What is wrong with a source of identities.
#[derive(Debug, thiserror::Error)]
pub enum SourceProblemKind {
    /// Its file cannot be read.
    #[error(transparent)]
    File(#[from] KeyError),
    /// Its text cannot be used.
    #[error(transparent)]
    Text(#[from] IdentityTextError),
    /// Its command is empty.
    #[error("the command is empty")]
    EmptyCommand,
    /// Its command cannot be cut into words.
    #[error("the command cannot be read: {0}")]
    Words(UnclosedQuote),
    /// Its command does not run, or fails.
    #[error(transparent)]
    Command(#[from] ExecError),
}

impl SourceProblem {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> String {
        match &self.kind {
            SourceProblemKind::File(error) => error.fix(),
            SourceProblemKind::Text(error) => error.fix().to_owned(),
            SourceProblemKind::EmptyCommand
            | SourceProblemKind::Words(_)
            | SourceProblemKind::Command(_) => {
                format!("correct the command in {}, or unset it", self.from)
            }
        }
    }
}

/// Reads all sources.
pub(super) fn collect(environment: Environment<'_>) -> Identities {
    let mut pool = Identities::default();
    let mut take = |from: &str, found: Result<Vec<Entry>, SourceProblemKind>| match found {
        Ok(entries) => pool.add(entries),
        Err(kind) => pool.add_problem(SourceProblem {
            from: from.to_owned(),
            kind,
        }),
    };

    if let Some(path) = environment("SOPS_AGE_SSH_PRIVATE_KEY_FILE") {
        let path = PathBuf::from(path);
        take("SOPS_AGE_SSH_PRIVATE_KEY_FILE", ssh_file(&path));
    }
    if let Some(command) = environment("SOPS_AGE_SSH_PRIVATE_KEY_CMD") {
        const NAME: &str = "SOPS_AGE_SSH_PRIVATE_KEY_CMD";
        let found = output_of(&command)
            .and_then(|text| Ok(parse_ssh_identity(&text, Path::new(NAME), NAME)?));
        take(NAME, found);
    }
    for path in home_ssh_keys(environment) {
        take(&path.display().to_string(), ssh_file(&path));
    }
    if let Some(text) = environment("SOPS_AGE_KEY") {
        let text = Zeroizing::new(text.as_bytes().to_vec());
        let found = parse_age_identities(&text, Words::Many, "SOPS_AGE_KEY");
        take("SOPS_AGE_KEY", found.map_err(Into::into));
    }
    if let Some(path) = environment("SOPS_AGE_KEY_FILE") {
        take("SOPS_AGE_KEY_FILE", age_file(Path::new(&path)));
    }
    if let Some(command) = environment("SOPS_AGE_KEY_CMD") {
        const NAME: &str = "SOPS_AGE_KEY_CMD";
        let found = output_of(&command)
            .and_then(|text| Ok(parse_age_identities(&text, Words::OnePerLine, NAME)?));
        take(NAME, found);
    }
    if let Some(path) = keys_txt(environment).filter(|path| path.exists()) {
        take(&path.display().to_string(), age_file(&path));
    }
    pool
}

fn ssh_file(path: &Path) -> Result<Vec<Entry>, SourceProblemKind> {
    let text = read_key_file(path)?;
    Ok(parse_ssh_identity(
        &text,
        path,
        &path.display().to_string(),
    )?)
}

fn age_file(path: &Path) -> Result<Vec<Entry>, SourceProblemKind> {
    let text = read_key_file(path)?;
    let name = path.display().to_string();
    Ok(parse_age_identities(&text, Words::OnePerLine, &name)?)
}

/// Runs a command, cut into words as a shell would but without one, and gives what it prints.
fn output_of(command: &OsStr) -> Result<Zeroizing<Vec<u8>>, SourceProblemKind> {
    let words = split_words(&command.to_string_lossy()).map_err(SourceProblemKind::Words)?;
    let Some((program, args)) = words.split_first() else {
        return Err(SourceProblemKind::EmptyCommand);
    };
    let output = Program::new(program).args(args).run_ok()?;
    Ok(Zeroizing::new(output))
}

fn home(environment: Environment<'_>) -> Option<PathBuf> {
    environment("HOME")
        .map(PathBuf::from)
        .filter(|home| home.is_absolute())
}

fn home_ssh_keys(environment: Environment<'_>) -> Vec<PathBuf> {
    let Some(home) = home(environment) else {
        return Vec::new();
    };
    ["id_ed25519", "id_rsa"]
        .iter()
        .map(|name| home.join(".ssh").join(name))
        .filter(|path| path.exists())
        .collect()
}

/// `$XDG_CONFIG_HOME/sops/age/keys.txt`; a relative value switches the place off, as in sops.
fn keys_txt(environment: Environment<'_>) -> Option<PathBuf> {
    let config = match environment("XDG_CONFIG_HOME").filter(|value| !value.is_empty()) {
        Some(config) => PathBuf::from(config),
        None => home(environment)?.join(".config"),
    };
    config
        .is_absolute()
        .then(|| config.join("sops/age/keys.txt"))
}

#[cfg(test)]
mod tests;
