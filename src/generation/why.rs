//! Why a host has something: what it is, who says so and where, what that overrules, and what acts when it changes. Pure.
//!
//! `names` finds what is meant, `entry` the places behind it, `facts` says what it is, `triggers` what follows.

mod entry;
mod facts;
mod names;
mod triggers;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::Built;
use crate::config::{ModuleName, Origin, Resolution, Speaker};
use crate::source::Snapshot;

/// One thing that a host has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Thing {
    /// What kind of thing: `file`, `unit`, `user`, `package`, `secret`, `option`, `module`, …
    pub kind: String,
    /// Its name; empty where there is one per host.
    pub name: String,
    /// What it is.
    pub facts: Vec<Fact>,
    /// What is said about it, entry by entry.
    pub entries: Vec<Entry>,
    /// The options of modules that it depends on.
    pub options: Vec<OptionSaid>,
    /// How the modules that speak about it came to be on.
    pub modules: Vec<Turned>,
    /// What acts when it changes.
    pub triggers: Vec<Triggered>,
}

/// One property in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fact {
    /// Which: `owner`, `content`, `definition`.
    pub label: String,
    /// What it is.
    pub value: String,
}

/// One entry of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entry {
    /// The keys on the way to it, as in a host file: `files`, `/etc/motd`.
    pub path: Vec<String>,
    /// What counts.
    pub said: Vec<Said>,
    /// What was said and does not count.
    pub overruled: Vec<Said>,
    /// Where else the same is said.
    pub also: Vec<Said>,
}

/// Something that is said in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Said {
    /// The keys below the entry; empty for the entry itself.
    pub key: String,
    /// What is said, shortened; `null` for nothing.
    pub value: String,
    /// Who says it.
    pub by: Speaker,
    /// Where.
    pub origin: Origin,
}

/// An option that something depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OptionSaid {
    /// The module.
    pub module: ModuleName,
    /// The option.
    pub option: String,
    /// Its value, as JSON.
    pub value: String,
    /// Whether it is the default.
    pub default: bool,
    /// Who says it.
    pub by: Speaker,
    /// Where it is set, or where its default is.
    pub origin: Origin,
    /// What was said about it and does not count.
    pub overruled: Vec<Said>,
}

/// How a module came to be on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Turned {
    /// The module.
    pub module: ModuleName,
    /// Who turned it on.
    pub by: Speaker,
    /// Where.
    pub origin: Origin,
}

/// Something that acts on a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Triggered {
    /// What it does: `restarts`, `reloads`, `stops and starts`, `stays as it is`, `is rendered again`.
    pub action: String,
    /// Who acts: a unit, a template.
    pub subject: String,
    /// Which change makes it so.
    pub because: String,
}

/// Nothing of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing on `{host}` is called `{asked}`")]
pub struct UnknownThing {
    /// The host.
    pub host: String,
    /// What was asked for.
    pub asked: String,
    /// What may have been meant, each with its kind.
    pub nearest: Vec<String>,
}

impl UnknownThing {
    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> String {
        match self.nearest.as_slice() {
            [] => format!(
                "`steadfast config show {}` shows everything that is said about it",
                self.host
            ),
            names => format!("did you mean {}?", names.join(", ")),
        }
    }
}

/// What a host's configuration came to, and from where.
pub(super) struct Known<'a> {
    pub(super) resolution: &'a Resolution,
    pub(super) built: &'a Built,
    pub(super) snapshot: &'a Snapshot,
}

/// Everything on a host that `asked` may mean.
///
/// A path, the name of a unit, account, group, package, secret, template, kernel parameter or module, `module.option`; with
/// a kind before it or without; also as `plan`, `drift` and `status` print it.
///
/// # Errors
/// [`UnknownThing`] names what may have been meant.
pub fn why(
    asked: &str,
    resolution: &Resolution,
    built: &Built,
    snapshot: &Snapshot,
) -> Result<Vec<Thing>, UnknownThing> {
    let known = Known {
        resolution,
        built,
        snapshot,
    };
    let meant = names::meant(&known, asked)?;
    Ok(meant.into_iter().map(|name| known.thing(name)).collect())
}

impl Known<'_> {
    fn thing(&self, (kind, name): names::Named) -> Thing {
        let entries = self.entries(&kind, &name);
        let options = match kind.as_str() {
            "option" => self.option_named(&name).into_iter().collect(),
            "module" => self.options_of(&name),
            _ => self.options_behind(&entries),
        };
        let speakers = entries.iter().flat_map(|entry| {
            let said = entry.said.iter().chain(&entry.overruled).chain(&entry.also);
            said.map(|said| &said.by)
        });
        let mut modules: BTreeSet<ModuleName> = speakers.filter_map(module_of).collect();
        match kind.as_str() {
            "option" => modules.extend(options.iter().map(|option| option.module.clone())),
            "module" => modules.extend(ModuleName::new(name.as_str()).ok()),
            _ => {}
        }
        Thing {
            facts: self.facts(&kind, &name),
            triggers: self.triggers(&kind, &name),
            modules: self.turned_on(modules),
            entries,
            options,
            kind,
            name,
        }
    }

    fn speaker(&self, origin: &Origin) -> Speaker {
        Speaker::of(origin, self.snapshot)
    }

    /// How modules came to be on, and those that turned them on, up to the host file.
    fn turned_on(&self, modules: BTreeSet<ModuleName>) -> Vec<Turned> {
        let mut turned = Vec::new();
        let mut seen = BTreeSet::new();
        let mut queue: Vec<ModuleName> = modules.into_iter().rev().collect();
        while let Some(module) = queue.pop() {
            if !seen.insert(module.clone()) {
                continue;
            }
            let Some(used) = self.resolution.modules.get(&module) else {
                continue;
            };
            for (by, origin) in &used.wanted_by {
                let by_whom = match by {
                    Some(module) => Speaker::Module(module.clone()),
                    None => Speaker::Host(self.resolution.config.name.clone()),
                };
                turned.push(Turned {
                    module: module.clone(),
                    by: by_whom,
                    origin: origin.clone(),
                });
                queue.extend(by.clone());
            }
        }
        turned
    }
}

fn module_of(speaker: &Speaker) -> Option<ModuleName> {
    match speaker {
        Speaker::Module(module) => Some(module.clone()),
        _ => None,
    }
}
