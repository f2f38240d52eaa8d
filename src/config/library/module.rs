//! `modules/NAME/module.yml`.

use super::blocks::blocks;
use crate::config::error::ConfigError;
use crate::config::merge::Rank;
use crate::config::options::{Checker, Spec, Specs};
use crate::config::reader::{Fields, Reader};
use crate::config::vocabulary::{ASSERTION, MODULE, RESOURCES, keys};
use crate::config::yaml::{FileId, Key, Node, Place, Value};
use crate::name::checked_name;
use crate::source::InputName;

checked_name!(
    /// The name of a module: its folder in `modules/`; that of an input has the input's name before it, `community/nfs`.
    ModuleName, "module name", |text| {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.len() > 2 {
            return Err("must be a module's name, or an input's and a module's with `/` between");
        }
        for part in parts {
            if part.is_empty() || part.len() > 64 {
                return Err("must be 1 to 64 characters");
            }
            if !part.starts_with(|c: char| c.is_ascii_lowercase()) {
                return Err("must begin with a lower-case letter");
            }
            if !part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
                return Err("may contain only lower-case letters, digits and `-`");
            }
        }
        Ok(())
    }
);

impl ModuleName {
    /// The name as expressions write it: `restic_backup`, `community__nfs`.
    #[must_use]
    pub fn in_expressions(&self) -> String {
        self.as_str().replace('/', "__").replace('-', "_")
    }

    /// The input that the module is from; `None` for one of the repository itself.
    #[must_use]
    pub fn input(&self) -> Option<&str> {
        self.as_str().split_once('/').map(|(input, _)| input)
    }

    /// The name without that of its input.
    #[must_use]
    pub fn plain(&self) -> &str {
        let parts = self.as_str().split_once('/');
        parts.map_or(self.as_str(), |(_, plain)| plain)
    }
}

/// A module as its file has it.
#[derive(Debug, Clone)]
pub(in crate::config) struct Module {
    pub(in crate::config) file: FileId,
    pub(in crate::config) description: Option<String>,
    /// What can be set; `enable` is always among it.
    pub(in crate::config) options: Specs,
    /// The modules it needs.
    pub(in crate::config) imports: Vec<Wanted>,
    /// The modules it turns on. One that does so is a profile.
    pub(in crate::config) modules: Vec<Wanted>,
    pub(in crate::config) when: Option<Node>,
    pub(in crate::config) config: Vec<Node>,
    pub(in crate::config) assertions: Vec<Assertion>,
    /// What is wrong with the file, whoever uses it.
    pub(in crate::config) errors: Vec<ConfigError>,
}

/// A module that something turns on.
#[derive(Debug, Clone)]
pub(in crate::config) struct Wanted {
    pub(in crate::config) name: ModuleName,
    /// Where it is named.
    pub(in crate::config) place: Place,
    /// Its options, if some are given.
    pub(in crate::config) options: Option<Node>,
}

/// What must be true of the options of a module.
#[derive(Debug, Clone)]
pub(in crate::config) struct Assertion {
    pub(in crate::config) that: Node,
    pub(in crate::config) message: Node,
}

impl Module {
    /// Reads a module. It is complete only if it has no errors.
    pub(super) fn read(file: FileId, root: Option<&Node>, mut reader: Reader) -> Self {
        let start = Place {
            file,
            line: 1,
            column: 1,
            length: 1,
        };
        let mut module = Self {
            file,
            description: None,
            options: Specs::new(),
            imports: Vec::new(),
            modules: Vec::new(),
            when: None,
            config: Vec::new(),
            assertions: Vec::new(),
            errors: Vec::new(),
        };
        if let Some(root) = root
            && let Some(fields) = fields(root, &mut reader)
        {
            module.fill(fields, &mut reader);
        }
        module
            .options
            .entry("enable".to_owned())
            .or_insert_with(|| Spec::enable(start));
        module.errors = reader.into_errors();
        module
    }

