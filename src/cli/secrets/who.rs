//! `secrets who`: who can read what.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::columns::{columns, some_of};
use super::progress::Progress;
use super::rekey::warn_of_interruption;
use super::usage::usage_of;
use super::{locate, repository};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::style::{FAINT, WARN, paint};
use crate::report::{Problem, exit};
use crate::secrets::{AccessTable, FileAccess, ReaderKind, Repository, Subject, who};

/// Show who can read which secrets, and which hosts use them
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct WhoArgs {
    /// A secret file, a secret's name or key path, a host, or a person by their anchor [default: all files]
    #[arg(value_name = "FILE|SECRET|HOST|PERSON")]
    pub about: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

const ABOUT: &str = "\
Show who can read which secrets, and which hosts use them. No key is needed.

What counts is what the files say, not what .sops.yaml wants: where the two differ, the table says so. People are called \
by their anchors in .sops.yaml, hosts by their folders. What hosts use is read from their host files as they lie here.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets who                          every file
  steadfast secrets who secrets/default.yml      one file, value by value
  steadfast secrets who db/password              one secret
  steadfast secrets who chicago                  what a host can open, and what of it it uses
  steadfast secrets who bob --json               what a person can open";

/// `secrets who --json`: who can read what.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct WhoAnswer {
    /// Format version, 1.
    pub version: u32,
    /// What was asked about; `null` for everything.
    pub about: Option<String>,
    /// The secret files that it concerns, in path order.
    pub files: Vec<WhoFile>,
}

/// One secret file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct WhoFile {
    /// The file, relative to the repository.
    pub file: String,
    /// People who can open it, by anchor.
    pub people: Vec<String>,
    /// Hosts that can open it.
    pub hosts: Vec<String>,
    /// Keys that can open it and that nothing names.
    pub unknown: Vec<String>,
    /// How many key groups are needed together; `null` if one key is enough.
    pub groups_needed: Option<u8>,
    /// Whether these are exactly those that .sops.yaml names; `null` if no usable rule is for it.
    pub matches_rule: Option<bool>,
    /// Hosts that use a value of it.
    pub used_by: Vec<String>,
    /// Its values.
    pub values: Vec<WhoValue>,
    /// Why nobody can tell, if it cannot be read.
    pub trouble: Option<String>,
}

/// One value of a secret file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct WhoValue {
    /// Where in the file, outermost key first.
    pub key: Vec<String>,
    /// What hosts call it, with the hosts.
    pub used: BTreeMap<String, Vec<String>>,
}

/// Runs `who`.
pub(super) fn run(args: &WhoArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    warn_of_interruption(&repository);
    let progress = Progress::begin();
    let table = who(&repository, &usage_of(&repository), &|step| {
        progress.tell(step);
    });
    progress.end();
    let subject = match &args.about {
        None => Subject::All,
        Some(text) => subject_of(&repository, &table, text)?,
    };
    let files = table.about(&subject);
    match args.format.format() {
        Format::Json => print_json(&WhoAnswer {
            version: 1,
            about: args.about.clone(),
            files: files.iter().map(answered).collect(),
        })?,
        Format::Text => print(&text(&subject, &files))?,
    }
    for file in &files {
        if let Some(trouble) = &file.trouble {
            say(format!(
                "{} {}: {trouble}",
                paint(WARN, "warning:"),
                file.file
            ));
        }
    }
    Ok(exit::DONE)
}

fn subject_of(
    repository: &Repository,
    table: &AccessTable,
    text: &str,
) -> Result<Subject, Problem> {
    let file = locate(repository, Path::new(text)).ok();
    if let Some(file) = file.filter(|file| table.files.iter().any(|it| it.file == *file)) {
        return Ok(Subject::File(file));
    }
    table.subject(text).ok_or_else(|| {
        let known = table.known();
        let problem = Problem::new(format!(
            "`{text}` is no secret file, secret, host or person of {}",
            repository.root().display()
        ));
        match crate::config::nearest(text, known.iter().map(String::as_str)) {
            Some(meant) => problem.with_fix(format!("did you mean `{meant}`?")),
            None => problem.with_fix("`steadfast secrets who` shows all of them"),
        }
    })
}

