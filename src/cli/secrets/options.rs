//! Options that several verbs share; their names, variables and meaning are those of sops.

use clap::Args;

use super::failure::{CONFLICT, Failure, KEY_ORDER};
use crate::identity::Recipient;
use crate::report::Problem;
use crate::secrets::{MacCheck, SecretFile, Wishes};
use crate::sops::{Format, MacScope, SelectorRule};

/// Variables of sops that would add keys which nothing can be encrypted to here.
const FOREIGN_KEYS: [&str; 6] = [
    "SOPS_PGP_FP",
    "SOPS_KMS_ARN",
    "SOPS_GCP_KMS_IDS",
    "SOPS_HUAWEICLOUD_KMS_IDS",
    "SOPS_AZURE_KEYVAULT_URLS",
    "SOPS_VAULT_URIS",
];

/// In which format a file is read.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct InputType {
    /// The file's format: yaml, json, dotenv, ini or binary [default: by the end of its name]
    #[arg(long, value_name = "TYPE")]
    input_type: Option<Format>,
}

/// In which format a file is read, and in which it is printed.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Types {
    #[command(flatten)]
    input: InputType,
    /// The format of the output: yaml, json, dotenv, ini or binary [default: that of the input]
    #[arg(long, value_name = "TYPE")]
    output_type: Option<Format>,
}

/// How a file is opened.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Opening {
    /// Open the file even if its MAC does not fit: values may have been taken out, added or exchanged
    #[arg(long)]
    ignore_mac: bool,
    #[command(flatten)]
    order: KeyOrder,
}

/// Which kinds of keys are tried first.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct KeyOrder {
    /// Kinds of keys in the order in which sops would try them; here only age keys are tried
    #[arg(
        long,
        value_name = "KINDS",
        env = "SOPS_DECRYPTION_ORDER",
        hide_env_values = true
    )]
    decryption_order: Option<String>,
}

/// What is said about a new file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "For a new file, instead of what its rule in .sops.yaml says")]
pub(super) struct NewFile {
    /// Recipients, separated by commas: age or SSH public keys
    #[arg(short = 'a', long, value_name = "KEYS", env = "SOPS_AGE_RECIPIENTS")]
    age: Option<String>,
    /// How many key groups are needed together
    #[arg(long, value_name = "N")]
    shamir_secret_sharing_threshold: Option<usize>,
    /// Do not encrypt values below keys that end so
    #[arg(long, value_name = "TEXT")]
    unencrypted_suffix: Option<String>,
    /// Encrypt only values below keys that end so
    #[arg(long, value_name = "TEXT")]
    encrypted_suffix: Option<String>,
    /// Do not encrypt values below keys that match
    #[arg(long, value_name = "REGEX")]
    unencrypted_regex: Option<String>,
    /// Encrypt only values below keys that match
    #[arg(long, value_name = "REGEX")]
    encrypted_regex: Option<String>,
    /// Do not encrypt values with a comment that matches
    #[arg(long, value_name = "REGEX")]
    unencrypted_comment_regex: Option<String>,
    /// Encrypt only values with a comment that matches
    #[arg(long, value_name = "REGEX")]
    encrypted_comment_regex: Option<String>,
    /// Make the MAC over encrypted values only
    #[arg(long)]
    mac_only_encrypted: bool,
    /// Indent by N blanks where the layout is not given
    #[arg(long, value_name = "N")]
    indent: Option<usize>,
}

impl InputType {
    /// `file`, in the format that was said.
    pub(super) fn apply<'a>(&self, file: SecretFile<'a>) -> SecretFile<'a> {
        match self.input_type {
            Some(format) => file.with_format(format),
            None => file,
        }
    }
}

impl Types {
    /// `file`, in the format that was said.
    pub(super) fn apply<'a>(&self, file: SecretFile<'a>) -> SecretFile<'a> {
        self.input.apply(file)
    }

    /// The format of the output of `file`.
    pub(super) fn output_of(&self, file: &SecretFile<'_>) -> Format {
        self.output_type.unwrap_or(file.format())
    }
}

impl Opening {
    /// What is done about the MAC. The order of keys is looked at only to refuse what sops refuses.
    pub(super) fn check(&self) -> Result<MacCheck, Failure> {
        self.order.check()?;
        Ok(if self.ignore_mac {
            MacCheck::Ignore
        } else {
            MacCheck::Verify
        })
    }
}

impl KeyOrder {
    /// Refuses an order that names a kind twice, as sops does.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let order = self.decryption_order.as_deref().unwrap_or_default();
        let mut seen: Vec<&str> = Vec::new();
        for kind in order.split(',').filter(|kind| !kind.is_empty()) {
            if seen.contains(&kind) {
                let what = format!("the order of decryption names `{kind}` twice");
                return Err(Failure::new(Problem::new(what), KEY_ORDER));
            }
            seen.push(kind);
        }
        Ok(())
    }
}

impl NewFile {
    /// What was said, checked.
    pub(super) fn wishes(&self) -> Result<Wishes, Failure> {
        Ok(Wishes {
            recipients: recipients(self.age.as_deref().unwrap_or_default())?,
            threshold: self.shamir_secret_sharing_threshold,
            selector: self.selector()?,
            mac_scope: self.mac_only_encrypted.then_some(MacScope::OnlyEncrypted),
            indent: self.indent,
        })
    }

    fn selector(&self) -> Result<Option<SelectorRule>, Failure> {
        let said = [
            (
                &self.unencrypted_suffix,
                SelectorRule::UnencryptedSuffix as fn(String) -> _,
            ),
            (&self.encrypted_suffix, SelectorRule::EncryptedSuffix),
            (&self.unencrypted_regex, SelectorRule::UnencryptedRegex),
            (&self.encrypted_regex, SelectorRule::EncryptedRegex),
            (
                &self.unencrypted_comment_regex,
                SelectorRule::UnencryptedCommentRegex,
            ),
            (
                &self.encrypted_comment_regex,
                SelectorRule::EncryptedCommentRegex,
            ),
        ];
        let mut rules = said.into_iter().filter_map(|(text, rule)| {
            // As in sops, an empty text is as good as none.
            let text = text.as_ref().filter(|text| !text.is_empty())?;
            Some(rule(text.clone()))
        });
        let first = rules.next();
        if rules.next().is_some() {
            return Err(Failure::new(
                Problem::new("more than one option says which values are encrypted")
                    .with_fix("keep one of them"),
                CONFLICT,
            ));
        }
        Ok(first)
    }
}

/// The recipients of a list with commas. What sops would have added from its variables for other keys is refused, since a
/// file that is not encrypted to them is not what was asked for.
pub(super) fn recipients(list: &str) -> Result<Vec<Recipient>, Failure> {
    let foreign = FOREIGN_KEYS
        .iter()
        .find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if let Some(name) = foreign {
        return Err(Problem::new(format!(
            "{name} asks for a key that nothing can be encrypted to here"
        ))
        .with_fix(format!("unset {name}; age and SSH keys are supported"))
        .into());
    }
    list.split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(|text| {
            Recipient::parse(text).map_err(|error| Problem::of(&error).with_fix(error.fix()).into())
        })
        .collect()
}
