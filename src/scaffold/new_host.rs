//! The files of a host that joins: copied from another host, or made from a profile.

use std::collections::BTreeMap;

use super::facts::Facts;
use crate::config::{ConfigErrors, Fleet, HostName, ModuleName, nearest};
use crate::generation::build;
use crate::source::{ReadBlobError, RepoPath, Snapshot};

/// What the new host begins as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// As another host is.
    Host(HostName),
    /// With this module on, and nothing set.
    Profile(ModuleName),
    /// With nothing.
    Nothing,
}

/// The files of a new host, and the repository with them.
pub struct NewHost {
    /// Its files.
    pub files: BTreeMap<RepoPath, Vec<u8>>,
    /// Every file of the repository, the new ones among them.
    pub all: Snapshot,
}

impl std::fmt::Debug for NewHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewHost")
            .field("files", &self.files.keys())
            .finish_non_exhaustive()
    }
}

/// A host that cannot be added.
#[derive(Debug, thiserror::Error)]
pub enum NewHostError {
    /// There is one of that name.
    #[error("there is a host `{host}` already")]
    Exists {
        /// Its name.
        host: HostName,
    },
    /// What it is to begin as is neither.
    #[error("`{name}` is neither a host nor a module of this repository")]
    NoOrigin {
        /// What was named.
        name: String,
        /// The nearest that there is.
        meant: Option<String>,
    },
    /// A file of the repository.
    #[error(transparent)]
    Read(#[from] ReadBlobError),
    /// What comes of it is wrong.
    #[error("the new host would be wrong")]
    Config(Box<ConfigErrors>),
}

impl NewHostError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::Exists { host } => Some(format!(
                "name another; `steadfast secrets onboard {host} --ssh-keyscan` registers its key"
            )),
            Self::NoOrigin { meant, .. } => meant
                .as_ref()
                .map(|meant| format!("did you mean `{meant}`?")),
            Self::Read(_) | Self::Config(_) => None,
        }
    }
}

impl Origin {
    /// `name` as a host or, where there is none, as a module of the repository.
    ///
    /// # Errors
    /// [`NewHostError::NoOrigin`].
    pub fn find(name: Option<&str>, snapshot: &Snapshot) -> Result<Self, NewHostError> {
        let Some(name) = name else {
            return Ok(Self::Nothing);
        };
        let fleet = Fleet::read(snapshot);
        let hosts = fleet.hosts();
        if let Some(host) = hosts.iter().find(|host| host.as_str() == name) {
            return Ok(Self::Host(host.clone()));
        }
        if let Some(module) = fleet.modules().find(|module| module.as_str() == name) {
            return Ok(Self::Profile(module.clone()));
        }
        let known = hosts.iter().map(HostName::as_str);
        let known = known.chain(fleet.modules().map(ModuleName::as_str));
        Err(NewHostError::NoOrigin {
            name: name.to_owned(),
            meant: nearest(name, known).map(str::to_owned),
        })
    }
}

/// The files of a new host `name` in a repository that has the files of `snapshot`; nothing is written.
///
/// # Errors
/// [`NewHostError`]; what comes of the files is [`prove`]d afterwards.
pub fn new_host(
    snapshot: &Snapshot,
    name: &HostName,
    (origin, facts): (&Origin, &Facts),
) -> Result<NewHost, NewHostError> {
    let mut all = BTreeMap::new();
    for path in snapshot.paths() {
        if let Some(content) = snapshot.read(path)? {
            all.insert(path.clone(), content);
        }
    }
    let path = |folder: &HostName, file: &str| {
        RepoPath::new(format!("hosts/{folder}/{file}"))
            .map_err(|_| NewHostError::Exists { host: name.clone() })
    };
    let host_file = path(name, "host.yml")?;
    if all.contains_key(&host_file) {
        return Err(NewHostError::Exists { host: name.clone() });
    }
    let mut files = BTreeMap::new();
    match origin {
        Origin::Host(other) => {
            let folder = format!("hosts/{other}/");
            for (file, content) in &all {
                let Some(rest) = file.as_str().strip_prefix(&folder) else {
                    continue;
                };
                // A key belongs to one machine.
                if rest.strip_suffix(".pub").is_some() || rest.contains("_key") {
                    continue;
                }
                files.insert(path(name, rest)?, content.clone());
            }
            let text = files.get(&host_file).cloned().unwrap_or_default();
            let text = copied(&String::from_utf8_lossy(&text), name, facts);
            files.insert(host_file, text.into_bytes());
        }
        Origin::Profile(module) => {
            files.insert(host_file, made(&all, facts, Some(module)).into_bytes());
        }
        Origin::Nothing => {
            files.insert(host_file, made(&all, facts, None).into_bytes());
        }
    }
    all.extend(files.clone());
    let all = Snapshot::in_memory(all);
    Ok(NewHost { files, all })
}

/// Resolves and builds the new host, in a repository with all of its inputs.
///
/// # Errors
/// [`NewHostError::Config`].
pub fn prove(all: &Snapshot, name: &HostName) -> Result<(), NewHostError> {
    let wrong = |errors: ConfigErrors| NewHostError::Config(Box::new(errors));
    let resolution = Fleet::read(all).resolve(name).map_err(wrong)?;
    build(&resolution.config, all).map_err(wrong)?;
    Ok(())
}

