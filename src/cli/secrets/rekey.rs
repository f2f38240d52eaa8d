//! `secrets rekey`: every file readable for exactly those that .sops.yaml names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::columns::{columns, counted, signed, some_of};
use super::progress::Progress;
use super::{identities, locate, repository, start_of};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::style::{ADDED, REMOVED, WARN, paint};
use crate::identity::Identities;
use crate::report::{Problem, exit};
use crate::secrets::{
    DataKeyChange, Exclusive, Recovered, RekeyError, RekeyNotice, RekeyNoticeKind, RekeyPlan,
    Repository, Wanted, Watcher, is_interrupted, plan_rekey, rekey,
};

/// Make every secret file readable for exactly those that .sops.yaml names
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct RekeyArgs {
    /// Secret files [default: all of the repository]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Only compare; ends with 3 if a file differs
    #[arg(long, conflicts_with = "rotate")]
    pub check: bool,
    /// New data keys too, so that every value is encrypted anew, in files that match as well
    #[arg(long)]
    pub rotate: bool,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

const ABOUT: &str = "\
Make every secret file readable for exactly those that .sops.yaml names.

Shows what changes for whom, then does it: all files or none. A run that is interrupted is finished or undone by the \
next one. Files that match already are not touched. Values stay as they are, so whoever loses access can still read old \
revisions: change secrets that they must not know.

--rotate gives every file a new data key too. Somebody who lost access and kept a data key cannot read new values then.

--check only compares, without any key, and ends with 3 if a file differs: for CI.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets rekey                             after .sops.yaml was changed
  steadfast secrets rekey secrets/db.yml              this file only
  steadfast secrets rekey --rotate                    new data keys for all files
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
    /// Whether it gets a new data key, and so every value a new ciphertext.
    pub new_data_key: bool,
}

/// Runs `rekey`.
pub(super) fn run(args: &RekeyArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let progress = Progress::begin();
    let watcher = |step| progress.tell(step);
    if args.check {
        let repository = repository(flags)?;
        warn_of_interruption(&repository);
        let plan = planned(&repository, args, &watcher)?;
        progress.end();
        show(&plan, args)?;
        finish(&plan, args)?;
        return Ok(if plan.is_empty() {
            exit::DONE
        } else {
            exit::DRIFT
        });
    }
    let exclusive = exclusive(flags)?;
    let plan = planned(exclusive.repository(), args, &watcher)?;
    progress.end();
    show(&plan, args)?;
    if !plan.is_empty() {
        let identities = identities(flags)?;
        warn_of_closed(&plan, &identities);
        let done = rekey(&exclusive, &plan, &identities, &watcher);
        progress.end();
        done.map_err(|error| of_rekey(&error))?;
    }
    finish(&plan, args)?;
    Ok(exit::DONE)
}

fn planned(
    repository: &Repository,
    args: &RekeyArgs,
    watcher: Watcher<'_>,
) -> Result<RekeyPlan, Problem> {
    let mut files = Vec::with_capacity(args.files.len());
    for path in &args.files {
        files.push(locate(repository, path)?);
    }
    let wanted = Wanted {
        files: &files,
        data_key: if args.rotate {
            DataKeyChange::Rotate
        } else {
            DataKeyChange::Keep
        },
    };
    plan_rekey(repository, &wanted, watcher).map_err(|error| of_rekey(&error))
}

/// The repository for nobody but us, with what an interrupted run left dealt with.
pub(in crate::cli) fn exclusive(flags: &HostFlags) -> Result<Exclusive, Problem> {
    let exclusive = Exclusive::begin(&start_of(flags))
        .map_err(|error| Problem::of(&error).with_hint(error.fix()))?;
    match exclusive.recovered() {
        None => {}
        Some(Recovered::Undone) => say("an earlier run was interrupted before it changed anything"),
        Some(Recovered::Finished { left }) => {
            say("an earlier run was interrupted; its changes are finished now");
            for file in left {
                say(format!(
                    "{} {file} was changed since and stays as it is",
                    paint(WARN, "warning:")
                ));
            }
        }
    }
    Ok(exclusive)
}

