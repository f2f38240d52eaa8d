//! `secrets diff`: what changed in the secrets, without showing them.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::failure::Failure;
use super::install_git::of_git;
use super::output::Destination;
use super::place::names_around;
use super::{identities, start_of};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json};
use crate::cli::flags::{Format as Output, FormatFlags};
use crate::cli::style::{ADDED, BAD, CHANGED, FAINT, LABEL, REMOVED, paint};
use crate::host::durable;
use crate::identity::{Identities, Plaintext};
use crate::report::{Problem, exit};
use crate::secrets::{
    ChangedFile, FileChange, FileDiff, RecipientNames, Selection, State, Worktree, changes,
    compare_texts, textconv, unified,
};
use crate::sops::{ChangeKind, Format};

const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Show what changed in the secrets: which values and who can read them
///
/// Compares as `git diff` does: the working tree with the index, with --staged the index with the last commit, with REV the
/// working tree with a revision, with A..B two revisions, with A...B the second with what both have in common. Two files that
/// are named alone are compared with each other.
///
/// Names of keys are shown, values only with --show-values. Without a key ciphertext is compared, which tells the same unless
/// the data key was rotated.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct DiffArgs {
    /// Revisions, then files and directories
    #[arg(value_name = "REV|FILE")]
    pub what: Vec<String>,
    /// Files and directories, whatever their names
    #[arg(last = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Compare what would be committed with the last commit
    #[arg(long, visible_alias = "cached")]
    pub staged: bool,
    /// Show the values: a unified diff of the decrypted texts
    #[arg(long, conflicts_with = "json")]
    pub show_values: bool,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

const EXAMPLES: &str = "\
Examples:
  steadfast secrets diff                                   what is changed and not staged yet
  steadfast secrets diff --staged
  steadfast secrets diff main..feature secrets/
  steadfast secrets diff HEAD~3 -- secrets/default.yml
  steadfast secrets diff --show-values old.yml new.yml";

/// `secrets diff --json`: what changed in the secrets.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct SecretDiff {
    /// Format version, 1.
    pub version: u32,
    /// The secret files that changed, in path order.
    pub files: Vec<DiffedFile>,
}

/// One changed file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct DiffedFile {
    /// The file, as git names it.
    pub file: String,
    /// `added`, `removed`, `changed`, `encrypted` (it was in the clear) or `in-the-clear` (it was encrypted).
    pub change: &'static str,
    /// The values that changed.
    pub values: Vec<DiffedValue>,
    /// Whether comments changed.
    pub comments: bool,
    /// Whether the data key is another one, so that every ciphertext is new.
    pub rotated: bool,
    /// `value`, or `ciphertext` where no key was at hand: then a rotation hides which values changed.
    pub compared_by: &'static str,
    /// Who can read it and could not before, by name where one is known.
    pub gained: Vec<String>,
    /// Who could read it and cannot any more, by name where one is known.
    pub lost: Vec<String>,
    /// Versions that are damaged, and why.
    pub troubles: Vec<String>,
}

/// One changed value.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct DiffedValue {
    /// Its key path.
    pub path: Vec<String>,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// The document of the file that it is in, from 0.
    pub document: usize,
}

/// Runs `diff`.
pub(super) fn run(args: &DiffArgs, flags: &HostFlags) -> Result<u8, Failure> {
    let keys = identities(flags)?;
    let (changed, names) = match two_files(args)? {
        Some(changed) => (vec![changed], names_around(std::path::Path::new("."))),
        None => in_git(args, flags)?,
    };
    if args.show_values {
        return show_values(&changed, (&keys, &names));
    }
    let diffs: Vec<FileDiff> = changed
        .iter()
        .filter_map(|it| {
            compare_texts(
                &it.file,
                (it.before.as_deref(), it.after.as_deref()),
                it.format,
                (&keys, &names),
            )
        })
        .filter(|diff| !diff.is_empty())
        .collect();
    match args.format.format() {
        Output::Json => print_json(&SecretDiff {
            version: 1,
            files: diffs.iter().map(answer).collect(),
        })?,
        Output::Text => {
            let text: Vec<String> = diffs.iter().map(render).collect();
            print(&text.join("\n"))?;
        }
    }
    Ok(exit::DONE)
}

/// Two files and nothing else: compared with each other, wherever they are.
fn two_files(args: &DiffArgs) -> Result<Option<ChangedFile>, Problem> {
    let ([one, other], true, false) = (&args.what[..], args.files.is_empty(), args.staged) else {
        return Ok(None);
    };
    let is_file = |path: &str| std::path::Path::new(path).is_file();
    if !is_file(one) || !is_file(other) {
        return Ok(None);
    }
    let read = |path: &str| {
        durable::read(std::path::Path::new(path), MOST_BYTES)
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))
    };
    Ok(Some(ChangedFile {
        before: read(one)?,
        after: read(other)?,
        format: Format::of_path(other),
        file: other.clone(),
    }))
}

fn in_git(
    args: &DiffArgs,
    flags: &HostFlags,
) -> Result<(Vec<ChangedFile>, RecipientNames), Problem> {
    let worktree = Worktree::find(&start_of(flags)).map_err(|error| of_git(&error))?;
    let selection = selection(args, &worktree)?;
    let changed = changes(&worktree, &selection).map_err(|error| of_git(&error))?;
    Ok((changed, names_around(worktree.root())))
}

