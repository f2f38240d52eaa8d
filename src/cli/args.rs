//! The command line: what can be typed, and what `--help` says about it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::secrets::SecretsArgs;
use crate::config::HostName;

/// `steadfast …`
#[derive(Debug, Parser)]
#[command(
    name = "steadfast",
    version,
    about,
    arg_required_else_help = true,
    subcommand_required = true
)]
pub struct Cli {
    /// Which host, which repository.
    #[command(flatten)]
    pub flags: HostFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// `reconcile …`, the same as `steadfast reconcile …`.
#[derive(Debug, Parser)]
#[command(name = "reconcile", version, arg_required_else_help = true)]
pub struct ReconcileCli {
    /// Which host, which repository.
    #[command(flatten)]
    pub flags: HostFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: ReconcileCommand,
}

/// `secrets …`, the same as `steadfast secrets …`.
#[derive(Debug, Parser)]
#[command(name = "secrets", version, arg_required_else_help = true)]
pub struct SecretsCli {
    /// Which host, which repository.
    #[command(flatten)]
    pub flags: HostFlags,
    /// What to do.
    #[command(flatten)]
    pub args: SecretsArgs,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make this host what the repository says.
    #[command(subcommand)]
    Reconcile(ReconcileCommand),
    /// Edit, read and re-encrypt secrets.
    Secrets(SecretsArgs),
}

/// Verbs below `reconcile`.
#[derive(Debug, Subcommand)]
pub enum ReconcileCommand {
    /// Run one pass now: fetch, check, plan, activate, probe.
    Now,
}

/// Which host, which repository. Settings files say the same; a flag wins.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Host options")]
pub struct HostFlags {
    /// Act on the directory DIR as if it were the host's `/`; nothing outside it is touched.
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// The config repository: an address or a path.
    #[arg(long, global = true, value_name = "URL|PATH")]
    pub repo: Option<String>,
    /// The branch to follow.
    #[arg(long, global = true, value_name = "NAME")]
    pub branch: Option<String>,
    /// The host's name: its folder in `hosts/`.
    #[arg(long, global = true, value_name = "NAME")]
    pub host: Option<HostName>,
    /// The SSH host key that is this host's identity.
    #[arg(long, global = true, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// The settings file to read.
    #[arg(long, global = true, value_name = "FILE")]
    pub settings: Option<PathBuf>,
}
