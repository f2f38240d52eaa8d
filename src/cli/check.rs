//! `check`: everything that can be found out without a host.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::HostFlags;
use super::answer::{print, print_json};
use super::flags::{Format, FormatFlags};
use super::repository::{Place, snapshot};
use super::style::{BAD, GOOD, WARN, paint};
use crate::config::{HostName, Origin};
use crate::generation::{Checked, Finding, check};
use crate::host::Digest;
use crate::report::{Problem, exit};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Resolve and build every host of the repository, and say all that is wrong with it.

Looks at the files as they lie in the folder, committed or not; ignored files do not count. Needs no key, no network \
and no privilege, so it works on a laptop, in a hook and in CI.";

const AFTER: &str = "\
Examples:
  steadfast check                    the repository around this folder
  steadfast check repo-example       the one in that folder
  steadfast check --rev HEAD~1       as a commit has it
  steadfast check --json

Exit codes: 0 nothing is wrong (there may be warnings), 1 something is.";

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct CheckArgs {
    /// The folder of the repository [default: the one around this folder]
    dir: Option<PathBuf>,
    /// Check a revision instead: a branch, tag or commit
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    #[command(flatten)]
    format: FormatFlags,
}

/// `check --json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RepositoryAnswer {
    /// Format version, 1.
    pub version: u32,
    /// Every host, in order.
    pub hosts: Vec<HostAnswer>,
    /// What must be put right.
    pub errors: Vec<FindingAnswer>,
    /// What should be looked at.
    pub warnings: Vec<FindingAnswer>,
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
    /// Why, where the message does not say.
    pub cause: Option<String>,
    /// How to put it right.
    pub fix: Option<String>,
    /// The hosts that have it; none if it is about no host.
    pub hosts: Vec<HostName>,
}

impl From<&Finding> for FindingAnswer {
    fn from(finding: &Finding) -> Self {
        let error = &finding.error;
        Self {
            message: error.message.clone(),
            origin: error.mark.as_ref().map(|mark| mark.origin.clone()),
            cause: error.cause.clone(),
            fix: error.fix.clone(),
            hosts: finding.hosts.clone(),
        }
    }
}

/// Runs `check`.
pub(super) fn run(args: &CheckArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let place = Place::new(args.dir.as_deref(), args.rev.as_deref(), flags);
    let checked = check(&snapshot(&place)?);
    match args.format.format() {
        Format::Json => print_json(&answer(&checked))?,
        Format::Text => print(&text(&checked))?,
    }
    if checked.hosts.is_empty() {
        return Err(Problem::new("the repository has no hosts").with_fix(
            "name the folder of a config repository, or make `hosts/NAME/host.yml` in this one",
        ));
    }
    Ok(if checked.errors.is_empty() {
        exit::DONE
    } else {
        exit::FAILED
    })
}

fn answer(checked: &Checked) -> RepositoryAnswer {
    let hosts = checked.hosts.iter().map(|(host, digest)| HostAnswer {
        host: host.clone(),
        digest: digest.clone(),
    });
    RepositoryAnswer {
        version: 1,
        hosts: hosts.collect(),
        errors: checked.errors.iter().map(FindingAnswer::from).collect(),
        warnings: checked.warnings.iter().map(FindingAnswer::from).collect(),
    }
}

fn text(checked: &Checked) -> String {
    let findings = checked.warnings.iter().chain(&checked.errors);
    let mut paragraphs: Vec<String> = findings.map(paragraph).collect();
    let hosts = count(checked.hosts.len(), "host");
    let errors = count(checked.errors.len(), "error");
    let warnings = count(checked.warnings.len(), "warning");
    let verdict = match (checked.errors.is_empty(), checked.warnings.is_empty()) {
        (true, true) => paint(GOOD, "nothing is wrong"),
        (true, false) => paint(WARN, warnings),
        (false, true) => paint(BAD, errors),
        (false, false) => paint(BAD, format!("{errors}, {warnings}")),
    };
    paragraphs.push(format!("{hosts}: {verdict}\n"));
    paragraphs.join("\n\n")
}

fn paragraph(finding: &Finding) -> String {
    let excerpt = finding.coloured.trim_end();
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

fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
