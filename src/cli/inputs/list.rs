//! `inputs list`.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::cache::cached;
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::render::Lines;
use crate::cli::repository::{Place, own_files};
use crate::cli::style::{FAINT, WARN, paint};
use crate::config::{InputUse, inputs};
use crate::host::Digest;
use crate::report::{Problem, exit};
use crate::source::{InputName, Mirror, Revision};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
List inputs: where each one is, the commit it is locked to, and its modules.

Needs no network. Modules are listed where the commit was fetched before.";

const AFTER: &str = "\
Examples:
  steadfast inputs list
  steadfast inputs list --json | jq -r '.inputs[].revision.commit'";

/// Arguments of `inputs list`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(super) struct ListArgs {
    /// As a revision has it: a branch, tag or commit
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    #[command(flatten)]
    format: FormatFlags,
}

/// `inputs list --json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct InputList {
    /// Format version, 1.
    pub version: u32,
    /// The inputs, by name.
    pub inputs: Vec<InputAnswer>,
}

/// One input.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct InputAnswer {
    /// Its name.
    pub name: InputName,
    /// Where it is.
    pub url: String,
    /// The branch that is looked at; the remote's `HEAD` when absent.
    pub branch: Option<String>,
    /// Its folder of modules.
    pub directory: String,
    /// How many keys may sign its commits; 0 if signatures are not asked for.
    pub signers: usize,
    /// The commit that it is locked to; absent if it is not, or at another address or branch.
    pub commit: Option<String>,
    /// SHA-256 over the files of that commit.
    pub tree: Option<Digest>,
    /// The commit as it describes itself; absent where it was not fetched yet.
    pub revision: Option<Revision>,
    /// The names of its modules; absent where the commit was not fetched yet.
    pub modules: Option<Vec<String>>,
}

/// Runs `inputs list`.
pub(super) fn run(args: &ListArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let place = Place::new(None, args.rev.as_deref(), flags);
    let uses = inputs(&own_files(&place)?)
        .map_err(|errors| Problem::of_config(&errors, "fleet.yml cannot be read"))?;
    let cache = cached();
    let list = InputList {
        version: 1,
        inputs: uses.iter().map(|one| answer(one, cache.as_ref())).collect(),
    };
    match args.format.format() {
        Format::Json => print_json(&list)?,
        Format::Text if list.inputs.is_empty() => {
            say("fleet.yml declares no inputs");
        }
        Format::Text => print(&text(&list))?,
    }
    Ok(exit::DONE)
}

fn answer(input: &InputUse, cache: Option<&Mirror>) -> InputAnswer {
    let locked = input.locked.as_ref();
    let here = cache
        .zip(locked)
        .filter(|(cache, locked)| cache.has_input(&locked.commit));
    let revision = here.and_then(|(cache, locked)| cache.revision(&locked.commit).ok());
    let modules = here.and_then(|(cache, locked)| {
        let files = cache.snapshot(&locked.commit).ok()?;
        let folder = format!("{}/", input.directory);
        let names = files.paths().filter_map(|path| {
            let name = path.as_str().strip_prefix(&folder)?;
            let name = name.strip_suffix("/module.yml")?;
            (!name.contains('/')).then(|| format!("{}/{name}", input.name))
        });
        Some(names.collect())
    });
    InputAnswer {
        name: input.name.clone(),
        url: input.remote.to_string(),
        branch: input.branch.clone(),
        directory: input.directory.clone(),
        signers: input.signers.len(),
        commit: locked.map(|locked| locked.commit.to_string()),
        tree: locked.map(|locked| locked.tree.clone()),
        revision,
        modules,
    }
}

fn text(list: &InputList) -> String {
    let mut lines = Lines::default();
    for input in &list.inputs {
        lines.gap();
        let branch = input.branch.as_deref().unwrap_or("HEAD");
        lines.field(
            input.name.as_str(),
            format!("{} {}", input.url, paint(FAINT, format!("({branch})"))),
        );
        lines.field(
            "locked",
            match (&input.commit, &input.revision) {
                (Some(commit), Some(revision)) => {
                    format!("{} {}", &commit[..12], revision.subject)
                }
                (Some(commit), None) => {
                    format!("{} {}", &commit[..12], paint(FAINT, "(not fetched yet)"))
                }
                (None, _) => paint(
                    WARN,
                    format!("no; run `steadfast inputs update {}`", input.name),
                ),
            },
        );
        if input.signers > 0 {
            lines.field("signers", input.signers.to_string());
        }
        if let Some(modules) = &input.modules {
            lines.field("modules", modules.join(", "));
        }
    }
    lines.finish()
}
