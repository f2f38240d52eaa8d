//! `groups` and `users`.

use super::HostParser;
use crate::config::error::ConfigError;
use crate::config::host::{GroupConfig, UserConfig};
use crate::config::reader::Fields;
use crate::config::vocabulary::{GROUP, SUBIDS, USER};
use crate::config::yaml::{Entry, Node};
use crate::host::{GroupName, HostPath, SubIds, UserName};

/// The highest id that means an account: 65535 and 4294967295 stand for "none".
const MAX_ID: u32 = 4_294_967_293;
/// Below are accounts of people and of the system, and "no account".
const FIRST_SUBID: u32 = 65_536;
/// As many as a container has ids of its own.
const USUAL_SUBIDS: u32 = 65_536;

impl HostParser<'_> {
    pub(super) fn groups(&mut self, node: &Node) {
        for entry in self
            .reader
            .entries(node, "groups by name")
            .unwrap_or_default()
        {
            let name = self.reader.key_name::<GroupName>(&entry.key);
            let Some(fields) = self.reader.fields(&entry.value, "a group", GROUP) else {
                continue;
            };
            let group = GroupConfig {
                gid: self.id(fields, "gid"),
                system: self.flag(fields, "system"),
            };
            if let Some(name) = name {
                let group = self.reader.located(entry.key.place, group);
                self.config.groups.insert(name, group);
            }
        }
    }

    pub(super) fn users(&mut self, node: &Node) {
        for entry in self
            .reader
            .entries(node, "accounts by name")
            .unwrap_or_default()
        {
            let name = self.reader.key_name::<UserName>(&entry.key);
            if let Some(user) = self.user(entry)
                && let Some(name) = name
            {
                let user = self.reader.located(entry.key.place, user);
                self.config.users.insert(name, user);
            }
        }
    }

    fn user(&mut self, entry: &Entry) -> Option<UserConfig> {
        let fields = self.reader.fields(&entry.value, "an account", USER)?;
        let groups = fields
            .get("groups")
            .and_then(|node| self.reader.names::<GroupName>(node, "group names"))
            .unwrap_or_default();
        let user = UserConfig {
            uid: self.id(fields, "uid"),
            group: fields.get("group").and_then(|node| self.reader.name(node)),
            groups: groups.into_iter().map(|group| group.value).collect(),
            description: self.passwd_field(fields, "description"),
            home: self.passwd_path(fields, "home"),
            shell: self.passwd_path(fields, "shell"),
            password_hash: self.password_hash(fields),
            password_secret: fields
                .get("password_secret")
                .and_then(|node| self.reader.name(node)),
            ssh_keys: self.ssh_keys(fields),
            system: self.flag(fields, "system"),
            admin: self.flag(fields, "admin"),
            linger: self.flag(fields, "linger"),
            expires: self.expires(fields),
            subids: fields.get("subids").and_then(|node| self.subids(node)),
        };
        if let (Some(hash), Some(secret)) = (
            fields.entry("password_hash"),
            fields.entry("password_secret"),
        ) {
            let first = self.reader.mark(hash.key.place);
            let error = self.reader.error(
                secret.key.place,
                "the password is said twice, by `password_hash` and by `password_secret`",
            );
            error.related = Some((first, "it is said here too".to_owned()));
            error.fix = Some("keep one of the two".to_owned());
        }
        if user.system && user.home.is_none() && !user.ssh_keys.is_empty() {
            self.reader
                .error(
                    entry.key.place,
                    "a system account has no home directory to keep `ssh_keys` in",
                )
                .fix = Some("say its `home`".to_owned());
        }
        Some(user)
    }

    fn flag(&mut self, fields: Fields<'_>, key: &str) -> bool {
        fields
            .get(key)
            .and_then(|node| self.reader.boolean(node))
            .unwrap_or(false)
    }

    /// A day of the calendar, or `never`.
    fn expires(&mut self, fields: Fields<'_>) -> Option<jiff::civil::Date> {
        let node = fields.get("expires")?;
        let text = self.reader.text(node)?;
        if text == "never" {
            return None;
        }
        match text.parse::<jiff::civil::Date>() {
            // Day 0 and what is before it cannot be written into the shadow file; day 1 means a locked account.
            Ok(date) if text.len() == 10 && date.year() > 1970 => Some(date),
            _ => {
                self.reader
                    .wrong_type(node, "a day such as `2027-12-31`, or `never`,");
                None
            }
        }
    }

    fn subids(&mut self, node: &Node) -> Option<SubIds> {
        let fields = self.reader.fields(node, "`subids`", SUBIDS)?;
        let start = self
            .reader
            .required(fields, "start", (node.place, "`subids`"))
            .and_then(|node| self.reader.number(node, MAX_ID))?;
        let count = match fields.get("count") {
            None => USUAL_SUBIDS,
            Some(node) => self.reader.number(node, MAX_ID)?,
        };
        let last = start.checked_add(count.saturating_sub(1));
        if count == 0 || start < FIRST_SUBID || last.is_none_or(|last| last > MAX_ID) {
            self.reader.error(
                node.place,
                format!(
                    "subordinate ids are from {FIRST_SUBID} to {MAX_ID}, and there is at least one"
                ),
            );
            return None;
        }
        Some(SubIds { start, count })
    }

    fn id(&mut self, fields: Fields<'_>, key: &str) -> Option<u32> {
        let node = fields.get(key)?;
        let id = self.reader.number(node, MAX_ID)?;
        if id == 65_535 {
            self.reader
                .error(node.place, "65535 means \"no account\" and cannot be an id");
            return None;
        }
        Some(id)
    }

    /// One line that fits a field of the passwd file.
    fn passwd_field(&mut self, fields: Fields<'_>, key: &str) -> Option<String> {
        let node = fields.get(key)?;
        let text = self.reader.line(node)?;
        if text.contains(':') {
            self.reader
                .error(node.place, format!("`{key}` must not contain `:`"))
                .cause = Some("`:` separates the fields of the passwd file".to_owned());
            return None;
        }
        Some(text.to_owned())
    }

    fn passwd_path(&mut self, fields: Fields<'_>, key: &str) -> Option<HostPath> {
        self.passwd_field(fields, key)?;
        self.reader.name(fields.get(key)?)
    }

    fn password_hash(&mut self, fields: Fields<'_>) -> Option<String> {
        let node = fields.get("password_hash")?;
        let text = self.reader.line(node)?;
        let body = text.trim_start_matches('!');
        let crypt = body.starts_with('$') && body.len() > 12 && !body.contains([':', ' ']);
        if crypt || text == "*" || body.is_empty() {
            return Some(text.to_owned());
        }
        // Not at its place: the excerpt would print what may be a password in clear.
        let place = self.reader.origin(node.place);
        self.reader.push(
            ConfigError::new(format!("{place}: `password_hash` is not a crypt(3) hash"))
                .cause("a hash begins with `$`; if this is a password in clear, it is in the repository's history now")
                .fix("put the output of `mkpasswd` there, or better name a secret with `password_secret`"),
        );
        None
    }

    fn ssh_keys(&mut self, fields: Fields<'_>) -> Vec<String> {
        let Some(node) = fields.get("ssh_keys") else {
            return Vec::new();
        };
        let items = self
            .reader
            .list(node, "public SSH keys")
            .unwrap_or_default();
        let mut keys = Vec::new();
        for item in items {
            let Some(line) = self.reader.line(item) else {
                continue;
            };
            let line = line.trim();
            if line.parse::<ssh_key::authorized_keys::Entry>().is_ok() {
                keys.push(line.to_owned());
            } else {
                let error = self
                    .reader
                    .error(item.place, "this is not a line of an authorized_keys file");
                error.fix = Some(
                    "paste the whole line of a `.pub` file: `ssh-ed25519 AAAA… name`".to_owned(),
                );
            }
        }
        keys
    }
}
