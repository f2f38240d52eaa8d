//! `check`: everything that can be found out without a host.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::HostFlags;
use super::answer::{print, print_json};
use super::flags::{Format, FormatFlags};
use super::repository::{Place, snapshot};
use super::secrets::{Progress, counted};
use super::style::{BAD, FAINT, GOOD, WARN, paint};
use crate::config::{Colour, HostName, Mark, Origin};
use crate::generation::{CheckRequest, Checked, Finding, check, excerpts};
use crate::host::{Digest, verify_units};
use crate::report::{Problem, exit};
use crate::source::Snapshot;

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Resolve and build every host of the repository, and say all that is wrong with it.

Looks at the files as they lie in the folder, committed or not; ignored files do not count. Needs no key, no network \
and no privilege, so it works on a laptop, in a hook and in CI. Unit files, those of accounts too, are shown to \
`systemd-analyze verify`, and quadlets to the generator of podman, where these are installed.

Errors: whatever a host could not be built from, a `disk.yml` that is wrong, units that systemd would not load, quadlets \
that podman makes nothing of, secrets that a host uses and cannot \
open, two hosts with one key, files that nobody reads because of their name. Warnings: modules that are on nowhere, \
options that nobody reads, lines of units that systemd ignores, people that cannot log in or have the key or uid of \
another.";

const AFTER: &str = "\
Examples:
  steadfast check                    the repository around this folder
  steadfast check repo-example       the one in that folder
  steadfast check --host chicago     one host, without what is only about the repository
  steadfast check --rev HEAD~1       as a commit has it
  steadfast check --strict           in CI: let warnings fail it too
  steadfast check --json | jq -r '.errors[] | \"\\(.origin.file):\\(.origin.line): \\(.message)\"'

Exit codes: 0 nothing is wrong (without --strict, there may be warnings), 1 something is.";

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct CheckArgs {
    /// The folder of the repository [default: the one around this folder]
    dir: Option<PathBuf>,
    /// Check a revision instead: a branch, tag or commit
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// Let warnings fail the check too
    #[arg(long)]
    strict: bool,
    /// Do not ask systemd-analyze about unit files, nor podman about quadlets
    #[arg(long)]
    no_units: bool,
    #[command(flatten)]
    format: FormatFlags,
}

/// `check --json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RepositoryAnswer {
    /// Format version, 1.
    pub version: u32,
    /// Whether the check passed; with `--strict`, warnings fail it.
    pub passed: bool,
    /// Every host that was checked, in order.
    pub hosts: Vec<HostAnswer>,
    /// How many modules the repository has.
    pub modules: usize,
    /// What must be put right.
    pub errors: Vec<FindingAnswer>,
    /// What should be looked at.
    pub warnings: Vec<FindingAnswer>,
    /// What was not looked at, and why.
    pub notes: Vec<String>,
}

/// A host that was checked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HostAnswer {
    /// The host.
    pub host: HostName,
    /// Digest of the generation that it gives; absent if something is wrong with the host.
    pub digest: Option<Digest>,
}

/// One thing that was found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FindingAnswer {
    /// What it is.
    pub message: String,
    /// Where; absent if it is about no line of a file.
    pub origin: Option<Origin>,
    /// A second place that has to do with it.
    pub related: Option<RelatedAnswer>,
    /// Why, where the message does not say.
    pub cause: Option<String>,
    /// How to put it right.
    pub fix: Option<String>,
    /// The hosts that have it; none if it is about no host.
    pub hosts: Vec<HostName>,
}

/// A second place.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RelatedAnswer {
    /// Where.
    pub origin: Origin,
    /// What it has to do with the finding.
    pub message: String,
}

impl From<&Finding> for FindingAnswer {
    fn from(finding: &Finding) -> Self {
        let error = &finding.error;
        let origin = |mark: &Mark| mark.origin.clone();
        Self {
            message: error.message.clone(),
            origin: error.mark.as_ref().map(origin),
            related: error.related.as_ref().map(|(mark, message)| RelatedAnswer {
                origin: origin(mark),
                message: message.clone(),
            }),
            cause: error.cause.clone(),
            fix: error.fix.clone(),
            hosts: finding.hosts.clone(),
        }
    }
}

