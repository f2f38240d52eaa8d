//! `config schema`: JSON Schemas of the five kinds of files.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::answer::{print, print_json, say};
use crate::config::{FileKind, schema};
use crate::host::{FileMode, durable};
use crate::report::{Problem, exit};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Print the JSON Schema of a kind of file: fleet, host, disk, module or user.

An editor with the YAML language server completes and checks a file that names its schema in its first line:
# yaml-language-server: $schema=../../.schema/host.json";

const AFTER: &str = "\
Examples:
  steadfast config schema                   their names
  steadfast config schema host              that of hosts/NAME/host.yml
  steadfast config schema --out .schema     all five, a file each";

/// Arguments of `config schema`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(super) struct SchemaArgs {
    /// Which one [default: list their names]
    #[arg(value_parser = ["fleet", "host", "disk", "module", "user"])]
    name: Option<String>,
    /// Write every schema to this directory instead, as NAME.json
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    out: Option<PathBuf>,
}

/// Prints or writes schemas.
pub(super) fn run(args: &SchemaArgs) -> Result<u8, Problem> {
    match (&args.out, &args.name) {
        (Some(dir), _) => write_all(dir)?,
        (None, Some(name)) => {
            let kind = FileKind::ALL.into_iter().find(|kind| kind.as_str() == name);
            if let Some(kind) = kind {
                print_json(&schema(kind))?;
            }
        }
        (None, None) => {
            let names: Vec<&str> = FileKind::ALL.into_iter().map(FileKind::as_str).collect();
            print(&(names.join("\n") + "\n"))?;
        }
    }
    Ok(exit::DONE)
}

fn write_all(dir: &Path) -> Result<(), Problem> {
    for kind in FileKind::ALL {
        let path = dir.join(format!("{}.json", kind.as_str()));
        let text = format!("{:#}\n", schema(kind));
        durable::replace(&path, text.as_bytes(), FileMode::from_bits(0o644))
            .map_err(|error| Problem::of(&error))?;
        say(path.display());
    }
    Ok(())
}
