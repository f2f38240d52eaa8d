//! `secrets check`: everything about the secrets that is not as it should be, for CI and before a commit.

use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::columns::{counted, some_of};
use super::progress::Progress;
use super::usage::usage_of;
use super::{identities, of_repository, start_of};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::problem::warn;
use crate::cli::style::{BAD, FAINT, WARN, paint};
use crate::identity::Identities;
use crate::report::{Problem, exit};
use crate::secrets::{
    Checked, Finding, FindingKind, Repository, RepositoryError, Severity, Verification, Worktree,
    broken_rules, check, setup_missing,
};
use crate::source::{RepoPath, WorkingClone};

/// Check that all secrets are encrypted, for the right readers
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct CheckArgs {
    /// Check what is staged for the next commit instead of what lies in the work tree
    #[arg(long)]
    pub staged: bool,
    /// Let warnings fail the check too
    #[arg(long)]
    pub strict: bool,
    /// Verify the MAC of every file, and warn of those that no key here opens
    #[arg(long)]
    pub verify: bool,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

const ABOUT: &str = "\
Check that all secrets are encrypted, for the right readers. No private key is needed; where one is at hand that opens a \
file, its MAC is verified too.

Errors: files that a rule names and that are not encrypted, values in the clear, recipients that differ from the rule, \
invalid metadata, an invalid .sops.yaml, hosts that use what they cannot open or what is not there, values that must be \
changed since somebody left. Warnings: hosts that can open what they never use, encrypted files without a rule.

With --staged, what is only left to be done is a warning: values that must be changed, hosts without a key.

Ends with 3 if there is an error (with --strict: or a warning), with 1 if it could not look.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets check --strict           in CI
  steadfast secrets check --staged           before a commit; `install-git` sets this up
  steadfast secrets check --verify           with the MAC of every file
  steadfast secrets check --json | jq -r '.findings[] | \"\\(.file): \\(.what)\"'";

/// `secrets check --json`: what is not as it should be.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct CheckAnswer {
    /// Format version, 1.
    pub version: u32,
    /// How many secret files there are.
    pub files: usize,
    /// How many of them a key at hand opened, and are whole.
    pub verified: usize,
    /// Whether the check passed.
    pub passed: bool,
    /// What is not as it should be, by file and line.
    pub findings: Vec<CheckFinding>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct CheckFinding {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// What kind of thing it is, a word such as `in_the_clear`.
    pub kind: &'static str,
    /// The file, relative to the repository.
    pub file: String,
    /// Line, from 1, where that is known.
    pub line: Option<u32>,
    /// What is wrong.
    pub what: String,
    /// How to put it right.
    pub fix: Option<String>,
}

/// Runs `check`.
pub(super) fn run(args: &CheckArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let checked = match opened(args, flags) {
        Ok(Some(repository)) => checked(&repository, args, flags)?,
        Ok(None) => Checked::default(),
        Err(Stop::Rules(finding)) => Checked {
            findings: vec![*finding],
            ..Checked::default()
        },
        Err(Stop::Problem(problem)) => return Err(*problem),
    };
    let fails = |finding: &Finding| args.strict || args.severity_of(finding) == Severity::Error;
    let passed = !checked.findings.iter().any(fails);
    match args.format.format() {
        Format::Json => print_json(&CheckAnswer {
            version: 1,
            files: checked.files,
            verified: checked.verified,
            passed,
            findings: checked
                .findings
                .iter()
                .map(|it| answered(args, it))
                .collect(),
        })?,
        Format::Text => print(&texts(args, &checked.findings))?,
    }
    say(summary(args, &checked));
    tell_of_git(args, flags);
    Ok(if passed { exit::DONE } else { exit::DRIFT })
}

impl CheckArgs {
    /// Before a commit, work that is left to be done does not keep the commit from being made.
    fn severity_of(&self, finding: &Finding) -> Severity {
        if self.staged && finding.kind.is_standing() {
            return Severity::Warning;
        }
        finding.kind.severity()
    }
}

/// The attributes in the repository ask for a merge driver that git's configuration of this clone must name.
fn tell_of_git(args: &CheckArgs, flags: &HostFlags) {
    if args.staged || args.format.format() == Format::Json {
        return;
    }
    let start = start_of(flags);
    let (Ok(repository), Ok(worktree)) = (Repository::find(&start), Worktree::find(&start)) else {
        return;
    };
    // A check that cannot look there has looked at everything else.
    if setup_missing(&repository, &worktree).unwrap_or(false) {
        let problem =
            Problem::new("git merges secret files as text in this clone, which breaks them");
        warn(&problem.with_fix("run `steadfast secrets install-git` once"));
    }
}

enum Stop {
    Rules(Box<Finding>),
    Problem(Box<Problem>),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<RepositoryError> for Stop {
    fn from(error: RepositoryError) -> Self {
        match broken_rules(&error) {
            Some(finding) => Self::Rules(Box::new(finding)),
            None => of_repository(&error).into(),
        }
    }
}

/// The repository to look at; nothing if no rules are staged.
fn opened(args: &CheckArgs, flags: &HostFlags) -> Result<Option<Repository>, Stop> {
    if !args.staged {
        return Ok(Some(Repository::find(&start_of(flags))?));
    }
    let root = match Repository::find(&start_of(flags)) {
        Ok(repository) => repository.root().to_owned(),
        // What is staged may be whole all the same; the rules lie at the top of a clone then.
        Err(RepositoryError::Rules(_)) => start_of(flags),
        Err(error) => return Err(error.into()),
    };
    let clone = WorkingClone::around(&root)
        .map_err(|error| Problem::of(&error))?
        .ok_or_else(|| {
            Problem::new(format!("{} is in no git repository", root.display()))
                .with_fix("leave --staged out")
        })?;
    let files = staged_files(&clone)?;
    if !files.keys().any(|file| file.as_str() == ".sops.yaml") {
        say("no .sops.yaml is staged or committed; nothing to check");
        return Ok(None);
    }
    Ok(Some(Repository::of_files(&root, files)?))
}

fn staged_files(clone: &WorkingClone) -> Result<BTreeMap<RepoPath, Vec<u8>>, Problem> {
    let mut files = BTreeMap::new();
    for (path, blob) in clone.staged().map_err(|error| Problem::of(&error))? {
        let text = clone.read(blob).map_err(|error| Problem::of(&error))?;
        files.insert(path, text.unwrap_or_default());
    }
    Ok(files)
}

fn checked(
    repository: &Repository,
    args: &CheckArgs,
    flags: &HostFlags,
) -> Result<Checked, Problem> {
    let identities = if args.verify {
        identities(flags)?
    } else {
        Identities::of_person()
    };
    let verification = if args.verify {
        Verification::Everywhere(&identities)
    } else {
        Verification::WherePossible(&identities)
    };
    let progress = Progress::begin();
    let usage = usage_of(repository);
    let checked = check(repository, &usage, verification, &|step| {
        progress.tell(step);
    });
    progress.end();
    Ok(checked)
}

fn answered(args: &CheckArgs, finding: &Finding) -> CheckFinding {
    CheckFinding {
        severity: match args.severity_of(finding) {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        kind: finding.kind.as_str(),
        file: finding.file.to_string(),
        line: finding.line,
        what: finding.what.clone(),
        fix: finding.fix.clone(),
    }
}

/// Files without a rule share a line if they are many: such as the vectors of a test suite.
fn texts(args: &CheckArgs, findings: &[Finding]) -> String {
    const SHOWN: usize = 3;
    let (ruleless, others): (Vec<&Finding>, Vec<&Finding>) = findings
        .iter()
        .partition(|finding| finding.kind == FindingKind::NoRule);
    let all_of = |findings: &[&Finding]| -> String {
        let next = findings.iter().skip(1).map(Some).chain([None]);
        let pairs = findings.iter().zip(next);
        pairs
            .map(|(finding, next)| text(args, finding, next.copied()))
            .collect()
    };
    let mut all = all_of(&others);
    if ruleless.len() <= SHOWN {
        all.push_str(&all_of(&ruleless));
        return all;
    }
    let files: Vec<String> = ruleless.iter().map(|it| it.file.to_string()).collect();
    let label = paint(WARN, "warning:");
    let ruleless = ruleless.len();
    let some = some_of(&files, "file");
    all + &format!(
        "{label} {ruleless} encrypted files have no rule in .sops.yaml that says for whom: {some}\n"
    )
}

/// One finding. Several in a row that are put right in the same way share the line that says how.
fn text(args: &CheckArgs, finding: &Finding, next: Option<&Finding>) -> String {
    let label = match args.severity_of(finding) {
        Severity::Error => paint(BAD, "error:"),
        Severity::Warning => paint(WARN, "warning:"),
    };
    let place = match finding.line {
        Some(line) => format!("{}:{line}", finding.file),
        None => finding.file.to_string(),
    };
    let fix = finding
        .fix
        .as_ref()
        .filter(|fix| next.and_then(|next| next.fix.as_ref()) != Some(fix))
        .map(|fix| format!("  {} {fix}\n", paint(FAINT, "fix:")));
    format!(
        "{label} {place}: {}\n{}",
        finding.what,
        fix.unwrap_or_default()
    )
}

fn summary(args: &CheckArgs, checked: &Checked) -> String {
    let count = |severity| {
        let of_kind = checked
            .findings
            .iter()
            .filter(|it| args.severity_of(it) == severity);
        of_kind.count()
    };
    let verified = match checked.verified {
        0 => String::new(),
        verified => format!(", {verified} opened and whole"),
    };
    format!(
        "{}{verified}: {}, {}",
        counted(checked.files, "secret file"),
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning")
    )
}