fn selection(args: &DiffArgs, worktree: &Worktree) -> Result<Selection, Problem> {
    let mut states: Vec<State> = Vec::new();
    let mut range = None;
    let mut paths: Vec<PathBuf> = Vec::new();
    for what in &args.what {
        let is_path = !paths.is_empty() || std::path::Path::new(what).exists();
        let found = if is_path || range.is_some() {
            None
        } else {
            Some(revision(what, worktree))
        };
        match found {
            None => paths.push(what.into()),
            Some(Ok(Revisions::One(state))) => states.push(state),
            Some(Ok(Revisions::Range(before, after))) => range = Some((before, after)),
            Some(Err(problem)) => return Err(problem),
        }
    }
    let head = || worktree.head().map_err(|error| of_git(&error));
    let newer = if args.staged {
        State::Index
    } else {
        State::Worktree
    };
    let (before, after) = match (range, &states[..]) {
        (Some(range), []) => range,
        (None, []) if args.staged => (head()?, State::Index),
        (None, []) => (State::Index, State::Worktree),
        (None, [before]) => (*before, newer),
        (None, [before, after]) => (*before, *after),
        _ => {
            return Err(Problem::new("more than two revisions are named")
                .with_fix("name one, two, or a range"));
        }
    };
    let named = paths
        .iter()
        .chain(&args.files)
        .map(|path| worktree.name_of(path).map_err(|error| of_git(&error)));
    Ok(Selection {
        before,
        after,
        paths: named.collect::<Result<_, _>>()?,
    })
}

enum Revisions {
    One(State),
    Range(State, State),
}

fn revision(text: &str, worktree: &Worktree) -> Result<Revisions, Problem> {
    let commit = |text: &str| {
        let text = if text.is_empty() { "HEAD" } else { text };
        worktree.commit(text).map_err(|error| of_git(&error))
    };
    if let Some((one, other)) = text.split_once("...") {
        let (one, other) = (commit(one)?, commit(other)?);
        let base = worktree
            .merge_base(one, other)
            .map_err(|error| of_git(&error))?;
        return Ok(Revisions::Range(base, other));
    }
    if let Some((one, other)) = text.split_once("..") {
        return Ok(Revisions::Range(commit(one)?, commit(other)?));
    }
    Ok(Revisions::One(commit(text)?))
}

fn show_values(
    changed: &[ChangedFile],
    (keys, names): (&Identities, &RecipientNames),
) -> Result<u8, Failure> {
    for file in changed {
        // Files that are no secrets have a diff of their own.
        let versions = (file.before.as_deref(), file.after.as_deref());
        if compare_texts(&file.file, versions, file.format, (keys, names)).is_none() {
            continue;
        }
        let text = |version: Option<&[u8]>| {
            version.map_or_else(
                || Plaintext::new(Vec::new()),
                |it| textconv(it, file.format, keys, names),
            )
        };
        Destination::Stdout.write_plaintext(&unified(
            &file.file,
            &text(versions.0),
            &text(versions.1),
        ))?;
    }
    Ok(exit::DONE)
}

fn kind_of(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
    }
}

fn change_of(change: FileChange) -> &'static str {
    match change {
        FileChange::Added => "added",
        FileChange::Removed => "removed",
        FileChange::Changed => "changed",
        FileChange::Encrypted => "encrypted",
        FileChange::InTheClear => "in-the-clear",
    }
}

fn answer(diff: &FileDiff) -> DiffedFile {
    let values = diff.values.iter().map(|value| DiffedValue {
        path: value.path.clone(),
        change: kind_of(value.kind),
        document: value.document,
    });
    DiffedFile {
        file: diff.file.clone(),
        change: change_of(diff.change),
        values: values.collect(),
        comments: diff.comments,
        rotated: diff.rotated,
        compared_by: if diff.opened { "value" } else { "ciphertext" },
        gained: diff.gained.clone(),
        lost: diff.lost.clone(),
        troubles: diff.troubles.clone(),
    }
}

fn render(diff: &FileDiff) -> String {
    let state = match diff.change {
        FileChange::Changed => String::new(),
        FileChange::Added => format!(" {}", paint(ADDED, "(new)")),
        FileChange::Removed => format!(" {}", paint(REMOVED, "(removed)")),
        FileChange::Encrypted => format!(
            " {}",
            paint(
                ADDED,
                "(encrypted now; what was in the clear stays in git's history)"
            )
        ),
        FileChange::InTheClear => format!(" {}", paint(BAD, "(in the clear now)")),
    };
    let mut lines = vec![format!("{}{state}", paint(LABEL, &diff.file))];
    for value in &diff.values {
        let path = value.path.join("/");
        let document = match value.document {
            0 => String::new(),
            number => paint(FAINT, format!(" (document {})", number + 1)),
        };
        lines.push(match value.kind {
            ChangeKind::Added => paint(ADDED, format!("  + {path}")) + &document,
            ChangeKind::Removed => paint(REMOVED, format!("  - {path}")) + &document,
            ChangeKind::Changed => paint(CHANGED, format!("  ~ {path}")) + &document,
        });
    }
    if diff.comments {
        lines.push("  comments changed".to_owned());
    }
    if diff.rotated {
        let hidden = if diff.opened {
            ""
        } else {
            "; which values changed cannot be told without a key"
        };
        lines.push(format!("  the data key was rotated{hidden}"));
    }
    if !diff.gained.is_empty() || !diff.lost.is_empty() {
        let gained = diff
            .gained
            .iter()
            .map(|name| paint(ADDED, format!("+{name}")));
        let lost = diff
            .lost
            .iter()
            .map(|name| paint(REMOVED, format!("-{name}")));
        let readers: Vec<String> = gained.chain(lost).collect();
        lines.push(format!("  readers: {}", readers.join(" ")));
    }
    for trouble in &diff.troubles {
        lines.push(paint(BAD, format!("  {trouble}")));
    }
    lines.join("\n") + "\n"
}
