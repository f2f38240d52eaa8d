//! `secrets host-key`: what ssh-to-age does, and asking a host for its key.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::output::Destination;
use super::prompt;
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::render::Lines;
use crate::host::durable;
use crate::identity::{AskPassphrase, HostKey, NoAnswer, Plaintext, ScanTarget};
use crate::report::{Problem, exit};
use crate::secrets::{HostIdentities, HostIdentity, HostIdentityError, private_key_of};

/// Keys are short; `known_hosts` files are not.
const LARGEST_BYTES: u64 = 4 * 1024 * 1024;

/// Print a host's key as .sops.yaml needs it
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct HostKeyArgs {
    /// A private or public SSH key, or lines of a `known_hosts` file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Ask this host for its key: `chicago`, `chicago:2222`, `[fd00::1]:2222`
    #[arg(long, value_name = "HOST", conflicts_with = "file")]
    pub ssh_keyscan: Option<ScanTarget>,
    /// Print one form alone, one key per line
    #[arg(long, value_enum, conflicts_with = "json")]
    pub only: Option<Form>,
    /// Print the private key in age's form, AGE-SECRET-KEY-1…, and nothing else
    #[arg(long, conflicts_with_all = ["ssh_keyscan", "only", "json"])]
    pub private_key: bool,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

/// One form of a host's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// The age recipient, as ssh-to-age prints it
    Age,
    /// The SSH public key
    Ssh,
}

const ABOUT: &str = "\
Print a host's key in the forms that are needed elsewhere: the age recipient for .sops.yaml (the same that ssh-to-age \
derives), and the SSH public key for hosts/NAME/ssh_host_ed25519_key.pub.

Without --file and --ssh-keyscan: this host's own key, or the one below --root. Only ed25519 keys can be converted; lines \
with other keys are skipped, and named.

--ssh-keyscan believes whoever answers: compare the fingerprint with what `ssh-keygen -lf \
/etc/ssh/ssh_host_ed25519_key.pub` prints on the host.

--private-key shows a private key, and is for moving to a tool that wants one. The passphrase of a protected key is asked \
for, or taken from SSH_TO_AGE_PASSPHRASE.";

const EXAMPLES: &str = "\
Examples:
  ssh chicago steadfast secrets host-key
  steadfast secrets host-key --ssh-keyscan chicago
  steadfast secrets host-key --file hosts/chicago/ssh_host_ed25519_key.pub
  steadfast secrets host-key --file ~/.ssh/known_hosts --only age
  steadfast secrets host-key --file ~/.ssh/id_ed25519 --private-key >> ~/.config/sops/age/keys.txt";

/// `secrets host-key --json`: the public forms of host keys.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct HostKeyAnswer {
    /// Format version, 1.
    pub version: u32,
    /// The keys; at least one.
    pub keys: Vec<HostKeyForms>,
    /// Lines with keys that cannot be converted, and why.
    pub skipped: Vec<String>,
    /// The file that they were read from, `-` for stdin, or the host that was asked.
    pub from: String,
}

/// The public forms of one host key.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct HostKeyForms {
    /// What the key is called where it was found: host names, or a comment.
    pub name: Option<String>,
    /// Age recipient for `.sops.yaml`, as ssh-to-age derives it.
    pub age: String,
    /// SSH public key for `hosts/NAME/ssh_host_ed25519_key.pub`.
    pub ssh: String,
    /// Fingerprint, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
}

/// Runs `host-key`.
pub(super) fn run(args: &HostKeyArgs, flags: &HostFlags) -> Result<u8, Failure> {
    if args.private_key {
        return private_key(args, flags);
    }
    let found = find(args, flags)?;
    for skipped in &found.skipped {
        say(skipped);
    }
    match (args.format.format(), args.only) {
        (Format::Json, _) => print_json(&answer(found))?,
        (Format::Text, Some(form)) => {
            let lines = found.keys.into_iter().map(|key| match form {
                Form::Age => key.age + "\n",
                Form::Ssh => key.ssh + "\n",
            });
            print(&lines.collect::<String>())?;
        }
        (Format::Text, None) => print(&text(found.keys))?,
    }
    Ok(exit::DONE)
}

