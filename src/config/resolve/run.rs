//! The resolution of one host: what it knows so far, and what is wrong so far.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use minijinja::value::Value;

use super::options::{Answer, KeptAsker};
use super::wanted::Mention;
use crate::config::error::ConfigError;
use crate::config::expression::Lease;
use crate::config::library::Stock;
use crate::config::merge::Unheard;
use crate::config::reader::Reader;
use crate::config::repository::Repository;
use crate::config::yaml::{Node, Place, Value as Content};
use crate::config::{HostName, ModuleName};
use crate::host::UserName;
use crate::source::Snapshot;

/// How many values all files of one host may give together, loops and all.
const VALUES: usize = 200_000;

/// An option of a module, or whether the module is on: `enable`.
pub(super) type Asked = (ModuleName, String);

/// Resolves one host.
pub(super) struct Run<'f> {
    pub(super) stock: &'f Stock,
    pub(super) snapshot: &'f Snapshot,
    pub(super) repository: &'f Repository<'f>,
    pub(super) reader: Reader,
    pub(super) engine: Lease<'f>,
    /// The host file.
    pub(super) root: Rc<Node>,
    /// What expressions see as `host`.
    pub(super) host: Value,
    /// What expressions see as `fleet`.
    pub(super) fleet: Value,
    /// Accounts of people, evaluated.
    pub(super) accounts: BTreeMap<UserName, Option<Node>>,
    /// Who turns on what.
    pub(super) mentions: BTreeMap<ModuleName, Rc<Vec<Mention>>>,
    pub(super) options: BTreeMap<Asked, Answer>,
    /// Whether a module's `when` holds.
    pub(super) active: BTreeMap<ModuleName, bool>,
    /// The options being asked for, outermost first, each with who asks.
    pub(super) trail: Vec<(Asked, KeptAsker)>,
    /// The options that an expression has asked for.
    pub(super) read: BTreeSet<Asked>,
    /// Where they were asked for.
    pub(super) asked_at: Vec<(Place, Asked)>,
    /// What was said about the host and does not count.
    pub(super) unheard: Vec<Unheard>,
    /// What was said about options and does not count.
    pub(super) unheard_options: BTreeMap<Asked, Vec<Unheard>>,
    pub(super) values_left: usize,
    exhausted: bool,
}

impl<'f> Run<'f> {
    pub(super) fn new(
        stock: &'f Stock,
        snapshot: &'f Snapshot,
        repository: &'f Repository<'f>,
        engine: Lease<'f>,
        (host, root, reader): (&HostName, Node, Reader),
    ) -> Self {
        let fleet = stock.fleet.clone();
        Self {
            stock,
            snapshot,
            repository,
            reader,
            engine,
            host: host_value(host, &root),
            root: Rc::new(root),
            fleet,
            accounts: BTreeMap::new(),
            mentions: BTreeMap::new(),
            options: BTreeMap::new(),
            active: BTreeMap::new(),
            trail: Vec::new(),
            read: BTreeSet::new(),
            asked_at: Vec::new(),
            unheard: Vec::new(),
            unheard_options: BTreeMap::new(),
            values_left: VALUES,
            exhausted: false,
        }
    }

    /// Takes one value off the budget; `false` if there is none left, which is recorded once.
    pub(super) fn spend(&mut self, place: Place) -> bool {
        match self.values_left.checked_sub(1) {
            Some(left) => self.values_left = left,
            None => self.exhaust(
                place,
                &format!("the files of this host give more than {VALUES} values, loops and all"),
                "shorten the lists that are gone through",
            ),
        }
        !self.exhausted
    }

    /// Records that nothing more can be evaluated. Later calls say nothing.
    pub(super) fn exhaust(&mut self, place: Place, message: &str, fix: &str) {
        if !self.exhausted {
            self.exhausted = true;
            self.reader.error(place, message).fix = Some(fix.to_owned());
        }
    }

    /// Records errors that were found elsewhere.
    pub(super) fn record(&mut self, errors: &[ConfigError]) {
        for error in errors {
            self.reader.push(error.clone());
        }
    }
}

/// What expressions see as `host`: what the host file says of itself, as far as it is no expression.
fn host_value(name: &HostName, root: &Node) -> Value {
    let plain = |node: Option<&Node>| match node.and_then(Node::scalar) {
        Some(scalar) if !scalar.text().contains("{{") => Value::from(scalar.text()),
        _ => Value::from(()),
    };
    let platform = root.get("platform");
    let of_platform = |key: &str| plain(platform.and_then(|platform| platform.get(key)));
    let names = |key: &str| -> Value {
        match root.get(key).map(|node| &node.value) {
            Some(Content::List(items)) => {
                let texts = items.iter().filter_map(Node::scalar);
                texts.map(|scalar| Value::from(scalar.text())).collect()
            }
            Some(Content::Map(entries)) => {
                let keys = entries
                    .iter()
                    .map(|entry| Value::from(entry.key.text.as_str()));
                keys.collect()
            }
            _ => std::iter::empty::<Value>().collect(),
        }
    };
    Value::from_pairs([
        ("name", Value::from(name.as_str())),
        ("description", plain(root.get("description"))),
        (
            "platform",
            Value::from_pairs([
                ("os", of_platform("os")),
                ("version", of_platform("version")),
                ("arch", of_platform("arch")),
            ]),
        ),
        ("users", names("users")),
        ("profiles", names("profiles")),
    ])
}
