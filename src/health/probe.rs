//! One question to the machine, asked once.

use std::collections::BTreeSet;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::built_in::{answer, failed, not_asked};
use super::{Answer, Probe};
use crate::host::exec::Program;
use crate::host::{ActiveState, FileMode, Host, HostPath, UnitId, UnitName};

/// Longest time one attempt may take; a hung program is killed with its children after it.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Longest time until an answer must be there, for what has no time-out of its own. Programs are killed before.
const ANSWER: Duration = Duration::from_mins(1);

/// A file larger than this is not searched for text.
const SEARCH_LIMIT_BYTES: u64 = 16 << 20;

impl Probe {
    /// What is asked, in words.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Unit { unit } => format!("unit {unit}"),
            Self::Http { url, status } => format!("GET {url} is {status}"),
            Self::Tcp { address } => format!("tcp {address}"),
            Self::Command { argv } => format!("command `{}`", argv.join(" ")),
            Self::File {
                path,
                mode,
                contains,
            } => {
                let mode = mode.map_or(String::new(), |mode| format!(" has mode {mode}"));
                let joint = if mode.is_empty() { "" } else { " and" };
                let contains = contains
                    .as_ref()
                    .map_or(String::new(), |text| format!("{joint} contains {text:?}"));
                format!("file {path}{mode}{contains}")
            }
        }
    }

    /// Begins to ask once. What may wait for the network or a program goes on beside.
    pub(super) async fn begin(&self, host: &Host) -> Asking {
        match self {
            Self::Unit { unit } => Asking::Answered(ask_unit(host, unit).await),
            Self::Command { .. } if !host.is_live() => {
                Asking::Answered(not_asked("commands are not run below a --root"))
            }
            Self::Http { .. } | Self::Tcp { .. } | Self::Command { .. } | Self::File { .. } => {
                let (probe, host) = (self.clone(), host.clone());
                ask_beside(move || answer(probe.ask_blocking(&host)))
            }
        }
    }

    fn ask_blocking(&self, host: &Host) -> Result<(), String> {
        match self {
            Self::Unit { .. } => Ok(()),
            Self::Http { url, status } => ask_http(url, *status),
            Self::Tcp { address } => ask_tcp(address),
            Self::Command { argv } => ask_command(argv),
            Self::File {
                path,
                mode,
                contains,
            } => ask_file(host, path, *mode, contains.as_deref()),
        }
    }
}

/// A question that may still be open.
pub(super) enum Asking {
    Answered(Answer),
    Beside(JoinHandle<Answer>),
}

/// Asks on a thread of its own.
pub(super) fn ask_beside(question: impl FnOnce() -> Answer + Send + 'static) -> Asking {
    Asking::Beside(tokio::task::spawn_blocking(question))
}

impl Asking {
    pub(super) async fn answer(self) -> Answer {
        let asked = match self {
            Self::Answered(answer) => return answer,
            Self::Beside(asked) => asked,
        };
        match tokio::time::timeout(ANSWER, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => failed(format!("the probe ended badly: {panic}")),
            Err(_) => failed(format!("no answer in {} s", ANSWER.as_secs())),
        }
    }
}

async fn ask_unit(host: &Host, unit: &UnitName) -> Answer {
    if !host.is_live() {
        return not_asked("no systemd runs below a --root");
    }
    let unit = UnitId::from(unit.clone());
    let state = match host.units().await {
        Ok(units) => units.observe(&BTreeSet::from([unit.clone()])).await,
        Err(error) => {
            return Answer::Failed {
                reason: error.to_string(),
            };
        }
    };
    match state.as_ref().map(|states| states.get(&unit)) {
        Ok(Some(state)) => {
            let oneshot_done = state.active == Some(ActiveState::Inactive)
                && state.result == "success"
                && !state.invocation.is_empty();
            if state.active == Some(ActiveState::Active) || oneshot_done {
                return Answer::Passed;
            }
            let active = state
                .active
                .map_or("unknown".to_owned(), |a| format!("{a:?}").to_lowercase());
            Answer::Failed {
                reason: format!("{active} ({}), result {}", state.sub, state.result),
            }
        }
        Ok(None) => Answer::Failed {
            reason: "systemd knows no such unit".to_owned(),
        },
        Err(error) => Answer::Failed {
            reason: error.to_string(),
        },
    }
}

fn ask_http(url: &str, status: u16) -> Result<(), String> {
    // An error means that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(ATTEMPT))
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into();
    let response = agent.get(url).call().map_err(|error| error.to_string())?;
    let found = response.status().as_u16();
    if found == status {
        Ok(())
    } else {
        Err(format!("the answer is {found}"))
    }
}

fn ask_tcp(address: &str) -> Result<(), String> {
    let addresses = address
        .to_socket_addrs()
        .map_err(|error| error.to_string())?;
    let mut last = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, ATTEMPT) {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

fn ask_command(argv: &[String]) -> Result<(), String> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err("the command is empty".to_owned());
    };
    Program::new(program)
        .args(arguments)
        .timeout(ATTEMPT)
        .run_ok()
        .map(drop)
        .map_err(|error| error.to_string())
}

fn ask_file(
    host: &Host,
    path: &HostPath,
    mode: Option<FileMode>,
    contains: Option<&str>,
) -> Result<(), String> {
    let read = host.read_through_links(path, SEARCH_LIMIT_BYTES);
    let (found, content) = match read {
        Ok(Some(read)) => read,
        Ok(None) => return Err("it does not exist".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    if let Some(mode) = mode.filter(|mode| *mode != found) {
        return Err(format!("its mode is {found}, not {mode}"));
    }
    let Some(text) = contains else { return Ok(()) };
    if content
        .windows(text.len().max(1))
        .any(|window| window == text.as_bytes())
        || text.is_empty()
    {
        Ok(())
    } else {
        Err("it does not contain the text".to_owned())
    }
}
