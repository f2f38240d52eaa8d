//! `config show`: the resolved whole of one host.

use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::repository::{Place, snapshot};
use crate::cli::style::{FAINT, paint};
use crate::config::{Content, Fleet, HostName, ModuleName, Origin, Resolution, Resolved};
use crate::report::{Problem, exit};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Show everything that is said about a host: what its file, its modules and its people come to, merged, with the file \
and line of every value.

Looks at the files as they lie in the repository around this folder, committed or not.";

const AFTER: &str = "\
Examples:
  steadfast config show chicago
  steadfast config show chicago --rev main
  steadfast config show chicago --json";

/// Arguments of `config show`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(super) struct ShowArgs {
    /// The host, by its folder in `hosts/`
    name: HostName,
    /// As a revision has it: a branch, tag or commit
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    #[command(flatten)]
    format: FormatFlags,
}

/// `config show --json`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConfigAnswer {
    /// Format version, 1.
    pub version: u32,
    /// The host.
    pub host: HostName,
    /// The modules that are on, by name.
    pub modules: BTreeMap<ModuleName, ModuleAnswer>,
    /// All that is said about the host, in the keys of a host file.
    pub config: Value,
    /// Where each value of `config` was written, by JSON Pointer.
    pub origins: BTreeMap<String, Origin>,
}

/// A module that is on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ModuleAnswer {
    /// What turned it on.
    pub wanted_by: Vec<WantedAnswer>,
    /// Its options.
    pub options: BTreeMap<String, OptionAnswer>,
}

/// Something that turned a module on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WantedAnswer {
    /// The module that did; absent if it was the host file.
    pub module: Option<ModuleName>,
    /// Where.
    pub origin: Origin,
}

/// The value of an option.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OptionAnswer {
    /// The value.
    pub value: Value,
    /// Where it is set, or where its default is.
    pub origin: Origin,
    /// Whether it is the default.
    pub default: bool,
}

/// Runs `config show`.
pub(super) fn run(args: &ShowArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let place = Place::new(None, args.rev.as_deref(), flags);
    let snapshot = snapshot(&place)?;
    let resolution = Fleet::read(&snapshot)
        .resolve(&args.name)
        .map_err(|errors| {
            Problem::of_config(&errors, format!("`{}` cannot be resolved", args.name))
        })?;
    match args.format.format() {
        Format::Json => print_json(&answer(&args.name, &resolution))?,
        Format::Text => print(&text(&args.name, &resolution))?,
    }
    Ok(exit::DONE)
}

fn answer(host: &HostName, resolution: &Resolution) -> ConfigAnswer {
    let modules = resolution.modules.iter().map(|(name, used)| {
        let wanted_by = used.wanted_by.iter().map(|(module, origin)| WantedAnswer {
            module: module.clone(),
            origin: origin.clone(),
        });
        let options = used.options.iter().map(|(name, option)| {
            let answer = OptionAnswer {
                value: option.value.clone(),
                origin: option.origin.clone(),
                default: option.default,
            };
            (name.clone(), answer)
        });
        let answer = ModuleAnswer {
            wanted_by: wanted_by.collect(),
            options: options.collect(),
        };
        (name.clone(), answer)
    });
    let mut origins = BTreeMap::new();
    collect(&resolution.tree, String::new(), &mut origins);
    ConfigAnswer {
        version: 1,
        host: host.clone(),
        modules: modules.collect(),
        config: resolution.tree.to_json(),
        origins,
    }
}

fn collect(value: &Resolved, pointer: String, origins: &mut BTreeMap<String, Origin>) {
    match &value.content {
        Content::Map(entries) => {
            for (key, _, value) in entries {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                collect(value, format!("{pointer}/{escaped}"), origins);
            }
        }
        Content::List(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{pointer}/{index}"), origins);
            }
        }
        _ => {
            origins.insert(pointer, value.origin.clone());
        }
    }
}

/// YAML, with the places as comments.
fn text(host: &HostName, resolution: &Resolution) -> String {
    let mut lines = vec![format!("# {host}")];
    if !resolution.modules.is_empty() {
        lines.push("modules:".to_owned());
    }
    for (name, used) in &resolution.modules {
        let by = used.wanted_by.iter().map(|(module, origin)| match module {
            Some(module) => format!("{module}, {}", short(origin)),
            None => short(origin),
        });
        let by: Vec<String> = by.collect();
        lines.push(format!("  {name}:{}", comment(&by.join("; "))));
        let options = used
            .options
            .iter()
            .filter(|(option, _)| *option != "enable");
        lines.extend(options.map(|(option, value)| {
            let place = if value.default {
                "default".to_owned()
            } else {
                short(&value.origin)
            };
            format!("    {option}: {}{}", value.value, comment(&place))
        }));
    }
    if let Content::Map(entries) = &resolution.tree.content {
        for (key, origin, value) in entries {
            entry((key, origin), value, 0, &mut lines);
        }
    }
    lines.join("\n") + "\n"
}

fn entry((key, origin): (&str, &Origin), value: &Resolved, indent: usize, lines: &mut Vec<String>) {
    let pad = " ".repeat(indent);
    match &value.content {
        Content::Map(entries) if !entries.is_empty() => {
            // The first line of a resource says where it is; a section has no one place.
            let place = if indent == 2 {
                comment(&short(origin))
            } else {
                String::new()
            };
            lines.push(format!("{pad}{key}:{place}"));
            for (key, origin, value) in entries {
                entry((key, origin), value, indent + 2, lines);
            }
        }
        Content::List(items) if !items.is_empty() => {
            lines.push(format!("{pad}{key}:"));
            lines.extend(items.iter().map(|item| {
                let place = comment(&short(&item.origin));
                format!("{pad}  - {}{place}", item.to_json())
            }));
        }
        _ => {
            let place = comment(&short(&value.origin));
            lines.push(format!("{pad}{key}: {}{place}", value.to_json()));
        }
    }
}

fn short(origin: &Origin) -> String {
    format!("{}:{}", origin.file, origin.line)
}

fn comment(text: &str) -> String {
    format!("  {}", paint(FAINT, format!("# {text}")))
}
