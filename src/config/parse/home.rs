//! `home`: what is in the home directories of accounts.

use super::HostParser;
use super::of::{Home, Of};
use crate::config::host::HomeConfig;
use crate::config::nearest::nearest;
use crate::config::reader::Fields;
use crate::config::vocabulary::HOME;
use crate::config::yaml::{Entry, Key, Node};
use crate::host::UserName;

/// What the system itself gives to a session.
const GIVEN: [&str; 12] = [
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PWD",
    "UID",
    "EUID",
    "PPID",
    "SHELLOPTS",
    "BASHOPTS",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
];

impl HostParser<'_> {
    pub(super) fn homes(&mut self, node: &Node) {
        for entry in self
            .reader
            .entries(node, "homes by account")
            .unwrap_or_default()
        {
            let home = self.home_of(&entry.key);
            let Some(fields) = self.reader.fields(&entry.value, "a home", HOME) else {
                continue;
            };
            if let Some(home) = home {
                self.home(entry, fields, &home);
            }
        }
    }

    /// The home directory of the account that a key names.
    fn home_of(&mut self, key: &Key) -> Option<Home> {
        let account = self.reader.key_name::<UserName>(key)?;
        let Some(user) = self.config.users.get(&account) else {
            let known = self.config.users.keys().map(UserName::as_str);
            let fix = match nearest(account.as_str(), known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("say `users: {{ {account}: }}`, so that the home has an account"),
            };
            self.reader
                .error(key.place, format!("there is no account `{account}`"))
                .fix = Some(fix);
            return None;
        };
        if user.value.system && user.value.home.is_none() {
            let said = crate::config::Mark::from(&user.origin);
            let error = self.reader.error(
                key.place,
                format!("the account `{account}` has no home directory"),
            );
            error.related = Some((said, "it is a system account".to_owned()));
            error.fix = Some("say its `home` there".to_owned());
            return None;
        }
        let directory = user.value.directory(&account);
        Some(Home {
            directory: self.reader.valid(directory, key.place)?,
            account,
        })
    }

    fn home(&mut self, entry: &Entry, fields: Fields<'_>, home: &Home) {
        let of = Of::Home(home);
        if let Some(node) = fields.get("files") {
            self.files(node, of);
        }
        if let Some(node) = fields.get("directories") {
            self.directories(node, of);
        }
        if let Some(node) = fields.get("symlinks") {
            self.symlinks(node, of);
        }
        if let Some(node) = fields.get("secrets") {
            self.secrets(node, of);
        }
        if let Some(node) = fields.get("templates") {
            self.templates(node, of);
        }
        let mut config = HomeConfig::default();
        if let Some(node) = fields.get("git") {
            config.git = self.git(node);
        }
        if let Some(node) = fields.get("session_variables") {
            self.session_variables(node, &mut config);
        }
        if let Some(node) = fields.get("units") {
            config.units = self.units_by_name(node);
        }
        let config = self.reader.located(entry.key.place, config);
        self.config.homes.insert(home.account.clone(), config);
    }

    fn session_variables(&mut self, node: &Node, config: &mut HomeConfig) {
        let Some(entries) = self.reader.entries(node, "variables by name") else {
            return;
        };
        for entry in entries {
            let name = entry.key.text.as_str();
            if let Some(why) = not_a_variable(name) {
                let message = format!("`{name}` cannot be a session variable");
                self.reader.error(entry.key.place, message).cause = Some(why.to_owned());
                continue;
            }
            let Some(value) = self.reader.text(&entry.value) else {
                continue;
            };
            if value.is_empty() || value.contains(['\n', '\r', '\0']) {
                // environment.d(5) has no way to write an empty value.
                self.reader.wrong_type(&entry.value, "one line of text");
                continue;
            }
            let value = self.reader.located(entry.key.place, value.to_owned());
            config.session_variables.insert(name.to_owned(), value);
        }
    }
}

/// Why there cannot be such a variable; `None` if there can.
fn not_a_variable(name: &str) -> Option<&'static str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if name.is_empty() || !name.bytes().all(plain) || name.as_bytes()[0].is_ascii_digit() {
        Some("a name is letters, digits and `_`, and does not begin with a digit")
    } else if GIVEN.contains(&name) {
        Some("the system sets it for every session")
    } else {
        None
    }
}
