//! `secrets status`: the repository at a glance, or whether one file is encrypted.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::columns::{columns, signed};
use super::failure::Failure;
use super::options::InputType;
use super::place::repository_for;
use super::rekey::{of_comparison, warn_of};
use super::{identities, repository};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::render::Lines;
use crate::cli::style::{ADDED, REMOVED};
use crate::identity::Identities;
use crate::report::{Problem, exit};
use crate::secrets::{DataKeyChange, RekeyPlan, Repository, SecretFile, Wanted, plan_rekey};
use crate::sops::{ParseError, SealedFile};

/// Show the repository at a glance; with FILE, whether it is encrypted
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct StatusArgs {
    /// A file: prints `{"encrypted":true}` or `{"encrypted":false}`, without any key, as sops' filestatus does
    file: Option<PathBuf>,
    #[command(flatten)]
    input: InputType,
    #[command(flatten)]
    format: FormatFlags,
}

const ABOUT: &str = "\
Show which keys you have, which secret files there are, which of them you can open, and what is not as .sops.yaml says. \
Nothing is decrypted.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets status
  steadfast secrets status --json | jq '.files[] | select(.yours | not).file'
  steadfast secrets status secrets/default.yml";

/// `secrets status --json`: the repository at a glance.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct SecretsStatus {
    /// Format version, 1.
    pub version: u32,
    /// The directory of `.sops.yaml`.
    pub repository: String,
    /// The keys that are here.
    pub keys: Vec<OwnKey>,
    /// Sources of keys that could not be used, each with why.
    pub unusable_keys: Vec<String>,
    /// The secret files, in path order.
    pub files: Vec<FileStatus>,
    /// Files that should be encrypted or have a rule, and do not.
    pub notices: Vec<String>,
}

/// A key that is here.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct OwnKey {
    /// What the key is called in this repository; its recipient where it has no name.
    pub name: String,
    /// Its public half, as an age recipient.
    pub recipient: String,
}

/// A secret file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct FileStatus {
    /// The file, relative to the repository.
    pub file: String,
    /// How many can open it.
    pub recipients: usize,
    /// Whether one of the keys that are here is among them.
    pub yours: bool,
    /// Who should be able to open it and cannot.
    pub missing: Vec<String>,
    /// Who can open it and should not.
    pub surplus: Vec<String>,
}

/// Runs `status`.
pub(super) fn run(args: &StatusArgs, flags: &HostFlags) -> Result<u8, Failure> {
    if let Some(path) = &args.file {
        return of_one(path, &args.input, flags);
    }
    let repository = repository(flags)?;
    let wanted = Wanted {
        files: &[],
        data_key: DataKeyChange::Keep,
    };
    let plan =
        plan_rekey(&repository, &wanted, &|_step| ()).map_err(|error| of_comparison(&error))?;
    let status = status_of(&repository, &plan, &identities(flags)?);
    match args.format.format() {
        Format::Json => print_json(&status)?,
        Format::Text => {
            print(&text(&status))?;
            warn_of(&plan.notices);
        }
    }
    Ok(exit::DONE)
}

fn of_one(path: &Path, input: &InputType, flags: &HostFlags) -> Result<u8, Failure> {
    let repository = repository_for(flags, Some(path))?;
    let file = input.apply(SecretFile::at(path, repository.as_ref()));
    let text = file
        .read()
        .map_err(|error| Problem::of(&error).with_hint(error.hint()))?
        .ok_or_else(|| Problem::new(format!("there is no file {}", path.display())))?;
    let encrypted = match SealedFile::parse(&text, file.format()) {
        Ok(_) => true,
        Err(ParseError::NotSealed | ParseError::Empty) => false,
        Err(error) => {
            let what = format!("cannot tell whether {} is encrypted", path.display());
            return Err(Problem::of(&error).about(what).with_fix(error.fix()).into());
        }
    };
    print(&format!("{{\"encrypted\":{encrypted}}}\n"))?;
    Ok(exit::DONE)
}

fn status_of(repository: &Repository, plan: &RekeyPlan, identities: &Identities) -> SecretsStatus {
    let keys: Vec<OwnKey> = identities
        .recipients()
        .map(|recipient| OwnKey {
            name: repository.names().name_of_text(recipient),
            recipient: recipient.to_owned(),
        })
        .collect();
    let yours = |names: &[String]| {
        names
            .iter()
            .any(|name| keys.iter().any(|key| key.name == *name))
    };
    let matching = plan.matching.iter().map(|found| FileStatus {
        file: found.file.to_string(),
        recipients: found.recipients.len(),
        yours: yours(&found.recipients),
        missing: Vec::new(),
        surplus: Vec::new(),
    });
    let different = plan.changes.iter().map(|change| FileStatus {
        file: change.file.to_string(),
        recipients: change.kept.len() + change.lost.len(),
        yours: yours(&change.kept) || yours(&change.lost),
        missing: change.gained.clone(),
        surplus: change.lost.clone(),
    });
    let mut files: Vec<FileStatus> = matching.chain(different).collect();
    files.sort_by(|a, b| a.file.cmp(&b.file));
    let problems = identities.problems();
    let unusable = problems
        .iter()
        .map(|problem| Problem::of(problem).in_one_line());
    SecretsStatus {
        version: 1,
        repository: repository.root().display().to_string(),
        unusable_keys: unusable.collect(),
        files,
        notices: plan.notices.iter().map(ToString::to_string).collect(),
        keys,
    }
}

fn text(status: &SecretsStatus) -> String {
    let mut lines = Lines::default();
    lines.field("repository", &status.repository);
    let mut names: Vec<&str> = status.keys.iter().map(|key| key.name.as_str()).collect();
    names.dedup();
    lines.field(
        "your keys",
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        },
    );
    let count =
        |wanted: fn(&FileStatus) -> bool| status.files.iter().filter(|it| wanted(it)).count();
    let differing = count(|file| !file.missing.is_empty() || !file.surplus.is_empty());
    let (all, yours) = (status.files.len(), count(|file| file.yours));
    lines.field(
        "files",
        match differing {
            0 => format!("{all} secret, {yours} for you"),
            _ => {
                format!("{all} secret, {yours} for you, {differing} not as .sops.yaml says")
            }
        },
    );
    let rows: Vec<[String; 3]> = status
        .files
        .iter()
        .map(|file| {
            let missing = signed(&file.missing, "+", ADDED);
            let surplus = signed(&file.surplus, "-", REMOVED);
            [
                file.file.clone(),
                if file.yours { "yes" } else { "no" }.to_owned(),
                format!("{missing} {surplus}").trim().to_owned(),
            ]
        })
        .collect();
    let mut text = lines.finish();
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&columns(["FILE", "FOR YOU", "NEEDS A REKEY"], &rows));
    }
    text
}
