//! What a repository has for nothing.

use std::collections::BTreeSet;

use super::run::Asked;
use crate::config::ModuleName;
use crate::config::error::{ConfigError, Mark};
use crate::config::expression::{Engine, names};
use crate::config::library::{Module, Stock};
use crate::config::yaml::{Node, Place, Value};
use crate::source::Snapshot;

/// The modules that hosts have on, and the options that they read.
#[derive(Debug, Clone, Default)]
pub struct Used {
    on: BTreeSet<ModuleName>,
    read: BTreeSet<Asked>,
}

impl Used {
    pub(super) fn new(on: impl IntoIterator<Item = ModuleName>, read: BTreeSet<Asked>) -> Self {
        Self {
            on: on.into_iter().collect(),
            read,
        }
    }

    /// Adds what another host uses.
    pub fn extend(&mut self, other: &Self) {
        self.on.extend(other.on.iter().cloned());
        self.read.extend(other.read.iter().cloned());
    }
}

/// Modules that no host has on, and options that no expression asks for; as errors with places, to be shown as warnings.
pub(super) fn unused(stock: &Stock, snapshot: &Snapshot, used: &Used) -> Vec<ConfigError> {
    let mut found = Vec::new();
    let engine = Engine::new();
    for (name, module) in &stock.modules {
        // What an input has for nothing is not for whoever uses it to put right.
        if !module.errors.is_empty() || name.input().is_some() {
            continue;
        }
        if used.on.contains(name) {
            found.extend(unread(name, module, (stock, snapshot, &engine), used));
        } else {
            let place = Place {
                file: module.file,
                line: 1,
                column: 1,
                length: 0,
            };
            let mark = Mark {
                origin: stock.files.origin(place),
                length: 0,
            };
            found.push(
                ConfigError::new(format!("no host has the module `{name}` on"))
                    .at(mark)
                    .fix(format!(
                        "name it in a host's `modules`, or remove modules/{name}/"
                    )),
            );
        }
    }
    found
}

type Around<'a> = (&'a Stock, &'a Snapshot, &'a Engine);

fn unread(
    name: &ModuleName,
    module: &Module,
    (stock, snapshot, engine): Around<'_>,
    used: &Used,
) -> Vec<ConfigError> {
    let read = used.read.iter().filter(|(of, _)| of == name);
    let mut asked: BTreeSet<String> = read.map(|(_, option)| option.clone()).collect();
    let nodes = module.config.iter().chain(&module.when);
    let nodes = nodes.chain(module.modules.iter().filter_map(|one| one.options.as_ref()));
    let nodes = nodes.chain(
        module
            .options
            .values()
            .filter_map(|spec| spec.default.as_ref()),
    );
    let nodes = nodes.chain(
        module
            .assertions
            .iter()
            .flat_map(|one| [&one.that, &one.message]),
    );
    for node in nodes {
        texts(node, &mut |text| in_text(text, engine, &mut asked));
    }
    let own = format!("modules/{name}/");
    for path in snapshot
        .paths()
        .filter(|path| path.as_str().starts_with(&own))
    {
        // A file that cannot be read asks for nothing; where it is used, that is an error.
        if let Ok(Some(content)) = snapshot.read(path)
            && let Ok(text) = String::from_utf8(content)
            && text.contains("cfg")
        {
            in_text(&text, engine, &mut asked);
        }
    }
    if asked.contains("") {
        return Vec::new();
    }
    let unread = module
        .options
        .iter()
        .filter(|(option, _)| *option != "enable" && !asked.contains(*option));
    unread
        .map(|(option, spec)| {
            let mark = Mark {
                origin: stock.files.origin(spec.place),
                length: usize::try_from(spec.place.length).unwrap_or(0),
            };
            ConfigError::new(format!("nobody reads the option `{option}` of `{name}`"))
                .at(mark)
                .fix(format!(
                    "use `cfg.{option}` in the module, or remove the option"
                ))
        })
        .collect()
}

/// The options that an expression or a text asks for; an empty name stands for all.
fn in_text(text: &str, engine: &Engine, asked: &mut BTreeSet<String>) {
    for wrapped in [text.to_owned(), format!("{{{{ {text} }}}}")] {
        for name in names(engine.environment(), &wrapped) {
            let mut parts = name.split('.');
            if parts.next() == Some("cfg") {
                asked.insert(parts.next().unwrap_or_default().to_owned());
            }
        }
    }
    // `for: NAME in LIST`
    if let Some((_, over)) = text.split_once(" in ")
        && !text.contains('\n')
    {
        for name in names(engine.environment(), &format!("{{{{ {over} }}}}")) {
            if let Some(option) = name.strip_prefix("cfg.") {
                asked.insert(option.split('.').next().unwrap_or_default().to_owned());
            }
        }
    }
}

fn texts(node: &Node, take: &mut impl FnMut(&str)) {
    match &node.value {
        Value::Scalar(scalar) => take(scalar.text()),
        Value::List(items) => items.iter().for_each(|item| texts(item, take)),
        Value::Map(entries) => {
            for entry in entries {
                take(&entry.key.text);
                texts(&entry.value, take);
            }
        }
        Value::File(_) | Value::Unknown => {}
    }
}
