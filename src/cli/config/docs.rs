//! `config docs`: the modules of a repository, for people.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::repository::{Place, snapshot};
use crate::config::{Fleet, ModuleDescription, OptionDescription};
use crate::host::{FileMode, durable};
use crate::report::{Problem, exit};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Describe the modules of the repository, with every option: what it may be, its default, what it is for.

The text is Markdown, made from `modules/*/module.yml` alone.";

const AFTER: &str = "\
Examples:
  steadfast config docs | less
  steadfast config docs --out docs/modules.md
  steadfast config docs --json | jq '.modules[].name'";

/// Arguments of `config docs`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(super) struct DocsArgs {
    /// The folder of the repository [default: the one around this folder]
    dir: Option<PathBuf>,
    /// Write the text to this file instead
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    out: Option<PathBuf>,
    #[command(flatten)]
    format: FormatFlags,
}

/// `config docs --json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct DocsAnswer {
    /// Format version, 1.
    pub version: u32,
    /// Every module, in order.
    pub modules: Vec<ModuleDescription>,
}

/// Runs `config docs`.
pub(super) fn run(args: &DocsArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let snapshot = snapshot(&Place::new(args.dir.as_deref(), None, flags))?;
    let modules = Fleet::read(&snapshot).describe_modules();
    match (args.format.format(), &args.out) {
        (Format::Json, _) => print_json(&DocsAnswer {
            version: 1,
            modules,
        })?,
        (Format::Text, None) => print(&text(&modules))?,
        (Format::Text, Some(path)) => {
            durable::replace(path, text(&modules).as_bytes(), FileMode::from_bits(0o644))
                .map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
            say(path.display());
        }
    }
    Ok(exit::DONE)
}

fn text(modules: &[ModuleDescription]) -> String {
    let mut text =
        "# Modules\n\n<!-- Made by `steadfast config docs`. -->\n\n| module | |\n| --- | --- |\n"
            .to_owned();
    for module in modules {
        let described = module.description.as_deref().unwrap_or_default();
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "| [{0}](#{0}) | {1} |",
            module.name,
            in_cell(described)
        );
    }
    text.push_str("\nEvery module has the option `enable`.\n");
    for module in modules {
        text.push_str(&section(module));
    }
    text
}

fn section(module: &ModuleDescription) -> String {
    let mut text = format!("\n## {}\n\n", module.name);
    text.extend(
        module
            .description
            .iter()
            .map(|described| format!("{described}.\n")),
    );
    for (what, names) in [("Turns on", &module.turns_on), ("Needs", &module.needs)] {
        let names: Vec<String> = names
            .iter()
            .map(|name| format!("[{name}](#{name})"))
            .collect();
        if !names.is_empty() {
            let _ = writeln!(text, "\n{what} {}.", names.join(", "));
        }
    }
    if !module.options.is_empty() {
        text.push_str("\n| option | what it may be | default | |\n| --- | --- | --- | --- |\n");
        text.extend(module.options.iter().map(row));
    }
    text
}

fn row(option: &OptionDescription) -> String {
    const LONGEST: usize = 90;
    let default = match (&option.default, option.required) {
        (_, true) => "must be said".to_owned(),
        (None | Some(serde_json::Value::Null), false) => String::new(),
        (Some(value), false) => {
            let value = value.to_string();
            if value.chars().count() > LONGEST {
                "see the module".to_owned()
            } else {
                format!("`{value}`")
            }
        }
    };
    format!(
        "| `{}` | {} | {} | {} |\n",
        option.name,
        in_cell(&option.kind),
        in_cell(&default),
        in_cell(option.description.as_deref().unwrap_or_default())
    )
}

/// A text that ends no cell of a table.
fn in_cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}
