//! `packages` and `apt`.

use super::HostParser;
use crate::config::error::{ConfigError, Mark};
use crate::config::reader::Fields;
use crate::config::system::{AptPin, AptRepository, PackageConfig, RepositoryKey, RepositoryName};
use crate::config::vocabulary::{APT, PACKAGE, PIN, REPOSITORY};
use crate::config::yaml::{Entry, Node, Place, Value};
use crate::host::PackageName;

/// Ways to a package repository that apt knows without further packages.
const SCHEMES: [&str; 8] = [
    "https://",
    "http://",
    "file:/",
    "copy:/",
    "mirror+https://",
    "mirror+http://",
    "mirror+file:/",
    "cdrom:",
];

impl HostParser<'_> {
    pub(super) fn software(&mut self, fields: Fields<'_>) {
        if let Some(node) = fields.get("packages") {
            let items = self.reader.list(node, "package names");
            for item in items.unwrap_or_default() {
                self.package(item);
            }
        }
        if let Some(entry) = fields.entry("apt") {
            self.only_on_debian("apt", "there is no apt", entry.key.place);
            self.apt(&entry.value);
        }
    }

    /// A name, or a map with `name`. A name alone adds nothing to what a map says about it.
    fn package(&mut self, item: &Node) {
        let (name, said) = match &item.value {
            Value::Map(_) => {
                let Some(fields) = self.reader.fields(item, "a package", PACKAGE) else {
                    return;
                };
                let owner = (item.place, "a package");
                let name = self
                    .reader
                    .required(fields, "name", owner)
                    .and_then(|node| self.reader.name(node));
                let hold = fields
                    .get("hold")
                    .and_then(|node| self.reader.boolean(node))
                    .unwrap_or(false);
                (name, Some(PackageConfig { hold }))
            }
            _ => (self.reader.name::<PackageName>(item), None),
        };
        let Some(name) = name else {
            return;
        };
        let located = self.reader.located(item.place, said.unwrap_or_default());
        let Some(first) = self.config.packages.get(&name) else {
            self.packages_said.insert(name.clone(), said);
            self.config.packages.insert(name, located);
            return;
        };
        let before = self.packages_said.get(&name).copied().flatten();
        match (before, said) {
            (Some(_), None) => {}
            (None, Some(_)) => {
                self.packages_said.insert(name.clone(), said);
                self.config.packages.insert(name, located);
            }
            (None, None) | (Some(_), Some(_)) => {
                let first = Mark::from(&first.origin);
                self.reader
                    .error(item.place, format!("`{name}` is listed twice"))
                    .related = Some((first, "it was here first".to_owned()));
            }
        }
    }

    fn apt(&mut self, node: &Node) {
        let Some(fields) = self.reader.fields(node, "`apt`", APT) else {
            return;
        };
        if let Some(node) = fields.get("repositories") {
            let entries = self.reader.entries(node, "package repositories by name");
            for entry in entries.unwrap_or_default() {
                let name = self.reader.key_name::<RepositoryName>(&entry.key);
                if let Some(repository) = self.apt_repository(entry)
                    && let Some(name) = name
                {
                    let located = self.reader.located(entry.key.place, repository);
                    self.config.apt.repositories.insert(name, located);
                }
            }
        }
        if let Some(node) = fields.get("pins") {
            let items = self.reader.list(node, "pins").unwrap_or_default();
            for item in items {
                if let Some(pin) = self.pin(item) {
                    let pin = self.reader.located(item.place, pin);
                    self.config.apt.pins.push(pin);
                }
            }
        }
    }

    fn apt_repository(&mut self, entry: &Entry) -> Option<AptRepository> {
        let what = "a package repository";
        let fields = self.reader.fields(&entry.value, what, REPOSITORY)?;
        let owner = (entry.key.place, what);
        let uris = self.reader.required(fields, "uris", owner);
        let uris = uris.map(|node| self.uris(node));
        let suites = self.reader.required(fields, "suites", owner);
        let suites = suites.map(|_| self.words(fields, "suites", "suites", b"./_-"));
        let components = self.words(fields, "components", "components", b"/_-");
        if let Some(suites) = &suites {
            self.suites_and_components(suites, &components, fields, entry.key.place);
        }
        let types = match fields.get("types") {
            None => vec!["deb".to_owned()],
            Some(node) => self.types(node),
        };
        let key = self.repository_key(fields, entry.key.place);
        Some(AptRepository {
            types,
            uris: uris?,
            suites: suites?,
            components,
            architectures: self.words(fields, "architectures", "architectures", b"-"),
            key: key?,
        })
    }

    fn types(&mut self, node: &Node) -> Vec<String> {
        let items = self.reader.list(node, "`deb` and `deb-src`");
        let words = [("deb", "deb"), ("deb-src", "deb-src")];
        let items = items.unwrap_or_default();
        items
            .iter()
            .filter_map(|item| self.reader.one_of(item, &words).map(str::to_owned))
            .collect()
    }

    /// apt asks for components of a suite, and refuses them for the path of a flat repository.
    fn suites_and_components(
        &mut self,
        suites: &[String],
        components: &[String],
        fields: Fields<'_>,
        place: Place,
    ) {
        let flat = suites.iter().filter(|suite| suite.ends_with('/')).count();
        let place = fields
            .entry("components")
            .map_or(place, |entry| entry.key.place);
        if suites.is_empty() {
            self.reader.error(place, "`suites` is empty");
        } else if flat > 0 && !components.is_empty() {
            self.reader
                .error(
                    place,
                    "a suite that ends with `/` is a flat repository, which has no components",
                )
                .fix = Some("leave `components` out, or take the `/` off the suite".to_owned());
        } else if flat < suites.len() && components.is_empty() {
            self.reader
                .error(place, "a package repository needs `components`")
                .fix = Some(
                "write `components: [main]`; of a flat repository, the suite ends with `/`"
                    .to_owned(),
            );
        }
    }

    fn uris(&mut self, node: &Node) -> Vec<String> {
        let items = self.reader.list(node, "addresses").unwrap_or_default();
        let mut uris = Vec::new();
        for item in items {
            let Some(uri) = self.reader.line(item) else {
                continue;
            };
            if uri.contains(char::is_whitespace) || !SCHEMES.iter().any(|way| uri.starts_with(way))
            {
                self.reader
                    .wrong_type(item, "the address of a package repository, `https://…`,");
            } else if names_a_password(uri) {
                // Not at its place: the excerpt would print the password.
                let place = self.reader.origin(item.place);
                let message = format!(
                    "{place}: a user name or password in the address could be read by everybody on the host"
                );
                self.reader.push(
                    ConfigError::new(message)
                        .fix("put it into a secret, and a template with `path: /etc/apt/auth.conf.d/NAME.conf`"),
                );
            } else {
                uris.push(uri.to_owned());
            }
        }
        if items.is_empty() {
            self.reader.error(node.place, "`uris` is empty");
        }
        uris
    }

    /// `key` or `signed_by`, of which one must be there: nothing is taken on trust.
    fn repository_key(&mut self, fields: Fields<'_>, place: Place) -> Option<RepositoryKey> {
        match (fields.entry("key"), fields.entry("signed_by")) {
            (Some(key), None) => self.repository_file(&key.value).map(RepositoryKey::File),
            (None, Some(path)) => self.reader.name(&path.value).map(RepositoryKey::Host),
            (Some(key), Some(path)) => {
                let first = self.reader.mark(key.key.place);
                let error = self.reader.error(
                    path.key.place,
                    "the key is said twice, by `key` and by `signed_by`",
                );
                error.related = Some((first, "it is said here too".to_owned()));
                error.fix = Some("keep one of the two".to_owned());
                None
            }
            (None, None) => {
                self.reader
                    .error(place, "a package repository needs the `key` that signs it")
                    .fix = Some(
                    "put the public key beside this file and name it: `key: docker.asc`".to_owned(),
                );
                None
            }
        }
    }

    fn pin(&mut self, item: &Node) -> Option<AptPin> {
        let fields = self.reader.fields(item, "a pin", PIN)?;
        let owner = (item.place, "a pin");
        let packages = self.reader.required(fields, "packages", owner);
        let packages = packages.map(|_| self.words(fields, "packages", "package names", b"+-.*?:"));
        let priority = self.reader.required(fields, "priority", owner);
        let priority = priority.and_then(|node| self.priority(node));
        let mut said = Vec::new();
        for key in ["version", "release", "origin"] {
            if let Some(entry) = fields.entry(key)
                && let Some(text) = self.reader.line(&entry.value)
            {
                said.push((format!("{key} {}", text.trim()), entry.key.place));
            }
        }
        if said.len() != 1 {
            let place = said.get(1).map_or(item.place, |(_, place)| *place);
            self.reader.error(
                place,
                "a pin needs one of `version`, `release` and `origin`, and no more than one",
            );
        }
        if packages.as_ref().is_some_and(Vec::is_empty) {
            self.reader
                .error(item.place, "a pin needs at least one package");
        }
        Some(AptPin {
            packages: packages?,
            pin: said.into_iter().next()?.0,
            priority: priority?,
        })
    }

    /// 0 is refused, as apt refuses it.
    fn priority(&mut self, node: &Node) -> Option<i16> {
        match self.reader.text(node)?.parse::<i16>() {
            Ok(priority) if priority != 0 => Some(priority),
            _ => {
                self.reader
                    .wrong_type(node, "a priority from -32768 to 32767, not 0,");
                None
            }
        }
    }
}

/// Whether there is something before an `@` in the host part of an address.
fn names_a_password(uri: &str) -> bool {
    let after = uri.split_once("://").map_or("", |(_, after)| after);
    after.split('/').next().unwrap_or_default().contains('@')
}
