//! `secrets host-key`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::render::Lines;
use crate::report::{Problem, exit};
use crate::secrets::{HostIdentity, HostIdentityError};

/// Print a host's key as .sops.yaml needs it
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct HostKeyArgs {
    /// A private or public SSH key, or lines of a `known_hosts` file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

const ABOUT: &str = "\
Print a host's key in the forms that are needed elsewhere: the age recipient for .sops.yaml (the same that ssh-to-age \
derives), and the SSH public key for hosts/NAME/ssh_host_ed25519_key.pub.

Without --file: this host's own key, or the one below --root.";

const EXAMPLES: &str = "\
Examples:
  ssh chicago steadfast secrets host-key
  ssh-keyscan -t ed25519 chicago | steadfast secrets host-key --file -
  steadfast secrets host-key --file hosts/chicago/ssh_host_ed25519_key.pub";

/// `secrets host-key --json`: the public forms of a host's key.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct HostKeyAnswer {
    /// Format version, 1.
    pub version: u32,
    /// Age recipient for `.sops.yaml`, as ssh-to-age derives it.
    pub age: String,
    /// SSH public key for `hosts/NAME/ssh_host_ed25519_key.pub`.
    pub ssh: String,
    /// Fingerprint, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// The file that it was read from; `-` is stdin.
    pub file: String,
}

/// Runs `host-key`.
pub(super) fn run(args: &HostKeyArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let of_error = |error: HostIdentityError| Problem::of(&error).with_hint(error.fix());
    let identity = match args.file.as_deref() {
        Some(path) if path == Path::new("-") => {
            let mut text = Vec::new();
            std::io::stdin()
                .lock()
                .take(4 * 1024 * 1024)
                .read_to_end(&mut text)
                .map_err(|error| Problem::of(&error).about("cannot read stdin"))?;
            let text = zeroize::Zeroizing::new(text);
            HostIdentity::of_text(&text, path)
        }
        Some(path) => HostIdentity::of_file(path),
        None => match &flags.identity {
            Some(path) => HostIdentity::of_file(path),
            None => HostIdentity::of_host(&flags.open_host()?),
        },
    }
    .map_err(of_error)?;
    match args.format.format() {
        Format::Json => print_json(&HostKeyAnswer {
            version: 1,
            age: identity.age,
            ssh: identity.ssh,
            fingerprint: identity.fingerprint,
            file: identity.from.display().to_string(),
        })?,
        Format::Text => {
            let mut lines = Lines::default();
            lines.field("age", identity.age);
            lines.field("ssh", identity.ssh);
            lines.field("fingerprint", identity.fingerprint);
            print(&lines.finish())?;
        }
    }
    Ok(exit::DONE)
}
