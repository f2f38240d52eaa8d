//! The questions that every host has, and which of them a change raises.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::probe::{Asking, ask_beside};
use super::probes::login::{self, Logins, Tried};
use super::probes::sshd::{self, Ears, Heard};
use super::probes::{names, routes, space};
use super::{Answer, Extent, LockOut, Operators, Risk};
use crate::host::{ActiveState, DefaultRoutes, Host, UnitId, UnitName};

/// Asks something that the room below does not know of; the error says what is wrong.
pub type Question = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// A question that every host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BuiltIn {
    FailedUnits,
    DefaultRoute,
    RemoteName,
    Remote,
    Sshd,
    Logins,
    Agent,
    FreeSpace,
}

/// What a question needs besides the host.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) host: Host,
    pub(super) remote: Option<Question>,
    pub(super) remote_name: Option<String>,
    pub(super) agent: Option<Question>,
    pub(super) operators: Operators,
    pub(super) directories: Vec<PathBuf>,
}

/// What was found before an activation, for questions that compare.
#[derive(Debug, Clone, Default)]
pub(super) struct Before {
    pub(super) failed_units: BTreeSet<UnitName>,
    pub(super) routes: DefaultRoutes,
    pub(super) sshd: Option<Heard>,
    pub(super) logins: Option<Logins>,
}

impl BuiltIn {
    const ALL: [Self; 8] = [
        Self::FailedUnits,
        Self::DefaultRoute,
        Self::RemoteName,
        Self::Remote,
        Self::Sshd,
        Self::Logins,
        Self::Agent,
        Self::FreeSpace,
    ];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::FailedUnits => "failed units",
            Self::DefaultRoute => "default route",
            Self::RemoteName => "name of the git remote",
            Self::Remote => "git remote",
            Self::Sshd => "sshd",
            Self::Logins => "logins with a key",
            Self::Agent => "the agent's settings and secrets",
            Self::FreeSpace => "free space",
        }
    }

    /// The questions that a change with `risk` raises. Below a `--root` nothing runs: only the remote is real.
    pub(super) fn raised_by(risk: &Risk, means: &Means) -> Vec<Self> {
        let all = Self::ALL.into_iter();
        all.filter(|question| question.is_raised(risk, means))
            .collect()
    }

    fn is_raised(self, risk: &Risk, means: &Means) -> bool {
        use LockOut as L;
        let moves = risk.extent == Extent::Running || !risk.locks_out.is_empty();
        let is_live = means.host.is_live();
        match self {
            Self::Remote => moves && means.remote.is_some(),
            Self::FailedUnits | Self::DefaultRoute | Self::Sshd | Self::FreeSpace => {
                is_live && moves
            }
            Self::RemoteName => {
                let parts = [L::Network, L::Names, L::Firewall, L::Login];
                is_live && means.remote_name.is_some() && risk.touches(&parts)
            }
            Self::Logins => is_live && risk.touches(&[L::Sshd, L::Login, L::Operators]),
            Self::Agent => is_live && means.agent.is_some() && risk.touches(&[L::Agent, L::Sshd]),
        }
    }

    /// Whether it is listened to where sshd listens, too: not for every unit that is moved, since sshd writes down each
    /// of these calls.
    fn listens(risk: &Risk) -> bool {
        use LockOut as L;
        risk.touches(&[L::Network, L::Firewall, L::Sshd, L::Login])
    }

    /// How often in a row it must pass. A login leaves traces, and does not come and go by itself.
    pub(super) fn passes(self, wanted: u32) -> u32 {
        match self {
            Self::Logins | Self::Agent | Self::FreeSpace => 1,
            _ => wanted,
        }
    }

    /// Asks before anything is changed, and notes in `before` what is compared later.
    pub(super) async fn ask_before(
        self,
        means: &Means,
        risk: &Risk,
        before: &mut Before,
    ) -> Answer {
        let host = means.host.clone();
        match self {
            Self::FailedUnits => {
                before.failed_units = failed_units(&host).await;
                Answer::Passed
            }
            Self::DefaultRoute => match host.default_routes() {
                Ok(found) => {
                    before.routes = found.unwrap_or_default();
                    Answer::Passed
                }
                Err(error) => failed(error.to_string()),
            },
            Self::Sshd => {
                // What cannot be listened to before is not missed after.
                if Self::listens(risk)
                    && let Ok(Ok(Ears::Heard(heard))) =
                        tokio::task::spawn_blocking(move || sshd::listen(&host)).await
                {
                    before.sshd = Some(heard);
                }
                ask_ssh_unit(&means.host).await
            }
            Self::Logins => {
                match tokio::task::spawn_blocking(move || login::try_logins(&host)).await {
                    Ok(Ok(Tried::Found(found))) => {
                        before.logins = Some(found);
                        Answer::Passed
                    }
                    Ok(Ok(Tried::NotHere(reason))) => not_asked(reason),
                    Ok(Err(reason)) => failed(reason),
                    Err(panic) => failed(panic.to_string()),
                }
            }
            Self::RemoteName | Self::Remote | Self::Agent | Self::FreeSpace => {
                self.begin(means, before).await.answer().await
            }
        }
    }

    /// Begins to ask once, after the change. What may wait for the network or a program goes on beside.
    pub(super) async fn begin(self, means: &Means, before: &Before) -> Asking {
        let host = means.host.clone();
        match self {
            Self::FailedUnits => Asking::Answered(new_failed_units(&host, before).await),
            Self::DefaultRoute => Asking::Answered(answer(routes::ask(&host, before.routes))),
            Self::RemoteName => match means.remote_name.clone() {
                Some(name) => ask_beside(move || answer(names::ask(&name))),
                None => Asking::Answered(not_asked("no remote is configured")),
            },
            Self::Remote => asked_by(means.remote.clone()),
            Self::Agent => asked_by(means.agent.clone()),
            Self::Sshd => {
                let unit = ask_ssh_unit(&host).await;
                let (Answer::Passed, Some(heard)) = (&unit, before.sshd.clone()) else {
                    return Asking::Answered(unit);
                };
                ask_beside(move || match sshd::listen(&host) {
                    Ok(Ears::Heard(now)) => answer(sshd::compare(&heard, &now)),
                    Ok(Ears::NoServer) => failed("there is no sshd any more".to_owned()),
                    Err(reason) => failed(reason),
                })
            }
            Self::Logins => {
                let Some(logins) = before.logins.clone() else {
                    return Asking::Answered(not_asked("it could not be tried before either"));
                };
                if logins.is_nobody() {
                    return Asking::Answered(Answer::Passed);
                }
                let operators = means.operators;
                ask_beside(move || match login::try_logins(&host) {
                    Ok(Tried::Found(now)) => answer(login::compare(&logins, &now, operators)),
                    Ok(Tried::NotHere(reason)) => failed(reason.to_owned()),
                    Err(reason) => failed(reason),
                })
            }
            Self::FreeSpace => {
                let directories = means.directories.clone();
                Asking::Answered(answer(space::ask(&directories)))
            }
        }
    }
}

