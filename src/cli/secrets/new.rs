//! `secrets new`: a generated secret, or a new file in the editor.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;

use super::failure::Failure;
use super::{edit, identities, locate, repository};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::report::{Problem, exit};
use crate::secrets::{
    Access, Alphabet, Changed, Existing, Generator, KeyPath, MacCheck, NewSecret, NewSecretError,
    Repository, SecretFile, new_secret,
};
use crate::source::RepoPath;

/// Make a new secret that nobody has to think up, or a new file
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct NewArgs {
    /// The secret file; one that is not there is made
    pub file: PathBuf,
    /// The key path, such as `db/password`; without it, a new file is opened in your editor
    pub key: Option<KeyPath>,
    /// What to make
    #[arg(long, value_enum, default_value_t = Kind::Password, requires = "key")]
    pub kind: Kind,
    /// How many characters a password has [default: 32]
    #[arg(long, value_name = "N", requires = "key")]
    pub length: Option<usize>,
    /// Characters of a password: some of lower, upper, digits, symbols [default: lower,upper,digits]
    #[arg(long, value_name = "CLASSES", requires = "key")]
    pub alphabet: Option<Alphabet>,
    /// How many words a passphrase has [default: 6]
    #[arg(long, value_name = "N", requires = "key")]
    pub words: Option<usize>,
    /// What stands between the words of a passphrase [default: -]
    #[arg(long, value_name = "TEXT", requires = "key")]
    pub separator: Option<String>,
    /// How many random bytes hex and base64 write [default: 32]
    #[arg(long, value_name = "N", requires = "key")]
    pub bytes: Option<usize>,
    /// What stands after an SSH public key [default: the key path]
    #[arg(long, value_name = "TEXT", requires = "key")]
    pub comment: Option<String>,
    /// Put the new value in the place of one that is there
    #[arg(long, requires = "key")]
    pub replace: bool,
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

/// What `secrets new` makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Random characters
    Password,
    /// Random words, to be typed or remembered
    Passphrase,
    /// Random bytes in hexadecimal digits
    Hex,
    /// Random bytes in base64
    Base64,
    /// An OpenSSH ed25519 key pair
    SshKey,
    /// A WireGuard key pair
    Wireguard,
    /// An age key pair
    Age,
}

const ABOUT: &str = "\
Make a new secret that nobody has to think up, and put it into a secret file; the file is made if it is not there.

The secret is not shown; `steadfast secrets get` shows it. Of a key pair, the halves are stored as `private` and `public` \
below the key, and the public half is printed. A value that is there already is left alone without --replace.

Without a key: opens a new file in your editor, for the recipients of its rule.

Passphrases are of the EFF's large word list, with 12.9 bits for each word.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets new secrets/default.yml db/password
  steadfast secrets new secrets/default.yml wifi --kind passphrase --words 5
  steadfast secrets new secrets/default.yml api/token --kind hex --bytes 20
  steadfast secrets new secrets/default.yml wireguard/chicago --kind wireguard
  steadfast secrets new secrets/default.yml deploy --kind ssh-key --comment deploy@chicago
  steadfast secrets new secrets/chicago.yml";

/// `secrets new --json`: what was made. Never the secret.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct NewAnswer {
    /// Format version, 1.
    pub version: u32,
    /// The file, relative to the repository.
    pub file: String,
    /// Whether the file was made too.
    pub created: bool,
    /// The key paths of the values that were set: two for a key pair, the private half first.
    pub keys: Vec<String>,
    /// The public half of a key pair.
    pub public: Option<String>,
}

