//! The way in: a repository at one revision, and its hosts.

use schemars::JsonSchema;
use serde::Serialize;

use super::resolution::Resolution;
use super::run::Run;
use super::unread::{self, Used};
use crate::config::error::{ConfigError, ConfigErrors};
use crate::config::expression::Engines;
use crate::config::files::FileTable;
use crate::config::library::{Status, Stock, Wanted};
use crate::config::nearest::nearest;
use crate::config::options::{OptionDescription, describe};
use crate::config::parse::HostParser;
use crate::config::repository::Repository;
use crate::config::yaml::Node;
use crate::config::{HostConfig, HostName, ModuleName, Origin};
use crate::host::UserName;
use crate::source::{RepoPath, Snapshot};

/// A repository at one revision. Its modules, people and variables are read once; then any number of hosts is resolved.
pub struct Fleet<'s> {
    snapshot: &'s Snapshot,
    stock: Stock,
    repository: Repository<'s>,
    engines: Engines,
}

/// What a module offers, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ModuleDescription {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Modules that it needs.
    pub needs: Vec<String>,
    /// Modules that it turns on: then it is a profile.
    pub turns_on: Vec<String>,
    /// What can be set, beside `enable`.
    pub options: Vec<OptionDescription>,
}

impl<'s> Fleet<'s> {
    /// Reads what all hosts share. What is wrong with it is said by [`resolve`](Self::resolve), to the hosts that use it.
    #[must_use]
    pub fn read(snapshot: &'s Snapshot) -> Self {
        Self {
            snapshot,
            stock: Stock::read(snapshot),
            repository: Repository::new(snapshot),
            engines: Engines::default(),
        }
    }

    /// Every host, in order: the folders of `hosts/` with a `host.yml`.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostName> {
        hosts(self.snapshot)
    }

    /// Every module, in order: the folders of `modules/` with a `module.yml`.
    pub fn modules(&self) -> impl Iterator<Item = &ModuleName> {
        self.stock.modules.keys()
    }

    /// Every module with its options, in words.
    #[must_use]
    pub fn describe_modules(&self) -> Vec<ModuleDescription> {
        let names = |wanted: &[Wanted]| wanted.iter().map(|it| it.name.to_string()).collect();
        let modules = self.stock.modules.iter().map(|(name, module)| {
            let mut options = describe(&module.options);
            // Every module has it, and it says nothing about this one.
            options.retain(|option| option.name != "enable");
            ModuleDescription {
                name: name.to_string(),
                description: module.description.clone(),
                needs: names(&module.imports),
                turns_on: names(&module.modules),
                options,
            }
        });
        modules.collect()
    }

    /// Every person, in order: the files of `users/`.
    pub fn people(&self) -> impl Iterator<Item = &UserName> {
        self.stock.people.keys()
    }

    /// The uids that people's own files give them, each with the place where it is said.
    pub fn uids_of_people(&self) -> impl Iterator<Item = (u32, Origin)> {
        self.stock.people.values().filter_map(|person| {
            let mut entries = person.account.entries().iter();
            let entry = entries.find(|entry| entry.key.text == "uid")?;
            let uid = entry.value.scalar()?.text().parse().ok()?;
            Some((uid, self.stock.files.origin(entry.key.place)))
        })
    }

    /// Resolves one host: all that its file, its modules and its people say, merged and typed.
    ///
    /// Reads nothing but the snapshot: the same snapshot and name give the same result on every machine.
    ///
    /// # Errors
    /// [`ConfigErrors`]: everything that is wrong, each at its line.
    pub fn resolve(&self, host: &HostName) -> Result<Resolution, ConfigErrors> {
        self.resolve_to(host, |config, done| {
            let modules = done.run.uses(&done.modules);
            Resolution::new(config, &done.tree, done.files, modules, done.run)
        })
    }

    /// As [`resolve`](Self::resolve), without what only people ask for: the tree with its places, the use of modules.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn config(&self, host: &HostName) -> Result<(HostConfig, Used), ConfigErrors> {
        self.resolve_to(host, |config, done| {
            (config, Used::new(done.modules, done.run.read))
        })
    }

    fn resolve_to<T>(
        &self,
        host: &HostName,
        take: impl FnOnce(HostConfig, Done<'_, '_>) -> T,
    ) -> Result<T, ConfigErrors> {
        let unreadable = |error: &dyn std::fmt::Display| ConfigError::new(error.to_string());
        let file =
            RepoPath::new(format!("hosts/{host}/host.yml")).map_err(|error| unreadable(&error))?;
        let (files, _, status, reader) = self.stock.host_file(self.snapshot, &file);
        let root = match status {
            Status::Missing => return Err(no_such_host(self.snapshot, host).into()),
            Status::Read(root) => root,
        };
        let Some(root) = root else {
            let errors = ConfigErrors::of_run(reader.into_errors(), self.snapshot);
            return Err(
                errors.unwrap_or_else(|| ConfigError::new(format!("cannot read `{file}`")).into())
            );
        };
        let mut run = Run::new(
            &self.stock,
            self.snapshot,
            &self.repository,
            self.engines.take(),
            (host, root, reader),
        );
        run.record(&self.stock.errors);
        run.find_modules();
        let (tree, modules) = run.contributions();
        let parser = HostParser::new(host.clone(), files.clone(), &self.repository);
        let (config, wrong) = parser.parse(&tree);
        run.record(&wrong);
        if let Some(errors) = ConfigErrors::of_run(run.reader.take_errors(), self.snapshot) {
            return Err(errors);
        }
        let files = &files;
        let done = Done {
            run,
            tree,
            modules,
            files,
        };
        Ok(take(config, done))
    }

    /// What is wrong with files that no host may use: errors in modules and people.
    #[must_use]
    pub fn errors_in_shared_files(&self) -> Option<ConfigErrors> {
        let modules = self
            .stock
            .modules
            .values()
            .flat_map(|module| &module.errors);
        let people = self.stock.people.values().flat_map(|person| &person.errors);
        let errors: Vec<ConfigError> = modules
            .chain(people)
            .chain(&self.stock.errors)
            .cloned()
            .collect();
        ConfigErrors::of_run(errors, self.snapshot)
    }

    /// What is there for nothing: modules that are on nowhere, options that no expression asks for.
    ///
    /// `used` is what all hosts that could be resolved have on and read.
    #[must_use]
    pub fn unused(&self, used: &Used) -> Option<ConfigErrors> {
        ConfigErrors::of_run(
            unread::unused(&self.stock, self.snapshot, used),
            self.snapshot,
        )
    }
}