fn find(args: &HostKeyArgs, flags: &HostFlags) -> Result<HostIdentities, Problem> {
    let found = match (&args.ssh_keyscan, args.file.as_deref()) {
        (Some(target), _) => HostIdentities::of_scan(target),
        (None, Some(path)) if path == Path::new("-") => {
            HostIdentities::of_text(&read_stdin()?, path)
        }
        (None, Some(path)) => HostIdentities::of_file(path),
        (None, None) => match &flags.identity {
            Some(path) => HostIdentities::of_file(path),
            None => HostIdentities::of_host(&flags.open_host()?),
        },
    };
    found.map_err(|error: HostIdentityError| Problem::of(&error).with_hint(error.fix()))
}

fn text(keys: Vec<HostIdentity>) -> String {
    let several = keys.len() > 1;
    let blocks: Vec<String> = keys
        .into_iter()
        .map(|key| {
            let mut lines = Lines::default();
            if let Some(name) = key.name.filter(|_| several) {
                lines.field("name", name);
            }
            lines.field("age", key.age);
            lines.field("ssh", key.ssh);
            lines.field("fingerprint", key.fingerprint);
            lines.finish()
        })
        .collect();
    blocks.join("\n")
}

fn answer(found: HostIdentities) -> HostKeyAnswer {
    let keys = found.keys.into_iter().map(|key| HostKeyForms {
        name: key.name,
        age: key.age,
        ssh: key.ssh,
        fingerprint: key.fingerprint,
    });
    HostKeyAnswer {
        version: 1,
        keys: keys.collect(),
        skipped: found.skipped.iter().map(ToString::to_string).collect(),
        from: found.from,
    }
}

/// Prints the private key itself: the one verb of which that is the purpose.
fn private_key(args: &HostKeyArgs, flags: &HostFlags) -> Result<u8, Failure> {
    let path = match (&args.file, &flags.identity) {
        (Some(path), _) | (None, Some(path)) => path.clone(),
        (None, None) => private_key_of(&flags.open_host()?),
    };
    let text = if path == Path::new("-") {
        read_stdin()?
    } else {
        let text = durable::read(&path, LARGEST_BYTES)
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
        let missing = || Problem::new(format!("there is no file {}", path.display()));
        Zeroizing::new(text.ok_or_else(missing)?)
    };
    let asker: Box<dyn AskPassphrase> = match std::env::var_os("SSH_TO_AGE_PASSPHRASE") {
        Some(passphrase) => Box::new(FromVariable(passphrase)),
        None => Box::new(prompt::OnTerminal),
    };
    let key = HostKey::parse_asking(&text, &path, asker.as_ref())
        .map_err(|error| Problem::of(&error).with_fix(error.fix()))?;
    let mut line = Zeroizing::new(Vec::with_capacity(128));
    line.extend_from_slice(key.age_secret_key().expose());
    line.push(b'\n');
    Destination::Stdout.write_plaintext(&Plaintext::from(line))?;
    Ok(exit::DONE)
}

/// A passphrase that is in the environment already, as ssh-to-age takes it.
struct FromVariable(OsString);

impl AskPassphrase for FromVariable {
    fn passphrase(&self, _question: &str) -> Result<Plaintext, NoAnswer> {
        Ok(Plaintext::new(self.0.as_encoded_bytes().to_vec()))
    }

    fn tell(&self, message: &str) {
        say(message);
    }

    fn line(&self, _question: &str) -> Option<String> {
        None
    }

    fn confirm(&self, _question: &str, _yes: &str, _no: Option<&str>) -> Option<bool> {
        None
    }
}

fn read_stdin() -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut text = Zeroizing::new(Vec::with_capacity(64 * 1024));
    std::io::stdin()
        .lock()
        .take(LARGEST_BYTES)
        .read_to_end(&mut text)
        .map_err(|error| Problem::of(&error).about("cannot read stdin"))?;
    Ok(text)
}