fn answered(file: &FileAccess) -> WhoFile {
    let names = |kind| file.names(kind).map(str::to_owned).collect();
    let values = file.values.iter().map(|value| WhoValue {
        key: value.key.clone(),
        used: value
            .used
            .iter()
            .map(|(name, hosts)| (name.clone(), hosts.iter().cloned().collect()))
            .collect(),
    });
    WhoFile {
        file: file.file.to_string(),
        people: names(ReaderKind::Person),
        hosts: names(ReaderKind::Host),
        unknown: names(ReaderKind::Unknown),
        groups_needed: file.groups.map(|(needed, _)| needed),
        matches_rule: file.matches_rule,
        used_by: file.used_by().into_iter().map(str::to_owned).collect(),
        values: values.collect(),
        trouble: file.trouble.clone(),
    }
}

fn text(subject: &Subject, files: &[FileAccess]) -> String {
    if files.is_empty() {
        return match subject {
            Subject::Host(name) | Subject::Person(name) => {
                format!("{name} can open no secret file\n")
            }
            _ => "there is no secret file\n".to_owned(),
        };
    }
    match subject {
        Subject::All | Subject::Person(_) => by_file(files),
        Subject::Host(host) => of_host(host, files),
        Subject::File(_) | Subject::Secret(_) => by_value(files),
    }
}

/// A row per file, or per group of files that the same readers have if there are many.
fn by_file(files: &[FileAccess]) -> String {
    const ROWS: usize = 20;
    let mut groups: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut rows = Vec::new();
    for file in files {
        let readers = (people(file), hosts(file));
        rows.push([file.file.to_string(), readers.0.clone(), readers.1.clone()]);
        groups
            .entry(readers)
            .or_default()
            .push(file.file.to_string());
    }
    if rows.len() > ROWS {
        let grouped = groups
            .into_iter()
            .map(|((people, hosts), files)| [some_of(&files, "file"), people, hosts]);
        rows = grouped.collect();
    }
    columns(["FILE", "PEOPLE", "HOSTS"], &rows)
}

/// What a host can open, and what of it it uses.
fn of_host(host: &str, files: &[FileAccess]) -> String {
    let rows: Vec<[String; 3]> = files
        .iter()
        .map(|file| {
            let can = if file.is_read_by(ReaderKind::Host, host) {
                "yes".to_owned()
            } else {
                paint(WARN, "no")
            };
            let names = file.values.iter().flat_map(|value| &value.used);
            let used: Vec<&str> = names
                .filter(|(_, hosts)| hosts.contains(host))
                .map(|(name, _)| name.as_str())
                .collect();
            let used = if used.is_empty() {
                paint(FAINT, "nothing")
            } else {
                used.join(", ")
            };
            [file.file.to_string(), can, used]
        })
        .collect();
    columns(["FILE", "CAN OPEN", "USES"], &rows)
}

/// The readers of each file, then its values with the hosts that use them.
fn by_value(files: &[FileAccess]) -> String {
    let mut text = by_file(files);
    let mut rows = Vec::new();
    for file in files {
        for value in &file.values {
            let used: Vec<String> = value
                .used
                .iter()
                .map(|(name, hosts)| {
                    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
                    if *name == value.key.join("/") {
                        hosts.join(", ")
                    } else {
                        format!("{} as {name}", hosts.join(", "))
                    }
                })
                .collect();
            rows.push([file.file.to_string(), value.key.join("/"), used.join("; ")]);
        }
    }
    text.push('\n');
    text.push_str(&columns(["FILE", "VALUE", "USED BY"], &rows));
    text
}

fn people(file: &FileAccess) -> String {
    let unknown = file.names(ReaderKind::Unknown).map(str::to_owned);
    let people = file.names(ReaderKind::Person).map(str::to_owned);
    let mut text = abbreviated(&people.chain(unknown).collect::<Vec<_>>());
    if let Some((needed, groups)) = file.groups {
        text = format!("{text} ({needed} of {groups} groups)");
    }
    if file.matches_rule == Some(false) {
        text.push_str(&paint(WARN, " (not as .sops.yaml says)"));
    }
    text
}

fn hosts(file: &FileAccess) -> String {
    abbreviated(
        &file
            .names(ReaderKind::Host)
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    )
}

fn abbreviated(names: &[String]) -> String {
    const SHOWN: usize = 6;
    if names.len() <= SHOWN {
        return names.join(", ");
    }
    format!(
        "{} and {} more",
        names[..SHOWN - 1].join(", "),
        names.len() - SHOWN + 1
    )
}