/// A host that was resolved without an error.
struct Done<'f, 'a> {
    run: Run<'f>,
    tree: Node,
    modules: Vec<ModuleName>,
    files: &'a FileTable,
}

/// Every host of the repository, in order: the folders of `hosts/` with a `host.yml`.
#[must_use]
pub fn hosts(snapshot: &Snapshot) -> Vec<HostName> {
    snapshot
        .paths()
        .filter_map(|path| {
            let name = path.as_str().strip_prefix("hosts/")?;
            let name = name.strip_suffix("/host.yml")?;
            HostName::new(name).ok()
        })
        .collect()
}

/// Resolves what the repository says about one host. For several hosts, [`Fleet`] reads what they share only once.
///
/// # Errors
/// As [`Fleet::resolve`].
pub fn resolve(snapshot: &Snapshot, host: &HostName) -> Result<HostConfig, ConfigErrors> {
    Fleet::read(snapshot)
        .resolve(host)
        .map(|resolution| resolution.config)
}

fn no_such_host(snapshot: &Snapshot, host: &HostName) -> ConfigError {
    let missing = ConfigError::new(format!(
        "the repository has no host `{host}`: there is no `hosts/{host}/host.yml`"
    ));
    let folder = format!("hosts/{host}/");
    let other = snapshot.paths().find(|path| {
        path.as_str()
            .strip_prefix(&folder)
            .is_some_and(|name| name == "host.yaml")
    });
    if let Some(other) = other {
        return missing.fix(format!("rename `{other}` to `host.yml`"));
    }
    let hosts = hosts(snapshot);
    if let Some(meant) = nearest(host.as_str(), hosts.iter().map(HostName::as_str)) {
        return missing.fix(format!("did you mean `{meant}`?"));
    }
    match hosts.as_slice() {
        [] => missing.fix(format!(
            "it has no hosts at all; begin with `hosts/{host}/host.yml`"
        )),
        some => {
            let names: Vec<&str> = some.iter().map(HostName::as_str).take(20).collect();
            let more = some.len().saturating_sub(names.len());
            let tail = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            missing.fix(format!("its hosts are {}{tail}", names.join(", ")))
        }
    }
}
