//! The entries behind a thing, with the place of every value, and the options that they depend on.

use std::collections::BTreeSet;

use super::{Entry, Known, OptionSaid, Said};
use crate::config::{Content, ModuleName, OptionUse, Origin, Resolved, UnheardValue};

/// The most that is shown of a value.
const SHOWN_CHARACTERS: usize = 60;
/// A file that is made of many entries.
const SYSCTL_FILE: &str = "/etc/sysctl.d/60-steadfast.conf";
/// Keys whose values are nobody's business here.
const HIDDEN: [&str; 1] = ["password_hash"];

/// An entry of the merged tree: the keys on the way, where its key is, what it says.
struct Found<'t> {
    path: Vec<String>,
    origin: &'t Origin,
    value: &'t Resolved,
}

impl Known<'_> {
    /// The entries that made a thing.
    pub(super) fn entries(&self, kind: &str, name: &str) -> Vec<Entry> {
        let mut found = Vec::new();
        walk(&self.resolution.tree, &mut Vec::new(), &mut found);
        let found: Vec<&Found<'_>> = if name == SYSCTL_FILE {
            let of_kernel =
                |entry: &&Found<'_>| entry.path.len() == 2 && entry.path[0] == "sysctls";
            found.iter().filter(of_kernel).collect()
        } else {
            self.of_origin(kind, name, &found)
        };
        found.into_iter().map(|found| self.entry(found)).collect()
    }

    fn of_origin<'f, 't>(
        &self,
        kind: &str,
        name: &str,
        found: &'f [Found<'t>],
    ) -> Vec<&'f Found<'t>> {
        let Some(origin) = self.origin_of(kind, name) else {
            return Vec::new();
        };
        let at: Vec<&Found<'_>> = found
            .iter()
            .filter(|entry| entry.origin == origin)
            .collect();
        // What a `for` makes is at one place: then the name tells.
        let named: Vec<&Found<'_>> = at
            .iter()
            .copied()
            .filter(|entry| entry.path.last().is_some_and(|last| last == name))
            .collect();
        let chosen = if named.is_empty() { at } else { named };
        let shortest = chosen.iter().map(|entry| entry.path.len()).min();
        chosen
            .into_iter()
            .filter(|entry| Some(entry.path.len()) == shortest)
            .collect()
    }

    fn origin_of(&self, kind: &str, name: &str) -> Option<&Origin> {
        if kind == "check" {
            let checks = &self.resolution.config.health;
            let number = name.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            let found = match number {
                Some(index) => checks.get(index),
                None => checks
                    .iter()
                    .find(|check| check.value.probe.label() == name),
            };
            return found.map(|check| &check.origin);
        }
        let key = format!("{kind} {name}");
        self.built.origins.get(key.trim_end())
    }

    fn entry(&self, found: &Found<'_>) -> Entry {
        let mut said = Vec::new();
        self.values(found.value, &mut Vec::new(), &mut said);
        if said.is_empty() {
            said.push(self.said(&[], found.value, found.origin));
        }
        // The place of the entry itself comes first, unless a value has it, or it is but the beginning of a file.
        let begins = found.origin.line == 1 && found.origin.column == 1;
        if !begins && !said.iter().any(|one| one.origin == *found.origin) {
            let itself = Said {
                value: String::new(),
                ..self.said(&[], found.value, found.origin)
            };
            said.insert(0, itself);
        }
        let (overruled, also): (Vec<&UnheardValue>, Vec<&UnheardValue>) = self
            .resolution
            .unheard
            .iter()
            .filter(|value| is_about(value, found))
            .partition(|value| value.overruled);
        let below = |values: Vec<&UnheardValue>| {
            let said = values.into_iter().map(|value| {
                let key = value.path.get(found.path.len()..).unwrap_or_default();
                self.said(key, &value.value, &value.value.origin)
            });
            said.collect()
        };
        Entry {
            path: found.path.clone(),
            said,
            overruled: below(overruled),
            also: below(also),
        }
    }

    fn values(&self, value: &Resolved, key: &mut Vec<String>, said: &mut Vec<Said>) {
        match &value.content {
            Content::Map(entries) => {
                for (name, _, value) in entries {
                    key.push(name.clone());
                    self.values(value, key, said);
                    key.pop();
                }
            }
            Content::List(items) => {
                for item in items {
                    self.values(item, key, said);
                }
            }
            Content::Nothing => {}
            _ => said.push(self.said(key, value, &value.origin)),
        }
    }

    fn said(&self, key: &[String], value: &Resolved, origin: &Origin) -> Said {
        let hidden = key
            .last()
            .is_some_and(|last| HIDDEN.contains(&last.as_str()));
        Said {
            value: if hidden {
                "(not shown)".to_owned()
            } else {
                shown(value)
            },
            key: key.join(" → "),
            by: self.speaker(origin),
            origin: origin.clone(),
        }
    }

    /// The options that expressions in entries ask for.
    pub(super) fn options_behind(&self, entries: &[Entry]) -> Vec<OptionSaid> {
        let mut asked: BTreeSet<(&ModuleName, &str)> = BTreeSet::new();
        let said = entries
            .iter()
            .flat_map(|entry| entry.said.iter().chain(&entry.also));
        for said in said {
            let extent = self.extent(&said.origin);
            for (origin, module, option) in &self.resolution.asked_at {
                let inside = origin.file == said.origin.file
                    && (*origin == said.origin || extent.contains(&origin.line));
                if inside {
                    asked.insert((module, option));
                }
            }
        }
        let options = asked.into_iter().filter_map(|(module, option)| {
            let used = self.resolution.modules.get(module)?.options.get(option)?;
            Some(self.option_said(module, option, used))
        });
        options.collect()
    }

    /// The lines of what begins at a key: those below it that are indented further.
    fn extent(&self, origin: &Origin) -> std::ops::Range<u32> {
        let content = self.snapshot.read(&origin.file).ok().flatten();
        let content = content.unwrap_or_default();
        let text = String::from_utf8_lossy(&content);
        let first = usize::try_from(origin.line).unwrap_or(1);
        let indent = usize::try_from(origin.column).unwrap_or(1) - 1;
        let deeper = |line: &&str| {
            let blanks = line.len() - line.trim_start().len();
            line.trim().is_empty() || blanks > indent
        };
        let more = text.lines().skip(first).take_while(deeper).count();
        origin.line..origin.line + 1 + u32::try_from(more).unwrap_or(0)
    }

    /// One option, as `module.option`.
    pub(super) fn option_named(&self, name: &str) -> Option<OptionSaid> {
        let (module, option) = name.rsplit_once('.')?;
        let module = ModuleName::new(module).ok()?;
        let used = self.resolution.modules.get(&module)?.options.get(option)?;
        Some(self.option_said(&module, option, used))
    }

    /// Every option of a module.
    pub(super) fn options_of(&self, module: &str) -> Vec<OptionSaid> {
        let name = ModuleName::new(module).ok();
        let used = name.and_then(|name| self.resolution.modules.get_key_value(&name));
        let Some((module, used)) = used else {
            return Vec::new();
        };
        let options = used.options.iter();
        let options = options.filter(|(option, _)| *option != "enable");
        options
            .map(|(option, used)| self.option_said(module, option, used))
            .collect()
    }

    fn option_said(&self, module: &ModuleName, option: &str, used: &OptionUse) -> OptionSaid {
        let unheard = used.unheard.iter().filter(|value| value.overruled);
        OptionSaid {
            module: module.clone(),
            option: option.to_owned(),
            value: shortened(&used.value.to_string()),
            default: used.default,
            by: self.speaker(&used.origin),
            origin: used.origin.clone(),
            overruled: unheard
                .map(|value| self.said(&value.path, &value.value, &value.value.origin))
                .collect(),
        }
    }
}

