//! The agent's settings: as written in `/etc/steadfast/agent.yml`, overridden by flags, then valid.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::config::HostName;
use crate::health::{Confirm, Operators, Windows};
use crate::host::{Host, HostPath, InvalidName, duration};
use crate::source::trust::{TrustMode, TrustPolicy};
use crate::source::{Remote, RemoteError};

mod health;

use health::WrittenHealth;

/// Where the settings are read from unless a flag says otherwise.
pub const SETTINGS_PATH: &str = "/etc/steadfast/agent.yml";

/// Where the SSH host key is.
const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// Longest time an activation may take unless the settings say otherwise.
const LONGEST_ACTIVATION: Duration = Duration::from_hours(2);

/// Where pinned keys of git servers are looked for.
const KNOWN_HOSTS: [&str; 2] = ["/etc/steadfast/known_hosts", "/etc/ssh/ssh_known_hosts"];

/// Valid settings of one host.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The host this is, by its folder in `hosts/`.
    pub host: HostName,
    /// Where the config repository is; tried in order.
    pub remotes: Vec<Remote>,
    /// The branch to follow; the remote's default when absent.
    pub branch: Option<String>,
    /// Time between two looks at the remote, before jitter.
    pub poll_interval: Duration,
    /// Time between two full drift scans.
    pub drift_interval: Duration,
    /// How long started units are watched before health is asked.
    pub settle: Duration,
    /// How long health is asked, and when a person is to confirm.
    pub windows: Windows,
    /// Whether somebody with a key must be able to become root, where somebody could.
    pub operators: Operators,
    /// The SSH host key that opens secrets.
    pub identity: PathBuf,
    /// The SSH client key for the remote.
    pub ssh_key: PathBuf,
    /// Files with the pinned keys of git servers.
    pub known_hosts: Vec<PathBuf>,
    /// Which revisions are believed.
    pub trust: TrustPolicy,
    /// Longest time an activation may take before it is taken to hang.
    pub longest_activation: Duration,
    /// The flags these settings were read with, for another process that needs the same.
    pub overrides: Overrides,
}

/// Flags that outrank the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Overrides {
    /// The settings file.
    pub settings: Option<PathBuf>,
    /// The config repository.
    pub remote: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// The host.
    pub host: Option<HostName>,
    /// The SSH host key.
    pub identity: Option<PathBuf>,
    /// Whether settings that name no config repository are an error.
    pub needs: Needs,
}

