//! `.sops.yaml` as written: only what rules need, everything else is ignored.

use serde::Deserialize;

use super::RuleTrouble;
use super::written_group::{Form, WrittenGroup};
use crate::sops::{Format, KeyGroups, MacScope, Selector, SelectorRule};

#[derive(Default, Deserialize)]
pub(super) struct Written {
    /// No list is another thing than an empty one, for which no rule is for any file.
    #[serde(default)]
    pub(super) creation_rules: Option<Vec<WrittenRule>>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) stores: WrittenStores,
}

/// How files are laid out, by format.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WrittenStores {
    #[serde(default, deserialize_with = "null_is_default")]
    yaml: WrittenStore,
    #[serde(default, deserialize_with = "null_is_default")]
    json: WrittenStore,
    #[serde(default, deserialize_with = "null_is_default")]
    json_binary: WrittenStore,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct WrittenStore {
    #[serde(default)]
    indent: Option<i64>,
}

/// More blanks than that are a slip, and would make files of any size.
const MOST_INDENT: i64 = 64;

impl WrittenStores {
    /// The indentation of each format that has one; the error names the setting that cannot be used.
    pub(super) fn indents(&self) -> Result<Vec<(Format, usize)>, &'static str> {
        let mut indents = Vec::new();
        for (format, name, store) in [
            (Format::Yaml, "stores.yaml.indent", &self.yaml),
            (Format::Json, "stores.json.indent", &self.json),
            (
                Format::Binary,
                "stores.json_binary.indent",
                &self.json_binary,
            ),
        ] {
            match store.indent {
                None => {}
                // A tab, which is JSON's usual.
                Some(-1) if format != Format::Yaml => {}
                // YAML has no layout without blanks: sops takes its usual one.
                Some(0) if format == Format::Yaml => {}
                Some(indent @ 0..=MOST_INDENT) => {
                    indents.push((format, usize::try_from(indent).unwrap_or_default()));
                }
                Some(_) => return Err(name),
            }
        }
        Ok(indents)
    }
}

#[derive(Default, Deserialize)]
pub(super) struct WrittenRule {
    pub(super) path_regex: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    key_groups: Vec<WrittenGroup>,
    #[serde(default)]
    shamir_threshold: Option<i64>,
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

pub(super) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl WrittenRule {
    /// The keys; `key_groups` wins over the flat form.
    pub(super) fn keys(&self) -> Result<KeyGroups, RuleTrouble> {
        let groups = if self.key_groups.is_empty() {
            vec![self.flat.group(Form::Flat)?]
        } else {
            let groups = self.key_groups.iter();
            groups
                .map(|group| group.group(Form::Group))
                .collect::<Result<_, _>>()?
        };
        let threshold = self.shamir_threshold.unwrap_or(0);
        let threshold = usize::try_from(threshold).map_err(|_negative| RuleTrouble::Field {
            name: "shamir_threshold",
            expected: "a number from 2 to the number of groups",
        })?;
        Ok(KeyGroups::new(groups, threshold)?)
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