/// Runs `check`.
pub(super) fn run(args: &CheckArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let began = Instant::now();
    let place = Place::new(args.dir.as_deref(), args.rev.as_deref(), flags);
    let snapshot = snapshot(&place)?;
    let progress = Progress::begin();
    let request = CheckRequest {
        host: flags.host.as_ref(),
        verifier: (!args.no_units).then_some(&verify_units),
        watcher: &|step| progress.tell(step),
    };
    let checked = check(&snapshot, request);
    progress.end();
    let passed = checked.errors.is_empty() && (!args.strict || checked.warnings.is_empty());
    match args.format.format() {
        Format::Json => print_json(&answer(&checked, passed))?,
        Format::Text => print(&text(&checked, &snapshot, began.elapsed()))?,
    }
    if checked.hosts.is_empty() && checked.errors.is_empty() {
        return Err(Problem::new("the repository has no hosts").with_fix(
            "name the folder of a config repository, or make `hosts/NAME/host.yml` in this one",
        ));
    }
    Ok(if passed { exit::DONE } else { exit::FAILED })
}

fn answer(checked: &Checked, passed: bool) -> RepositoryAnswer {
    let hosts = checked.hosts.iter().map(|(host, digest)| HostAnswer {
        host: host.clone(),
        digest: digest.clone(),
    });
    RepositoryAnswer {
        version: 1,
        passed,
        hosts: hosts.collect(),
        modules: checked.modules,
        errors: checked.errors.iter().map(FindingAnswer::from).collect(),
        warnings: checked.warnings.iter().map(FindingAnswer::from).collect(),
        notes: checked.notes.clone(),
    }
}

/// Warnings, then errors, each by place; what was not looked at; the counts.
fn text(checked: &Checked, snapshot: &Snapshot, took: Duration) -> String {
    let mut paragraphs = Vec::new();
    for findings in [&checked.warnings, &checked.errors] {
        let excerpts = excerpts(findings, snapshot, Colour::Ansi);
        let with_hosts = findings.iter().zip(excerpts);
        paragraphs.extend(with_hosts.map(|(finding, excerpt)| paragraph(finding, &excerpt)));
    }
    for note in &checked.notes {
        paragraphs.push(format!("{} {note}", paint(FAINT, "note:")));
    }
    paragraphs.push(summary(checked, took));
    paragraphs.join("\n\n")
}

/// `3 hosts, 14 modules: 2 errors, 1 warning in 0.2 s`
fn summary(checked: &Checked, took: Duration) -> String {
    let errors = counted(checked.errors.len(), "error");
    let warnings = counted(checked.warnings.len(), "warning");
    let verdict = match (checked.errors.is_empty(), checked.warnings.is_empty()) {
        (true, true) => paint(GOOD, "nothing is wrong"),
        (true, false) => paint(WARN, warnings),
        (false, true) => paint(BAD, errors),
        (false, false) => format!("{}, {}", paint(BAD, errors), paint(WARN, warnings)),
    };
    let mut what = counted(checked.hosts.len(), "host");
    if checked.modules > 0 {
        what = format!("{what}, {}", counted(checked.modules, "module"));
    }
    format!(
        "{what}: {verdict} {}\n",
        paint(FAINT, format!("in {:.1} s", took.as_secs_f64())),
    )
}

fn paragraph(finding: &Finding, excerpt: &str) -> String {
    let excerpt = excerpt.trim_end();
    match finding.hosts.len() {
        0 | 1 => excerpt.to_owned(),
        _ => format!("{excerpt}\n   = hosts: {}", names(&finding.hosts)),
    }
}

/// At most eight names.
fn names(hosts: &[HostName]) -> String {
    let some: Vec<&str> = hosts.iter().map(HostName::as_str).take(8).collect();
    match hosts.len().saturating_sub(some.len()) {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}
