//! `secrets merge`: git's merge driver, and merging by hand what git left in conflict.

use std::path::{Path, PathBuf};

use clap::Args;

use super::columns::{counted, some_of};
use super::install_git::of_git;
use super::place::names_around;
use super::{identities, start_of};
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::cli::problem::print_problem;
use crate::host::{FileError, FileMode, clock, durable};
use crate::identity::Identities;
use crate::report::{Problem, exit};
use crate::secrets::{MergeInput, MergeOutcome, Resolve, Worktree, merge_texts, stages};
use crate::sops::{Format, Markers, Side};

const MOST_BYTES: u64 = 64 * 1024 * 1024;
const NEW_FILE_MODE: FileMode = FileMode::from_bits(0o644);
/// git takes 1 to 128 for a conflict whose file was written, and stops at anything above.
const DRIVER_FAILED: u8 = 129;

/// Merge secret files value by value
///
/// With one FILE: merges what git left in conflict, also where its own merge of lines did it. With three or five arguments:
/// git's merge driver, which `steadfast secrets install-git` sets up; the result is written to OURS.
///
/// Values that only one side changed are taken, and recipients too. A value that both changed, each in another way, is left in
/// conflict: both ciphertexts stand between markers, `steadfast secrets edit FILE` shows both decrypted. Without a key for
/// both sides, the two whole files stand between markers. Ends with 1 when something is left in conflict.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct MergeArgs {
    /// FILE, or BASE OURS THEIRS, or BASE OURS THEIRS MARKERS PATH, as git gives them for `%O %A %B %L %P`
    #[arg(value_name = "FILE", required = true, num_args = 1..=5)]
    pub files: Vec<PathBuf>,
    /// Decide every conflict for our side
    #[arg(long, conflicts_with = "theirs")]
    pub ours: bool,
    /// Decide every conflict for their side
    #[arg(long)]
    pub theirs: bool,
    /// Take BASE where there is a conflict: for common ancestors, which git merges before the versions
    #[arg(long, hide = true, conflicts_with_all = ["ours", "theirs"])]
    pub ancestor: bool,
}

const EXAMPLES: &str = "\
Examples:
  steadfast secrets merge secrets/default.yml             after `git merge` stopped there
  steadfast secrets merge --theirs secrets/default.yml && git add secrets/default.yml
  steadfast secrets merge base.yml ours.yml theirs.yml    writes to ours.yml";

/// Runs `merge`.
pub(super) fn run(args: &MergeArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let resolve = |markers| {
        if args.ours {
            Resolve::For(Side::Ours)
        } else if args.theirs {
            Resolve::For(Side::Theirs)
        } else {
            Resolve::Mark(markers)
        }
    };
    match &args.files[..] {
        [file] => unfinished(file, resolve(Markers::default()), flags),
        [base, ours, theirs] => Ok(driver(
            (base, ours, theirs),
            ours,
            resolve(Markers::default()),
            flags,
        )),
        [base, ours, theirs, _size, path] if args.ancestor => {
            Ok(ancestor((base, ours, theirs), path, flags))
        }
        [base, ours, theirs, size, path] => {
            let size = size.to_str().and_then(|size| size.parse().ok());
            let markers = size.map_or_else(Markers::default, |size| Markers { size });
            Ok(driver((base, ours, theirs), path, resolve(markers), flags))
        }
        _ => Err(
            Problem::new("one file, three files, or what git gives for `%O %A %B %L %P`")
                .with_fix("`steadfast secrets merge --help` shows all forms"),
        ),
    }
}

/// What git left in conflict, from the versions in its index.
fn unfinished(file: &Path, resolve: Resolve, flags: &HostFlags) -> Result<u8, Problem> {
    let worktree = Worktree::find(&start_of(flags)).map_err(|error| of_git(&error))?;
    let name = worktree.name_of(file).map_err(|error| of_git(&error))?;
    let stages = stages(&worktree, &name).map_err(|error| of_git(&error))?;
    let stages = stages.ok_or_else(|| {
        Problem::new(format!("{name} is not in conflict")).with_fix(
            "`git status` shows what is; `git checkout --merge FILE` puts a conflict back",
        )
    })?;
    let (Some(ours), Some(theirs)) = (&stages.ours, &stages.theirs) else {
        return Err(Problem::new(format!("one side removed {name}"))
            .with_fix("keep it with `git add`, or remove it with `git rm`"));
    };
    let input = MergeInput {
        base: stages.base.as_deref(),
        ours,
        theirs,
        format: Format::of_path(&name),
    };
    let path = worktree.root().join(&name);
    let names = names_around(worktree.root());
    let outcome = merge_texts(
        &input,
        resolve,
        (&identities(flags)?, &names),
        &clock::now_rfc3339(),
    );
    let written = |text: &[u8]| {
        durable::replace_keeping(&path, text, NEW_FILE_MODE).map_err(|error| of_write(&error))
    };
    match outcome {
        MergeOutcome::Merged { text } => {
            written(&text)?;
            say(format!("{name} is merged; `git add {name}` says so to git"));
            Ok(exit::DONE)
        }
        MergeOutcome::Conflict { text, paths } => {
            written(&text)?;
            in_conflict(&name, &paths);
            Ok(exit::FAILED)
        }
        MergeOutcome::Whole { reason, .. } => Err(Problem::of(&reason)
            .about(format!("cannot merge {name}"))
            .with_fix(reason.fix(&name))),
        MergeOutcome::NotSecret => {
            Err(Problem::new(format!("{name} is not encrypted"))
                .with_fix("merge it as any other text"))
        }
    }
}

