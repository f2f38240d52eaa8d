//! Everything a repository offers, read once.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::Value;

use super::inputs;
use super::module::{Module, ModuleName};
use super::person::Person;
use crate::config::error::ConfigError;
use crate::config::expression::value_of;
use crate::config::files::FileTable;
use crate::config::reader::Reader;
use crate::config::yaml::{self, FileId, Node, Place};
use crate::host::UserName;
use crate::source::{InputName, Mount, RepoPath, Snapshot};

/// What a repository offers to its hosts.
pub(in crate::config) struct Stock {
    pub(in crate::config) files: FileTable,
    pub(in crate::config) modules: BTreeMap<ModuleName, Module>,
    pub(in crate::config) people: BTreeMap<UserName, Person>,
    /// The variables of `fleet.yml`, as expressions see them.
    pub(in crate::config) fleet: Value,
    /// Inputs that `fleet.yml` declares and whose files are not in the snapshot.
    pub(in crate::config) absent: BTreeSet<String>,
    /// What is wrong with `fleet.yml`, and with names of files; every host is told.
    pub(in crate::config) errors: Vec<ConfigError>,
}

/// How a file was read.
pub(in crate::config) enum Status {
    /// There is no such file.
    Missing,
    /// Its tree, as far as there is one; what is wrong is in the reader.
    Read(Option<Node>),
}

impl Stock {
    /// Reads all there is. Errors are kept with what they are about.
    pub(in crate::config) fn read(snapshot: &Snapshot) -> Self {
        let mut stock = Self {
            files: FileTable::default(),
            modules: BTreeMap::new(),
            people: BTreeMap::new(),
            fleet: Value::from_pairs(std::iter::empty::<(String, Value)>()),
            absent: BTreeSet::new(),
            errors: Vec::new(),
        };
        stock.fleet_and_lock(snapshot);
        for path in snapshot.paths() {
            let text = path.as_str();
            if let Some(mount) = snapshot.mount_of(path) {
                stock.input_module(snapshot, path, mount);
            } else if let Some(name) = between(text, "modules/", "/module.yml") {
                stock.module(snapshot, path, name);
            } else if let Some((input, name)) = nested(text) {
                stock.module_in_an_inputs_place(path, (input, name), snapshot);
            } else if let Some(name) = between(text, "users/", ".yml") {
                stock.person(snapshot, path, name);
            }
        }
        stock.name_clashes();
        stock
    }

    /// `fleet.yml` and `fleet.lock`.
    fn fleet_and_lock(&mut self, snapshot: &Snapshot) {
        let said = inputs::read(snapshot, &mut self.files);
        if let Some(variables) = &said.variables {
            self.fleet = value_of(variables);
        }
        self.errors.extend(said.errors);
        let here = |name: &InputName| snapshot.mounts().iter().any(|mount| mount.name == *name);
        let absent = said.declared.into_keys().filter(|name| !here(name));
        self.absent = absent.map(|name| name.to_string()).collect();
    }

    fn input_module(&mut self, snapshot: &Snapshot, path: &RepoPath, mount: &Mount) {
        let modules = format!("{}{}/", mount.prefix(), mount.directory);
        let Some(name) = between(path.as_str(), &modules, "/module.yml") else {
            return;
        };
        // What an input's folders are called is not in the hands of who uses it: a bad name is no module.
        let Ok(name) = ModuleName::new(format!("{}/{name}", mount.name)) else {
            return;
        };
        let (file, root, reader) = self.file(snapshot, path);
        let module = Module::read(file, root.as_ref(), reader);
        let module = module.of_input(&mount.name, Reader::new(self.files.clone()));
        self.modules.insert(name, module);
    }

