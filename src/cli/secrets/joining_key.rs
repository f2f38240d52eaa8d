//! The public key of a host that joins: from a file, from its folder, or from the host itself, confirmed.

use std::io::Read as _;
use std::path::Path;

use super::{prompt, repository};
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::config::HostName;
use crate::identity::{HostPublicKey, PublicKeys, ScanTarget, scan_host_key};
use crate::report::Problem;

/// Which key is meant.
pub(in crate::cli) struct WantedKey<'a> {
    /// The host.
    pub(in crate::cli) host: &'a HostName,
    /// A file with it; `-` is stdin.
    pub(in crate::cli) file: Option<&'a Path>,
    /// Where to ask for it; empty for the host's name.
    pub(in crate::cli) address: Option<&'a str>,
    /// The fingerprint that it must have.
    pub(in crate::cli) fingerprint: Option<&'a str>,
}

impl WantedKey<'_> {
    /// Finds it; one that a host tells over the network is shown, and has to be confirmed.
    pub(in crate::cli) fn find(&self, flags: &HostFlags) -> Result<HostPublicKey, Problem> {
        find_key(self, flags)
    }
}

fn find_key(wanted: &WantedKey<'_>, flags: &HostFlags) -> Result<HostPublicKey, Problem> {
    let of_text = |text: &str, from: &str| {
        let keys = PublicKeys::read(text).map_err(|error| {
            Problem::of(&error)
                .about(format!("cannot use {from}"))
                .with_fix(error.fix())
        })?;
        keys.first()
            .map(|_| {
                keys.usable
                    .iter()
                    .map(|named| named.key.clone())
                    .collect::<Vec<_>>()
            })
            .map_err(|error| {
                Problem::of(&error)
                    .about(format!("cannot use {from}"))
                    .with_fix(error.fix())
            })
    };
    let keys = match (wanted.file, wanted.address) {
        (Some(path), _) => of_text(&read_text(path)?, &path.display().to_string())?,
        (None, Some(address)) => return scanned(wanted, address),
        (None, None) => {
            let root = repository(flags)?.root().to_owned();
            let path = root.join(format!("hosts/{}/ssh_host_ed25519_key.pub", wanted.host));
            if !path.exists() {
                return Err(Problem::new(format!(
                    "the public key of {} is not known",
                    wanted.host
                ))
                .with_fix(
                    "give --ssh-keyscan, or --file FILE with its /etc/ssh/ssh_host_ed25519_key.pub",
                ));
            }
            of_text(&read_text(&path)?, &path.display().to_string())?
        }
    };
    chosen(wanted, keys)
}

fn read_text(path: &Path) -> Result<String, Problem> {
    const LARGEST_BYTES: u64 = 1024 * 1024;
    let failed = |error: std::io::Error| {
        Problem::of(&error).about(format!("cannot read {}", path.display()))
    };
    let mut text = String::new();
    if path == Path::new("-") {
        let stdin = std::io::stdin().lock();
        stdin
            .take(LARGEST_BYTES)
            .read_to_string(&mut text)
            .map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(LARGEST_BYTES)
            .read_to_string(&mut text)
            .map_err(failed)?;
    }
    Ok(text)
}

/// The key with the fingerprint that was given, or the only one.
fn chosen(wanted: &WantedKey<'_>, keys: Vec<HostPublicKey>) -> Result<HostPublicKey, Problem> {
    let fingerprints: Vec<String> = keys.iter().map(HostPublicKey::fingerprint).collect();
    match wanted.fingerprint {
        Some(expected) => keys
            .into_iter()
            .find(|key| key.fingerprint() == expected)
            .ok_or_else(|| {
                Problem::new(format!(
                    "the key of {} has the fingerprint {}, not {expected}",
                    wanted.host,
                    fingerprints.join(" or ")
                ))
                .with_fix("compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host itself; if they differ, somebody is in between")
            }),
        None if keys.len() > 1 => Err(Problem::new(format!(
            "there are {} keys: {}",
            keys.len(),
            fingerprints.join(", ")
        ))
        .with_fix("say which one with --fingerprint")),
        None => keys.into_iter().next().ok_or_else(|| Problem::new("there is no key")),
    }
}

/// Asks the host, shows the fingerprint, and has it confirmed.
fn scanned(wanted: &WantedKey<'_>, address: &str) -> Result<HostPublicKey, Problem> {
    let address = if address.is_empty() {
        wanted.host.as_str()
    } else {
        address
    };
    let target: ScanTarget = address
        .parse()
        .map_err(|error: crate::identity::ScanTargetError| Problem::of(&error))?;
    let keys = scan_host_key(&target).map_err(|error| Problem::of(&error).with_fix(error.fix()))?;
    let key = chosen(wanted, keys)?;
    if wanted.fingerprint.is_some() {
        return Ok(key);
    }
    let fingerprint = key.fingerprint();
    if !prompt::somebody_is_there() {
        return Err(Problem::new(format!(
            "the key of {address} has the fingerprint {fingerprint}, and nobody is here to confirm it"
        ))
        .with_fix(format!(
            "compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host itself, then give `--fingerprint {fingerprint}`"
        )));
    }
    say(format!(
        "the key of {address} has the fingerprint {fingerprint}"
    ));
    say(
        "On the host itself, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` must show the same.",
    );
    if prompt::enter_means_yes("Press Enter if it does, or type q and Enter to give up:") {
        Ok(key)
    } else {
        Err(Problem::new("given up; nothing was changed"))
    }
}
