//! The systemd of an account, asked and moved through `systemctl --user`.
//!
//! Every program here runs as the account, with nothing of this process's environment. What answers at the other end
//! belongs to the account, and so may be anything: no privileged process reads a bus that the account can listen on, only
//! bounded text. `systemctl` talks to the manager's own socket, so no D-Bus daemon of the account is needed, and dbus-daemon,
//! which refuses root on the bus of another user, is not asked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::UnitError;
use super::condition;
use super::job::{JobResult, Order};
use super::properties::STOP_WITH;
use super::shown;
use crate::host::exec::{Inherited, Output, Program};
use crate::host::{Host, HostPath, PathState, UnitFileState, UnitName, UnitState, UserName};

/// Longest time for one question; `systemctl` itself gives up after 25 s without an answer.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest time for one job, whatever the unit says.
const JOB_CAP: Duration = Duration::from_mins(15);
/// A unit's properties are about 300 bytes.
const OUTPUT_BYTES: usize = 4 * 1024 * 1024;

/// An account with what its systemd is reached by.
#[derive(Debug, Clone)]
pub(super) struct OfAccount {
    account: UserName,
    uid: u32,
    gid: u32,
    home: String,
    awake: Awake,
}

/// Whether the account's systemd runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awake {
    Yes,
    No,
}

impl OfAccount {
    /// The account on this machine; `None` if there is none of that name.
    pub(super) fn find(host: &Host, account: &UserName) -> Result<Option<Self>, UnitError> {
        let accounts = host.accounts().map_err(|source| UnitError::Accounts {
            source: Box::new(source),
        })?;
        let Some(state) = accounts.users.get(account) else {
            return Ok(None);
        };
        let found = HostPath::new(format!("/run/user/{}/systemd/private", state.uid))
            .ok()
            .map(|socket| host.look(&socket))
            .transpose()?;
        let awake = match found {
            Some(PathState::Other { .. }) => Awake::Yes,
            _ => Awake::No,
        };
        Ok(Some(Self {
            account: account.clone(),
            uid: state.uid,
            gid: state.gid,
            home: state.home.clone(),
            awake,
        }))
    }

    pub(super) fn uid(&self) -> u32 {
        self.uid
    }

    pub(super) fn awake(&self) -> Awake {
        self.awake
    }

    /// The state of each unit. Where no systemd runs, or none that answers, only enablement is known: an account must
    /// not be able to hold up its host by not answering.
    pub(super) async fn observe(
        &self,
        names: &BTreeSet<UnitName>,
    ) -> Result<BTreeMap<UnitName, UnitState>, UnitError> {
        if self.awake == Awake::Yes {
            match self.show(names).await {
                Ok(states) => return Ok(states),
                Err(error) => {
                    let reason = error.to_string();
                    tracing::warn!(account = %self.account, reason, "the systemd of an account does not answer");
                }
            }
        }
        let mut states = BTreeMap::new();
        for name in names {
            let state = UnitState::of_file(self.file_state(name).await);
            states.insert(name.clone(), state);
        }
        Ok(states)
    }

    async fn show(
        &self,
        names: &BTreeSet<UnitName>,
    ) -> Result<BTreeMap<UnitName, UnitState>, UnitError> {
        let program = self
            .systemctl("show")
            .arg(format!("--property={}", shown::asked()))
            .arg("--")
            .args(names.iter().map(UnitName::as_str));
        let text = self.ask("show its units", program).await?;
        let blocks: Vec<&str> = text.split("\n\n").collect();
        if blocks.len() != names.len() {
            return Err(UnitError::Unreadable {
                account: self.account.clone(),
            });
        }
        let states = names.iter().zip(blocks);
        Ok(states
            .map(|(name, block)| (name.clone(), shown::state(block)))
            .collect())
    }

    /// The units that run and match one of the patterns; none where no systemd runs, or none that answers.
    pub(super) async fn running(&self, patterns: &[String]) -> BTreeSet<UnitName> {
        let program = self
            .systemctl("list-units")
            .args([
                "--plain",
                "--no-legend",
                "--state=active,reloading,activating",
            ])
            .arg("--")
            .args(patterns);
        let text = self.told("list running units", program).await;
        let first = |line: &str| line.split_whitespace().next().map(UnitName::new);
        text.lines().filter_map(first).flatten().collect()
    }

    /// What `systemd-analyze` says about the conditions of a unit; `None` where no systemd runs.
    pub(super) async fn conditions(&self, unit: &UnitName) -> Option<Output> {
        if self.awake == Awake::No {
            return None;
        }
        let program = condition::asking(self.program("systemd-analyze").arg("--user"), unit);
        // That nobody can say is an answer.
        run(program).await.ok()
    }

    /// The units that its systemd stops together with `unit`; none where no systemd answers.
    pub(super) async fn dependents(&self, unit: &UnitName) -> BTreeSet<UnitName> {
        let program = self
            .systemctl("show")
            .arg(format!("--property={}", STOP_WITH.join(",")))
            .arg("--")
            .arg(unit.as_str());
        shown::dependents(&self.told("show what stops with a unit", program).await)
    }

