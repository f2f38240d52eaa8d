//! `generations …`: the history of this host.

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::{print, print_json, say};
use super::flags::{Format, FormatFlags};
use super::{HostFlags, progress, render, site};
use crate::generation::{
    Change, GcMode, GcPolicy, GcReport, Generation, GenerationNumber, Store, StoreError, diff,
};
use crate::host::{Digest, clock};
use crate::report::{Problem, exit};
use crate::source::{Revision, Signer};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
List, compare, pin and go back to generations.

A generation is the complete content of this host at one revision, numbered in the order in which they were made. \
Numbers only grow: going back to an old generation makes a new one with the same content.";

const AFTER: &str = "\
Examples:
  steadfast generations list
  steadfast generations diff 3 4     what generation 4 changed
  steadfast generations rollback     back to the previous good generation
  steadfast generations switch 2     to what generation 2 said
  steadfast generations pin 2        keep it from `gc` for ever";

const GC_ABOUT: &str = "\
Forget old generations, and the contents that no generation names any more.

Kept are the generation in force, the previous good one, pinned ones, the newest of `--keep`, and everything younger \
than `--days`. Refused while an activation is under way.";

const ROLLBACK_ABOUT: &str = "\
Activate an older generation again, under health checks, as a new generation.

The agent follows the repository again with the next revision; the one that was left is remembered as bad and not \
tried again until it changes or somebody runs `steadfast reconcile retry`.";

/// Arguments of `generations`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct GenerationsArgs {
    #[command(subcommand)]
    command: GenerationsCommand,
}

/// Verbs below `generations`.
#[derive(Debug, Subcommand)]
enum GenerationsCommand {
    /// List the generations of this host, oldest first
    List(FormatFlags),
    /// Show one generation: where it came from and what it says
    Show {
        /// The generation [default: the one in force]
        #[arg(value_parser = generation)]
        number: Option<u64>,
        #[command(flatten)]
        format: FormatFlags,
    },
    /// Show what differs between two generations
    Diff {
        /// The older generation
        #[arg(value_parser = generation)]
        from: u64,
        /// The newer generation [default: the one in force]
        #[arg(value_parser = generation)]
        to: Option<u64>,
        #[command(flatten)]
        format: FormatFlags,
    },
    /// Activate an older generation again
    #[command(long_about = ROLLBACK_ABOUT, visible_alias = "switch")]
    Rollback {
        /// The generation to go to [default: the previous good one]
        #[arg(value_parser = generation)]
        number: Option<u64>,
        #[command(flatten)]
        format: FormatFlags,
    },
    /// Forget old generations
    #[command(long_about = GC_ABOUT)]
    Gc {
        /// How many of the newest generations to keep
        #[arg(long, default_value_t = 10, value_name = "COUNT")]
        keep: usize,
        /// How old a generation must be to be forgotten
        #[arg(long, default_value_t = 30, value_name = "DAYS")]
        days: u32,
        /// Only say what would be forgotten
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        format: FormatFlags,
    },
    /// Keep a generation from `gc`
    Pin {
        /// The generation
        #[arg(value_parser = generation)]
        number: u64,
        #[command(flatten)]
        format: FormatFlags,
    },
    /// Give a pinned generation back to `gc`
    Unpin {
        /// The generation
        #[arg(value_parser = generation)]
        number: u64,
        #[command(flatten)]
        format: FormatFlags,
    },
}

/// Reads the number of a generation.
fn generation(text: &str) -> Result<u64, String> {
    let why = "it is not a number; `steadfast generations list` shows those that are there";
    text.parse().map_err(|_not_one| why.to_owned())
}

/// `generations list --json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GenerationList {
    /// Format version, 1.
    pub version: u32,
    /// The generations, oldest first.
    pub generations: Vec<GenerationEntry>,
}

/// One generation in a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GenerationEntry {
    /// Its number.
    pub number: GenerationNumber,
    /// Its digest.
    pub digest: Digest,
    /// The revision it was built from.
    pub revision: Revision,
    /// Who signed the revision.
    pub signer: Option<Signer>,
    /// When it was stored, seconds since 1970-01-01T00:00:00Z.
    pub created_secs: i64,
    /// The generation it is a copy of, if somebody went back.
    pub copy_of: Option<GenerationNumber>,
    /// Whether it is in force.
    pub current: bool,
    /// Whether it was in force, and good, before the one in force.
    pub previous_good: bool,
    /// Whether `gc` keeps it for ever.
    pub pinned: bool,
}

/// `generations show --json` and `generations diff --json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GenerationDiff {
    /// Format version, 1.
    pub version: u32,
    /// The older generation; absent when a generation is shown as a whole.
    pub from: Option<GenerationEntry>,
    /// The newer generation.
    pub to: GenerationEntry,
    /// What differs, in the order packages, accounts, files, units, secrets, checks.
    pub changes: Vec<Change>,
}

/// `generations gc --json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GcAnswer {
    /// Format version, 1.
    pub version: u32,
    /// What was forgotten, or would be.
    #[serde(flatten)]
    pub report: GcReport,
}