/// What somebody wants with a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Needs {
    /// To bring it to a revision, for which a config repository must be named.
    #[default]
    Repository,
    /// To look at it, for which what it keeps is enough.
    HostOnly,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum SettingsError {
    #[error("cannot read the settings {}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the settings {} are not valid", path.display())]
    Invalid {
        path: PathBuf,
        #[source]
        source: serde_yaml::Error,
    },
    #[error("no config repository is named")]
    NoRemote { path: PathBuf },
    #[error("the config repository cannot be used")]
    BadRemote(#[source] RemoteError),
    #[error("this machine's name cannot be used as the host's name")]
    BadHostName(#[source] InvalidName),
    #[error("the host is not named")]
    NoHostName,
    #[error("trust mode `{mode}` needs `trust.allowed_signers`")]
    NoSigners { mode: &'static str },
}

impl SettingsError {
    /// How to fix it.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { path, .. } => format!(
                "make {} readable, or name another file with --settings",
                path.display()
            ),
            Self::Invalid { .. } => {
                "correct that line; docs/agent.md lists every setting".to_owned()
            }
            Self::NoRemote { path } => {
                format!("add `remotes: [URL]` to {}, or give --repo", path.display())
            }
            Self::BadRemote(error) => error.reason.fix().to_owned(),
            Self::BadHostName(_) | Self::NoHostName => {
                "give --host, or `host:` in the settings".to_owned()
            }
            Self::NoSigners { .. } => {
                "name a file of allowed signers, in the format of `ssh-keygen -Y`".to_owned()
            }
        })
    }
}

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    host: Option<HostName>,
    remotes: Vec<String>,
    branch: Option<String>,
    #[serde(deserialize_with = "interval")]
    poll_interval: Option<Duration>,
    #[serde(deserialize_with = "interval")]
    drift_interval: Option<Duration>,
    #[serde(deserialize_with = "settle_window")]
    settle: Option<Duration>,
    health: WrittenHealth,
    confirm: Confirm,
    #[serde(deserialize_with = "health::confirm_within")]
    confirm_within: Option<Duration>,
    #[serde(deserialize_with = "activation_cap")]
    longest_activation: Option<Duration>,
    identity: Option<HostPath>,
    ssh: WrittenSsh,
    trust: WrittenTrust,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenSsh {
    key: Option<HostPath>,
    known_hosts: Option<HostPath>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenTrust {
    mode: WrittenMode,
    allowed_signers: Option<HostPath>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenMode {
    #[default]
    Off,
    Head,
    History,
}

impl Settings {
    /// Reads the settings of `host`, then lets `overrides` win. A file at the default place may be missing.
    ///
    /// # Errors
    /// [`SettingsError`] names the file, the line and what is wrong with it.
    pub fn load(host: &Host, overrides: &Overrides) -> Result<Self, SettingsError> {
        let path = overrides
            .settings
            .clone()
            .unwrap_or_else(|| host.root().join(&SETTINGS_PATH[1..]));
        let written = read(&path, overrides.settings.is_some())?;
        let below = |path: Option<HostPath>, default: &str| match path {
            Some(path) => host.real_path(&path),
            None => host.root().join(&default[1..]),
        };
        let identity = match overrides.identity.clone() {
            Some(identity) => identity,
            None => below(written.identity, HOST_KEY),
        };
        let ssh_key = written
            .ssh
            .key
            .map_or_else(|| identity.clone(), |key| host.real_path(&key));
        let windows = Windows {
            confirm: written.confirm,
            confirm_within: written
                .confirm_within
                .unwrap_or(Windows::default().confirm_within),
            ..written.health.windows()
        };
        Ok(Self {
            windows,
            operators: match written.health.keep_operator {
                Some(false) => Operators::MayGo,
                Some(true) | None => Operators::Kept,
            },
            host: host_name(host, overrides.host.clone().or(written.host))?,
            remotes: remotes(&path, overrides, &written.remotes)?,
            branch: overrides.branch.clone().or(written.branch),
            poll_interval: written.poll_interval.unwrap_or(Duration::from_mins(1)),
            drift_interval: written.drift_interval.unwrap_or(Duration::from_mins(5)),
            settle: written.settle.unwrap_or(Duration::from_secs(20)),
            ssh_key,
            known_hosts: known_hosts(host, written.ssh.known_hosts.as_ref()),
            trust: trust_policy(host, &written.trust)?,
            longest_activation: written.longest_activation.unwrap_or(LONGEST_ACTIVATION),
            overrides: overrides.clone(),
            identity,
        })
    }
}

fn read(path: &Path, must_exist: bool) -> Result<Written, SettingsError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => {
            return Ok(Written::default());
        }
        Err(source) => {
            return Err(SettingsError::Unreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Ok(Written::default());
    }
    serde_yaml::from_str(&text).map_err(|source| SettingsError::Invalid {
        path: path.to_owned(),
        source,
    })
}

fn host_name(host: &Host, given: Option<HostName>) -> Result<HostName, SettingsError> {
    if let Some(name) = given {
        return Ok(name);
    }
    let name = host.hostname().ok_or(SettingsError::NoHostName)?;
    let first = name.split('.').next().unwrap_or_default().to_lowercase();
    HostName::new(first).map_err(SettingsError::BadHostName)
}

fn remotes(
    path: &Path,
    overrides: &Overrides,
    written: &[String],
) -> Result<Vec<Remote>, SettingsError> {
    let texts: Vec<&String> = match &overrides.remote {
        Some(given) => vec![given],
        None => written.iter().collect(),
    };
    if texts.is_empty() && overrides.needs == Needs::Repository {
        return Err(SettingsError::NoRemote {
            path: path.to_owned(),
        });
    }
    texts
        .into_iter()
        .map(|text| Remote::parse(text).map_err(SettingsError::BadRemote))
        .collect()
}

/// The file that is named; else Steadfast's own and the system's.
fn known_hosts(host: &Host, named: Option<&HostPath>) -> Vec<PathBuf> {
    match named {
        Some(path) => vec![host.real_path(path)],
        None => KNOWN_HOSTS
            .iter()
            .map(|path| host.root().join(&path[1..]))
            .collect(),
    }
}

fn trust_policy(host: &Host, written: &WrittenTrust) -> Result<TrustPolicy, SettingsError> {
    let (mode, name) = match written.mode {
        WrittenMode::Off => (TrustMode::Off, "off"),
        WrittenMode::Head => (TrustMode::Head, "head"),
        WrittenMode::History => (TrustMode::History, "history"),
    };
    match &written.allowed_signers {
        Some(path) => Ok(TrustPolicy {
            mode,
            allowed_signers: host.real_path(path),
        }),
        None if mode == TrustMode::Off => Ok(TrustPolicy {
            mode,
            allowed_signers: PathBuf::new(),
        }),
        None => Err(SettingsError::NoSigners { mode: name }),
    }
}

fn interval<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    bounded(
        deserializer,
        Duration::from_secs(1),
        Duration::from_hours(7 * 24),
    )
}

fn settle_window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    bounded(
        deserializer,
        Duration::from_secs(1),
        Duration::from_mins(10),
    )
}

