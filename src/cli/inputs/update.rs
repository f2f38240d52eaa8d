//! `inputs update`.

use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::cache::{open, transport, watched};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::render::Lines;
use crate::cli::repository::{Place, own_files};
use crate::cli::style::{FAINT, GOOD, LABEL, paint};
use crate::config::{InputUse, Locked, inputs, lock_text, nearest};
use crate::host::{FileMode, clock, durable};
use crate::report::{Problem, exit};
use crate::source::{CommitId, InputName, Mirror, Revision, Wanted, trust};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Lock inputs to the newest commits of their branches, and show what is new in them.

Fetches each branch, asks for the signatures that `signers:` demands, and writes fleet.lock. Nothing changes on a host \
before fleet.lock is committed; `steadfast config diff --all-hosts` shows what will. A branch whose history was rewritten \
is refused unless --rewritten says that this was looked at.";

const AFTER: &str = "\
Examples:
  steadfast inputs update               all of them
  steadfast inputs update community     one of them
  steadfast inputs update && steadfast config diff --all-hosts";

/// The most commits of a log that are shown.
const LOG: usize = 20;

/// Arguments of `inputs update`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(super) struct UpdateArgs {
    /// Which inputs [default: all of them]
    names: Vec<InputName>,
    /// Take a branch that does not lead to the locked commit any more
    #[arg(long)]
    rewritten: bool,
    #[command(flatten)]
    format: FormatFlags,
}

/// `inputs update --json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct InputUpdates {
    /// Format version, 1.
    pub version: u32,
    /// The inputs that were looked at, by name.
    pub inputs: Vec<UpdateAnswer>,
}

/// One input that was looked at.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UpdateAnswer {
    /// Its name.
    pub name: InputName,
    /// The commit that it was locked to; absent if it was not locked.
    pub from: Option<String>,
    /// The commit that it is locked to.
    pub to: Revision,
    /// Who signed that commit, if signatures are asked for.
    pub signer: Option<String>,
    /// What is new, newest first, at most 20 commits; none if nothing is, or if it was not locked.
    pub log: Vec<Revision>,
    /// Whether its history was rewritten.
    pub rewritten: bool,
}

/// Runs `inputs update`.
pub(super) fn run(args: &UpdateArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let place = Place::new(None, None, flags);
    let snapshot = own_files(&place)?;
    let uses = inputs(&snapshot)
        .map_err(|errors| Problem::of_config(&errors, "fleet.yml cannot be read"))?;
    check_names(&args.names, &uses)?;
    let cache = open()?;
    let mut updates = Vec::new();
    let mut locked: BTreeMap<InputName, Locked> = BTreeMap::new();
    for input in &uses {
        if !args.names.is_empty() && !args.names.contains(&input.name) {
            locked.extend(
                input
                    .locked
                    .clone()
                    .map(|locked| (input.name.clone(), locked)),
            );
            continue;
        }
        let (update, entry) = update(input, &cache, args.rewritten.into())?;
        locked.insert(input.name.clone(), entry);
        updates.push(update);
    }
    let path = place.folder().join("fleet.lock");
    let text = lock_text(&locked);
    let before = durable::read(&path, 1024 * 1024).map_err(|error| Problem::of(&error))?;
    let writes =
        before.as_deref() != Some(text.as_bytes()) && !(before.is_none() && locked.is_empty());
    if writes {
        durable::replace(&path, text.as_bytes(), FileMode::from_bits(0o644))
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
    }
    let answer = InputUpdates {
        version: 1,
        inputs: updates,
    };
    match args.format.format() {
        Format::Json => print_json(&answer)?,
        Format::Text => {
            print(&rendered(&answer))?;
            if writes {
                say(
                    "fleet.lock is written; look at `steadfast config diff --all-hosts`, then commit it",
                );
            } else if answer.inputs.is_empty() {
                say("fleet.yml declares no inputs");
            }
        }
    }
    Ok(exit::DONE)
}

/// What to do about a branch whose history was rewritten.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rewritten {
    Refused,
    Taken,
}

impl From<bool> for Rewritten {
    fn from(taken: bool) -> Self {
        if taken { Self::Taken } else { Self::Refused }
    }
}