/// Runs one `generations` verb.
pub(super) fn run(args: &GenerationsArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let host = flags.look_at_host()?;
    let history = History {
        store: site::store_to_read(&host)?,
    };
    match &args.command {
        GenerationsCommand::List(format) => history.list(format.format()),
        GenerationsCommand::Show { number, format } => history.show(*number, format.format()),
        GenerationsCommand::Diff { from, to, format } => history.diff(*from, *to, format.format()),
        GenerationsCommand::Rollback { number, format } => {
            super::reconcile::rollback(flags, number.map(GenerationNumber), format.format())
        }
        GenerationsCommand::Gc {
            keep,
            days,
            dry_run,
            format,
        } => {
            let policy = GcPolicy {
                keep_newest: *keep,
                keep_days: *days,
            };
            let mode = if *dry_run {
                GcMode::DryRun
            } else {
                GcMode::Sweep
            };
            history.gc(policy, mode, format.format())
        }
        GenerationsCommand::Pin { number, format } => {
            let store = history.store()?;
            store.pin(GenerationNumber(*number)).map_err(problem)?;
            let said = "is kept until `steadfast generations unpin`";
            history.pinned(*number, said, format.format())
        }
        GenerationsCommand::Unpin { number, format } => {
            let store = history.store()?;
            store.unpin(GenerationNumber(*number)).map_err(problem)?;
            history.pinned(*number, "goes when it is old", format.format())
        }
    }
}

/// The generations of one host; none on a host that never had one.
struct History {
    store: Option<Store>,
}

impl History {
    fn store(&self) -> Result<&Store, Problem> {
        self.store.as_ref().ok_or_else(no_generation)
    }

    fn list(&self, format: Format) -> Result<u8, Problem> {
        let mut generations = Vec::new();
        if let Some(store) = &self.store {
            for number in store.list().map_err(problem)? {
                generations.push(self.entry(&store.get(number).map_err(problem)?)?);
            }
        }
        let list = GenerationList {
            version: 1,
            generations,
        };
        match format {
            Format::Json => print_json(&list)?,
            Format::Text if list.generations.is_empty() => {
                say("no generations yet; `steadfast reconcile now` makes the first");
            }
            Format::Text => print(&render::list(&list, clock::now_secs()))?,
        }
        Ok(exit::DONE)
    }

    /// Says what becomes of a generation; as JSON, the list with that one alone.
    fn pinned(&self, number: u64, said: &str, format: Format) -> Result<u8, Problem> {
        match format {
            Format::Text => print(&format!("generation {number} {said}\n"))?,
            Format::Json => print_json(&GenerationList {
                version: 1,
                generations: vec![self.entry(&self.named_or_current(Some(number))?)?],
            })?,
        }
        Ok(exit::DONE)
    }

    fn show(&self, number: Option<u64>, format: Format) -> Result<u8, Problem> {
        let generation = self.named_or_current(number)?;
        match format {
            Format::Json => {
                let nothing = crate::generation::Manifest::empty(generation.manifest.host.clone());
                print_json(&GenerationDiff {
                    version: 1,
                    from: None,
                    to: self.entry(&generation)?,
                    changes: diff(&nothing, &generation.manifest),
                })?;
            }
            Format::Text => print(&render::generation(&generation, clock::now_secs()))?,
        }
        Ok(exit::DONE)
    }

    fn diff(&self, from: u64, to: Option<u64>, format: Format) -> Result<u8, Problem> {
        let from = self.named_or_current(Some(from))?;
        let to = self.named_or_current(to)?;
        let answer = GenerationDiff {
            version: 1,
            from: Some(self.entry(&from)?),
            to: self.entry(&to)?,
            changes: diff(&from.manifest, &to.manifest),
        };
        match format {
            Format::Json => print_json(&answer)?,
            Format::Text if answer.changes.is_empty() => {
                let (from, to) = (from.number, to.number);
                say(format!("generations {from} and {to} say the same"));
            }
            Format::Text => print(&render::differences(&answer.changes))?,
        }
        Ok(exit::DONE)
    }

    fn gc(&self, policy: GcPolicy, mode: GcMode, format: Format) -> Result<u8, Problem> {
        let store = self.store()?;
        // A pass under way may be storing what nothing names yet.
        let _lock = match mode {
            GcMode::DryRun => None,
            GcMode::Sweep => Some(progress::spin("waiting for the pass under way", || {
                site::lock(store)
            })?),
        };
        let report = store.gc(policy, mode, clock::now_secs()).map_err(problem)?;
        match format {
            Format::Json => print_json(&GcAnswer { version: 1, report })?,
            Format::Text => print(&render::gc(&report, mode))?,
        }
        Ok(exit::DONE)
    }

    fn named_or_current(&self, number: Option<u64>) -> Result<Generation, Problem> {
        let store = self.store()?;
        match number {
            Some(number) => store.get(GenerationNumber(number)).map_err(problem),
            None => store.current().map_err(problem)?.ok_or_else(no_generation),
        }
    }

    fn entry(&self, generation: &Generation) -> Result<GenerationEntry, Problem> {
        let store = self.store()?;
        let is = |other: Option<Generation>| {
            other.is_some_and(|other| other.number == generation.number)
        };
        let provenance = &generation.provenance;
        Ok(GenerationEntry {
            number: generation.number,
            digest: generation.digest.clone(),
            revision: provenance.revision.clone(),
            signer: provenance.signer.clone(),
            created_secs: provenance.created_secs,
            copy_of: provenance.copy_of,
            current: is(store.current().map_err(problem)?),
            previous_good: is(store.previous_good().map_err(problem)?),
            pinned: store.pins().map_err(problem)?.contains(&generation.number),
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn problem(error: StoreError) -> Problem {
    Problem::of_store(&error)
}

fn no_generation() -> Problem {
    Problem::new("this host has no generation yet")
        .with_fix("run `steadfast reconcile now` to make the first")
}
