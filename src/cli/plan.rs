//! `plan`: what would change, on this host or on any host of the repository.

use std::path::Path;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::{print, print_json};
use super::flags::{Format, FormatFlags};
use super::{HostFlags, render};
use crate::activation::Notice;
use crate::config::{ConfigErrors, HostName, resolve};
use crate::generation::{Built, Change as Difference, GenerationNumber, Manifest, build, diff};
use crate::host::{Digest, clock};
use crate::report::{Change, Problem, exit};
use crate::source::{Mirror, Revision};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Show what would change, without changing anything.

On a host: fetch the newest revision, build it, and compare it with what is there: the same as `steadfast reconcile now \
--dry-run`.

With --host, in a clone of the config repository: build what HOST would be, from committed files, and show how it \
differs from what it was at `--from`. That needs no key, no network and no privilege, so it works on a laptop and in CI.";

const AFTER: &str = "\
Examples:
  steadfast plan                                  on a host: what the next pass would do
  steadfast plan --host chicago                   in a clone: everything chicago is at HEAD
  steadfast plan --host chicago --from main       what this branch changes for chicago
  steadfast plan --host chicago --from HEAD~3 --rev HEAD --json";

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct PlanArgs {
    /// With --host: the revision to build, a branch, tag or commit [default: HEAD]
    #[arg(long, value_name = "REV", requires = "host")]
    rev: Option<String>,
    /// With --host: the revision to compare with [default: nothing, so that everything is shown]
    #[arg(long, value_name = "REV", requires = "host")]
    from: Option<String>,
    #[command(flatten)]
    format: FormatFlags,
}

/// `plan --json` on a host: what the next pass would do.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PlanAnswer {
    /// Format version, 1.
    pub version: u32,
    /// The host.
    pub host: HostName,
    /// The revision that would be activated.
    pub revision: Revision,
    /// The generation in force.
    pub generation: Option<GenerationNumber>,
    /// What would be changed, in order.
    pub changes: Vec<Change>,
    /// What would be left alone, and why.
    pub notices: Vec<Notice>,
}

/// `plan --host HOST --json`: what a host would be.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Preview {
    /// Format version, 1.
    pub version: u32,
    /// The host.
    pub host: HostName,
    /// The revision that was built.
    pub revision: Revision,
    /// Digest of the generation that it gives for the host.
    pub digest: Digest,
    /// The revision it is compared with; absent when everything is shown.
    pub from: Option<Revision>,
    /// What differs.
    pub changes: Vec<Difference>,
}

/// Runs `plan`.
pub(super) fn run(args: &PlanArgs, flags: &HostFlags) -> Result<u8, Problem> {
    // With a --root there is a host to compare with, whatever it is called.
    match (&flags.host, &flags.root) {
        (Some(host), None) => preview(args, host, flags),
        _ => super::reconcile::dry_run(flags, args.format.format()),
    }
}

fn preview(args: &PlanArgs, host: &HostName, flags: &HostFlags) -> Result<u8, Problem> {
    let place = flags.repo.as_deref().unwrap_or(".");
    let clone = Mirror::of_clone(Path::new(place)).map_err(|error| {
        Problem::of(&error)
            .with_fix("run it in a clone of the config repository, or name one with --repo")
    })?;
    let (revision, built) = build_at(&clone, args.rev.as_deref().unwrap_or("HEAD"), host)?;
    let from = match &args.from {
        Some(from) => Some(build_at(&clone, from, host)?),
        None => None,
    };
    let before = match &from {
        Some((_, built)) => built.manifest.clone(),
        None => Manifest::empty(host.clone()),
    };
    let preview = Preview {
        version: 1,
        host: host.clone(),
        revision,
        digest: built.digest,
        from: from.map(|(revision, _)| revision),
        changes: diff(&before, &built.manifest),
    };
    match args.format.format() {
        Format::Json => print_json(&preview)?,
        Format::Text => print(&render::preview(&preview, clock::now_secs()))?,
    }
    Ok(exit::DONE)
}

fn build_at(clone: &Mirror, name: &str, host: &HostName) -> Result<(Revision, Built), Problem> {
    let commit = clone.resolve(name).map_err(|error| Problem::of(&error))?;
    let revision = clone
        .revision(&commit)
        .map_err(|error| Problem::of(&error))?;
    let snapshot = clone
        .snapshot(&commit)
        .map_err(|error| Problem::of(&error))?;
    let wrong = |errors: &ConfigErrors| {
        let place = format!("`{host}` cannot be built at {}", commit.short());
        Problem::of_config(errors, place)
    };
    let config = resolve(&snapshot, host).map_err(|errors| wrong(&errors))?;
    let built = build(&config, &snapshot).map_err(|errors| wrong(&errors))?;
    Ok((revision, built))
}
