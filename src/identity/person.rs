//! The keys of the person who runs a command: the same sources as sops, all of them pooled.
//!
//! In order: `SOPS_AGE_SSH_PRIVATE_KEY_FILE`, `SOPS_AGE_SSH_PRIVATE_KEY_CMD`, `~/.ssh/id_ed25519`, `~/.ssh/id_rsa`,
//! `SOPS_AGE_KEY`, `SOPS_AGE_KEY_FILE`, `SOPS_AGE_KEY_CMD`, and `sops/age/keys.txt` in the user's config directory.
//!
//! Source: SOPS format §age, identities.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::found::Found;
use super::host_key::read_key_file;
use super::identity_text::{Words, parse_age_identities, parse_ssh_identity};
use super::key_command::{KeyCommand, output_of};
use super::pool::Identities;
use super::problem::{SourceProblem, SourceProblemKind};
use crate::host::exec::Environment;

/// Reads all sources.
pub(super) fn collect(environment: Environment<'_>) -> Identities {
    let mut pool = Identities::default();
    let mut take = |from: &str, found: Result<Found, SourceProblemKind>| match found {
        Ok(found) => pool.add(from, found),
        Err(kind) => pool.add_problem(SourceProblem {
            from: from.to_owned(),
            kind,
        }),
    };

    if let Some(path) = environment("SOPS_AGE_SSH_PRIVATE_KEY_FILE") {
        take("SOPS_AGE_SSH_PRIVATE_KEY_FILE", named_file(&path, ssh_file));
    }
    if let Some(command) = environment("SOPS_AGE_SSH_PRIVATE_KEY_CMD") {
        const NAME: &str = "SOPS_AGE_SSH_PRIVATE_KEY_CMD";
        let found = output_of(&command, &[])
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
        take("SOPS_AGE_KEY_FILE", named_file(&path, age_file));
    }
    if let Some(path) = keys_txt(environment).filter(|path| path.exists()) {
        take(&path.display().to_string(), age_file(&path));
    }
    if let Some(command) = environment("SOPS_AGE_KEY_CMD") {
        pool.add_command(KeyCommand::new("SOPS_AGE_KEY_CMD", command));
    }
    pool
}

/// The file that a variable names. A variable that is set to nothing counts as set, as in sops.
fn named_file(
    path: &OsString,
    read: fn(&Path) -> Result<Found, SourceProblemKind>,
) -> Result<Found, SourceProblemKind> {
    if path.is_empty() {
        return Err(SourceProblemKind::EmptyVariable);
    }
    read(Path::new(path))
}

fn ssh_file(path: &Path) -> Result<Found, SourceProblemKind> {
    let text = read_key_file(path)?;
    Ok(parse_ssh_identity(
        &text,
        path,
        &path.display().to_string(),
    )?)
}

fn age_file(path: &Path) -> Result<Found, SourceProblemKind> {
    let text = read_key_file(path)?;
    let name = path.display().to_string();
    Ok(parse_age_identities(&text, Words::OnePerLine, &name)?)
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
