//! `.sops.yaml` as written: only what rules need, everything else is ignored.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::RuleTrouble;
use crate::sops::{MacScope, Selector, SelectorRule};

#[derive(Default, Deserialize)]
pub(super) struct Written {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) creation_rules: Vec<WrittenRule>,
}

#[derive(Default, Deserialize)]
pub(super) struct WrittenRule {
    pub(super) path_regex: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    key_groups: Vec<WrittenGroup>,
    #[serde(default)]
    mac_only_encrypted: Option<bool>,
    encrypted_suffix: Option<String>,
    unencrypted_suffix: Option<String>,
    encrypted_regex: Option<String>,
    unencrypted_regex: Option<String>,
    encrypted_comment_regex: Option<String>,
    unencrypted_comment_regex: Option<String>,
    /// The flat form of one group; other keys are ignored.
    #[serde(flatten)]
    flat: WrittenGroup,
}

#[derive(Default, Deserialize)]
struct WrittenGroup {
    #[serde(default)]
    age: Option<Words>,
    #[serde(default, deserialize_with = "null_is_default")]
    merge: Vec<WrittenGroup>,
    #[serde(flatten)]
    others: BTreeMap<String, serde_yaml::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

/// Keys of a group, or of the flat form, that hold keys of other kinds.
const FOREIGN: [&str; 8] = [
    "pgp",
    "kms",
    "gcp_kms",
    "hckms",
    "azure_keyvault",
    "azure_kv",
    "hc_vault",
    "hc_vault_transit_uri",
];

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl WrittenRule {
    /// `key_groups` wins over the flat form.
    pub(super) fn keys(&self) -> Result<Vec<String>, RuleTrouble> {
        match self.key_groups.as_slice() {
            [] => self.flat.keys(),
            [group] => group.keys(),
            groups => Err(RuleTrouble::KeyGroups {
                groups: groups.len(),
            }),
        }
    }

    /// The selector, and what to say when there are several.
    pub(super) fn selector(&self) -> (Selector, Option<RuleTrouble>) {
        type Make = fn(String) -> SelectorRule;
        let settings: [(&str, &Option<String>, Make); 6] = [
            (
                "unencrypted_suffix",
                &self.unencrypted_suffix,
                SelectorRule::UnencryptedSuffix,
            ),
            (
                "encrypted_suffix",
                &self.encrypted_suffix,
                SelectorRule::EncryptedSuffix,
            ),
            (
                "unencrypted_regex",
                &self.unencrypted_regex,
                SelectorRule::UnencryptedRegex,
            ),
            (
                "encrypted_regex",
                &self.encrypted_regex,
                SelectorRule::EncryptedRegex,
            ),
            (
                "unencrypted_comment_regex",
                &self.unencrypted_comment_regex,
                SelectorRule::UnencryptedCommentRegex,
            ),
            (
                "encrypted_comment_regex",
                &self.encrypted_comment_regex,
                SelectorRule::EncryptedCommentRegex,
            ),
        ];
        let mut selector = Selector::default();
        let mut found = Vec::new();
        for (name, text, make) in settings {
            // Empty counts as "not set", as in sops.
            if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
                selector.rule = make(text.clone());
                found.push(name);
            }
        }
        if self.mac_only_encrypted == Some(true) {
            selector.mac_scope = MacScope::OnlyEncrypted;
        }
        let several = (found.len() > 1).then_some(RuleTrouble::Selectors { found });
        (selector, several)
    }
}

impl WrittenGroup {
    /// Merged groups first, then this one's own; each entry may itself be a comma list.
    fn keys(&self) -> Result<Vec<String>, RuleTrouble> {
        let mut keys = Vec::new();
        for group in &self.merge {
            keys.extend(group.keys()?);
        }
        if let Some((kind, _)) = self
            .others
            .iter()
            .find(|(kind, value)| FOREIGN.contains(&kind.as_str()) && !is_empty(value))
        {
            return Err(RuleTrouble::ForeignKeys { kind: kind.clone() });
        }
        let own = match &self.age {
            None => &[],
            Some(Words::One(text)) => std::slice::from_ref(text),
            Some(Words::Many(texts)) => texts.as_slice(),
        };
        for text in own {
            let parts = text.split(',').map(str::trim);
            keys.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
        }
        Ok(keys)
    }
}

fn is_empty(value: &serde_yaml::Value) -> bool {
    match value {
        serde_yaml::Value::Null => true,
        serde_yaml::Value::String(text) => text.trim().is_empty(),
        serde_yaml::Value::Sequence(items) => items.is_empty(),
        _ => false,
    }
}
