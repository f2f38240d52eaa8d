//! Which modules can play a part on a host, and who turns them on.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::run::Run;
use super::scope::Scope;
use crate::config::ModuleName;
use crate::config::library::{Module, Wanted, wanted};
use crate::config::merge::Rank;
use crate::config::nearest::nearest;
use crate::config::yaml::{Node, Place};

/// Something that turns a module on, or off.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    pub(super) by: By,
    /// Where the module is named.
    pub(super) place: Place,
    /// The options it is given.
    pub(super) options: Option<Node>,
}

/// Who turns a module on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    /// The host file.
    Host,
    /// A module that needs it.
    Import(ModuleName),
    /// A module that wants it.
    Profile(ModuleName),
}

impl By {
    pub(super) fn rank(&self) -> Rank {
        match self {
            Self::Host => Rank::Host,
            Self::Import(_) | Self::Profile(_) => Rank::Profile,
        }
    }

    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::Host => Scope::Host,
            Self::Import(module) | Self::Profile(module) => Scope::Module(module.clone()),
        }
    }
}

impl Run<'_> {
    /// Finds every module that the host file leads to, whether it is turned on or not.
    pub(super) fn find_modules(&mut self) {
        let root = Rc::clone(&self.root);
        let mut found: BTreeMap<ModuleName, Vec<Mention>> = BTreeMap::new();
        let mut queue: Vec<(By, Wanted)> = Vec::new();
        if let Some(node) = root.get("profiles") {
            for item in self.reader.list(node, "module names").unwrap_or_default() {
                if let Some(name) = self.reader.name(item) {
                    queue.push((
                        By::Host,
                        Wanted {
                            name,
                            place: item.place,
                            options: None,
                        },
                    ));
                }
            }
        }
        if let Some(node) = root.get("modules") {
            let of_host = wanted(node, &mut self.reader);
            queue.extend(of_host.into_iter().map(|one| (By::Host, one)));
        }
        let stock = self.stock;
        while let Some((by, one)) = queue.pop() {
            let Some(module) = stock.modules.get(&one.name) else {
                self.no_such_module(&one.name, one.place);
                continue;
            };
            let mentions = found.entry(one.name.clone()).or_default();
            if mentions.is_empty() {
                self.record(&module.errors);
                queue.extend(wants(&one.name, module));
            }
            mentions.push(Mention {
                by,
                place: one.place,
                options: one.options,
            });
        }
        for mentions in found.values_mut() {
            // The same whatever the order of the files: by file, then by place in it.
            mentions.sort_by_key(|one| (one.place.file.0, one.place.line, one.place.column));
        }
        self.mentions = found
            .into_iter()
            .map(|(name, mentions)| (name, Rc::new(mentions)))
            .collect();
    }

    fn no_such_module(&mut self, name: &ModuleName, place: Place) {
        let names = self.stock.modules.keys().map(ModuleName::as_str);
        if let Some(input) = name.input() {
            let declared = self.stock.absent.contains(input);
            let fix = match nearest(name.as_str(), names) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if declared => format!("fetch it: `steadfast inputs update {input}`"),
                None => "look at `steadfast inputs list`; `inputs:` in fleet.yml declares one"
                    .to_owned(),
            };
            let what = if declared {
                format!("the modules of the input `{input}` are not here")
            } else {
                format!("there is no module `{name}`")
            };
            self.reader.error(place, what).fix = Some(fix);
            return;
        }
        let fix = match nearest(name.as_str(), names) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("make it: `modules/{name}/module.yml`"),
        };
        self.reader
            .error(place, format!("there is no module `{name}`"))
            .fix = Some(fix);
    }
}

fn wants(name: &ModuleName, module: &Module) -> Vec<(By, Wanted)> {
    let imports = module
        .imports
        .iter()
        .map(|one| (By::Import(name.clone()), one.clone()));
    let modules = module
        .modules
        .iter()
        .map(|one| (By::Profile(name.clone()), one.clone()));
    imports.chain(modules).collect()
}
