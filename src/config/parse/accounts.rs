//! `groups` and `users`.

use super::HostParser;
use crate::config::error::ConfigError;
use crate::config::host::{GroupConfig, UserConfig};
use crate::config::reader::Fields;
use crate::config::vocabulary::{GROUP, USER};
use crate::config::yaml::{Entry, Node};
use crate::host::{GroupName, HostPath, UserName};

/// The highest id that means an account: 65535 and 4294967295 stand for "none".
const MAX_ID: u32 = 4_294_967_293;

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
                system: self.system(fields),
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
            system: self.system(fields),
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

    fn system(&mut self, fields: Fields<'_>) -> bool {
        fields
            .get("system")
            .and_then(|node| self.reader.boolean(node))
            .unwrap_or(false)
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