/// Runs `new`.
pub(super) fn run(args: &NewArgs, flags: &HostFlags) -> Result<u8, Failure> {
    let repository = repository(flags)?;
    let file = locate(&repository, &args.file)?;
    let Some(key) = &args.key else {
        return new_file(&repository, &file, args, flags);
    };
    let new = NewSecret {
        key,
        generator: &generator(args, key)?,
        existing: if args.replace {
            Existing::Replace
        } else {
            Existing::Refuse
        },
    };
    let access = Access {
        identities: &identities(flags)?,
        mac: MacCheck::Verify,
    };
    let target = SecretFile::at(&args.file, Some(&repository));
    let made = new_secret(&target, &new, access)
        .map_err(|error: NewSecretError| Problem::of(&error).with_hint(error.fix()))?;
    let keys: Vec<String> = made.keys.iter().map(ToString::to_string).collect();
    let created = made.changed == Changed::Created;
    match args.format.format() {
        Format::Json => print_json(&NewAnswer {
            version: 1,
            file: file.to_string(),
            created,
            keys: keys.clone(),
            public: made.public,
        })?,
        Format::Text => {
            if let Some(public) = made.public {
                print(&(public + "\n"))?;
            }
        }
    }
    let keys = keys.join(" and ");
    say(if created {
        format!(
            "{file} is made, for {}, with a new {keys}",
            names(&repository, &file)
        )
    } else {
        format!(
            "{keys} in {file} {} new",
            if made.keys.len() == 1 { "is" } else { "are" }
        )
    });
    Ok(exit::DONE)
}

/// Says what becomes of a new file, and opens it in the editor.
fn new_file(
    repository: &Repository,
    file: &RepoPath,
    args: &NewArgs,
    flags: &HostFlags,
) -> Result<u8, Failure> {
    if repository.path(file).exists() {
        return Err(
            Problem::new(format!("{file} is there already")).with_fix(format!(
                "`steadfast secrets edit {file}` changes it, `steadfast secrets new {file} KEY` adds a generated secret"
            ))
            .into(),
        );
    }
    if let Some(rule) = repository.rules().rule_for(file) {
        say(format!(
            "{file} is new: rule {} of .sops.yaml, for {}",
            rule.number(),
            names(repository, file)
        ));
    }
    edit::run(&edit::EditArgs::of_file(&args.file), flags)
}

/// Who can open a new `file`, by name.
fn names(repository: &Repository, file: &RepoPath) -> String {
    // A file without a rule is refused by whoever makes it.
    let recipients = repository.rules().recipients_of(file).unwrap_or_default();
    let names: Vec<String> = recipients
        .iter()
        .map(|recipient| repository.names().name_of(recipient))
        .collect();
    names.join(", ")
}

fn generator(args: &NewArgs, key: &KeyPath) -> Result<Generator, Problem> {
    const BYTES: usize = 32;
    let options = [
        (args.length.is_some(), "--length", &[Kind::Password][..]),
        (args.alphabet.is_some(), "--alphabet", &[Kind::Password]),
        (args.words.is_some(), "--words", &[Kind::Passphrase]),
        (args.separator.is_some(), "--separator", &[Kind::Passphrase]),
        (args.bytes.is_some(), "--bytes", &[Kind::Hex, Kind::Base64]),
        (args.comment.is_some(), "--comment", &[Kind::SshKey]),
    ];
    for (given, option, kinds) in options {
        if given && !kinds.contains(&args.kind) {
            let kinds: Vec<String> = kinds.iter().map(|kind| named(*kind)).collect();
            return Err(Problem::new(format!(
                "{option} means nothing for a secret of the kind {}",
                named(args.kind)
            ))
            .with_fix(format!(
                "leave it out, or say --kind {}",
                kinds.join(" or ")
            )));
        }
    }
    Ok(match args.kind {
        Kind::Password => Generator::Password {
            length: args.length.unwrap_or(32),
            alphabet: args.alphabet.clone().unwrap_or_default(),
        },
        Kind::Passphrase => Generator::Passphrase {
            words: args.words.unwrap_or(6),
            separator: args.separator.clone().unwrap_or_else(|| "-".to_owned()),
        },
        Kind::Hex => Generator::Hex {
            bytes: args.bytes.unwrap_or(BYTES),
        },
        Kind::Base64 => Generator::Base64 {
            bytes: args.bytes.unwrap_or(BYTES),
        },
        Kind::SshKey => Generator::SshKey {
            comment: args.comment.clone().unwrap_or_else(|| key.to_string()),
        },
        Kind::Wireguard => Generator::Wireguard,
        Kind::Age => Generator::AgeKey,
    })
}

/// The word that is typed for a kind.
fn named(kind: Kind) -> String {
    kind.to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}
