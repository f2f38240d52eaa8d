//! What a change of the repository would do to hosts: the one thing behind `config diff`, `plan --host` and
//! `plan --all-hosts`.

mod markdown;
mod side;
mod text;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

pub(super) use side::{Range, Side};

use super::HostFlags;
use super::answer::{print, print_json};
use super::flags::{Format, FormatFlags};
use super::progress::spin;
use crate::config::{ConfigErrors, Fleet, HostName};
use crate::generation::{Built, ChangeKind, build};
use crate::host::{Digest, clock};
use crate::report::{Forecast, Problem, exit};
use crate::source::{Revision, Snapshot};
use side::Files;

/// Flags of everything that compares.
#[derive(Debug, Clone, Args)]
pub(super) struct CompareFlags {
    /// Compare every host: a table
    #[arg(long)]
    pub(super) all_hosts: bool,
    /// Print Markdown, for a comment on a pull request
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// End with 1 if something differs, as `git diff --exit-code` does
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    pub(super) format: FormatFlags,
}

impl CompareFlags {
    /// Whether something is asked for that makes sense of revisions only.
    pub(super) fn is_about_a_clone(&self) -> bool {
        self.markdown || self.exit_code
    }
}

/// `config diff HOST --json`, `plan --host HOST --json`: what a change would do to a host.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Preview {
    /// Format version, 1.
    pub version: u32,
    /// The revision that was built; absent when it was the files as they lie in the folder.
    pub revision: Option<Revision>,
    /// The revision it is compared with; absent when everything is shown, or when it was the files in the folder.
    pub from: Option<Revision>,
    /// The host.
    #[serde(flatten)]
    pub host: HostPreview,
}

/// `config diff --all-hosts --json`, `plan --all-hosts --json`: what a change would do to all hosts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FleetPreview {
    /// Format version, 1.
    pub version: u32,
    /// The revision that was built; absent when it was the files as they lie in the folder.
    pub revision: Option<Revision>,
    /// The revision it is compared with; absent when everything is shown, or when it was the files in the folder.
    pub from: Option<Revision>,
    /// Every host of either side, by name.
    pub hosts: Vec<HostPreview>,
}

/// What a change would do to one host.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HostPreview {
    /// The host.
    pub host: HostName,
    /// Digest of the generation that it gives for the host; absent if there is none.
    pub digest: Option<Digest>,
    /// Digest of the generation before; absent if there was none, or nothing is compared with.
    pub from_digest: Option<Digest>,
    /// What it would do.
    #[serde(flatten)]
    pub forecast: Forecast,
    /// Why it cannot be told, if it cannot.
    pub problem: Option<Problem>,
}

impl HostPreview {
    /// How many resources are added, changed, removed.
    fn count(&self, kind: ChangeKind) -> usize {
        let changes = self.forecast.changes.iter();
        changes.filter(|change| change.kind == kind).count()
    }

    fn differs(&self) -> bool {
        self.problem.is_none() && self.digest != self.from_digest
    }
}

/// Compares one host.
pub(super) fn one_host(
    host: &HostName,
    range: &Range,
    flags: &CompareFlags,
    place: &HostFlags,
) -> Result<u8, Problem> {
    let (from, to) = range.files(place)?;
    let from_fleet = from.snapshot.as_ref().map(Fleet::read);
    let to_fleet = to.snapshot.as_ref().map(Fleet::read);
    let build = |fleet: Option<&Fleet<'_>>, files: &Files| {
        fleet
            .map(|fleet| built(fleet, files, host))
            .transpose()
            .map(Option::flatten)
    };
    let is_there = |fleet: &Option<Fleet<'_>>| {
        let fleet = fleet.as_ref();
        fleet.is_some_and(|fleet| fleet.hosts().contains(host))
    };
    if !is_there(&from_fleet) && !is_there(&to_fleet) {
        // Resolving it says which hosts there are.
        let fleet = to_fleet.as_ref().or(from_fleet.as_ref());
        if let Some(Err(errors)) = fleet.map(|fleet| fleet.config(host)) {
            return Err(wrong(&errors, host, &to));
        }
    }
    let before = build(from_fleet.as_ref(), &from)?;
    let after = build(to_fleet.as_ref(), &to)?;
    let preview = Preview {
        version: 1,
        host: previewed(host, before.as_ref(), after.as_ref()),
        revision: to.revision.clone(),
        from: from.revision.clone(),
    };
    let now_secs = clock::now_secs();
    match flags.format.format() {
        Format::Json => print_json(&preview)?,
        Format::Text if flags.markdown => {
            let hosts = std::slice::from_ref(&preview.host);
            print(&markdown::comment((&from, &to), hosts))?;
        }
        Format::Text => print(&text::host((&from, &to), &preview.host, now_secs))?,
    }
    Ok(code(flags, std::slice::from_ref(&preview.host)))
}

