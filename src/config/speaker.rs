//! Whose file something is written in.

use std::fmt;

use serde::Serialize;

use super::{HostName, ModuleName, Origin};
use crate::host::UserName;
use crate::source::Snapshot;

/// Who says something: the file of a host, a module or a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum Speaker {
    /// A host file.
    Host(HostName),
    /// A module.
    Module(ModuleName),
    /// The file of a person.
    Person(UserName),
    /// `fleet.yml`, or a file that one of the others names.
    Other,
}

impl Speaker {
    /// Whose file `origin` is in.
    #[must_use]
    pub fn of(origin: &Origin, snapshot: &Snapshot) -> Self {
        let file = origin.file.as_str();
        if let Some(mount) = snapshot.mount_of(&origin.file) {
            let folder = format!("{}{}/", mount.prefix(), mount.directory);
            let name = file
                .strip_prefix(&folder)
                .and_then(|below| below.split('/').next())
                .and_then(|name| ModuleName::new(format!("{}/{name}", mount.name)).ok());
            return name.map_or(Self::Other, Self::Module);
        }
        let mut parts = file.split('/');
        let folder = parts.next().unwrap_or_default();
        let name = parts.next().unwrap_or_default();
        let found = match folder {
            "hosts" => HostName::new(name).ok().map(Self::Host),
            "modules" => ModuleName::new(name).ok().map(Self::Module),
            "users" => UserName::new(name.trim_end_matches(".yml"))
                .ok()
                .map(Self::Person),
            _ => None,
        };
        found.unwrap_or(Self::Other)
    }
}

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(name) => write!(f, "host {name}"),
            Self::Module(name) => write!(f, "module {name}"),
            Self::Person(name) => write!(f, "person {name}"),
            Self::Other => f.write_str("the repository"),
        }
    }
}
