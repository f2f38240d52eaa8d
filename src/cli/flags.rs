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
    /// Act on DIR as if it were the host's `/`
    ///
    /// Nothing outside DIR is touched: no systemd, no package manager, no privilege needed. Units are enabled by links,
    /// accounts edited in DIR/etc. [default: the running system]
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub root: Option<PathBuf>,
    /// The config repository: a path, `ssh://…`, `https://…` or `user@host:path`
    ///
    /// [default: `remotes:` in the settings]
    #[arg(long, global = true, value_name = "REPO", hide_short_help = true)]
    pub repo: Option<String>,
    /// The branch to follow
    ///
    /// [default: `branch:` in the settings, else the remote's HEAD]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub branch: Option<String>,
    /// The host: its folder in `hosts/` of the config repository
    ///
    /// [default: `host:` in the settings, else this machine's name up to the first dot]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub host: Option<HostName>,
    /// The SSH host key that opens this host's secrets
    ///
    /// [default: `identity:` in the settings, else /etc/ssh/ssh_host_ed25519_key]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub identity: Option<PathBuf>,
    /// The settings file [default: /etc/steadfast/agent.yml]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub settings: Option<PathBuf>,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `--json`.
#[derive(Debug, Clone, Args)]
pub struct FormatFlags {
    /// Print JSON instead of text; `steadfast schema` describes it
    #[arg(long)]
    json: bool,
}

impl FormatFlags {
    /// How the answer is to be printed.
    #[must_use]
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }
}
