//! Groups, accounts and their authorized keys.

use std::collections::BTreeSet;

use super::builder::Builder;
use crate::config::{ConfigError, OnConflict, Origin, UserConfig};
use crate::generation::{GroupEntry, PathEntry, PathKind, UserEntry};
use crate::host::{FileMode, GroupName, HostPath, SubIds, UserName};
use crate::secrets::UnitTriggers;

const PRIVATE_DIRECTORY: FileMode = FileMode::from_bits(0o700);
const PRIVATE_FILE: FileMode = FileMode::from_bits(0o600);

impl Builder<'_> {
    pub(super) fn accounts(&mut self) {
        let config = self.config;
        for (name, located) in &config.groups {
            self.origin(format!("group {name}"), &located.origin);
            let entry = GroupEntry {
                gid: located.value.gid,
                system: located.value.system,
            };
            self.manifest.groups.insert(name.clone(), entry);
        }
        for (name, located) in &config.users {
            self.origin(format!("user {name}"), &located.origin);
            self.user(name, &located.value, &located.origin);
        }
        self.ids_are_taken_once();
        self.subids_are_taken_once();
    }

    fn user(&mut self, name: &UserName, user: &UserConfig, origin: &Origin) {
        if let Some(secret) = &user.password_secret
            && !self.config.secrets.contains_key(secret)
        {
            let message =
                format!("`{name}` takes its password from `{secret}`, which is not declared");
            let fix = format!("add `{secret}:` under `secrets:`");
            self.push(ConfigError::new(message).at(origin).fix(fix));
        }
        let home = match user.directory(name) {
            Ok(home) => home,
            Err(invalid) => {
                self.push(ConfigError::new(invalid.to_string()).at(origin));
                return;
            }
        };
        self.authorized_keys(name, user, &home, origin);
        let mut groups: BTreeSet<GroupName> = user.groups.iter().cloned().collect();
        if user.admin {
            groups.insert(self.admin_group());
            self.needs_package("sudo", origin);
        }
        if user.linger {
            // As `loginctl enable-linger` does it: an empty file named after the account.
            self.text(&format!("/var/lib/systemd/linger/{name}"), "", origin);
        }
        let entry = UserEntry {
            uid: user.uid,
            group: self.primary_group(name),
            groups,
            description: user.description.clone(),
            home,
            shell: user.shell.clone(),
            password_hash: user.password_hash.clone(),
            password_secret: user.password_secret.clone(),
            system: user.system,
            expires: user.expires,
            subids: user.subids,
        };
        self.manifest.users.insert(name.clone(), entry);
    }

    /// The group whose members may use sudo.
    fn admin_group(&self) -> GroupName {
        let platform = self.config.platform.as_ref();
        let other = platform.and_then(|platform| platform.other_than_debian());
        let name = if other.is_some() { "wheel" } else { "sudo" };
        GroupName::new(name).expect("a name written in the program is one of a group")
    }

    fn authorized_keys(
        &mut self,
        name: &UserName,
        user: &UserConfig,
        home: &HostPath,
        origin: &Origin,
    ) {
        if user.ssh_keys.is_empty() {
            return;
        }
        let (directory, file) = match (home.join(".ssh"), home.join(".ssh/authorized_keys")) {
            (Ok(directory), Ok(file)) => (directory, file),
            (Err(invalid), _) | (_, Err(invalid)) => {
                self.push(ConfigError::new(invalid.to_string()).at(origin));
                return;
            }
        };
        let group = self.primary_group(name);
        let mut text = user.ssh_keys.join("\n");
        text.push('\n');
        let content = self.object(text.into_bytes());
        let private = |kind| PathEntry {
            kind,
            // Images and installers put keys there; they come back when the account's entry goes.
            on_conflict: OnConflict::Backup,
            drift: self.config.drift,
            units: UnitTriggers::default(),
        };
        let directory_entry = private(PathKind::Directory {
            owner: name.clone(),
            group: group.clone(),
            mode: PRIVATE_DIRECTORY,
        });
        let file_entry = private(PathKind::File {
            content,
            owner: name.clone(),
            group,
            mode: PRIVATE_FILE,
        });
        // The directory may be declared too, with a mode of its own choice.
        if !self.config.directories.contains_key(&directory) {
            self.place(directory, directory_entry, origin);
        }
        self.place(file, file_entry, origin);
    }

    /// Two accounts with the same subordinate id could read each other's containers.
    fn subids_are_taken_once(&mut self) {
        let ranges: Vec<(&UserName, SubIds, &Origin)> = self
            .config
            .users
            .iter()
            .filter_map(|(name, user)| Some((name, user.value.subids?, &user.origin)))
            .collect();
        for (index, (name, range, origin)) in ranges.iter().enumerate() {
            let other = ranges[..index]
                .iter()
                .find(|(_, other, _)| other.overlaps(*range));
            if let Some((other, _, first)) = other {
                let error =
                    ConfigError::new(format!("`{name}` and `{other}` share subordinate ids"))
                        .at(*origin)
                        .related(*first, "the other one is here")
                        .fix("begin one range after the other ends");
                self.push(error);
            }
        }
    }

    fn ids_are_taken_once(&mut self) {
        let config = self.config;
        let users = config
            .users
            .iter()
            .filter_map(|(name, user)| Some((user.value.uid?, name.as_str(), &user.origin)));
        let users = taken_twice("uid", users);
        let groups = config
            .groups
            .iter()
            .filter_map(|(name, group)| Some((group.value.gid?, name.as_str(), &group.origin)));
        let groups = taken_twice("gid", groups);
        for error in users.into_iter().chain(groups) {
            self.push(error);
        }
    }
}

fn taken_twice<'c>(
    what: &str,
    ids: impl Iterator<Item = (u32, &'c str, &'c Origin)>,
) -> Vec<ConfigError> {
    let mut taken: std::collections::BTreeMap<u32, (&str, &Origin)> =
        std::collections::BTreeMap::new();
    let mut errors = Vec::new();
    for (id, name, origin) in ids {
        if let Some((first, first_origin)) = taken.get(&id) {
            let error =
                ConfigError::new(format!("`{name}` and `{first}` have the same {what} {id}"))
                    .at(origin)
                    .related(*first_origin, "the other one is here")
                    .fix(format!("give one of them another {what}"));
            errors.push(error);
        } else {
            taken.insert(id, (name, origin));
        }
    }
    errors
}