/// Compares every host.
pub(super) fn all_hosts(
    range: &Range,
    flags: &CompareFlags,
    place: &HostFlags,
) -> Result<u8, Problem> {
    let (from, to) = range.files(place)?;
    let hosts = spin("building every host", || every_host(&from, &to));
    if hosts.is_empty() {
        return Err(Problem::new("the repository has no hosts")
            .with_fix("run it in a clone of the config repository, or name one with --repo"));
    }
    let preview = FleetPreview {
        version: 1,
        revision: to.revision.clone(),
        from: from.revision.clone(),
        hosts,
    };
    let now_secs = clock::now_secs();
    match flags.format.format() {
        Format::Json => print_json(&preview)?,
        Format::Text if flags.markdown => {
            print(&markdown::comment((&from, &to), &preview.hosts))?;
        }
        Format::Text => print(&text::table((&from, &to), &preview.hosts, now_secs))?,
    }
    Ok(code(flags, &preview.hosts))
}

fn code(flags: &CompareFlags, hosts: &[HostPreview]) -> u8 {
    let differs = flags.exit_code && hosts.iter().any(HostPreview::differs);
    if differs || hosts.iter().any(|host| host.problem.is_some()) {
        exit::FAILED
    } else {
        exit::DONE
    }
}

fn every_host(from: &Files, to: &Files) -> Vec<HostPreview> {
    let fleets = [from, to].map(|files| files.snapshot.as_ref().map(Fleet::read));
    let [from_fleet, to_fleet] = &fleets;
    let mut names: Vec<HostName> = fleets.iter().flatten().flat_map(Fleet::hosts).collect();
    names.sort();
    names.dedup();
    let mut hosts = Vec::new();
    for host in names {
        let build = |fleet: &Option<Fleet<'_>>, files| match fleet {
            Some(fleet) => built(fleet, files, &host),
            None => Ok(None),
        };
        let both = build(from_fleet, from).and_then(|old| Ok((old, build(to_fleet, to)?)));
        hosts.push(match both {
            Ok((old, new)) => previewed(&host, old.as_ref(), new.as_ref()),
            Err(problem) => HostPreview {
                problem: Some(problem),
                ..previewed(&host, None, None)
            },
        });
    }
    hosts
}

fn previewed(host: &HostName, from: Option<&Built>, to: Option<&Built>) -> HostPreview {
    HostPreview {
        host: host.clone(),
        digest: to.map(|built| built.digest.clone()),
        from_digest: from.map(|built| built.digest.clone()),
        forecast: Forecast::between(host, from, to),
        problem: None,
    }
}

/// The host as these files have it; `None` if they have no such host.
fn built(fleet: &Fleet<'_>, files: &Files, host: &HostName) -> Result<Option<Built>, Problem> {
    let Some(snapshot) = &files.snapshot else {
        return Ok(None);
    };
    if !fleet.hosts().contains(host) {
        return Ok(None);
    }
    build_in(fleet, snapshot, host)
        .map(Some)
        .map_err(|errors| wrong(&errors, host, files))
}

fn build_in(
    fleet: &Fleet<'_>,
    snapshot: &Snapshot,
    host: &HostName,
) -> Result<Built, ConfigErrors> {
    let (config, _) = fleet.config(host)?;
    build(&config, snapshot)
}

fn wrong(errors: &ConfigErrors, host: &HostName, files: &Files) -> Problem {
    Problem::of_config(
        errors,
        format!("`{host}` cannot be built {}", files.at_words()),
    )
}