fn driver(
    (base, ours, theirs): (&Path, &Path, &Path),
    path: &Path,
    resolve: Resolve,
    flags: &HostFlags,
) -> u8 {
    let name = path.to_string_lossy().into_owned();
    let read = |path: &Path| durable::read(path, MOST_BYTES).map(Option::unwrap_or_default);
    let texts = read(base).and_then(|base| Ok((base, read(ours)?, read(theirs)?)));
    let (base, our_text, their_text) = match texts {
        Ok(texts) => texts,
        Err(error) => return not_written(&error),
    };
    // Without keys both sides must still reach the file.
    let identities = identities(flags).unwrap_or_else(|problem| {
        print_problem(&problem);
        Identities::default()
    });
    let input = MergeInput {
        base: Some(&base),
        ours: &our_text,
        theirs: &their_text,
        format: Format::of_path(&name),
    };
    let names = names_around(Path::new("."));
    let merged = merge_texts(
        &input,
        resolve,
        (&identities, &names),
        &clock::now_rfc3339(),
    );
    let (text, code) = settle(merged, &input, resolve, &name);
    match durable::replace_keeping(ours, &text, NEW_FILE_MODE) {
        Ok(()) => code,
        Err(error) => not_written(&error),
    }
}

/// Two common ancestors as one. What they do not agree on is as it was before both, so that it stays in conflict.
fn ancestor((base, ours, theirs): (&Path, &Path, &Path), path: &Path, flags: &HostFlags) -> u8 {
    let read = |path: &Path| durable::read(path, MOST_BYTES).map(Option::unwrap_or_default);
    let texts = read(base).and_then(|base| Ok((base, read(ours)?, read(theirs)?)));
    let (base, our_text, their_text) = match texts {
        Ok(texts) => texts,
        Err(error) => return not_written(&error),
    };
    let input = MergeInput {
        base: Some(&base),
        ours: &our_text,
        theirs: &their_text,
        format: Format::of_path(&path.to_string_lossy()),
    };
    // Whoever has no key is told so when the versions themselves are merged.
    let identities = identities(flags).unwrap_or_default();
    let names = names_around(Path::new("."));
    let resolve = Resolve::Mark(Markers::default());
    let merged = merge_texts(
        &input,
        resolve,
        (&identities, &names),
        &clock::now_rfc3339(),
    );
    let text = match &merged {
        MergeOutcome::Merged { text } => text,
        _ => &base,
    };
    match durable::replace_keeping(ours, text, NEW_FILE_MODE) {
        Ok(()) => exit::DONE,
        Err(error) => not_written(&error),
    }
}

/// What the file gets, with what is left in conflict said.
fn settle(
    merged: MergeOutcome,
    input: &MergeInput<'_>,
    resolve: Resolve,
    name: &str,
) -> (Vec<u8>, u8) {
    match merged {
        MergeOutcome::Merged { text } => (text, exit::DONE),
        MergeOutcome::Conflict { text, paths } => {
            in_conflict(name, &paths);
            (text, exit::FAILED)
        }
        MergeOutcome::Whole { text, reason } => {
            let problem = Problem::of(&reason).about(format!("cannot merge {name} value by value"));
            print_problem(&problem.with_fix(reason.fix(name)));
            (text, exit::FAILED)
        }
        MergeOutcome::NotSecret => {
            let markers = match resolve {
                Resolve::Mark(markers) => markers,
                Resolve::For(_) => Markers::default(),
            };
            let merged =
                Worktree::find(Path::new(".")).and_then(|it| it.merge_lines(input, resolve));
            match merged {
                Ok((text, true)) => (text, exit::DONE),
                Ok((text, false)) => (text, exit::FAILED),
                Err(error) => {
                    print_problem(&of_git(&error));
                    (markers.around(input.ours, input.theirs), exit::FAILED)
                }
            }
        }
    }
}

fn in_conflict(name: &str, paths: &[Vec<String>]) {
    let paths: Vec<String> = paths.iter().map(|path| path.join("/")).collect();
    say(format!(
        "{name}: {} in conflict: {}",
        counted(paths.len(), "value"),
        some_of(&paths, "values")
    ));
    say(format!(
        "  `steadfast secrets edit {name}` shows both versions decrypted; then `git add {name}`"
    ));
}

fn not_written(error: &FileError) -> u8 {
    print_problem(&of_write(error));
    DRIVER_FAILED
}

fn of_write(error: &FileError) -> Problem {
    Problem::of(error).with_hint(error.hint())
}
