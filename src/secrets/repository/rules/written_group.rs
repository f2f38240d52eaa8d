//! A group of keys as written in `.sops.yaml`: below `key_groups`, or flat in a rule.

use serde::Deserialize;
use serde_yaml::{Mapping, Value};

use super::RuleTrouble;
use super::written::null_is_default;
use crate::identity::Recipient;
use crate::sops::{KeyEntry, KeyGroup, KeyKind};

/// Groups that merge groups that merge groups: aliases could make them endless.
const MOST_KEYS: usize = 4096;

/// Where a group is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As fields of the rule.
    Flat,
    /// As an item of `key_groups`.
    Group,
}

#[derive(Default, Deserialize)]
pub(super) struct WrittenGroup {
    #[serde(default, deserialize_with = "null_is_default")]
    merge: Vec<WrittenGroup>,
    #[serde(flatten)]
    fields: Mapping,
}

impl WrittenGroup {
    /// The group with those that it merges: theirs first, each key once.
    pub(super) fn group(&self, form: Form) -> Result<KeyGroup, RuleTrouble> {
        let mut group = KeyGroup::default();
        self.collect(form, &mut group)?;
        Ok(group)
    }

    fn collect(&self, form: Form, group: &mut KeyGroup) -> Result<(), RuleTrouble> {
        if form == Form::Group {
            for merged in &self.merge {
                merged.collect(form, group)?;
            }
        }
        for kind in KeyKind::ALL {
            let name = field_name(kind, form);
            let Some(value) = self.fields.get(name) else {
                continue;
            };
            let names = names(value, kind).ok_or(RuleTrouble::Field {
                name,
                expected: "a key, a list of keys, or keys with commas between them",
            })?;
            for name in names {
                add(group, kind, name)?;
            }
        }
        if group.recipients.len() + group.others.len() > MOST_KEYS {
            return Err(RuleTrouble::TooManyKeys { limit: MOST_KEYS });
        }
        Ok(())
    }
}

fn add(group: &mut KeyGroup, kind: KeyKind, name: String) -> Result<(), RuleTrouble> {
    if kind == KeyKind::Age {
        let recipient = Recipient::parse(&name)?;
        if !group.recipients.contains(&recipient) {
            group.recipients.push(recipient);
        }
        return Ok(());
    }
    let entry = KeyEntry { kind, name };
    if !group.others.contains(&entry) {
        group.others.push(entry);
    }
    Ok(())
}

/// The field that holds keys of `kind`.
fn field_name(kind: KeyKind, form: Form) -> &'static str {
    match (kind, form) {
        (KeyKind::AzureKv, _) => "azure_keyvault",
        (KeyKind::HcVault, Form::Flat) => "hc_vault_transit_uri",
        (kind, _) => kind.as_str(),
    }
}

/// The keys in `value` as a file names them; nothing if it is of no shape that sops reads.
fn names(value: &Value, kind: KeyKind) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let items = match value {
        Value::Null => return Some(names),
        Value::Sequence(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    for item in items {
        match item {
            // Each may itself be several.
            Value::String(text) => {
                let parts = text.split(',').map(str::trim);
                let parts = parts.filter(|part| !part.is_empty());
                names.extend(parts.map(|part| normal(part, kind)));
            }
            Value::Mapping(fields) => names.push(name_of(fields, kind)?),
            _ => return None,
        }
    }
    Some(names)
}

/// The spelling that files have.
fn normal(text: &str, kind: KeyKind) -> String {
    match kind {
        KeyKind::Pgp | KeyKind::Kms => text.replace(' ', ""),
        KeyKind::AzureKv | KeyKind::HcVault => text.trim_end_matches('/').to_owned(),
        _ => text.to_owned(),
    }
}

/// The name of a key that is written as a map.
fn name_of(fields: &Mapping, kind: KeyKind) -> Option<String> {
    let field = |name: &str| fields.get(name).and_then(Value::as_str);
    Some(match kind {
        KeyKind::Kms => match field("role").filter(|role| !role.is_empty()) {
            Some(role) => format!("{}+{role}", field("arn")?),
            None => field("arn")?.to_owned(),
        },
        KeyKind::GcpKms => field("resource_id")?.to_owned(),
        KeyKind::Hckms => field("key_id")?.to_owned(),
        KeyKind::AzureKv => format!(
            "{}/keys/{}/{}",
            field("vaultUrl")?.trim_end_matches('/'),
            field("key")?,
            field("version").unwrap_or_default()
        ),
        KeyKind::Age | KeyKind::Pgp | KeyKind::HcVault => return None,
    })
}
