//! `secrets offboard`: a host or a person leaves.

use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::columns::{columns, counted, some_of};
use super::commit;
use super::progress::Progress;
use super::rekey::{RekeyedFile, exclusive, of_rekey, rekeyed_files, warn_of_closed};
use super::usage::usage_of;
use super::{identities, repository};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::style::{WARN, paint};
use crate::report::{Problem, exit};
use crate::secrets::{HistoryNeed, KeyPath, OffboardPlan, Repository, offboard, plan_offboard};
use crate::source::RepoPath;

/// Take a host or a person out, and say which values must be changed
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct OffboardArgs {
    /// The host, by its folder in `hosts/`, or a person, by their anchor in .sops.yaml
    #[arg(value_name = "HOST|PERSON")]
    pub name: String,
    /// Go on where git's history, or a part of it, is not here
    #[arg(long)]
    pub incomplete_history: bool,
    /// Only show what would change
    #[arg(long, visible_alias = "check")]
    pub dry_run: bool,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

const ABOUT: &str = "\
Take a host or a person out, and say which values must be changed.

Their keys go out of .sops.yaml, a host's key file goes too, and every file that they could read gets a new data key: all \
of that or nothing. That keeps them out of what comes; what they could read they may have kept. So every value that was \
ever encrypted to one of their keys, in any commit of any branch that is here, is listed and written to \
.steadfast/must-change.yml. `steadfast secrets check` fails until each of them was changed; a new data key alone does not \
count. Shows the commit to make and makes none.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets offboard chicago --dry-run       what it would do
  steadfast secrets offboard chicago                 a host was stolen, or is gone
  steadfast secrets offboard bob                     somebody left, or lost a laptop
  steadfast secrets check                            what of it is still to be changed";

/// `secrets offboard --json`: what changes, and what must be changed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct OffboardAnswer {
    /// Format version, 1.
    pub version: u32,
    /// Whether the changes were made; `false` with `--dry-run`.
    pub done: bool,
    /// Who leaves.
    pub name: String,
    /// Their keys, those of today and earlier ones, as recipients.
    pub keys: Vec<String>,
    /// How many commits were looked at; `null` if there is no history here.
    pub commits: Option<usize>,
    /// Secret files that get new data keys.
    pub changes: Vec<RekeyedFile>,
    /// Values that they could read and that must be changed.
    pub must_change: Vec<ReadableValue>,
    /// Values that they could read and that are only in git's history.
    pub gone: Vec<ReadableValue>,
    /// Every file that changes.
    pub files: Vec<String>,
    /// Commands that commit them.
    pub commit: Vec<String>,
}

/// A value that somebody could read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct ReadableValue {
    /// The secret file.
    pub file: String,
    /// Where in it, outermost key first.
    pub key: Vec<String>,
}

/// Runs `offboard`.
pub(super) fn run(args: &OffboardArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let progress = Progress::begin();
    let watcher = |step| progress.tell(step);
    let need = if args.incomplete_history {
        HistoryNeed::WhatIsThere
    } else {
        HistoryNeed::Whole
    };
    let plan_in = |repository: &Repository| {
        let usage = usage_of(repository);
        let plan = plan_offboard(repository, &usage, (&args.name, need), &watcher);
        progress.end();
        plan.map_err(|error| Problem::of(&error).with_hint(error.fix()))
    };
    if args.dry_run {
        let repository = repository(flags)?;
        let plan = plan_in(&repository)?;
        return answer(&repository, args, &plan);
    }
    let exclusive = exclusive(flags)?;
    let plan = plan_in(exclusive.repository())?;
    let identities = identities(flags)?;
    warn_of_closed(&plan.rekey, &identities);
    let done = offboard(&exclusive, &plan, &identities, &watcher);
    progress.end();
    done.map_err(|error| of_rekey(&error))?;
    answer(exclusive.repository(), args, &plan)
}