/// A host file from nothing.
fn made(all: &BTreeMap<RepoPath, Vec<u8>>, facts: &Facts, profile: Option<&ModuleName>) -> String {
    let mut lines = Vec::new();
    let has_schema = RepoPath::new(".schema/host.json").is_ok_and(|path| all.contains_key(&path));
    if has_schema {
        lines.push("# yaml-language-server: $schema=../../.schema/host.json".to_owned());
    }
    lines.push("description: ''".to_owned());
    lines.extend(platform(facts));
    if let Some(profile) = profile {
        lines.push(String::new());
        lines.push(format!("profiles: [{profile}]"));
    }
    lines.join("\n") + "\n"
}

/// The host file of another host, with what is this one's alone.
fn copied(text: &str, name: &HostName, facts: &Facts) -> String {
    let text = match platform(facts) {
        Some(line) => with_key(text, "platform", &line),
        None => text.to_owned(),
    };
    if has_key(&text, "hostname") {
        with_key(&text, "hostname", &format!("hostname: {name}"))
    } else {
        text
    }
}

fn platform(facts: &Facts) -> Option<String> {
    let quoted = facts
        .version
        .as_ref()
        .map(|version| format!("\"{version}\""));
    let said = [
        ("os", &facts.os),
        ("version", &quoted),
        ("arch", &facts.arch),
    ];
    let said: Vec<String> = said
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}: {}", value.as_ref()?)))
        .collect();
    (!said.is_empty()).then(|| format!("platform: {{ {} }}", said.join(", ")))
}

fn has_key(text: &str, key: &str) -> bool {
    text.lines().any(|line| is_key(line, key))
}

fn is_key(line: &str, key: &str) -> bool {
    line.strip_prefix(key)
        .is_some_and(|rest| rest.starts_with(':'))
}

/// `text` with `line` in the place of what is under a key at its left margin, or before the first other key.
fn with_key(text: &str, key: &str, line: &str) -> String {
    let mut lines = Vec::new();
    let mut inside = false;
    let mut put = false;
    let there = has_key(text, key);
    for old in text.lines() {
        let margin = !old.starts_with([' ', '\t', '}', ']', '-']) && !old.is_empty();
        if margin {
            let comment = old.starts_with('#');
            inside = is_key(old, key);
            let here = inside || (!there && !comment && !put);
            if here {
                lines.push(line);
                put = true;
            }
        }
        if !inside || old.is_empty() {
            lines.push(old);
        }
    }
    if !put {
        lines.push(line);
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            os: Some("debian".to_owned()),
            version: Some("13".to_owned()),
            arch: Some("aarch64".to_owned()),
            name: None,
        }
    }

    fn repository(files: &[(&str, &str)]) -> Snapshot {
        let files = files
            .iter()
            .map(|(path, text)| (RepoPath::new(*path).unwrap(), text.as_bytes().to_vec()));
        Snapshot::in_memory(files.collect())
    }

    fn text_of(new: &NewHost, path: &str) -> String {
        String::from_utf8(new.files[&RepoPath::new(path).unwrap()].clone()).unwrap()
    }

    #[test]
    fn a_copied_host_keeps_its_comments_and_gets_its_own_platform_and_name() {
        let snapshot = repository(&[
            (
                "hosts/old/host.yml",
                "# what it is\ndescription: x   # for people\nplatform:\n  os: debian\n  arch: x86_64\n\nhostname: old\nfiles:\n  /etc/a: { file: a.conf }\n",
            ),
            ("hosts/old/a.conf", "a\n"),
            (
                "hosts/old/ssh_host_ed25519_key.pub",
                "ssh-ed25519 AAAA old\n",
            ),
        ]);
        let name = HostName::new("new").unwrap();
        let origin = Origin::find(Some("old"), &snapshot).unwrap();
        let new = new_host(&snapshot, &name, (&origin, &facts())).unwrap();
        prove(&new.all, &name).unwrap();
        assert_eq!(
            text_of(&new, "hosts/new/host.yml"),
            "# what it is\ndescription: x   # for people\nplatform: { os: debian, version: \"13\", arch: aarch64 }\n\nhostname: new\nfiles:\n  /etc/a: { file: a.conf }\n"
        );
        assert_eq!(new.files.len(), 2, "{:?}", new.files.keys());
    }

    #[test]
    fn a_host_from_a_profile_has_it_on() {
        let snapshot = repository(&[(
            "modules/server/module.yml",
            "config:\n  hostname: \"{{ host.name }}\"\n",
        )]);
        let name = HostName::new("new").unwrap();
        let origin = Origin::find(Some("server"), &snapshot).unwrap();
        let new = new_host(&snapshot, &name, (&origin, &facts())).unwrap();
        prove(&new.all, &name).unwrap();
        assert_eq!(
            text_of(&new, "hosts/new/host.yml"),
            "description: ''\nplatform: { os: debian, version: \"13\", arch: aarch64 }\n\nprofiles: [server]\n"
        );
        let error = Origin::find(Some("serverr"), &snapshot).unwrap_err();
        assert_eq!(error.fix().as_deref(), Some("did you mean `server`?"));
    }

    #[test]
    fn a_host_that_would_be_wrong_is_refused_with_the_reason() {
        let snapshot = repository(&[(
            "modules/server/module.yml",
            "options: { port: { type: integer } }\nconfig:\n  sysctls: { a.b: \"{{ cfg.port }}\" }\n",
        )]);
        let name = HostName::new("new").unwrap();
        let origin = Origin::find(Some("server"), &snapshot).unwrap();
        let new = new_host(&snapshot, &name, (&origin, &Facts::default())).unwrap();
        let error = prove(&new.all, &name).unwrap_err();
        assert!(matches!(error, NewHostError::Config(_)), "{error:?}");
    }
}
