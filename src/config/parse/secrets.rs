//! `secrets` and `templates`.

use super::HostParser;
use super::of::Of;
use crate::config::host::{SecretConfig, SecretLink, TemplateConfig};
use crate::config::reader::Fields;
use crate::config::vocabulary::{SECRET, TEMPLATE};
use crate::config::yaml::{Entry, Key, Node, ScalarKind, Value};
use crate::secrets::{SecretName, TemplateName};
use crate::sops::Format;

/// What the key of a secret in a binary file must be.
const WHOLE: &str = "left out: a file of this name is binary, one value without keys";

/// The secret file of entries that name none.
const DEFAULT_FILE: &str = "/secrets/default.yml";

impl HostParser<'_> {
    pub(super) fn secrets(&mut self, node: &Node, of: Of<'_>) {
        for entry in self
            .reader
            .entries(node, "secrets by name")
            .unwrap_or_default()
        {
            let name = self.reader.key_name::<SecretName>(&entry.key);
            let place = entry.key.place;
            if let Some(name) = name
                && let Some(secret) = self.secret(entry, &name, of)
                && let Some(name) = self.reader.valid(of.secret_name(&name), place)
            {
                self.once(|config| &mut config.secrets, name, place, secret);
            }
        }
    }

    fn secret(&mut self, entry: &Entry, name: &SecretName, of: Of<'_>) -> Option<SecretConfig> {
        let fields = self.reader.fields(&entry.value, "a secret", SECRET)?;
        let file = match fields.get("file") {
            Some(node) => self.secret_file(node),
            None => self.default_secret_file(&entry.key),
        };
        let is_binary = file
            .as_ref()
            .is_some_and(|file| Format::of_path(file.as_str()) == Format::Binary);
        let key = match fields.get("key") {
            Some(node) => self.secret_key(node, is_binary.then_some(WHOLE)),
            None if is_binary => Some(Vec::new()),
            None => Some(name.as_str().split('/').map(str::to_owned).collect()),
        };
        let ownership = self.ownership(fields);
        let optional = fields
            .get("optional")
            .and_then(|node| self.reader.boolean(node))
            .unwrap_or(false);
        let link = self.link(fields, of);
        let mut units = self.triggers(fields, of);
        self.credentials(fields, of, &name.installed_path(), &mut units);
        Some(SecretConfig {
            file: file?,
            key: key?,
            owner: of.owner(ownership.owner),
            group: ownership.group,
            mode: ownership.mode,
            optional,
            link,
            units,
        })
    }

    fn secret_file(&mut self, node: &Node) -> Option<crate::source::RepoPath> {
        let file = self.repository_file(node)?;
        if self.repository.is_of_input(&file) {
            let error = self
                .reader
                .error(node.place, "a secret cannot come from a file of an input");
            error.cause = Some("the hosts of this repository cannot open it".to_owned());
            error.fix = Some(
                "leave `file` out: then it is in secrets/default.yml, or where the host file says"
                    .to_owned(),
            );
            return None;
        }
        Some(file)
    }

    fn default_secret_file(&mut self, key: &Key) -> Option<crate::source::RepoPath> {
        match self.repository.locate(DEFAULT_FILE, "") {
            Ok(path) => Some(path),
            Err(missing) => {
                let error = self.reader.error(key.place, missing.message);
                error.cause = Some(format!(
                    "`{}` names no `file`, so it is looked for in `{}`",
                    key.text,
                    &DEFAULT_FILE[1..]
                ));
                error.fix = Some(
                    "make that file with `steadfast secrets edit`, or name another".to_owned(),
                );
                None
            }
        }
    }

    /// A key path, or nothing for the whole file: `key: ""`. A binary file has nothing else.
    fn secret_key(&mut self, node: &Node, binary: Option<&'static str>) -> Option<Vec<String>> {
        let is_whole = matches!(&node.value, Value::Scalar(scalar) if scalar.kind() == ScalarKind::Text && scalar.text().is_empty());
        if is_whole {
            return Some(Vec::new());
        }
        if let Some(reason) = binary {
            self.reader.wrong_type(node, reason);
            return None;
        }
        self.key_path(node)
    }

    /// `a/b/c`, or a list of keys.
    fn key_path(&mut self, node: &Node) -> Option<Vec<String>> {
        let parts: Vec<String> = match &node.value {
            Value::List(items) => {
                let parts: Vec<Option<&str>> =
                    items.iter().map(|item| self.reader.line(item)).collect();
                parts
                    .into_iter()
                    .map(|part| part.map(str::to_owned))
                    .collect::<Option<_>>()?
            }
            _ => self
                .reader
                .line(node)?
                .split('/')
                .map(str::to_owned)
                .collect(),
        };
        if parts.is_empty() || parts.iter().any(String::is_empty) {
            self.reader
                .wrong_type(node, "a key path such as `database/password`");
            return None;
        }
        Some(parts)
    }

    pub(super) fn templates(&mut self, node: &Node, of: Of<'_>) {
        for entry in self
            .reader
            .entries(node, "templates by name")
            .unwrap_or_default()
        {
            let name = self.reader.key_name::<TemplateName>(&entry.key);
            let place = entry.key.place;
            if let Some(name) = name
                && let Some(template) = self.template(entry, &name, of)
                && let Some(name) = self.reader.valid(of.template_name(&name), place)
            {
                self.once(|config| &mut config.templates, name, place, template);
            }
        }
    }

    fn template(
        &mut self,
        entry: &Entry,
        name: &TemplateName,
        of: Of<'_>,
    ) -> Option<TemplateConfig> {
        let fields = self.reader.fields(&entry.value, "a template", TEMPLATE)?;
        let source = self.required_source(fields, entry.key.place, "a template");
        let ownership = self.ownership(fields);
        let link = self.link(fields, of);
        let mut units = self.triggers(fields, of);
        self.credentials(fields, of, &name.installed_path(), &mut units);
        Some(TemplateConfig {
            source: source?,
            owner: of.owner(ownership.owner),
            group: ownership.group,
            mode: ownership.mode,
            link,
            home: of.account(),
            units,
        })
    }

    /// The symbolic link that `path` asks for.
    fn link(&mut self, fields: Fields<'_>, of: Of<'_>) -> Option<SecretLink> {
        let on_conflict = self.on_conflict(fields);
        let Some(node) = fields.get("path") else {
            if let Some(stray) = fields.entry("on_conflict") {
                self.reader
                    .error(
                        stray.key.place,
                        "`on_conflict` goes with a `path` beside it",
                    )
                    .fix = Some("leave it out".to_owned());
            }
            return None;
        };
        let text = self.reader.line(node)?;
        let path = self.path_text(text, node.place, of)?;
        Some(SecretLink { path, on_conflict })
    }
}
