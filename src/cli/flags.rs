//! Flags that many verbs share.

use std::path::PathBuf;

use clap::Args;

use crate::config::HostName;

/// The heading of [`HostFlags`] in `--help`.
pub(super) const HEADING: &str = "Host options";

/// Which host, which repository. The settings file says the same; a flag wins.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = HEADING)]
pub struct HostFlags {
    /// Act on DIR as if it were the host's `/`; nothing outside it is touched, no privilege is needed
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// The config repository: a path, `https://…`, `ssh://…` or `user@host:path` [default: `remotes:` in the settings]
    #[arg(long, global = true, value_name = "REPO")]
    pub repo: Option<String>,
    /// The branch to follow [default: `branch:` in the settings, else the remote's HEAD]
    #[arg(long, global = true, value_name = "NAME")]
    pub branch: Option<String>,
    /// The host, by its folder in `hosts/` [default: `host:` in the settings, else this machine's name]
    #[arg(long, global = true, value_name = "NAME")]
    pub host: Option<HostName>,
    /// The SSH host key that opens the secrets [default: `identity:` in the settings, else `/etc/ssh/ssh_host_ed25519_key`]
    #[arg(long, global = true, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// The settings file [default: `/etc/steadfast/agent.yml`]
    #[arg(long, global = true, value_name = "FILE")]
    pub settings: Option<PathBuf>,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `--json`.
#[derive(Debug, Clone, Args)]
pub(super) struct FormatFlags {
    /// Print JSON instead of text; `steadfast schema` describes it
    #[arg(long)]
    json: bool,
}

impl FormatFlags {
    /// How the answer is to be printed.
    #[must_use]
    pub(super) fn format(&self) -> Format {
        if self.json {
            Format::Json
        } else {
            Format::Text
        }
    }
}
