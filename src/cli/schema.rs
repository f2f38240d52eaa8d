//! `schema`: JSON Schemas of every `--json` output, also kept in `docs/schema/`.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::{Schema, schema_for};

use super::answer::{print, print_json, say};
use super::backup::{BackupList, RunAnswer, SnapshotList};
use super::check::RepositoryAnswer;
use super::compare::{FleetPreview, Preview};
use super::config::{ConfigAnswer, DocsAnswer};
use super::generations::{GcAnswer, GenerationDiff, GenerationList};
use super::host::AddAnswer;
use super::init::InitAnswer;
use super::inputs::{InputList, InputUpdates};
use super::plan::PlanAnswer;
use super::reconcile_log::LogAnswer;
use super::secrets::{
    CheckAnswer, HostKeyAnswer, NewAnswer, OffboardAnswer, OnboardAnswer, RekeyAnswer, SecretDiff,
    SecretList, SecretsStatus, WhoAnswer,
};
use super::why::WhyAnswer;
use crate::activation::Hold;
use crate::backup::{CheckReport, RestoreReport};
use crate::drift::{Adoption, DriftReport};
use crate::host::{FileMode, durable};
use crate::report::{Problem, Report, Status, exit};

const AFTER: &str = "\
Examples:
  steadfast schema                      the names
  steadfast schema report               what `steadfast reconcile now --json` prints
  steadfast schema --out docs/schema    all of them, a file each";

/// Arguments of `schema`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct SchemaArgs {
    /// Which one [default: list their names]
    name: Option<String>,
    /// Write every schema to this directory instead, as NAME.json
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    out: Option<PathBuf>,
}

/// A `--json` output.
struct Output {
    name: &'static str,
    verbs: &'static str,
    schema: fn() -> Schema,
}

const OUTPUTS: &[Output] = &[
    Output {
        name: "report",
        verbs: "reconcile now, reconcile retry, generations rollback",
        schema: || schema_for!(Report),
    },
    Output {
        name: "log",
        verbs: "reconcile log, reconcile confirm",
        schema: || schema_for!(LogAnswer),
    },
    Output {
        name: "status",
        verbs: "status",
        schema: || schema_for!(Status),
    },
    Output {
        name: "drift",
        verbs: "drift",
        schema: || schema_for!(DriftReport),
    },
    Output {
        name: "drift-adopt",
        verbs: "drift adopt",
        schema: || schema_for!(Adoption),
    },
    Output {
        name: "hold",
        verbs: "drift hold, drift release, reconcile pause, reconcile resume",
        schema: || schema_for!(Option<Hold>),
    },
    Output {
        name: "plan",
        verbs: "plan, reconcile now --dry-run",
        schema: || schema_for!(PlanAnswer),
    },
    Output {
        name: "preview",
        verbs: "config diff, plan --host",
        schema: || schema_for!(Preview),
    },
    Output {
        name: "fleet-preview",
        verbs: "config diff --all-hosts, plan --all-hosts",
        schema: || schema_for!(FleetPreview),
    },
    Output {
        name: "check",
        verbs: "check",
        schema: || schema_for!(RepositoryAnswer),
    },
    Output {
        name: "config",
        verbs: "config show",
        schema: || schema_for!(ConfigAnswer),
    },
    Output {
        name: "why",
        verbs: "why",
        schema: || schema_for!(WhyAnswer),
    },
    Output {
        name: "inputs",
        verbs: "inputs list",
        schema: || schema_for!(InputList),
    },
    Output {
        name: "input-updates",
        verbs: "inputs update",
        schema: || schema_for!(InputUpdates),
    },
    Output {
        name: "docs",
        verbs: "config docs",
        schema: || schema_for!(DocsAnswer),
    },
    Output {
        name: "init",
        verbs: "init",
        schema: || schema_for!(InitAnswer),
    },
    Output {
        name: "host-add",
        verbs: "host add",
        schema: || schema_for!(AddAnswer),
    },
    Output {
        name: "generation-list",
        verbs: "generations list, generations pin, generations unpin",
        schema: || schema_for!(GenerationList),
    },
    Output {
        name: "generation-diff",
        verbs: "generations diff, generations show",
        schema: || schema_for!(GenerationDiff),
    },
    Output {
        name: "gc",
        verbs: "generations gc",
        schema: || schema_for!(GcAnswer),
    },
    Output {
        name: "backup-status",
        verbs: "backup status",
        schema: || schema_for!(BackupList),
    },
    Output {
        name: "backup-run",
        verbs: "backup run",
        schema: || schema_for!(RunAnswer),
    },
    Output {
        name: "backup-snapshots",
        verbs: "backup snapshots",
        schema: || schema_for!(SnapshotList),
    },
    Output {
        name: "backup-restore",
        verbs: "backup restore",
        schema: || schema_for!(RestoreReport),
    },
    Output {
        name: "backup-check",
        verbs: "backup check",
        schema: || schema_for!(CheckReport),
    },
    Output {
        name: "secret-list",
        verbs: "secrets list",
        schema: || schema_for!(SecretList),
    },
    Output {
        name: "secrets-status",
        verbs: "secrets status",
        schema: || schema_for!(SecretsStatus),
    },
    Output {
        name: "who",
        verbs: "secrets who",
        schema: || schema_for!(WhoAnswer),
    },
    Output {
        name: "secret-check",
        verbs: "secrets check",
        schema: || schema_for!(CheckAnswer),
    },
    Output {
        name: "onboard",
        verbs: "secrets onboard",
        schema: || schema_for!(OnboardAnswer),
    },
    Output {
        name: "offboard",
        verbs: "secrets offboard",
        schema: || schema_for!(OffboardAnswer),
    },
    Output {
        name: "rekey",
        verbs: "secrets rekey",
        schema: || schema_for!(RekeyAnswer),
    },
    Output {
        name: "new",
        verbs: "secrets new",
        schema: || schema_for!(NewAnswer),
    },
    Output {
        name: "secret-diff",
        verbs: "secrets diff",
        schema: || schema_for!(SecretDiff),
    },
    Output {
        name: "host-key",
        verbs: "secrets host-key",
        schema: || schema_for!(HostKeyAnswer),
    },
];

