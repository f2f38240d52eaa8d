//! `secrets rekey`: every file readable for exactly those that .sops.yaml names.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::columns::columns;
use super::{identities, locate, repository};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::style::{ADDED, REMOVED, WARN, paint};
use crate::report::{Problem, exit};
use crate::secrets::{RekeyError, RekeyNotice, RekeyNoticeKind, RekeyPlan, plan_rekey, rekey};

/// Make every secret file readable for exactly those that .sops.yaml names
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct RekeyArgs {
    /// Secret files [default: all of the repository]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Only compare; ends with 3 if a file differs
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

const ABOUT: &str = "\
Make every secret file readable for exactly those that .sops.yaml names.

Shows what changes for whom, then does it: all files or none. Files that match already are not touched. Values stay as \
they are, so whoever loses access can still read old revisions: change secrets that they must not know.

--check only compares, without any key, and ends with 3 if a file differs: for CI.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets rekey                             after .sops.yaml was changed
  steadfast secrets rekey secrets/db.yml              this file only
  steadfast secrets rekey --check --json              in CI";

/// `secrets rekey --json`: what changes for whom.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct RekeyAnswer {
    /// Format version, 1.
    pub version: u32,
    /// Whether the changes were made; `false` with `--check`.
    pub done: bool,
    /// Files whose recipients differ, or differed, from their rule.
    pub changes: Vec<RekeyedFile>,
    /// Files that match their rule and were not touched.
    pub matching: Vec<String>,
    /// Files that are left alone, and why.
    pub notices: Vec<String>,
}

/// One file of a rekey.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct RekeyedFile {
    /// The file, relative to the repository.
    pub file: String,
    /// Who can open it from now on, by name where one is known.
    pub gained: Vec<String>,
    /// Who cannot open it any more.
    pub lost: Vec<String>,
    /// Who could and can open it.
    pub kept: Vec<String>,
}

/// Runs `rekey`.
pub(super) fn run(args: &RekeyArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    let mut files = Vec::with_capacity(args.files.len());
    for path in &args.files {
        files.push(locate(&repository, path)?);
    }
    let plan = plan_rekey(&repository, &files).map_err(|error| of_rekey(&error))?;
    let format = args.format.format();
    if format == Format::Text {
        print(&table(&plan))?;
    }
    warn_of(&plan.notices);
    if !args.check && !plan.is_empty() {
        let identities = identities(flags)?;
        for file in plan.closed_to(&identities) {
            say(format!(
                "{} you will not be able to open {file} any more",
                paint(WARN, "warning:")
            ));
        }
        rekey(&repository, &plan, &identities).map_err(|error| of_rekey(&error))?;
    }
    if format == Format::Json {
        print_json(&answer(&plan, !args.check))?;
    }
    say(summary(&plan, args.check));
    if args.check && !plan.is_empty() {
        return Ok(exit::DRIFT);
    }
    Ok(exit::DONE)
}

/// Says what a rekey leaves alone. A repository may hold many encrypted files that are nobody's business here, such as the
/// vectors of a test suite: those without a rule share a line.
pub(super) fn warn_of(notices: &[RekeyNotice]) {
    const SHOWN: usize = 3;
    let warn = |text: String| say(format!("{} {text}", paint(WARN, "warning:")));
    let (ruleless, others): (Vec<_>, Vec<_>) = notices
        .iter()
        .partition(|notice| notice.kind == RekeyNoticeKind::NoRule);
    for notice in others {
        warn(notice.to_string());
    }
    if ruleless.len() <= SHOWN {
        for notice in ruleless {
            warn(notice.to_string());
        }
        return;
    }
    let shown: Vec<String> = ruleless
        .iter()
        .take(SHOWN)
        .map(|notice| notice.file.to_string())
        .collect();
    warn(format!(
        "{} encrypted files have no rule in .sops.yaml that says for whom: {} and {} more",
        ruleless.len(),
        shown.join(", "),
        ruleless.len() - SHOWN
    ));
}

fn answer(plan: &RekeyPlan, done: bool) -> RekeyAnswer {
    let changes = plan.changes.iter().map(|change| RekeyedFile {
        file: change.file.to_string(),
        gained: change.gained.clone(),
        lost: change.lost.clone(),
        kept: change.kept.clone(),
    });
    RekeyAnswer {
        version: 1,
        done,
        changes: changes.collect(),
        matching: plan.matching.iter().map(|it| it.file.to_string()).collect(),
        notices: plan.notices.iter().map(ToString::to_string).collect(),
    }
}

/// One row per file that changes: who gains it, who loses it.
fn table(plan: &RekeyPlan) -> String {
    if plan.is_empty() {
        return String::new();
    }
    let signed = |names: &[String], sign: &str, style| {
        let parts: Vec<String> = names
            .iter()
            .map(|name| paint(style, format!("{sign}{name}")))
            .collect();
        parts.join(" ")
    };
    let rows: Vec<[String; 3]> = plan
        .changes
        .iter()
        .map(|change| {
            [
                change.file.to_string(),
                signed(&change.gained, "+", ADDED),
                signed(&change.lost, "-", REMOVED),
            ]
        })
        .collect();
    columns(["FILE", "GAINED BY", "LOST BY"], &rows)
}

fn summary(plan: &RekeyPlan, check: bool) -> String {
    let files = |count: usize| match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    if plan.is_empty() {
        return match plan.matching.len() {
            0 => "there is no secret file".to_owned(),
            count => format!("{} as .sops.yaml says; nothing to do", files(count)),
        };
    }
    let (differing, matching) = (files(plan.changes.len()), files(plan.matching.len()));
    if check {
        return format!(
            "{differing} not as .sops.yaml says, {matching} as it says; `steadfast secrets rekey` makes them match"
        );
    }
    let mut text = format!("{differing} rekeyed, {matching} as before");
    if plan.changes.iter().any(|change| !change.lost.is_empty()) {
        text.push_str(
            "\nwhoever lost a file can still read it in git's history: change the secrets that they must not know",
        );
    }
    text
}

/// Every trouble with its own cause; the distinct fixes together.
pub(super) fn of_rekey(error: &RekeyError) -> Problem {
    let mut problem = Problem::new(error.to_string());
    let mut fixes: Vec<String> = Vec::new();
    for trouble in &error.troubles {
        let one = Problem::of(trouble);
        let mut text = one.what;
        for cause in one.causes {
            if !text.ends_with(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
        }
        problem.causes.push(text);
        fixes.extend(trouble.fix().filter(|fix| !fixes.contains(fix)));
    }
    if !fixes.is_empty() {
        problem = problem.with_fix(fixes.join("\n"));
    }
    problem
}