/// Whether something that does not count was said about an entry: below it, or as the same item of its list.
fn is_about(value: &UnheardValue, found: &Found<'_>) -> bool {
    let is_below = value.path.len() >= found.path.len()
        && value.path.iter().zip(&found.path).all(|(a, b)| a == b);
    let is_item = value.path.len() + 1 == found.path.len()
        && found.path.starts_with(&value.path)
        && value.value.to_json() == found.value.to_json();
    is_below || is_item
}

/// Every entry below a value; an item of a list stands under its own words.
fn walk<'t>(value: &'t Resolved, path: &mut Vec<String>, found: &mut Vec<Found<'t>>) {
    match &value.content {
        Content::Map(entries) => {
            for (key, origin, value) in entries {
                path.push(key.clone());
                // A single value is where it is written; a map or list where its key is.
                let single = !matches!(value.content, Content::Map(_) | Content::List(_));
                found.push(Found {
                    path: path.clone(),
                    origin,
                    value,
                });
                if single && value.origin != *origin {
                    found.push(Found {
                        path: path.clone(),
                        origin: &value.origin,
                        value,
                    });
                }
                walk(value, path, found);
                path.pop();
            }
        }
        Content::List(items) => {
            for item in items {
                path.push(shown(item));
                found.push(Found {
                    path: path.clone(),
                    origin: &item.origin,
                    value: item,
                });
                walk(item, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// A value in one short line.
fn shown(value: &Resolved) -> String {
    match &value.content {
        Content::Text(text) if !text.contains('\n') => shortened(text),
        Content::Text(text) => shortened(&format!("{text:?}")),
        Content::Number(text) => text.clone(),
        Content::Boolean(value) => value.to_string(),
        Content::Nothing => String::new(),
        Content::List(_) | Content::Map(_) => shortened(&value.to_json().to_string()),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARACTERS {
        return text.to_owned();
    }
    let short: String = text.chars().take(SHOWN_CHARACTERS).collect();
    format!("{short}…")
}