    /// Modules that expressions could not tell apart: `community/nfs` and `community--nfs`.
    fn name_clashes(&mut self) {
        let of_inputs = self.modules.keys().filter(|name| name.input().is_some());
        let taken: BTreeMap<String, &ModuleName> = of_inputs
            .map(|name| (name.in_expressions(), name))
            .collect();
        let own = self
            .modules
            .iter()
            .filter(|(name, _)| name.input().is_none());
        for (name, module) in own {
            if let Some(other) = taken.get(&name.in_expressions()) {
                let origin = self.files.origin(top(module.file));
                let error = ConfigError::new(format!(
                    "the module `{name}` has the name of `{other}`, which is an input's"
                ));
                self.errors
                    .push(error.at(&origin).fix("give it another name"));
            }
        }
    }

    fn module(&mut self, snapshot: &Snapshot, path: &RepoPath, name: &str) {
        match ModuleName::new(name) {
            Ok(name) => {
                let (file, root, reader) = self.file(snapshot, path);
                let module = Module::read(file, root.as_ref(), reader);
                self.modules.insert(name, module);
            }
            Err(invalid) => {
                let error = ConfigError::new(invalid.to_string())
                    .fix(format!("rename the folder of `{path}`"));
                self.errors.push(error);
            }
        }
    }

    /// `modules/community/nfs/module.yml` where `community` is an input.
    fn module_in_an_inputs_place(
        &mut self,
        path: &RepoPath,
        (input, name): (&str, &str),
        snapshot: &Snapshot,
    ) {
        let mounted = snapshot.mounts().iter().any(|m| m.name.as_str() == input);
        if mounted || self.absent.contains(input) {
            let file = self.files.add(path.clone());
            let error = ConfigError::new(format!(
                "`{input}/{name}` is the name of a module of the input `{input}`"
            ));
            self.errors.push(
                error
                    .at(&self.files.origin(top(file)))
                    .fix("rename the folder, or the input"),
            );
        }
    }

    fn person(&mut self, snapshot: &Snapshot, path: &RepoPath, name: &str) {
        match UserName::new(name) {
            Ok(name) => {
                let (file, root, reader) = self.file(snapshot, path);
                let person = Person::read(&name, top(file), root.as_ref(), reader);
                self.people.insert(name, person);
            }
            Err(invalid) => {
                let error = ConfigError::new(invalid.to_string()).fix(format!("rename `{path}`"));
                self.errors.push(error);
            }
        }
    }

    /// Reads one file; the reader has its errors.
    fn file(&mut self, snapshot: &Snapshot, path: &RepoPath) -> (FileId, Option<Node>, Reader) {
        let file = self.files.add(path.clone());
        let mut reader = Reader::new(self.files.clone());
        match load(snapshot, path, file, &mut reader) {
            Status::Read(root) => (file, root, reader),
            Status::Missing => (file, None, reader),
        }
    }

    /// Reads a file that only one host has.
    pub(in crate::config) fn host_file(
        &self,
        snapshot: &Snapshot,
        path: &RepoPath,
    ) -> (FileTable, FileId, Status, Reader) {
        let (files, file) = self.files.with(path.clone());
        let mut reader = Reader::new(files.clone());
        let status = load(snapshot, path, file, &mut reader);
        (files, file, status, reader)
    }
}

pub(in crate::config) fn load(
    snapshot: &Snapshot,
    path: &RepoPath,
    file: FileId,
    reader: &mut Reader,
) -> Status {
    match snapshot.read(path) {
        Ok(None) => Status::Missing,
        Ok(Some(content)) => {
            let loaded = yaml::load(file, &content);
            for error in loaded.errors {
                reader.yaml_error(error);
            }
            Status::Read(loaded.root)
        }
        Err(error) => {
            reader.push(ConfigError::new(error.to_string()));
            Status::Read(None)
        }
    }
}

/// The beginning of a file.
fn top(file: FileId) -> Place {
    Place {
        file,
        line: 1,
        column: 1,
        length: 1,
    }
}

/// The two folders of `modules/A/B/module.yml`.
fn nested(text: &str) -> Option<(&str, &str)> {
    let folders = text.strip_prefix("modules/")?.strip_suffix("/module.yml")?;
    folders
        .split_once('/')
        .filter(|(_, name)| !name.contains('/'))
}

/// What stands between a beginning and an end, without a `/` in it.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    let name = text.strip_prefix(begin)?.strip_suffix(end)?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}