fn asked_by(question: Option<Question>) -> Asking {
    match question {
        Some(question) => ask_beside(move || answer(question())),
        None => Asking::Answered(not_asked("no remote is configured")),
    }
}

pub(super) fn answer(result: Result<(), String>) -> Answer {
    match result {
        Ok(()) => Answer::Passed,
        Err(reason) => failed(reason),
    }
}

pub(super) fn failed(reason: String) -> Answer {
    Answer::Failed { reason }
}

pub(super) fn not_asked(reason: &str) -> Answer {
    Answer::NotAsked {
        reason: reason.to_owned(),
    }
}

async fn failed_units(host: &Host) -> BTreeSet<UnitName> {
    match host.units().await {
        Ok(units) => units.failed().await.unwrap_or_default(),
        Err(_) => BTreeSet::new(),
    }
}

async fn new_failed_units(host: &Host, before: &Before) -> Answer {
    let now = failed_units(host).await;
    let new: Vec<&str> = now
        .difference(&before.failed_units)
        .map(UnitName::as_str)
        .collect();
    if new.is_empty() {
        return Answer::Passed;
    }
    failed(format!(
        "failed since the activation began: {}",
        new.join(", ")
    ))
}

async fn ask_ssh_unit(host: &Host) -> Answer {
    let names = ["ssh.service", "sshd.service", "ssh.socket"];
    let names: BTreeSet<UnitId> = names
        .iter()
        .filter_map(|name| UnitName::new(*name).ok())
        .map(UnitId::from)
        .collect();
    let states = match host.units().await {
        Ok(units) => units.observe(&names).await,
        Err(error) => return failed(error.to_string()),
    };
    match states {
        Ok(states)
            if states
                .values()
                .any(|state| state.active.is_some_and(ActiveState::is_up)) =>
        {
            Answer::Passed
        }
        Ok(_) => failed("neither ssh.service nor ssh.socket is active".to_owned()),
        Err(error) => failed(error.to_string()),
    }
}
