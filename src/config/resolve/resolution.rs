//! What came of a host: its configuration, the modules behind it, and the merged tree with the origin of every value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::options::Answer;
use super::run::{Asked, Run};
use super::unread::Used;
use super::wanted::By;
use crate::config::files::FileTable;
use crate::config::merge::{Unheard, Why};
use crate::config::yaml::{Node, ScalarKind, Value};
use crate::config::{HostConfig, ModuleName, Origin};

/// One host, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    /// What the host is to be.
    pub config: HostConfig,
    /// The modules that are on, by name.
    pub modules: BTreeMap<ModuleName, ModuleUse>,
    /// All that is said about the host, merged: what `config` was read from.
    pub tree: Resolved,
    /// What was said about the host and does not count.
    pub unheard: Vec<UnheardValue>,
    /// Where expressions ask for options: of a module, by name.
    pub asked_at: BTreeSet<(Origin, ModuleName, String)>,
    pub(super) read: BTreeSet<Asked>,
}

/// A module that is on.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleUse {
    /// Where it is turned on, and by which module; `None` is the host file. More than one may ask for it.
    pub wanted_by: Vec<(Option<ModuleName>, Origin)>,
    /// Its options.
    pub options: BTreeMap<String, OptionUse>,
}

/// Something that was said and is not in the result.
#[derive(Debug, Clone, PartialEq)]
pub struct UnheardValue {
    /// The keys on the way to it.
    pub path: Vec<String>,
    /// What was said, and where.
    pub value: Resolved,
    /// Who said it: `the host`, `a module`, …
    pub rank: &'static str,
    /// Whether something of a higher rank counts instead; else the same is said elsewhere.
    pub overruled: bool,
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq)]
pub struct OptionUse {
    /// The value.
    pub value: Json,
    /// Where it is set, or where its default is.
    pub origin: Origin,
    /// Whether it is the default.
    pub default: bool,
    /// What else was said about it and does not count.
    pub unheard: Vec<UnheardValue>,
}

/// A value of the merged tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Where it was written; what came of an expression is where the expression is.
    pub origin: Origin,
    /// What it is.
    pub content: Content,
}

/// What a value of the merged tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    Nothing,
    /// `true` or `false`.
    Boolean(bool),
    /// A number as it is spelled.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Resolved>),
    /// A map, in the order of its first mention; the origin is that of the key.
    Map(Vec<(String, Origin, Resolved)>),
}

impl Resolution {
    pub(super) fn new(
        config: HostConfig,
        tree: &Node,
        files: &FileTable,
        modules: BTreeMap<ModuleName, ModuleUse>,
        run: Run<'_>,
    ) -> Self {
        let asked = run.asked_at.into_iter();
        Self {
            config,
            modules,
            tree: Resolved::of(tree, files),
            unheard: unheard(&run.unheard, files),
            asked_at: asked
                .map(|(place, (module, option))| (files.origin(place), module, option))
                .collect(),
            read: run.read,
        }
    }
}

fn unheard(unheard: &[Unheard], files: &FileTable) -> Vec<UnheardValue> {
    let values = unheard.iter().map(|one| UnheardValue {
        path: one.path.clone(),
        value: Resolved::of(&one.said.node, files),
        rank: one.said.rank.noun(),
        overruled: one.why == Why::Overruled,
    });
    values.collect()
}

impl Resolution {
    /// The modules that are on, and the options that were read.
    #[must_use]
    pub fn used(&self) -> Used {
        Used::new(self.modules.keys().cloned(), self.read.clone())
    }
}

impl Resolved {
    fn of(node: &Node, files: &FileTable) -> Self {
        let content = match &node.value {
            Value::Scalar(scalar) => match scalar.kind() {
                ScalarKind::Null => Content::Nothing,
                ScalarKind::Boolean(value) => Content::Boolean(value),
                ScalarKind::Integer | ScalarKind::Float => {
                    Content::Number(scalar.text().to_owned())
                }
                ScalarKind::Text => Content::Text(scalar.text().to_owned()),
            },
            // Not among what is resolved without errors.
            Value::Unknown => Content::Nothing,
            Value::File(filled) => Content::Text(format!("{} (filled in)", filled.path)),
            Value::List(items) => {
                Content::List(items.iter().map(|item| Self::of(item, files)).collect())
            }
            Value::Map(entries) => {
                let entries = entries.iter().map(|entry| {
                    let origin = files.origin(entry.key.place);
                    (
                        entry.key.text.clone(),
                        origin,
                        Self::of(&entry.value, files),
                    )
                });
                Content::Map(entries.collect())
            }
        };
        Self {
            origin: files.origin(node.place),
            content,
        }
    }

    /// The value alone, as JSON. A number that JSON would spell differently (`0640`) is text.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match &self.content {
            Content::Nothing => Json::Null,
            Content::Boolean(value) => Json::Bool(*value),
            Content::Number(text) => json_number(text),
            Content::Text(text) => Json::String(text.clone()),
            Content::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Content::Map(entries) => Json::Object(
                entries
                    .iter()
                    .map(|(key, _, value)| (key.clone(), value.to_json()))
                    .collect(),
            ),
        }
    }
}

fn json_number(text: &str) -> Json {
    match text.parse::<serde_json::Number>() {
        Ok(number) if number.to_string() == text => Json::Number(number),
        _ => Json::String(text.to_owned()),
    }
}

impl Run<'_> {
    /// How each module that is on came to be on, and what its options are.
    pub(super) fn uses(&self, modules: &[ModuleName]) -> BTreeMap<ModuleName, ModuleUse> {
        modules
            .iter()
            .map(|name| (name.clone(), self.use_of(name)))
            .collect()
    }

    fn use_of(&self, name: &ModuleName) -> ModuleUse {
        let mentions = self
            .mentions
            .get(name)
            .into_iter()
            .flat_map(|mentions| mentions.iter());
        let wanted_by = mentions.filter_map(|mention| {
            let by = match &mention.by {
                By::Host => None,
                By::Import(module) | By::Profile(module) => Some(module.clone()),
            };
            let counts = by.as_ref().is_none_or(|by| self.is_on(by));
            counts.then(|| (by, self.reader.origin(mention.place)))
        });
        let options = self
            .stock
            .modules
            .get(name)
            .into_iter()
            .flat_map(|module| module.options.keys());
        let options = options.filter_map(|option| {
            let Some(Answer::Known(Some(setting))) =
                self.options.get(&(name.clone(), option.clone()))
            else {
                return None;
            };
            let value = OptionUse {
                value: Resolved::of(&setting.node, self.reader.files()).to_json(),
                origin: self.reader.origin(setting.node.place),
                default: setting.default,
                unheard: self
                    .unheard_options
                    .get(&(name.clone(), option.clone()))
                    .map(|values| unheard(values, self.reader.files()))
                    .unwrap_or_default(),
            };
            Some((option.clone(), value))
        });
        ModuleUse {
            wanted_by: wanted_by.collect(),
            options: options.collect(),
        }
    }

    fn is_on(&self, module: &ModuleName) -> bool {
        matches!(
            self.options.get(&(module.clone(), "enable".to_owned())),
            Some(Answer::Known(Some(setting))) if setting.value.is_true()
        )
    }
}
