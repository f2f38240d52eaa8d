//! `why`: where something on a host comes from.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::HostFlags;
use super::answer::{print, print_json};
use super::flags::{Format, FormatFlags};
use super::inputs::cached;
use super::progress::spin;
use super::render;
use super::repository::{Place, blame, snapshot};
use crate::config::{Fleet, HostName, Origin};
use crate::generation::{Thing, build, why};
use crate::host::clock;
use crate::report::{Problem, exit};
use crate::source::{Blame, LineState, RepoPath, Revision, Snapshot};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Say why a host has something: what it is, which files say so and who wrote those lines, which options it depends on, how \
the modules behind it came to be on, what it overrules, and which units act when it changes.

Asked for is a path, the name of a unit, account, group, package, secret, template, kernel parameter or module, or \
`module.option`, with its kind before it or without. What `plan` and `drift` print is understood too: links that enable units, \
drop-ins, /run/secrets/NAME, authorized_keys. If a name means several things, all are shown.

Looks at the files as they lie in the repository around this folder, committed or not; needs no key.";

const AFTER: &str = "\
Examples:
  steadfast why chicago /etc/motd
  steadfast why chicago app.service
  steadfast why chicago package curl
  steadfast why chicago backup.schedule            an option of a module
  steadfast why chicago /run/secrets/db/password
  steadfast why chicago net.ipv4.ip_forward --rev main --json";

/// Arguments of `why`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct WhyArgs {
    /// The host, by its folder in `hosts/`
    name: HostName,
    /// What is asked for
    #[arg(value_name = "WHAT", required = true)]
    what: Vec<String>,
    /// As a revision has it: a branch, tag or commit
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    #[command(flatten)]
    format: FormatFlags,
}

/// `why --json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WhyAnswer {
    /// Format version, 1.
    pub version: u32,
    /// The host.
    pub host: HostName,
    /// What was asked for.
    pub asked: String,
    /// Everything that is meant by it.
    pub things: Vec<Thing>,
    /// Every line that is named, by file and number.
    pub lines: Vec<LineAnswer>,
}

/// A line of a file of the repository.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LineAnswer {
    /// The file.
    pub file: RepoPath,
    /// Its number, from 1.
    pub line: u32,
    /// What it says.
    pub text: String,
    /// The commit that it comes from; absent if it is not committed, or if git cannot say.
    pub commit: Option<Revision>,
    /// Why there is no commit: `not committed yet`, or what stands in the way.
    pub no_commit: Option<String>,
}

/// Runs `why`.
pub(super) fn run(args: &WhyArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let place = Place::new(None, args.rev.as_deref(), flags);
    let snapshot = snapshot(&place)?;
    let wrong = |errors: &_| Problem::of_config(errors, format!("`{}` cannot be built", args.name));
    let resolution = Fleet::read(&snapshot)
        .resolve(&args.name)
        .map_err(|errors| wrong(&errors))?;
    let built = build(&resolution.config, &snapshot).map_err(|errors| wrong(&errors))?;
    let asked = args.what.join(" ");
    let things = why(&asked, &resolution, &built, &snapshot)
        .map_err(|unknown| Problem::of(&unknown).with_fix(unknown.fix()))?;
    let own = blame(&place);
    let lines = spin("asking git who wrote it", || {
        lines(&things, &snapshot, own.as_ref())
    });
    let answer = WhyAnswer {
        version: 1,
        host: args.name.clone(),
        asked,
        things,
        lines,
    };
    match args.format.format() {
        Format::Json => print_json(&answer)?,
        Format::Text => print(&render::why(&answer, clock::now_secs()))?,
    }
    Ok(exit::DONE)
}

/// Every line that things name, with who wrote it.
fn lines(things: &[Thing], snapshot: &Snapshot, own: Option<&Blame>) -> Vec<LineAnswer> {
    let mut wanted: BTreeMap<&RepoPath, BTreeSet<u32>> = BTreeMap::new();
    for origin in things.iter().flat_map(origins) {
        wanted.entry(&origin.file).or_default().insert(origin.line);
    }
    let mut answers = Vec::new();
    for (file, lines) in wanted {
        // A file that was read a moment ago is still there, or has no lines to show.
        let content = snapshot.read(file).ok().flatten().unwrap_or_default();
        let states = written_by(file, &content, &lines, snapshot, own);
        let text = String::from_utf8_lossy(&content).into_owned();
        let texts: Vec<&str> = text.lines().collect();
        for line in lines {
            let index = usize::try_from(line).unwrap_or(1).saturating_sub(1);
            let (commit, no_commit) = match states.get(&line) {
                Some(LineState::Committed(revision)) => (Some(revision.clone()), None),
                Some(LineState::NotCommitted) => (None, Some("not committed yet".to_owned())),
                Some(LineState::Unknown { reason }) => (None, Some(reason.clone())),
                None => (None, Some("it is in no git repository".to_owned())),
            };
            answers.push(LineAnswer {
                file: file.clone(),
                line,
                text: shown(texts.get(index).copied().unwrap_or_default()),
                commit,
                no_commit,
            });
        }
    }
    answers
}

/// A line, but not what may be a password.
fn shown(line: &str) -> String {
    match line.split_once("password_hash:") {
        Some((before, _)) => format!("{before}password_hash: …"),
        None => line.to_owned(),
    }
}

fn written_by(
    file: &RepoPath,
    content: &[u8],
    lines: &BTreeSet<u32>,
    snapshot: &Snapshot,
    own: Option<&Blame>,
) -> BTreeMap<u32, LineState> {
    let Some(mount) = snapshot.mount_of(file) else {
        return own.map_or_else(BTreeMap::new, |own| own.lines(file, content, lines));
    };
    let history = cached().and_then(|cache| Blame::of_commit(cache.path(), &mount.commit));
    match (history, mount.inner(file)) {
        (Some(history), Some(inner)) => history.lines(&inner, content, lines),
        _ => BTreeMap::new(),
    }
}

fn origins(thing: &Thing) -> Vec<&Origin> {
    let entries = thing.entries.iter().flat_map(|entry| {
        let said = entry.said.iter().chain(&entry.overruled).chain(&entry.also);
        said.map(|said| &said.origin)
    });
    let options = thing.options.iter().flat_map(|option| {
        let overruled = option.overruled.iter().map(|said| &said.origin);
        std::iter::once(&option.origin).chain(overruled)
    });
    let modules = thing.modules.iter().map(|turned| &turned.origin);
    entries.chain(options).chain(modules).collect()
}