    /// An answer that can be done without: nothing if there is none.
    async fn told(&self, action: &'static str, program: Program) -> String {
        if self.awake == Awake::No {
            return String::new();
        }
        match self.ask(action, program).await {
            Ok(text) => text,
            Err(error) => {
                let reason = error.to_string();
                tracing::warn!(account = %self.account, reason, "the systemd of an account does not answer");
                String::new()
            }
        }
    }

    /// Whether a unit is enabled, from its files. Unknown counts as missing: enabling it then says why it cannot be.
    async fn file_state(&self, name: &UnitName) -> UnitFileState {
        let program = self.offline("is-enabled").arg("--").arg(name.as_str());
        match run(program).await {
            Ok(output) => shown::enablement(&String::from_utf8_lossy(&output.stdout)),
            Err(_) => UnitFileState::Missing,
        }
    }

    /// Lets the account's systemd read unit files and environment again, if it runs.
    pub(super) async fn daemon_reload(&self) -> Result<(), UnitError> {
        if self.awake == Awake::Yes {
            let program = self.systemctl("daemon-reload").timeout(CALL_TIMEOUT * 3);
            self.ask("read its unit files again", program).await?;
        }
        Ok(())
    }

    /// Forgets that a unit failed. One that its systemd does not know has nothing to forget.
    pub(super) async fn reset_failed(&self, unit: &UnitName) -> Result<(), UnitError> {
        if self.awake == Awake::Yes {
            let program = self.systemctl("reset-failed").arg("--").arg(unit.as_str());
            let output = self.run("reset", program).await?;
            tracing::debug!(%unit, status = %output.status, "reset");
        }
        Ok(())
    }

    /// Makes or removes the links of `[Install]`; files alone are asked where no systemd runs.
    pub(super) async fn enablement(
        &self,
        verb: &'static str,
        unit: &UnitName,
    ) -> Result<(), UnitError> {
        let program = match self.awake {
            Awake::Yes => self.systemctl(verb),
            Awake::No => self.offline(verb),
        };
        let program = program.arg("--").arg(unit.as_str());
        self.ask(verb, program).await.map(|_| ())
    }

    /// Queues a job and waits for its end, but not for ever. Nothing is moved where no systemd runs.
    pub(super) async fn order(
        &self,
        unit: &UnitName,
        order: Order,
    ) -> Result<JobResult, UnitError> {
        if self.awake == Awake::No {
            return Ok(JobResult::NotRun);
        }
        let verb = match order {
            Order::Reload => "reload-or-restart",
            order => order.verb(),
        };
        let patience = self.patience(unit, order).await;
        let program = self
            .systemctl(verb)
            .arg("--")
            .arg(unit.as_str())
            .timeout(patience);
        match run(program).await {
            Ok(output) if output.status.success() => Ok(JobResult::Done),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                tracing::warn!(account = %self.account, %unit, said, "a job of an account failed");
                Ok(shown::job_result(order, output.status.code(), &said))
            }
            Err(crate::host::exec::ExecError::TimedOut { after, .. }) => Ok(JobResult::Overdue {
                secs: after.as_secs(),
            }),
            Err(source) => Err(self.failed(order.verb(), source)),
        }
    }

    /// How long an order may take by the unit's own rules.
    async fn patience(&self, unit: &UnitName, order: Order) -> Duration {
        let asked = "--property=TimeoutStartUSec,TimeoutStopUSec,TimeoutUSec";
        let program = self
            .systemctl("show")
            .arg(asked)
            .arg("--")
            .arg(unit.as_str());
        let text = self.ask("show", program).await.unwrap_or_default();
        shown::patience(&text, order, JOB_CAP)
    }

    fn systemctl(&self, verb: &str) -> Program {
        let options = ["--user", "--no-pager", "--no-ask-password", verb];
        self.program("systemctl").args(options)
    }

    /// A program that runs as the account and asks its systemd.
    fn program(&self, name: &str) -> Program {
        let runtime = format!("/run/user/{}", self.uid);
        Program::new(name)
            .as_user(self.uid, self.gid)
            .inherit(Inherited::Nothing)
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", &self.home)
            .env("USER", self.account.as_str())
            .env("LOGNAME", self.account.as_str())
            .env("XDG_RUNTIME_DIR", runtime)
            .current_dir("/")
            .timeout(CALL_TIMEOUT)
            .output_limit(OUTPUT_BYTES)
    }

    /// As [`systemctl`](Self::systemctl), but on files alone.
    fn offline(&self, verb: &str) -> Program {
        self.systemctl(verb).env("SYSTEMD_OFFLINE", "1")
    }

    async fn ask(&self, action: &'static str, program: Program) -> Result<String, UnitError> {
        let output = self.run(action, program).await?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(UnitError::Declined {
            action,
            account: self.account.clone(),
            said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }

    async fn run(&self, action: &'static str, program: Program) -> Result<Output, UnitError> {
        run(program)
            .await
            .map_err(|source| self.failed(action, source))
    }

    fn failed(&self, action: &'static str, source: crate::host::exec::ExecError) -> UnitError {
        UnitError::Systemctl {
            action,
            account: self.account.clone(),
            source,
        }
    }
}

/// Runs a program beside the tasks of this process, which go on meanwhile.
pub(super) async fn run(program: Program) -> Result<Output, crate::host::exec::ExecError> {
    let running = tokio::task::spawn_blocking(move || program.run());
    match running.await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
