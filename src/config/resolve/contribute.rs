//! What everybody says about the host, merged.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::evaluate::Mode;
use super::run::Run;
use super::scope::{Frame, Scope};
use crate::config::ModuleName;
use crate::config::library::Module;
use crate::config::merge::{Merger, Rank, Said, What};
use crate::config::nearest::nearest;
use crate::config::vocabulary::{HOST, RESOURCES, keys};
use crate::config::yaml::{Entry, Node, Place, Scalar, Value as Content};
use crate::host::UserName;

/// Keys that the format has a plan for and this version does not read, with what to do until it does.
const LATER: [(&str, &str); 1] = [(
    "backend",
    "leave it out: the back end of this version is the native one",
)];

/// Keys of a host file that are about other files.
const LANGUAGE: [&str; 2] = ["profiles", "modules"];

impl Run<'_> {
    /// Everything that is said about the host, in one tree; and the modules that are on, in their order.
    pub(super) fn contributions(&mut self) -> (Node, Vec<ModuleName>) {
        let modules = self.modules_in_order();
        let mut said: Vec<Said> = Vec::new();
        for name in &modules {
            self.of_module(name, &mut said);
        }
        self.of_host(&mut said);
        let people = self.people_of(&mut said);
        let mut all = Vec::new();
        for (name, place) in people {
            self.of_person(&name, place, &mut all);
        }
        all.extend(said);
        let root = Rc::clone(&self.root);
        let mut work = Merger::new(What::Resources, &mut self.reader);
        let merged = work.merge(all);
        self.unheard = work.take_unheard();
        let nothing = || Node::new(root.place, Content::Map(Vec::new()));
        (merged.unwrap_or_else(nothing), modules)
    }

    /// The modules that are on: by name, but what a module needs comes before it.
    fn modules_in_order(&mut self) -> Vec<ModuleName> {
        let mut on = BTreeMap::new();
        let names: Vec<ModuleName> = self.mentions.keys().cloned().collect();
        for name in names {
            self.check_mentions(&name);
            let first = self.mentions[&name].first().map(|mention| mention.place);
            if let Some(place) = first
                && self.enabled(&name, place) == Some(true)
            {
                on.insert(name, place);
            }
        }
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        for name in on.keys() {
            self.put_in_order(name, &on, &mut seen, &mut order);
        }
        order
    }

    fn put_in_order(
        &mut self,
        name: &ModuleName,
        on: &BTreeMap<ModuleName, Place>,
        seen: &mut BTreeSet<ModuleName>,
        order: &mut Vec<ModuleName>,
    ) {
        let stock = self.stock;
        let Some(module) = stock
            .modules
            .get(name)
            .filter(|_| seen.insert(name.clone()))
        else {
            return;
        };
        for import in &module.imports {
            if on.contains_key(&import.name) {
                self.put_in_order(&import.name, on, seen, order);
            } else if stock.modules.contains_key(&import.name) {
                self.import_is_off(name, &import.name, import.place);
            }
        }
        order.push(name.clone());
    }

    fn import_is_off(&mut self, module: &ModuleName, import: &ModuleName, place: Place) {
        let Some(setting) = self.option(import, "enable", place) else {
            return;
        };
        let needed = self.reader.mark(place);
        let error = self.reader.error(
            setting.node.place,
            format!("`{import}` is turned off, and `{module}` needs it"),
        );
        error.related = Some((needed, "it is needed here".to_owned()));
        error.fix = Some(format!("turn `{module}` off too, or leave `{import}` on"));
    }

    fn of_module(&mut self, name: &ModuleName, said: &mut Vec<Said>) {
        let stock = self.stock;
        let Some(module) = stock.modules.get(name) else {
            return;
        };
        let start = Place {
            file: module.file,
            line: 1,
            column: 1,
            length: 1,
        };
        let good = module
            .options
            .keys()
            .filter(|option| self.option(name, option, start).is_some());
        let good = good.count() == module.options.len();
        // What an option lacks is said; expressions that need it would only repeat it.
        if !good || self.active(name, start) != Some(true) {
            return;
        }
        self.assertions(name, module);
        let frame = Frame::new(Scope::Module(name.clone()));
        for block in &module.config {
            self.block(block, &frame, module.rank(), said);
        }
    }

    fn assertions(&mut self, name: &ModuleName, module: &Module) {
        let frame = Frame::new(Scope::Module(name.clone()));
        for assertion in &module.assertions {
            if self.condition(&assertion.that, &frame) != Some(false) {
                continue;
            }
            let Some(message) = self.evaluate(&assertion.message, &frame, Mode::Resource) else {
                continue;
            };
            let Some(message) = self.reader.text(&message).map(str::to_owned) else {
                continue;
            };
            let asserted = self.reader.mark(assertion.that.place);
            let place = self.mentions[name]
                .first()
                .map_or(assertion.that.place, |mention| mention.place);
            let error = self
                .reader
                .error(place, format!("`{name}`: {}", message.trim_end()));
            error.related = Some((asserted, "this must be true".to_owned()));
        }
    }

    /// One `config:` block.
    fn block(&mut self, block: &Node, frame: &Frame, rank: Rank, said: &mut Vec<Said>) {
        let Some(node) = self.evaluate(block, frame, Mode::Top) else {
            return;
        };
        let known = keys(RESOURCES);
        for entry in node.entries() {
            if keys(HOST).contains(&entry.key.text.as_str()) {
                let message = format!("`{}` can only be said by a host file", entry.key.text);
                self.reader.error(entry.key.place, message).fix =
                    Some("move it to `hosts/NAME/host.yml`".to_owned());
            } else {
                self.reader.known_key(&entry.key, "`config`", &known);
            }
        }
        said.push(Said {
            rank,
            node: only(node, &known),
        });
    }

    fn of_host(&mut self, said: &mut Vec<Said>) {
        let root = Rc::clone(&self.root);
        let Some(entries) = self.reader.entries(&root, "the keys of a host file") else {
            return;
        };
        let known: Vec<&str> = keys(HOST).into_iter().chain(keys(RESOURCES)).collect();
        let mut before: Option<&Entry> = None;
        for entry in entries {
            let above = before.replace(entry);
            match LATER.iter().find(|(later, _)| *later == entry.key.text) {
                Some((_, fix)) => {
                    let message = format!("this version does not know `{}` yet", entry.key.text);
                    self.reader.error(entry.key.place, message).fix = Some((*fix).to_owned());
                }
                None if is_outdented(entry, above, &known) => {
                    let message = format!("`{}` is not a key of a host file", entry.key.text);
                    self.reader.error(entry.key.place, message).fix =
                        Some("indent it by two spaces if it belongs to the line above".to_owned());
                }
                None => self.reader.known_key(&entry.key, "a host file", &known),
            }
        }
        let own: Vec<&str> = known
            .into_iter()
            .filter(|key| !LANGUAGE.contains(key))
            .collect();
        let own = only(root.as_ref().clone(), &own);
        if let Some(node) = self.evaluate(&own, &Frame::new(Scope::Host), Mode::Top) {
            said.push(Said {
                rank: Rank::Host,
                node,
            });
        }
    }

    /// Turns `users: [anna]` into `users: { anna: }` everywhere; the people that are so named, with the first place.
    fn people_of(&mut self, said: &mut [Said]) -> BTreeMap<UserName, Place> {
        let mut people = BTreeMap::new();
        for one in said {
            let Content::Map(entries) = &mut one.node.value else {
                continue;
            };
            let users = entries.iter_mut().filter(|entry| entry.key.text == "users");
            for entry in users {
                if let Content::List(items) = &entry.value.value {
                    let named = self.named(items, &mut people);
                    entry.value.value = Content::Map(named);
                }
            }
        }
        people
    }

    fn named(&mut self, items: &[Node], people: &mut BTreeMap<UserName, Place>) -> Vec<Entry> {
        let mut named = Vec::new();
        for item in items {
            if let Content::Map(_) = item.value {
                self.reader.wrong_type(item, "the name of a person").fix = Some(
                    "in a list, people are only named; write accounts as a map, without `-`: `users: { NAME: { uid: 1500 } }`".to_owned(),
                );
                continue;
            }
            let Some(name) = self.reader.name::<UserName>(item) else {
                continue;
            };
            let stock = self.stock;
            if !stock.people.contains_key(&name) {
                let known = stock.people.keys().map(UserName::as_str);
                let fix = match nearest(name.as_str(), known) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => {
                        format!("make it: `users/{name}.yml`; or write the account out as a map")
                    }
                };
                self.reader
                    .error(item.place, format!("there is no person `{name}`"))
                    .fix = Some(fix);
                continue;
            }
            people.entry(name.clone()).or_insert(item.place);
            named.push(entry(
                name.as_str(),
                item.place,
                Content::Scalar(Scalar::new(String::new(), true)),
            ));
        }
        named
    }

    /// The account of a person, and what comes with it.
    fn of_person(&mut self, name: &UserName, place: Place, said: &mut Vec<Said>) {
        let stock = self.stock;
        let (Some(person), Some(account)) = (stock.people.get(name), self.account(name)) else {
            return;
        };
        let users = Content::Map(vec![entry(name.as_str(), person.place, account.value)]);
        let users = Content::Map(vec![entry("users", person.place, users)]);
        let node = Node::new(place, users);
        said.push(Said {
            rank: Rank::Person,
            node,
        });
        let frame = Frame::new(Scope::Person);
        for block in &person.config {
            self.block(block, &frame, Rank::Person, said);
        }
    }
}

fn entry(key: &str, place: Place, value: Content) -> Entry {
    Entry {
        key: crate::config::yaml::Key {
            text: key.to_owned(),
            place,
        },
        value: Node::new(place, value),
    }
}

/// Whether an unknown key follows one that has nothing below it, so that it was probably meant to stand there.
fn is_outdented(entry: &Entry, above: Option<&Entry>, known: &[&str]) -> bool {
    let unknown =
        |key: &str| !known.contains(&key) && nearest(key, known.iter().copied()).is_none();
    unknown(&entry.key.text) && above.is_some_and(|above| above.value.is_null())
}

/// A map with none but the known keys.
fn only(mut node: Node, known: &[&str]) -> Node {
    if let Content::Map(entries) = &mut node.value {
        entries
            .retain(|entry| known.contains(&entry.key.text.as_str()) || entry.key.text == "when");
    }
    node
}