fn answer(
    repository: &Repository,
    args: &OffboardArgs,
    plan: &OffboardPlan,
) -> Result<u8, Problem> {
    let files = plan.files();
    let message = format!("secrets: {} leaves", plan.name);
    let commands = commit::commands(repository, &files, &message);
    match args.format.format() {
        Format::Json => print_json(&OffboardAnswer {
            version: 1,
            done: !args.dry_run,
            name: plan.name.clone(),
            keys: plan.keys.iter().cloned().collect(),
            commits: plan.commits,
            changes: rekeyed_files(&plan.rekey),
            must_change: listed(&plan.must_change),
            gone: listed(&plan.gone),
            files: files.iter().map(ToString::to_string).collect(),
            commit: commands,
        })?,
        Format::Text => {
            let mut text = commit::changes(plan.rules_change(), &plan.rekey);
            text.push_str(&values("MUST BE CHANGED IN", &plan.must_change));
            text.push_str(&values("ONLY IN THE HISTORY OF", &plan.gone));
            if !args.dry_run {
                text.push_str(&commit::as_text(&commands));
            }
            print(&text)?;
        }
    }
    say_more(repository, args, plan);
    Ok(exit::DONE)
}

fn listed(values: &[(RepoPath, Vec<String>)]) -> Vec<ReadableValue> {
    let listed = values.iter().map(|(file, key)| ReadableValue {
        file: file.to_string(),
        key: key.clone(),
    });
    listed.collect()
}

/// A row per file, or per group of files with the same values if there are many.
fn values(heading: &'static str, values: &[(RepoPath, Vec<String>)]) -> String {
    const ROWS: usize = 40;
    let mut by_file: BTreeMap<&RepoPath, Vec<String>> = BTreeMap::new();
    for (file, key) in values {
        by_file
            .entry(file)
            .or_default()
            .push(KeyPath::of(key).to_string());
    }
    if by_file.is_empty() {
        return String::new();
    }
    let mut rows: Vec<[String; 3]> = Vec::new();
    if by_file.len() <= ROWS {
        for (file, keys) in &by_file {
            let mut file = file.to_string();
            for line in lines_of(keys) {
                rows.push([std::mem::take(&mut file), line, String::new()]);
            }
        }
    } else {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (file, keys) in &by_file {
            groups
                .entry(keys.join(", "))
                .or_default()
                .push(file.to_string());
        }
        let row =
            |(keys, files): (String, Vec<String>)| [some_of(&files, "file"), keys, String::new()];
        rows.extend(groups.into_iter().map(row));
    }
    format!("\n{}", columns([heading, "VALUES", ""], &rows))
}

/// `names` in lines that fit beside a file's name, as far as one name does.
fn lines_of(names: &[String]) -> Vec<String> {
    const WIDTH: usize = 56;
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut() {
            Some(line) if line.chars().count() + name.chars().count() + 2 <= WIDTH => {
                line.push_str(", ");
                line.push_str(name);
            }
            Some(line) => {
                line.push(',');
                lines.push(name.clone());
            }
            None => lines.push(name.clone()),
        }
    }
    lines
}

fn say_more(repository: &Repository, args: &OffboardArgs, plan: &OffboardPlan) {
    let warn = |text: String| say(format!("{} {text}", paint(WARN, "warning:")));
    let name = &plan.name;
    match plan.commits {
        None => {
            warn("there is no history here; what they could read before is not listed".to_owned());
        }
        Some(_) if args.incomplete_history => {
            warn(
                "if a part of the history is missing, what they could read then is not listed"
                    .to_owned(),
            );
        }
        Some(_) => {}
    }
    if args.dry_run {
        say("nothing was changed (--dry-run)");
        return;
    }
    say(format!(
        "{name} is out: {} with new data keys, {} to change",
        counted(plan.rekey.changes.len(), "file"),
        counted(plan.must_change.len(), "value")
    ));
    if !plan.must_change.is_empty() {
        say("`steadfast secrets check` names them until each has a new value");
    }
    if !plan.gone.is_empty() {
        say("values that are only in the history may still be good elsewhere: change them there");
    }
    let host_file = format!("hosts/{name}/host.yml");
    if repository.root().join(&host_file).exists() {
        say(format!(
            "{host_file} stays; if the host is gone: git rm -r hosts/{name}"
        ));
    }
}
