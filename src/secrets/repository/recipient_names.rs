//! Names for recipients, so that people read `chicago` and not `age1ng0…`.

use std::collections::BTreeMap;
use std::path::Path;

use granit_parser::{Event, Options, Parser};

use super::Repository;
use crate::identity::{HostPublicKey, Recipient};

/// What recipients are called. Where no name is known, the key itself is shown.
#[derive(Debug, Clone, Default)]
pub struct RecipientNames {
    by_key: BTreeMap<String, String>,
}

impl RecipientNames {
    /// Names from the YAML anchors of a `.sops.yaml`: `- &alice age1…`; or else from a comment on the same line,
    /// `- age1… # alice`.
    ///
    /// A typed reader drops both, so the parser's own events are read.
    #[must_use]
    pub fn of_anchors(text: &str) -> Self {
        let mut names = Self::default();
        let mut options = Options::default();
        options.emit_anchor_events = true;
        let mut comments: BTreeMap<String, String> = BTreeMap::new();
        let mut last: Option<(String, usize)> = None;
        for event in Parser::new_from_str_with_options(text, options) {
            // A text that is not YAML was already refused by whoever reads the rules.
            let Ok((event, span)) = event else { break };
            match event {
                Event::Scalar(value, ..) => {
                    last = Recipient::parse(&value)
                        .ok()
                        .map(|recipient| (recipient.key(), span.end.line()));
                }
                Event::Anchor(_, name) => {
                    if let Some((key, _)) = &last {
                        names.add(key.clone(), name.into_owned());
                    }
                }
                Event::Comment(comment, _) => {
                    if let Some((key, line)) = &last
                        && *line == span.start.line()
                        && let Some(name) = name_of_comment(&comment)
                    {
                        comments.entry(key.clone()).or_insert(name);
                    }
                }
                _ => {}
            }
        }
        for (key, name) in comments {
            names.add(key, name);
        }
        names
    }

    /// Names in the repository that `directory` is in; none where there is no repository, or none that can be used: what is
    /// shown is right without names.
    #[must_use]
    pub fn around(directory: &Path) -> Self {
        Repository::find(directory)
            .map(|repository| repository.names().clone())
            .unwrap_or_default()
    }

    /// Adds the hosts of the repository at `root`, from `hosts/NAME/ssh_host_ed25519_key.pub`: the derived age key as
    /// well as the SSH key. Names that are there already stay.
    #[must_use]
    pub fn with_hosts(mut self, root: &Path) -> Self {
        // A repository without hosts, or a key that is damaged, costs a name in a table and nothing else.
        let Ok(hosts) = std::fs::read_dir(root.join("hosts")) else {
            return self;
        };
        for host in hosts.flatten() {
            let file = host.path().join("ssh_host_ed25519_key.pub");
            let Ok(text) = std::fs::read_to_string(file) else {
                continue;
            };
            self = self.with_host(&host.file_name().to_string_lossy(), &text);
        }
        self
    }

    /// Adds the host `name`, whose public key file has the text `key`.
    #[must_use]
    pub fn with_host(mut self, name: &str, key: &str) -> Self {
        if let Ok(key) = HostPublicKey::find(key) {
            self.add(key.age_recipient(), name.to_owned());
            self.add(key.openssh(), name.to_owned());
        }
        self
    }

    /// Adds a name for one key, unless it has one.
    #[must_use]
    pub fn with_key(mut self, key: &str, name: &str) -> Self {
        self.add(key.to_owned(), name.to_owned());
        self
    }

    /// Every recipient that has a name, as it is compared, with that name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let named = self.by_key.iter();
        named.map(|(key, name)| (key.as_str(), name.as_str()))
    }

    fn add(&mut self, key: String, name: String) {
        self.by_key.entry(key).or_insert(name);
    }

    /// The name of `recipient`; its shortened key where none is known.
    #[must_use]
    pub fn name_of(&self, recipient: &Recipient) -> String {
        self.known(recipient)
            .map_or_else(|| recipient.short(), str::to_owned)
    }

    /// The name of `recipient`, if one is known.
    #[must_use]
    pub fn known(&self, recipient: &Recipient) -> Option<&str> {
        self.by_key.get(&recipient.key()).map(String::as_str)
    }

    /// As [`name_of`](Self::name_of), of a recipient as a secret file has it.
    #[must_use]
    pub fn name_of_text(&self, text: &str) -> String {
        Recipient::parse(text).map_or_else(|_kind| text.to_owned(), |it| self.name_of(&it))
    }
}

/// The first words of a comment, if they look like a name.
fn name_of_comment(comment: &str) -> Option<String> {
    let name = comment.trim().trim_start_matches('#').trim();
    let short = !name.is_empty() && name.chars().count() <= 40;
    (short && !name.chars().any(char::is_control)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga";
    const BOB: &str = "age1wngts0hzghfwf90yt6fcaegx3qy7frfka7c4ath89x6ufe4n0p7sunzey0";
    const CHICAGO: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBOCdSWjIMfzszdPo7IKIjJSHWCqqJzCc1q6X8BSXLQc";

    fn recipient(text: &str) -> Recipient {
        Recipient::parse(text).unwrap()
    }

    #[test]
    fn anchors_and_comments_name_recipients() {
        let text = format!(
            "keys:\n  - &alice {ALICE}\n  - {BOB} # Bob's laptop\n  # not this\n  - &root \"{CHICAGO}\"\nx: &other text\n"
        );
        let names = RecipientNames::of_anchors(&text);
        assert_eq!(names.name_of(&recipient(ALICE)), "alice");
        assert_eq!(names.name_of(&recipient(BOB)), "Bob's laptop");
        assert_eq!(
            names.name_of(&recipient(&format!("{CHICAGO} comment"))),
            "root"
        );
    }

    #[test]
    fn hosts_are_named_by_their_folder_for_both_forms_of_their_key() {
        let root = tempfile::tempdir().unwrap();
        let host = root.path().join("hosts/chicago");
        std::fs::create_dir_all(&host).unwrap();
        std::fs::copy(
            concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/vectors/ssh-to-age/vector1.pub"
            ),
            host.join("ssh_host_ed25519_key.pub"),
        )
        .unwrap();
        let names = RecipientNames::default().with_hosts(root.path());
        assert_eq!(names.name_of(&recipient(ALICE)), "chicago");
        assert_eq!(names.name_of(&recipient(CHICAGO)), "chicago");
        assert_eq!(names.name_of(&recipient(BOB)), recipient(BOB).short());
    }
}
