//! What several groups of keys share: content, ownership, triggers.

use super::HostParser;
use super::of::Of;
use crate::config::error::ConfigError;
use crate::config::host::{FileSource, OnConflict};
use crate::config::reader::Fields;
use crate::config::vocabulary::TRIGGERS;
use crate::config::yaml::{Node, Place, Value};
use crate::host::{FileMode, GroupName, UnitId, UnitName, UserName};
use crate::secrets::UnitTriggers;
use crate::source::RepoPath;

/// Owner, group and mode, each if it is said.
#[derive(Default)]
pub(super) struct Ownership {
    pub(super) owner: Option<UserName>,
    pub(super) group: Option<GroupName>,
    pub(super) mode: Option<FileMode>,
}

impl HostParser<'_> {
    /// `text` or `file`, if one is there; both are an error.
    pub(super) fn source(&mut self, fields: Fields<'_>) -> Option<FileSource> {
        let (text, file) = (fields.entry("text"), fields.entry("file"));
        if let (Some(text), Some(file)) = (text, file) {
            let first = self.reader.mark(text.key.place);
            let error = self.reader.error(
                file.key.place,
                "the content is said twice, by `text` and by `file`",
            );
            error.related = Some((first, "it is said here too".to_owned()));
            error.fix = Some("keep one of the two".to_owned());
        }
        if let Some(file) = file {
            if let Value::File(filled) = &file.value.value {
                return Some(FileSource::Filled {
                    file: filled.path.clone(),
                    text: filled.text.clone(),
                });
            }
            return self.repository_file(&file.value).map(FileSource::File);
        }
        let text = self.reader.text(&text?.value)?;
        Some(FileSource::Text(text.to_owned()))
    }

    /// `text` or `file`, of which one must be there. `None` is always recorded.
    pub(super) fn required_source(
        &mut self,
        fields: Fields<'_>,
        place: Place,
        what: &str,
    ) -> Option<FileSource> {
        if fields.get("text").is_none() && fields.get("file").is_none() {
            self.reader
                .error(place, format!("{what} needs its content: `text` or `file`"))
                .fix = Some(
                "write `text:` with the content, or `file:` with the name of a file beside this one"
                    .to_owned(),
            );
            return None;
        }
        self.source(fields)
    }

    /// A file of the repository.
    pub(super) fn repository_file(&mut self, node: &Node) -> Option<RepoPath> {
        let written = self.reader.line(node)?;
        let folder = self.reader.folder(node.place);
        match self.repository.locate(written, &folder) {
            Ok(path) => Some(path),
            Err(missing) => {
                self.reader.error(node.place, missing.message).fix = missing.fix;
                None
            }
        }
    }

    pub(super) fn ownership(&mut self, fields: Fields<'_>) -> Ownership {
        Ownership {
            owner: fields.get("owner").and_then(|node| self.reader.name(node)),
            group: fields.get("group").and_then(|node| self.reader.name(node)),
            mode: fields.get("mode").and_then(|node| self.reader.name(node)),
        }
    }

    pub(super) fn on_conflict(&mut self, fields: Fields<'_>) -> OnConflict {
        let words = [
            ("refuse", OnConflict::Refuse),
            ("adopt", OnConflict::Adopt),
            ("backup", OnConflict::Backup),
        ];
        fields
            .get("on_conflict")
            .and_then(|node| self.reader.one_of(node, &words))
            .unwrap_or_default()
    }

    /// `units: { restart: [...], reload: [...] }`; in a home they are units of the account.
    pub(super) fn triggers(&mut self, fields: Fields<'_>, of: Of<'_>) -> UnitTriggers {
        let mut triggers = UnitTriggers::default();
        let Some(node) = fields.get("units") else {
            return triggers;
        };
        let Some(fields) = self.reader.fields(node, "`units`", TRIGGERS) else {
            return triggers;
        };
        for (key, units) in [
            ("restart", &mut triggers.restart),
            ("reload", &mut triggers.reload),
        ] {
            let Some(node) = fields.get(key) else {
                continue;
            };
            for name in self
                .reader
                .names::<UnitName>(node, "unit names")
                .unwrap_or_default()
            {
                if name.value.is_template() {
                    let message = format!("`{}` is a template, which never runs", name.value);
                    let error = ConfigError::new(message)
                        .at(&name.origin)
                        .fix("name its instances");
                    self.reader.push(error);
                }
                units.insert(UnitId::of(of.account().as_ref(), name.value));
            }
        }
        triggers
    }
}
