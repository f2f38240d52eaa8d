//! What an expression sees: just what it asks for, found out now.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::Value;

use super::evaluate::Mode;
use super::explain::Source;
use super::options::Asker;
use super::run::Run;
use super::scope::{Frame, Scope};
use crate::config::ModuleName;
use crate::config::expression::value_of;
use crate::config::nearest::nearest;
use crate::config::reader::listed;
use crate::host::UserName;

/// The names that are always there.
const ROOTS: [&str; 5] = ["cfg", "options", "host", "users", "fleet"];
/// The functions; `secret` only under `templates`.
const FUNCTIONS: [&str; 3] = ["range", "dict", "secret"];

type Values = BTreeMap<String, Value>;

impl Run<'_> {
    /// The variables for an expression that asks for `names`. `None` is recorded.
    pub(super) fn variables(
        &mut self,
        names: &BTreeSet<String>,
        frame: &Frame,
        source: &Source<'_>,
    ) -> Option<Value> {
        let mut all = Values::new();
        let mut cfg = Values::new();
        let mut options: BTreeMap<String, Values> = BTreeMap::new();
        let mut people = Values::new();
        let mut good = true;
        for name in names {
            let mut parts = name.split('.');
            let root = parts.next().unwrap_or_default();
            let (second, third) = (parts.next(), parts.next());
            if let Some(value) = frame.local(root) {
                all.insert(root.to_owned(), value.clone());
                continue;
            }
            let found = match root {
                "cfg" => self.own_options(second, frame, source, &mut cfg),
                "options" => self.options_of_any(second, third, frame, source, &mut options),
                "users" => self.people(second, frame, source, &mut people),
                "host" | "fleet" | "loop" | "self" => Some(()),
                _ if FUNCTIONS.contains(&root) => Some(()),
                _ => {
                    self.no_such_variable(root, frame, source);
                    None
                }
            };
            good &= found.is_some();
        }
        all.insert("host".to_owned(), self.host.clone());
        all.insert("fleet".to_owned(), self.fleet.clone());
        all.insert("cfg".to_owned(), Value::from_pairs(cfg));
        let options = options
            .into_iter()
            .map(|(name, values)| (name, Value::from_pairs(values)));
        all.insert("options".to_owned(), Value::from_pairs(options));
        all.insert("users".to_owned(), Value::from_pairs(people));
        good.then(|| Value::from_pairs(all))
    }

    /// `cfg.NAME`, or all of them.
    fn own_options(
        &mut self,
        name: Option<&str>,
        frame: &Frame,
        source: &Source<'_>,
        into: &mut Values,
    ) -> Option<()> {
        let Scope::Module(module) = &frame.scope else {
            self.name_error(
                source,
                "cfg",
                "`cfg` is the options of a module, and this is none".to_owned(),
            )
            .fix = Some("name the module: `options.NAME.OPTION`".to_owned());
            return None;
        };
        self.options_of(module, name, source, into)
    }

    /// `options.MODULE.NAME`, or all options of one module.
    fn options_of_any(
        &mut self,
        module: Option<&str>,
        name: Option<&str>,
        frame: &Frame,
        source: &Source<'_>,
        into: &mut BTreeMap<String, Values>,
    ) -> Option<()> {
        if let Scope::Account(person) = &frame.scope {
            let message = format!("the account of `{person}` is the same whatever modules are on");
            self.name_error(source, "options", message).fix =
                Some("say it in a module or in the host file, where `options` is known".to_owned());
            return None;
        }
        let Some(module) = module else {
            self.name_error(
                source,
                "options",
                "`options` needs a module: `options.NAME.OPTION`".to_owned(),
            )
            .fix = Some("in an expression, `-` in a module's name is written `_`".to_owned());
            return None;
        };
        let stock = self.stock;
        // A module of an input knows the modules of its own repository, by the names that they have there.
        let input = match &frame.scope {
            Scope::Module(name) => name.input(),
            _ => None,
        };
        let seen = |name: &ModuleName| match input {
            Some(_) if name.input() == input => Some(name.plain().replace('-', "_")),
            Some(_) => None,
            None => Some(name.in_expressions()),
        };
        let found = stock
            .modules
            .keys()
            .find(|known| seen(known).as_deref() == Some(module));
        let Some(found) = found else {
            let names: Vec<String> = stock.modules.keys().filter_map(seen).collect();
            let meant = nearest(module, names.iter().map(String::as_str));
            self.name_error(source, module, format!("there is no module `{module}`"))
                .fix = meant.map(|meant| format!("did you mean `{meant}`?"));
            return None;
        };
        let values = into.entry(module.to_owned()).or_default();
        self.options_of(found, name, source, values)
    }

    fn options_of(
        &mut self,
        module: &ModuleName,
        name: Option<&str>,
        source: &Source<'_>,
        into: &mut Values,
    ) -> Option<()> {
        let stock = self.stock;
        let declared = stock.modules.get(module)?;
        let names: Vec<&str> = match name {
            Some(name) if declared.options.contains_key(name) => vec![name],
            // What is wrong with the module's file is said already.
            Some(_) if !declared.errors.is_empty() => return None,
            Some(name) => {
                let (message, fix) = self.no_such_option(module, name);
                self.name_error(source, name, message).fix = Some(fix);
                return None;
            }
            None => declared.options.keys().map(String::as_str).collect(),
        };
        for name in names {
            self.read.insert((module.clone(), name.to_owned()));
            self.asked_at
                .push((source.place, (module.clone(), name.to_owned())));
            let setting = self.option_for(module, name, Asker::word(source, name))?;
            into.insert(name.to_owned(), setting.value.clone());
        }
        Some(())
    }

    /// `users.NAME`, or all people of the repository.
    fn people(
        &mut self,
        name: Option<&str>,
        frame: &Frame,
        source: &Source<'_>,
        into: &mut Values,
    ) -> Option<()> {
        if let Scope::Account(person) = &frame.scope {
            let message = format!("the account of `{person}` cannot depend on accounts");
            self.name_error(source, "users", message).fix =
                Some("write the value out, or use a variable of the fleet".to_owned());
            return None;
        }
        let stock = self.stock;
        let names: Vec<&UserName> = match name {
            Some(name) => stock
                .people
                .keys()
                .filter(|known| known.as_str() == name)
                .collect(),
            None => stock.people.keys().collect(),
        };
        for name in names {
            let account = self.account(name)?;
            into.insert(name.as_str().to_owned(), value_of(&account));
        }
        Some(())
    }

    /// The account of a person, evaluated. `None` is recorded.
    pub(super) fn account(&mut self, name: &UserName) -> Option<crate::config::yaml::Node> {
        if let Some(known) = self.accounts.get(name) {
            return known.clone();
        }
        let stock = self.stock;
        let person = stock.people.get(name)?;
        self.record(&person.errors);
        let frame = Frame::new(Scope::Account(name.clone()));
        let account = self.evaluate(&person.account, &frame, Mode::Resource);
        self.accounts.insert(name.clone(), account.clone());
        account
    }

    fn no_such_variable(&mut self, name: &str, frame: &Frame, source: &Source<'_>) {
        let called = source.text.contains(&format!("{name}("));
        let locals = frame.locals.iter().map(|(name, _)| name.as_str());
        let (message, known) = if called {
            (format!("there is no function `{name}`"), FUNCTIONS.to_vec())
        } else {
            (
                format!("`{name}` is not defined"),
                ROOTS.into_iter().chain(locals).collect(),
            )
        };
        let unquoted = format!("secret({name}");
        let fix = match nearest(name, known.iter().copied()) {
            _ if source.text.replace(' ', "").contains(&unquoted) => {
                "put the name of the secret in quotes: `secret(\"…\")`".to_owned()
            }
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("what is there is {}", listed(&known)),
        };
        self.name_error(source, name, message).fix = Some(fix);
    }
}