fn check_names(names: &[InputName], uses: &[InputUse]) -> Result<(), Problem> {
    for name in names {
        if uses.iter().any(|input| input.name == *name) {
            continue;
        }
        let known: Vec<&str> = uses.iter().map(|input| input.name.as_str()).collect();
        let fix = match nearest(name.as_str(), known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if known.is_empty() => "declare it under `inputs:` in fleet.yml".to_owned(),
            None => format!("its inputs are {}", known.join(", ")),
        };
        return Err(Problem::new(format!("fleet.yml has no input `{name}`")).with_fix(fix));
    }
    Ok(())
}

fn update(
    input: &InputUse,
    cache: &Mirror,
    rewritten: Rewritten,
) -> Result<(UpdateAnswer, Locked), Problem> {
    let failed =
        |problem: Problem| problem.about(format!("the input `{}` is as it was", input.name));
    let fetch = || {
        let wanted = Wanted::Newest(input.branch.as_deref());
        cache.fetch_input(&input.remote, wanted, &transport())
    };
    let fetched = watched(&input.remote, fetch)
        .map_err(|error| failed(Problem::of(&error).with_hint(error.fix())))?;
    let commit = fetched.commit;
    let signer = match input.signers.as_slice() {
        [] => None,
        signers => Some(
            trust::signed_by(cache, &commit, signers, clock::now_secs())
                .map_err(|refusal| failed(Problem::of(&refusal).with_fix(refusal.fix())))?,
        ),
    };
    let from = input.locked.as_ref().map(|locked| &locked.commit);
    let moved_away = from.is_some_and(|from| !follows(cache, input, &commit, from));
    if moved_away && rewritten == Rewritten::Refused {
        return Err(failed(was_rewritten(input, &commit)));
    }
    let tree = cache
        .snapshot(&commit)
        .map_err(|error| failed(Problem::of(&error)))?
        .digest()
        .map_err(|error| failed(Problem::of(&error).with_fix(error.fix())))?;
    let log = match from {
        Some(from) if cache.has(from) => cache.log(from, &commit, LOG),
        _ => Vec::new(),
    };
    let answer = UpdateAnswer {
        name: input.name.clone(),
        from: from.map(ToString::to_string),
        to: cache
            .revision(&commit)
            .map_err(|error| failed(Problem::of(&error)))?,
        signer: signer.map(|signer| signer.principal),
        log,
        rewritten: moved_away,
    };
    let entry = Locked {
        url: input.remote.to_string(),
        branch: input.branch.clone(),
        commit,
        tree,
    };
    Ok((answer, entry))
}

/// Whether `commit` builds on the locked one. That is fetched too, so that what is new can be told from it.
fn follows(cache: &Mirror, input: &InputUse, commit: &CommitId, locked: &CommitId) -> bool {
    if !cache.has(locked) {
        let wanted = Wanted::Locked(locked, input.branch.as_deref());
        // One that is gone is one that nothing builds on.
        let _ = cache.fetch_input(&input.remote, wanted, &transport());
    }
    cache.builds_on(commit, locked)
}

fn was_rewritten(input: &InputUse, commit: &CommitId) -> Problem {
    let locked = input.locked.as_ref().map(|locked| locked.commit.short());
    let mut problem = Problem::new("its history was rewritten").with_fix(format!(
        "look at what it is now, then take it with `steadfast inputs update {} --rewritten`",
        input.name
    ));
    problem.causes.push(format!(
        "{} does not build on {}, the locked commit",
        commit.short(),
        locked.unwrap_or_default()
    ));
    problem
}

fn rendered(answer: &InputUpdates) -> String {
    let mut lines = Lines::default();
    for input in &answer.inputs {
        let to = input.to.commit.short();
        let name = paint(LABEL, &input.name);
        lines.line(match &input.from {
            Some(from) if *from == input.to.commit.as_str() => {
                format!("{name} {to} {}", paint(GOOD, "is the newest"))
            }
            Some(from) => format!("{name} {} → {to}", &from[..12]),
            None => format!("{name} → {to} {}", input.to.subject),
        });
        if input.rewritten {
            lines.line("  its history was rewritten");
        }
        if let Some(signer) = &input.signer {
            lines.line(format!("  signed by {signer}"));
        }
        for revision in &input.log {
            let by = paint(FAINT, format!("({})", revision.author));
            lines.line(format!(
                "  {} {} {by}",
                revision.commit.short(),
                revision.subject
            ));
        }
        if input.log.len() == LOG {
            lines.line("  …");
        }
    }
    lines.finish()
}
