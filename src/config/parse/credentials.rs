//! `credentials` of secrets and templates: systemd hands them to a service, by a drop-in that is made here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::HostParser;
use super::of::Of;
use crate::config::host::{FileSource, UnitConfig};
use crate::config::reader::Fields;
use crate::config::yaml::{Entry, Place};
use crate::host::{UnitId, UnitKind, UnitName};
use crate::secrets::{CredentialName, UnitTriggers};

/// The drop-in of a service that takes credentials.
const DROP_IN: &str = "50-steadfast-credentials.conf";

/// What services take, by the name that they know it by.
pub(super) type Credentials = BTreeMap<UnitName, BTreeMap<CredentialName, Credential>>;

/// Where a credential comes from.
pub(super) struct Credential {
    /// The installed secret or template.
    path: String,
    /// Where that was said.
    place: Place,
}

impl HostParser<'_> {
    /// Reads which services take what is installed at `path`; each of them restarts when it changes.
    pub(super) fn credentials(
        &mut self,
        fields: Fields<'_>,
        of: Of<'_>,
        path: &str,
        triggers: &mut UnitTriggers,
    ) {
        let Some(entry) = fields.entry("credentials") else {
            return;
        };
        if of.account().is_some() {
            let error = self
                .reader
                .error(entry.key.place, "a secret of a home cannot be a credential");
            error.cause =
                Some("it belongs to the account, whose units read it in its place".to_owned());
            error.fix = Some("declare it under `secrets:` of the host, or leave it out".to_owned());
            return;
        }
        let what = "names of credentials by service";
        for entry in self.reader.entries(&entry.value, what).unwrap_or_default() {
            if let Some((unit, name)) = self.credential(entry) {
                triggers.restart.insert(UnitId::of(None, unit.clone()));
                let credential = Credential {
                    path: path.to_owned(),
                    place: entry.key.place,
                };
                self.take(&unit, name, credential);
            }
        }
    }

    fn credential(&mut self, entry: &Entry) -> Option<(UnitName, CredentialName)> {
        let unit = self.reader.key_name::<UnitName>(&entry.key);
        let name = self.reader.name::<CredentialName>(&entry.value);
        let (unit, name) = (unit?, name?);
        let place = entry.key.place;
        if unit.kind() != UnitKind::Service {
            let error = self
                .reader
                .error(place, format!("`{unit}` takes no credentials"));
            error.fix = Some("name a service".to_owned());
            return None;
        }
        if unit.is_template() {
            let message = format!("`{unit}` is a template, which never runs");
            self.reader.error(place, message).fix = Some("name its instances".to_owned());
            return None;
        }
        Some((unit, name))
    }

    fn take(&mut self, unit: &UnitName, name: CredentialName, credential: Credential) {
        let of_unit = self.credentials.entry(unit.clone()).or_default();
        if let Some(first) = of_unit.get(&name) {
            let first = self.reader.mark(first.place);
            let message = format!("two secrets are the credential `{name}` of `{unit}`");
            let error = self.reader.error(credential.place, message);
            error.related = Some((first, "the other one is here".to_owned()));
            error.fix = Some("give one of them another name".to_owned());
            return;
        }
        of_unit.insert(name, credential);
    }

    /// Adds a drop-in to each service that takes credentials.
    pub(super) fn deliver_credentials(&mut self) {
        for (unit, credentials) in std::mem::take(&mut self.credentials) {
            let mut text = "[Service]\n".to_owned();
            for (name, credential) in &credentials {
                let path = &credential.path;
                let _infallible = writeln!(text, "LoadCredential={name}:{path}");
            }
            let Some(place) = credentials.values().next().map(|first| first.place) else {
                continue;
            };
            let empty = self.reader.located(place, UnitConfig::default());
            let taker = &mut self.config.units.entry(unit.clone()).or_insert(empty).value;
            let refused = if taker.mask {
                Some(format!("`{unit}` is masked, so it takes no credentials"))
            } else if taker.drop_ins.contains_key(DROP_IN) {
                Some(format!("`{unit}` has a drop-in `{DROP_IN}` already"))
            } else {
                taker
                    .drop_ins
                    .insert(DROP_IN.to_owned(), FileSource::Text(text));
                None
            };
            if let Some(message) = refused {
                self.reader.error(place, message).fix = Some("keep one of the two".to_owned());
            }
        }
    }
}