/// Says that an interrupted run left something, where nothing is changed.
pub(super) fn warn_of_interruption(repository: &Repository) {
    if is_interrupted(repository) {
        say(format!(
            "{} an earlier run was interrupted: `steadfast secrets rekey` goes on from there",
            paint(WARN, "warning:")
        ));
    }
}

/// Says which files the person who runs this locks themselves out of.
pub(in crate::cli) fn warn_of_closed(plan: &RekeyPlan, identities: &Identities) {
    let closed: Vec<String> = plan
        .closed_to(identities)
        .into_iter()
        .map(ToString::to_string)
        .collect();
    if !closed.is_empty() {
        say(format!(
            "{} you will not be able to open {} any more",
            paint(WARN, "warning:"),
            some_of(&closed, "file")
        ));
    }
}

fn show(plan: &RekeyPlan, args: &RekeyArgs) -> Result<(), Problem> {
    if args.format.format() == Format::Text {
        print(&table(plan))?;
    }
    warn_of(&plan.notices);
    Ok(())
}

fn finish(plan: &RekeyPlan, args: &RekeyArgs) -> Result<(), Problem> {
    if args.format.format() == Format::Json {
        print_json(&answer(plan, !args.check))?;
    }
    say(summary(plan, args));
    Ok(())
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
    RekeyAnswer {
        version: 1,
        done,
        changes: rekeyed_files(plan),
        matching: plan.matching.iter().map(|it| it.file.to_string()).collect(),
        notices: plan.notices.iter().map(ToString::to_string).collect(),
    }
}

/// The files of `plan` that change.
pub(in crate::cli) fn rekeyed_files(plan: &RekeyPlan) -> Vec<RekeyedFile> {
    let changes = plan.changes.iter().map(|change| RekeyedFile {
        file: change.file.to_string(),
        gained: change.gained.clone(),
        lost: change.lost.clone(),
        kept: change.kept.clone(),
        new_data_key: change.data_key == DataKeyChange::Rotate,
    });
    changes.collect()
}

/// Who gains and who loses which file: a row per file, or per group of files for which it is the same if there are many.
pub(super) fn table(plan: &RekeyPlan) -> String {
    const ROWS: usize = 20;
    let mut rows: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut all: Vec<[String; 3]> = Vec::new();
    for change in &plan.changes {
        let gained = signed(&change.gained, "+", ADDED);
        let lost = signed(&change.lost, "-", REMOVED);
        all.push([change.file.to_string(), gained.clone(), lost.clone()]);
        rows.entry((gained, lost))
            .or_default()
            .push(change.file.to_string());
    }
    if all.is_empty() {
        return String::new();
    }
    if all.len() > ROWS {
        let grouped = rows
            .into_iter()
            .map(|((gained, lost), files)| [some_of(&files, "file"), gained, lost]);
        all = grouped.collect();
    }
    columns(["FILE", "GAINED BY", "LOST BY"], &all)
}

fn summary(plan: &RekeyPlan, args: &RekeyArgs) -> String {
    if plan.is_empty() {
        return match plan.matching.len() {
            0 => "there is no secret file".to_owned(),
            count => format!(
                "{} as .sops.yaml says; nothing to do",
                counted(count, "file")
            ),
        };
    }
    let differing = counted(plan.changes.len(), "file");
    let matching = counted(plan.matching.len(), "file");
    if args.check {
        return format!(
            "{differing} not as .sops.yaml says, {matching} as it says; `steadfast secrets rekey` makes them match"
        );
    }
    let how = if args.rotate {
        "rekeyed with new data keys"
    } else {
        "rekeyed"
    };
    let mut text = format!("{differing} {how}, {matching} as before");
    if plan.changes.iter().any(|change| !change.lost.is_empty()) {
        text.push_str(
            "\nwhoever lost a file can still read it in git's history: change the secrets that they must not know",
        );
    }
    text
}

/// Why the files cannot be compared with the rules, where nothing is to be changed.
pub(super) fn of_comparison(error: &RekeyError) -> Problem {
    let mut problem = of_rekey(error);
    "cannot say who can read every file".clone_into(&mut problem.what);
    problem
}

/// Every trouble with its own cause; the distinct fixes together.
pub(in crate::cli) fn of_rekey(error: &RekeyError) -> Problem {
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