/// Prints or writes schemas.
pub(super) fn run(args: &SchemaArgs) -> Result<u8, Problem> {
    match (&args.out, &args.name) {
        (Some(dir), _) => write_all(dir)?,
        (None, None) => print(&names())?,
        (None, Some(name)) => {
            let output = OUTPUTS.iter().find(|output| output.name == name);
            let output = output.ok_or_else(|| {
                Problem::new(format!("there is no schema `{name}`"))
                    .with_fix("`steadfast schema` lists their names")
            })?;
            print_json(&(output.schema)())?;
        }
    }
    Ok(exit::DONE)
}

fn names() -> String {
    let lines = OUTPUTS
        .iter()
        .map(|output| format!("{:<16} {}\n", output.name, output.verbs));
    lines.collect()
}

fn write_all(dir: &Path) -> Result<(), Problem> {
    for output in OUTPUTS {
        let path = dir.join(format!("{}.json", output.name));
        durable::replace(&path, text(output).as_bytes(), FileMode::from_bits(0o644))
            .map_err(|error| Problem::of(&error))?;
        say(path.display());
    }
    Ok(())
}

fn text(output: &Output) -> String {
    format!("{:#}\n", (output.schema)().as_value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_in_docs_are_current() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let manual = std::fs::read_to_string(docs.join("json.md")).unwrap();
        for output in OUTPUTS {
            let path = docs.join("schema").join(format!("{}.json", output.name));
            let stored = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                stored == text(output),
                "{} is out of date: run `steadfast schema --out docs/schema`",
                path.display()
            );
            assert!(
                manual.contains(&format!("schema/{}.json", output.name)),
                "docs/json.md does not name {}",
                output.name
            );
        }
        let files = std::fs::read_dir(docs.join("schema")).unwrap().count();
        assert_eq!(
            files,
            OUTPUTS.len(),
            "docs/schema has files that no output has"
        );
    }
}
