//! What can be typed after `secrets`.

use clap::{Args, Subcommand};

use super::{
    check, diff, edit, encrypt, exec, get, host_key, install_git, list, merge, new, offboard,
    onboard, rekey, rotate, set, status, textconv, unset, view, who,
};

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

/// Verbs below `secrets`. No documentation here: it would be shown instead of that of the verb's arguments.
///
/// What a verb takes is only made when it is the one that was typed; so its other names have to stand here.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum SecretsCommand {
    Edit(edit::EditArgs),
    #[command(visible_alias = "decrypt")]
    View(view::ViewArgs),
    Get(get::GetArgs),
    Set(set::SetArgs),
    Unset(unset::UnsetArgs),
    Encrypt(encrypt::EncryptArgs),
    Rotate(rotate::RotateArgs),
    New(new::NewArgs),
    #[command(visible_alias = "filestatus")]
    Status(status::StatusArgs),
    ExecEnv(exec::ExecEnvArgs),
    ExecFile(exec::ExecFileArgs),
    List(list::ListArgs),
    Who(who::WhoArgs),
    Check(check::CheckArgs),
    Rekey(rekey::RekeyArgs),
    Onboard(onboard::OnboardArgs),
    Offboard(offboard::OffboardArgs),
    Diff(diff::DiffArgs),
    Merge(merge::MergeArgs),
    Textconv(textconv::TextconvArgs),
    InstallGit(install_git::InstallGitArgs),
    HostKey(host_key::HostKeyArgs),
}