    fn fill(&mut self, fields: Fields<'_>, reader: &mut Reader) {
        self.description = fields
            .get("description")
            .and_then(|node| reader.text(node))
            .map(|text| text.trim_end().to_owned());
        if let Some(node) = fields.get("options") {
            self.options = Spec::read_all(node, reader);
            if let Some(own) = self.options.remove("enable") {
                reader
                    .error(
                        own.place,
                        "every module has `enable`; it cannot be declared",
                    )
                    .fix = Some("remove it".to_owned());
            }
            check_defaults(&self.options, reader);
        }
        if let Some(node) = fields.get("imports") {
            for item in reader.list(node, "module names").unwrap_or_default() {
                if let Some(name) = reader.name(item) {
                    self.imports.push(Wanted {
                        name,
                        place: item.place,
                        options: None,
                    });
                }
            }
        }
        if let Some(node) = fields.get("modules") {
            self.modules = wanted(node, reader);
        }
        self.when = fields.get("when").cloned();
        self.config = blocks(fields.get("config"), reader);
        if let Some(node) = fields.get("assertions") {
            for item in reader.list(node, "assertions").unwrap_or_default() {
                self.assertions.extend(assertion(item, reader));
            }
        }
    }

    /// As a module of `input`: the modules it names are the input's own.
    pub(super) fn of_input(mut self, input: &InputName, mut reader: Reader) -> Self {
        for wanted in self.imports.iter_mut().chain(&mut self.modules) {
            if wanted.name.input().is_some() {
                reader
                    .error(
                        wanted.place,
                        "a module of an input names modules of its own repository only",
                    )
                    .fix = Some(format!("write `{}`", wanted.name.plain()));
            } else if let Ok(name) = ModuleName::new(format!("{input}/{}", wanted.name)) {
                wanted.name = name;
            }
        }
        self.errors.extend(reader.into_errors());
        self
    }

    /// The rank of what it contributes: a module that turns others on is a profile.
    pub(in crate::config) fn rank(&self) -> Rank {
        if self.modules.is_empty() {
            Rank::Module
        } else {
            Rank::Profile
        }
    }
}

/// The keys of a module's file. Resources that stand beside `config` are told where they belong.
fn fields<'n>(root: &'n Node, reader: &mut Reader) -> Option<Fields<'n>> {
    let (known, resources) = (keys(MODULE), keys(RESOURCES));
    let entries = reader.entries(root, "the keys of a module")?;
    for entry in entries {
        let key = &entry.key;
        if !known.contains(&key.text.as_str()) && resources.contains(&key.text.as_str()) {
            reader
                .error(
                    key.place,
                    format!("`{}` is not a key of a module", key.text),
                )
                .fix = Some(format!(
                "what a host gets stands below `config:`; indent `{}:` there",
                key.text
            ));
        } else {
            reader.known_key(key, "a module", &known);
        }
    }
    Some(Fields::over(entries))
}

/// `modules:` of a host or a profile: options by module.
pub(in crate::config) fn wanted(node: &Node, reader: &mut Reader) -> Vec<Wanted> {
    if let Value::List(_) = node.value {
        reader.wrong_type(node, "a map, modules by name,").fix = Some(
            "write `NAME:` for each, with its options below; or list them under `profiles:`"
                .to_owned(),
        );
        return Vec::new();
    }
    let entries = reader.entries(node, "modules by name").unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| {
            let name = name_of(&entry.key, reader)?;
            reader.entries(&entry.value, "options by name")?;
            Some(Wanted {
                name,
                place: entry.key.place,
                options: Some(entry.value.clone()),
            })
        })
        .collect()
}

fn name_of(key: &Key, reader: &mut Reader) -> Option<ModuleName> {
    reader.key_name(key)
}

/// A default that is no expression has to fit, whether a host uses it or not.
fn check_defaults(options: &Specs, reader: &mut Reader) {
    for (name, spec) in options {
        if let Some(default) = &spec.default
            && !holds_expression(default)
        {
            let what = format!("the option `{name}`");
            // What is wrong is recorded; the value itself is made per host.
            let _: Option<Node> = Checker { reader, what }.check(spec, default);
        }
    }
}

fn holds_expression(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => scalar.text().contains("{{") || scalar.text().contains("{%"),
        Value::List(items) => items.iter().any(holds_expression),
        Value::Map(entries) => entries.iter().any(|entry| {
            matches!(entry.key.text.as_str(), "when" | "for")
                || entry.key.text.contains("{{")
                || holds_expression(&entry.value)
        }),
        Value::File(_) | Value::Unknown => false,
    }
}

fn assertion(item: &Node, reader: &mut Reader) -> Option<Assertion> {
    let fields = reader.fields(item, "an assertion", ASSERTION)?;
    let owner = (item.place, "an assertion");
    let that = reader.required(fields, "that", owner).cloned();
    let message = reader.required(fields, "message", owner).cloned();
    Some(Assertion {
        that: that?,
        message: message?,
    })
}