fn activation_cap<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    bounded(
        deserializer,
        Duration::from_secs(10),
        Duration::from_hours(24),
    )
}

fn bounded<'de, D: Deserializer<'de>>(
    deserializer: D,
    least: Duration,
    most: Duration,
) -> Result<Option<Duration>, D::Error> {
    use serde::de::Error as _;
    let text = String::deserialize(deserializer)?;
    let duration = duration(&text).ok_or_else(|| {
        D::Error::custom(format!("`{text}` is not a duration such as 30s, 5m or 1h"))
    })?;
    if duration < least || duration > most {
        let (least, most) = (least.as_secs(), most.as_secs());
        return Err(D::Error::custom(format!(
            "`{text}` must be between {least}s and {most}s"
        )));
    }
    Ok(Some(duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Settings, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("agent.yml");
        #[expect(clippy::disallowed_methods, reason = "a test's own temporary file")]
        std::fs::write(&file, text).unwrap();
        let host = Host::below(&directory.path().join("root")).unwrap();
        let overrides = Overrides {
            settings: Some(file),
            ..Overrides::default()
        };
        Settings::load(&host, &overrides).map_err(|error| {
            let source =
                std::error::Error::source(&error).map_or(String::new(), |s| format!(": {s}"));
            format!("{error}{source}").replace(&directory.path().display().to_string(), "DIR")
        })
    }

    #[test]
    fn everything_but_host_and_remote_has_a_default() {
        let settings = load("host: yard\nremotes: [/srv/fleet.git]\n").unwrap();
        assert_eq!(settings.host.as_str(), "yard");
        assert_eq!(settings.poll_interval, Duration::from_mins(1));
        assert_eq!(settings.drift_interval, Duration::from_mins(5));
        assert_eq!(settings.settle, Duration::from_secs(20));
        assert_eq!(settings.ssh_key, settings.identity);
        assert_eq!(settings.trust.mode, TrustMode::Off);
        let settings =
            load("host: yard\nremotes: [/r]\npoll_interval: 1d\nsettle: 1m 30s\n").unwrap();
        assert_eq!(settings.poll_interval, Duration::from_hours(24));
        assert_eq!(settings.settle, Duration::from_secs(90));
        assert_eq!(settings.windows, Windows::default());
        assert_eq!(settings.operators, Operators::Kept);
        let settings = load(
            "host: yard\nremotes: [/r]\nhealth: {lockout_window: 5m, passes: 2, keep_operator: false}\nconfirm: lockout\nconfirm_within: 90s\n",
        )
        .unwrap();
        let expected = Windows {
            lockout: Duration::from_mins(5),
            passes: 2,
            confirm: Confirm::Lockout,
            confirm_within: Duration::from_secs(90),
            ..Windows::default()
        };
        assert_eq!(settings.windows, expected);
        assert_eq!(settings.operators, Operators::MayGo);
    }

    #[test]
    fn wrong_settings_name_the_file_the_key_and_the_bound() {
        for (text, message) in [
            ("host: yard\n", "no config repository is named"),
            (
                "host: yard\nremotes: [/r]\npoll_intervall: 3s\n",
                "unknown field `poll_intervall`",
            ),
            (
                "host: yard\nremotes: [/r]\npoll_interval: 0s\n",
                "must be between 1s and 604800s",
            ),
            (
                "host: yard\nremotes: [/r]\nsettle: soon\n",
                "`soon` is not a duration such as 30s, 5m or 1h",
            ),
            (
                "host: yard\nremotes: [/r]\nconfirm: sometimes\n",
                "unknown variant `sometimes`",
            ),
            (
                "host: yard\nremotes: [/r]\nhealth: {passes: 0}\n",
                "`0` must be between 1 and 20",
            ),
            (
                "host: Yard!\nremotes: [/r]\n",
                "`Yard!` is not a valid host name",
            ),
            (
                "host: yard\nremotes: [/r]\ntrust: {mode: head}\n",
                "trust mode `head` needs `trust.allowed_signers`",
            ),
            ("host: [", "the settings DIR/agent.yml are not valid"),
        ] {
            let found = load(text).unwrap_err();
            assert!(found.contains(message), "{text:?} gave {found:?}");
        }
    }
}
