//! Everything a repository offers, read once.

use std::collections::BTreeMap;

use super::fleet;
use super::module::{Module, ModuleName};
use super::person::Person;
use crate::config::error::ConfigError;
use crate::config::files::FileTable;
use crate::config::reader::Reader;
use crate::config::yaml::{self, FileId, Node, Place};
use crate::host::UserName;
use crate::source::{RepoPath, Snapshot};

/// What a repository offers to its hosts.
pub(in crate::config) struct Stock {
    pub(in crate::config) files: FileTable,
    pub(in crate::config) modules: BTreeMap<ModuleName, Module>,
    pub(in crate::config) people: BTreeMap<UserName, Person>,
    /// The variables of `fleet.yml`.
    pub(in crate::config) fleet: Option<Node>,
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
            fleet: None,
            errors: Vec::new(),
        };
        for path in snapshot.paths() {
            let text = path.as_str();
            if text == "fleet.yml" {
                let (_, root, mut reader) = stock.file(snapshot, path);
                stock.fleet = root.and_then(|root| fleet::variables(&root, &mut reader));
                stock.errors.append(&mut reader.take_errors());
            } else if let Some(name) = between(text, "modules/", "/module.yml") {
                stock.module(snapshot, path, name);
            } else if let Some(name) = between(text, "users/", ".yml") {
                stock.person(snapshot, path, name);
            }
        }
        stock
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

fn load(snapshot: &Snapshot, path: &RepoPath, file: FileId, reader: &mut Reader) -> Status {
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

/// What stands between a beginning and an end, without a `/` in it.
fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    let name = text.strip_prefix(begin)?.strip_suffix(end)?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}
