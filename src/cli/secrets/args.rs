//! What can be typed after `secrets`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::flags::FormatFlags;
use crate::secrets::KeyPath;

const AFTER: &str = "\
Who can read which file is said in .sops.yaml, at the top of the repository:

  keys:
    - &alice   age1…
    - &chicago age1…        # what `steadfast secrets host-key` prints on chicago
  creation_rules:
    - path_regex: ^secrets/.*\\.ya?ml$
      age: [*alice, *chicago]

Keys are found where sops finds them: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD, SOPS_AGE_SSH_PRIVATE_KEY_FILE, \
~/.config/sops/age/keys.txt, ~/.ssh/id_ed25519, ~/.ssh/id_rsa; `--identity FILE` names another one, an age key or an SSH \
key. `--repo PATH` names another clone than the one around this directory.

Files are in the format of SOPS: sops reads what is written here, and the other way round.";

/// Arguments of `secrets`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct SecretsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SecretsCommand,
}

/// Verbs below `secrets`.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Open a secret file in your editor; a new one is made
    #[command(long_about = EDIT)]
    Edit(FileArgs),
    /// Print a secret file, decrypted
    View(FileArgs),
    /// Print one value
    #[command(after_long_help = GET_EXAMPLES)]
    Get(KeyArgs),
    /// Set one value, read from stdin or a file
    #[command(long_about = SET, after_long_help = SET_EXAMPLES)]
    Set(SetArgs),
    /// Remove one value
    Unset(KeyArgs),
    /// Encrypt a file that lies in the clear, in place
    #[command(long_about = ENCRYPT)]
    Encrypt(FileArgs),
    /// List the secret files and who can read them
    List(ListArgs),
    /// Make every secret file readable for exactly those that .sops.yaml names
    #[command(long_about = REKEY, after_long_help = REKEY_EXAMPLES)]
    Rekey(RekeyArgs),
    /// Print a host's key as .sops.yaml needs it
    #[command(long_about = HOST_KEY, after_long_help = HOST_KEY_EXAMPLES)]
    HostKey(HostKeyArgs),
}

const EDIT: &str = "\
Open a secret file in your editor; a new one is made for the recipients of its rule.

The editor is SOPS_EDITOR, EDITOR, or the first of vim, nano and vi. The plaintext is in one private file in memory \
(XDG_RUNTIME_DIR or /dev/shm), never on a disk, and is wiped when the editor ends. Values that you do not change keep \
their ciphertext, so a diff shows only what changed. A text that cannot be encrypted is opened again.

Exit code 200: nothing was changed.";

const SET: &str = "\
Set one value of a secret file; the file is made if it is not there.

The value never is an argument, where every user of the machine could read it: it comes from stdin, from a file, or is \
asked for when stdin is a terminal. One line break at the end of a single line is dropped, since `echo` and editors add \
it; --raw keeps it.";

const ENCRYPT: &str = "\
Encrypt a YAML file that lies in the clear, in place, for the recipients of its rule.

If the file was ever pushed in the clear, change the secrets in it: they stay in git's history.";

const REKEY: &str = "\
Make every secret file readable for exactly those that .sops.yaml names.

Shows what changes for whom, then does it: all files or none. Files that match already are not touched. Values stay as \
they are, so whoever loses access can still read old revisions: change secrets that they must not know.

--check only compares, without any key, and ends with 3 if a file differs: for CI.";

const HOST_KEY: &str = "\
Print a host's key in the forms that are needed elsewhere: the age recipient for .sops.yaml (the same that ssh-to-age \
derives), and the SSH public key for hosts/NAME/ssh_host_ed25519_key.pub.

Without --file: this host's own key, or the one below --root.";

const GET_EXAMPLES: &str = "\
Examples:
  steadfast secrets get secrets/default.yml db/password
  steadfast secrets get secrets/default.yml '[\"db\"][\"pass/word\"]'";

const SET_EXAMPLES: &str = "\
Examples:
  steadfast secrets set secrets/default.yml db/password                 asks, without showing it
  openssl rand -hex 32 | steadfast secrets set secrets/default.yml api/token
  steadfast secrets set secrets/tls.yml web/key --value-file key.pem";

const REKEY_EXAMPLES: &str = "\
Examples:
  steadfast secrets rekey                             after .sops.yaml was changed
  steadfast secrets rekey secrets/db.yml              this file only
  steadfast secrets rekey --check --json              in CI";

const HOST_KEY_EXAMPLES: &str = "\
Examples:
  ssh chicago steadfast secrets host-key
  ssh-keyscan -t ed25519 chicago | steadfast secrets host-key --file -
  steadfast secrets host-key --file hosts/chicago/ssh_host_ed25519_key.pub";

/// Arguments of verbs on one file.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// The secret file
    pub file: PathBuf,
}

/// Arguments of verbs on one value.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// The secret file
    pub file: PathBuf,
    /// The key path, such as `db/password`
    pub key: KeyPath,
}

/// Arguments of `set`.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// Which value.
    #[command(flatten)]
    pub at: KeyArgs,
    /// Read the value from this file instead of stdin
    #[arg(long, value_name = "FILE")]
    pub value_file: Option<PathBuf>,
    /// Keep the value byte for byte, with a line break at its end
    #[arg(long)]
    pub raw: bool,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

/// Arguments of `rekey`.
#[derive(Debug, Args)]
pub struct RekeyArgs {
    /// Secret files [default: all of the repository]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Only compare; ends with 3 if a file differs
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

/// Arguments of `host-key`.
#[derive(Debug, Args)]
pub struct HostKeyArgs {
    /// A private or public SSH key, or lines of a `known_hosts` file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}
