//! `secrets onboard`: a host joins.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::commit;
use super::joining_key::WantedKey;
use super::progress::Progress;
use super::rekey::{RekeyedFile, exclusive, of_rekey, rekeyed_files, warn_of_closed};
use super::usage::usage_of;
use super::{identities, repository};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::style::{WARN, paint};
use crate::config::HostName;
use crate::identity::HostPublicKey;
use crate::report::{Problem, exit};
use crate::secrets::{Joining, OnboardPlan, OtherKey, Repository, onboard, plan_onboard};

/// Let a host open exactly the secrets that it uses
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct OnboardArgs {
    /// The host, by its folder in `hosts/`
    #[arg(value_name = "HOST")]
    pub name: HostName,
    /// Its public SSH host key, or lines of a `known_hosts` file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Ask the host itself for its key [default address: HOST]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "", conflicts_with = "file")]
    pub ssh_keyscan: Option<String>,
    /// The fingerprint that the key must have, `SHA256:…`, instead of asking
    #[arg(long, value_name = "FINGERPRINT")]
    pub fingerprint: Option<String>,
    /// Take the old key of a host out that was set up anew
    #[arg(long)]
    pub replace: bool,
    /// Only show what would change
    #[arg(long, visible_alias = "check")]
    pub dry_run: bool,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

const ABOUT: &str = "\
Let a host open exactly the secrets that it uses.

Writes hosts/HOST/ssh_host_ed25519_key.pub, adds the host to .sops.yaml, keeping its comments and layout, and encrypts the \
files that hosts/HOST/host.yml uses to it: all of that or nothing. A rule that covers other files too is not widened; a \
rule for just the used files is put before it. Shows the commit to make and makes none. Done twice, the second time \
changes nothing.

Without --file and --ssh-keyscan, the key is taken from the host's folder. A scanned key is shown, to be compared with what \
the host itself says: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`. Without that, whoever answers may get the secrets.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets onboard dallas --ssh-keyscan
  steadfast secrets onboard dallas --ssh-keyscan 10.0.0.7:2222 --fingerprint SHA256:…
  ssh dallas cat /etc/ssh/ssh_host_ed25519_key.pub | steadfast secrets onboard dallas --file -
  steadfast secrets onboard dallas --ssh-keyscan --replace    it was set up anew
  steadfast secrets onboard dallas                            its host file uses more now";

/// `secrets onboard --json`: what changes so that a host can open what it uses.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct OnboardAnswer {
    /// Format version, 1.
    pub version: u32,
    /// Whether the changes were made; `false` with `--dry-run`.
    pub done: bool,
    /// The host.
    pub host: String,
    /// Its age recipient.
    pub recipient: String,
    /// The fingerprint of its key.
    pub fingerprint: String,
    /// Keys of it that were taken out, as recipients.
    pub replaced: Vec<String>,
    /// Whether there is a host file that says what the host uses.
    pub has_host_file: bool,
    /// Files that it uses and that are not there, or not encrypted.
    pub missing: Vec<String>,
    /// Secret files whose recipients change.
    pub changes: Vec<RekeyedFile>,
    /// Every file that changes.
    pub files: Vec<String>,
    /// Commands that commit them.
    pub commit: Vec<String>,
}

/// Runs `onboard`.
pub(super) fn run(args: &OnboardArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let wanted = WantedKey {
        host: &args.name,
        file: args.file.as_deref(),
        address: args.ssh_keyscan.as_deref(),
        fingerprint: args.fingerprint.as_deref(),
    };
    let key = wanted.find(flags)?;
    let progress = Progress::begin();
    let watcher = |step| progress.tell(step);
    let plan_in = |repository: &Repository| {
        let joining = Joining {
            host: args.name.as_str(),
            key: &key,
            files: &BTreeMap::new(),
            other_key: if args.replace {
                OtherKey::Replace
            } else {
                OtherKey::Refuse
            },
        };
        let plan = plan_onboard(repository, &usage_of(repository), &joining, &watcher);
        progress.end();
        plan.map_err(|error| Problem::of(&error).with_hint(error.fix()))
    };
    if args.dry_run {
        let repository = repository(flags)?;
        let plan = plan_in(&repository)?;
        return answer(&repository, args, (&plan, &key));
    }
    let exclusive = exclusive(flags)?;
    let plan = plan_in(exclusive.repository())?;
    if !plan.is_empty() {
        let identities = identities(flags)?;
        warn_of_closed(&plan.rekey, &identities);
        let done = onboard(&exclusive, &plan, &identities, &watcher);
        progress.end();
        done.map_err(|error| of_rekey(&error))?;
    }
    answer(exclusive.repository(), args, (&plan, &key))
}

fn answer(
    repository: &Repository,
    args: &OnboardArgs,
    (plan, key): (&OnboardPlan, &HostPublicKey),
) -> Result<u8, Problem> {
    let files: BTreeSet<_> = plan.files().into_iter().cloned().collect();
    let message = format!("secrets: {} joins", plan.host);
    let commands = commit::commands(repository, &files, &message);
    match args.format.format() {
        Format::Json => print_json(&OnboardAnswer {
            version: 1,
            done: !args.dry_run,
            host: plan.host.clone(),
            recipient: plan.recipient.clone(),
            fingerprint: key.fingerprint(),
            replaced: plan.replaced.iter().cloned().collect(),
            has_host_file: plan.has_host_file,
            missing: plan.missing.iter().map(ToString::to_string).collect(),
            changes: rekeyed_files(&plan.rekey),
            files: files.iter().map(ToString::to_string).collect(),
            commit: commands,
        })?,
        Format::Text => {
            let mut text = commit::changes(plan.rules_change(), &plan.rekey);
            if !args.dry_run {
                text.push_str(&commit::as_text(&commands));
            }
            print(&text)?;
        }
    }
    say_more(args, plan);
    Ok(exit::DONE)
}

fn say_more(args: &OnboardArgs, plan: &OnboardPlan) {
    let host = &plan.host;
    let warn = |text: String| say(format!("{} {text}", paint(WARN, "warning:")));
    if !plan.has_host_file {
        warn(format!(
            "there is no hosts/{host}/host.yml, so nothing is encrypted to {host} yet; run this again when it says which secrets it uses"
        ));
    }
    for file in &plan.missing {
        warn(format!("{host} uses {file}, which is no secret file yet"));
    }
    if !plan.replaced.is_empty() && !plan.is_empty() {
        say(format!(
            "the old key of {host} is taken out; if somebody else may have it, run `steadfast secrets offboard {host}` first, which says what must be changed"
        ));
    }
    if plan.is_empty() {
        say(format!("{host} can open all that it uses; nothing to do"));
    } else if args.dry_run {
        say("nothing was changed (--dry-run)");
    } else if plan.has_host_file {
        say(format!(
            "{host} can open exactly what it uses, after the next push"
        ));
    }
}
