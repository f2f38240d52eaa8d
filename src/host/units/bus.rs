//! The live machine's units, over the system bus.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::{Mutex, broadcast};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use zbus::{Connection, OwnedObjectPath, OwnedVariant};
use zbus_systemd::systemd1::ManagerProxy;

use super::UnitError;
use super::job::{JobResult, Order};
use super::properties::{
    Asked, Properties, asked_for_dependents, asked_for_job, asked_for_patience, asked_for_state,
    asked_for_timer, object_path, template_state, unit_file_state, unknown_state,
};
use super::timer::TimerState;
use crate::host::{UnitName, UnitState, side_by_side};

/// Longest time for one question.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest time for reading all unit files again, generators included.
const RELOAD_TIMEOUT: Duration = Duration::from_mins(3);
/// Longest time for one job, whatever the unit says.
const JOB_CAP: Duration = Duration::from_mins(15);
/// How often a job is looked for in case its end was not heard.
const LISTEN_AGAIN: Duration = Duration::from_secs(3);
/// How many units are asked at once, about a dozen questions each: the D-Bus daemon lets nobody have more than 128 open.
const UNITS_AT_ONCE: usize = 8;
/// Ends of jobs that may wait to be heard.
const QUEUED_ENDS: usize = 4096;

const SERVICE: &str = "org.freedesktop.systemd1";

/// The conversation with PID 1; taken up again when it breaks, as it does when systemd re-executes itself.
pub(super) struct Bus {
    link: Mutex<Arc<Link>>,
    /// Whose tasks carry it.
    runtime: tokio::runtime::Id,
}

/// One connection, and the task that hears the ends of all jobs.
struct Link {
    manager: ManagerProxy<'static>,
    ends: broadcast::Sender<JobEnd>,
    listener: JoinHandle<()>,
}

#[derive(Debug, Clone)]
struct JobEnd {
    job: OwnedObjectPath,
    result: String,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bus")
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Link {
    async fn connect() -> Result<Self, UnitError> {
        // What systemd itself asks people to test: sd_booted(3).
        if !Path::new("/run/systemd/system").is_dir() {
            return Err(UnitError::NoManager);
        }
        let no_bus = |source| UnitError::NoBus { source };
        let connection = zbus::connection::Builder::system()
            .method_timeout(RELOAD_TIMEOUT)
            .build()
            .await
            .map_err(no_bus)?;
        let manager = ManagerProxy::builder(&connection)
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
            .map_err(no_bus)?;
        // Before any job is queued, or its end could pass unheard.
        let mut removed = manager.receive_job_removed().await.map_err(no_bus)?;
        manager.subscribe().await.map_err(no_bus)?;
        let (ends, _) = broadcast::channel(QUEUED_ENDS);
        let sender = ends.clone();
        // A task of its own, so that signals never pile up before the reply that somebody waits for.
        let listener = tokio::spawn(async move {
            while let Some(signal) =
                std::future::poll_fn(|cx| Pin::new(&mut removed).poll_next(cx)).await
            {
                if let Ok(end) = signal.args() {
                    // Nobody waits for this job.
                    let _ = sender.send(JobEnd {
                        job: end.job.clone(),
                        result: end.result.clone(),
                    });
                }
            }
        });
        Ok(Self {
            manager,
            ends,
            listener,
        })
    }

    fn connection(&self) -> &Connection {
        self.manager.inner().connection()
    }

    /// Asks for some properties of a unit, all at once.
    async fn properties(
        &self,
        unit: &UnitName,
        asked: Vec<Asked>,
    ) -> Result<Properties, UnitError> {
        let answers = asked.into_iter().map(|(interface, name)| async move {
            Ok((name, self.property(unit, interface, name).await?))
        });
        side_by_side(answers).await.into_iter().collect()
    }

    async fn property(
        &self,
        unit: &UnitName,
        interface: &'static str,
        name: &'static str,
    ) -> Result<OwnedVariant, UnitError> {
        let failed = |source| UnitError::about("show", unit, source);
        let question = (interface, name);
        let call = self.connection().call_method(
            Some(SERVICE),
            object_path(unit),
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &question,
        );
        let reply = within("show", CALL_TIMEOUT, call).await?.map_err(failed)?;
        reply.body().deserialize().map_err(failed)
    }
}

impl Bus {
    pub(super) async fn connect() -> Result<Self, UnitError> {
        Ok(Self {
            link: Mutex::new(Arc::new(Link::connect().await?)),
            runtime: tokio::runtime::Handle::current().id(),
        })
    }

    /// Whether it can be carried on from here: another runtime may end before this one.
    pub(super) fn is_of_this_runtime(&self) -> bool {
        self.runtime == tokio::runtime::Handle::current().id()
    }

    /// The connection, made anew if it was closed. The lock is not held while anybody talks.
    async fn link(&self) -> Result<Arc<Link>, UnitError> {
        let mut link = self.link.lock().await;
        if link.connection().is_closed() {
            *link = Arc::new(Link::connect().await?);
        }
        Ok(Arc::clone(&link))
    }

    /// Asks; if the conversation breaks meanwhile, asks once more. Only for what may be asked twice.
    async fn ask<T, A: Future<Output = Result<T, UnitError>>>(
        &self,
        question: impl Fn(Arc<Link>) -> A,
    ) -> Result<T, UnitError> {
        match question(self.link().await?).await {
            Err(error) if error.is_disconnected() => {
                // systemd takes a moment to come back after it re-executed itself.
                tokio::time::sleep(Duration::from_secs(1)).await;
                question(self.link().await?).await
            }
            answer => answer,
        }
    }

    pub(super) async fn observe(
        &self,
        names: &BTreeSet<UnitName>,
    ) -> Result<BTreeMap<UnitName, UnitState>, UnitError> {
        let nowhere = self.nowhere(names).await;
        let mut states: BTreeMap<UnitName, UnitState> = BTreeMap::new();
        let known: Vec<&UnitName> = names.difference(&nowhere).collect();
        for some in known.chunks(UNITS_AT_ONCE) {
            let asked = some.iter().map(|unit| async move {
                let state = self.ask(|link| async move { observe(&link, unit).await });
                Ok::<_, UnitError>(((*unit).clone(), state.await?))
            });
            for answer in side_by_side(asked).await {
                states.extend([answer?]);
            }
        }
        let unknown = |name| {
            let state = unknown_state(&name);
            (name, state)
        };
        states.extend(nowhere.into_iter().map(unknown));
        Ok(states)
    }

    /// The units of `names` that have no file and do not run. All are asked for at once; where that cannot be, none is told.
    async fn nowhere(&self, names: &BTreeSet<UnitName>) -> BTreeSet<UnitName> {
        let asked = names.iter().filter(|name| !name.is_template());
        let asked: Vec<String> = asked.map(ToString::to_string).collect();
        let listed = self.ask(|link| {
            let asked = asked.clone();
            async move {
                let failed = |source| UnitError::Call {
                    action: "list units",
                    source,
                };
                let call = link.manager.list_units_by_names(asked);
                within("list units", CALL_TIMEOUT, call)
                    .await?
                    .map_err(failed)
            }
        });
        let listed = listed.await.unwrap_or_default().into_iter();
        listed
            .filter(|(_, _, load, active, sub, ..)| {
                (load.as_str(), active.as_str(), sub.as_str()) == ("not-found", "inactive", "dead")
            })
            .filter_map(|(name, ..)| UnitName::new(name).ok())
            .filter(|name| names.contains(name))
            .collect()
    }

    pub(super) async fn timer(&self, unit: &UnitName) -> Result<TimerState, UnitError> {
        let properties =
            self.ask(|link| async move { link.properties(unit, asked_for_timer()).await });
        Ok(properties.await?.timer())
    }

    pub(super) async fn failed(&self) -> Result<BTreeSet<UnitName>, UnitError> {
        self.listed("list the failed units", &["failed"], Vec::new())
            .await
    }

    /// The units that run and match one of the patterns.
    pub(super) async fn running(
        &self,
        patterns: Vec<String>,
    ) -> Result<BTreeSet<UnitName>, UnitError> {
        let states = ["active", "reloading", "activating"];
        self.listed("list running units", &states, patterns).await
    }

    /// The units in one of the states that match one of the patterns; without patterns, all of them.
    async fn listed(
        &self,
        action: &'static str,
        states: &[&str],
        patterns: Vec<String>,
    ) -> Result<BTreeSet<UnitName>, UnitError> {
        let states: Vec<String> = states.iter().map(|&state| state.to_owned()).collect();
        let listed = self
            .ask(|link| {
                let (states, patterns) = (states.clone(), patterns.clone());
                async move {
                    let call = link.manager.list_units_by_patterns(states, patterns);
                    let failed = |source| UnitError::Call { action, source };
                    within(action, CALL_TIMEOUT, call).await?.map_err(failed)
                }
            })
            .await?;
        Ok(listed
            .into_iter()
            .filter_map(|(name, ..)| UnitName::new(name).ok())
            .collect())
    }

    /// The units that systemd stops together with `unit`.
    pub(super) async fn dependents(
        &self,
        unit: &UnitName,
    ) -> Result<BTreeSet<UnitName>, UnitError> {
        let properties =
            self.ask(|link| async move { link.properties(unit, asked_for_dependents()).await });
        Ok(properties.await?.dependents())
    }

    pub(super) async fn daemon_reload(&self) -> Result<(), UnitError> {
        const ACTION: &str = "read its unit files again";
        self.ask(|link| async move {
            let failed = |source| UnitError::Call {
                action: "let systemd read its unit files again",
                source,
            };
            let call = link.manager.reload();
            within(ACTION, RELOAD_TIMEOUT, call).await?.map_err(failed)
        })
        .await
    }

    pub(super) async fn reset_failed(&self, unit: &UnitName) -> Result<(), UnitError> {
        const ACTION: &str = "reset";
        let answer = self.ask(|link| async move {
            let call = link.manager.reset_failed_unit(unit.to_string());
            let failed = |source| UnitError::about(ACTION, unit, source);
            within(ACTION, CALL_TIMEOUT, call).await?.map_err(failed)
        });
        match answer.await {
            Err(error) if is_unknown(&error) => Ok(()),
            answer => answer,
        }
    }

    pub(super) async fn enable(&self, unit: &UnitName) -> Result<(), UnitError> {
        const ACTION: &str = "enable";
        self.ask(|link| async move {
            let call = link
                .manager
                .enable_unit_files(vec![unit.to_string()], false, false);
            let failed = |source| UnitError::about(ACTION, unit, source);
            within(ACTION, CALL_TIMEOUT, call).await?.map_err(failed)?;
            Ok(())
        })
        .await
    }

    pub(super) async fn disable(&self, unit: &UnitName) -> Result<(), UnitError> {
        const ACTION: &str = "disable";
        self.ask(|link| async move {
            let call = link
                .manager
                .disable_unit_files(vec![unit.to_string()], false);
            let failed = |source| UnitError::about(ACTION, unit, source);
            within(ACTION, CALL_TIMEOUT, call).await?.map_err(failed)?;
            Ok(())
        })
        .await
    }

    /// Queues a job and waits for its end, but not for ever.
    pub(super) async fn order(
        &self,
        unit: &UnitName,
        order: Order,
    ) -> Result<JobResult, UnitError> {
        let queued = self.ask(|link| async move { queue(link, unit, order).await });
        let (job, mut ends, patience) = match queued.await {
            Ok(queued) => queued,
            // What nobody knows does not run.
            Err(error) if order == Order::Stop && is_unknown(&error) => {
                return Ok(JobResult::Done);
            }
            Err(error) => return Err(error),
        };
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            let look_again = deadline.min(Instant::now() + LISTEN_AGAIN);
            match timeout_at(look_again, ends.recv()).await {
                Ok(Ok(end)) if end.job == job => return Ok(JobResult::from_word(&end.result)),
                Ok(Ok(_) | Err(broadcast::error::RecvError::Lagged(_))) => {}
                Ok(Err(broadcast::error::RecvError::Closed)) => {
                    tokio::time::sleep_until(look_again).await;
                    if let Some(result) = self.missed(unit, order, &job).await? {
                        return Ok(result);
                    }
                }
                Err(_) => {
                    if let Some(result) = self.missed(unit, order, &job).await? {
                        // The signal may be on its way behind the answer; it says more.
                        return Ok(heard(&mut ends, &job).unwrap_or(result));
                    }
                }
            }
        }
        Ok(JobResult::Overdue {
            secs: patience.as_secs(),
        })
    }

    /// What became of a job whose end was not heard; `None` while it goes on.
    async fn missed(
        &self,
        unit: &UnitName,
        order: Order,
        job: &OwnedObjectPath,
    ) -> Result<Option<JobResult>, UnitError> {
        let properties = self
            .ask(|link| async move { link.properties(unit, asked_for_job()).await })
            .await?;
        if properties.job().is_some_and(|path| path == *job) {
            return Ok(None);
        }
        let is_up = properties.is_up();
        Ok(Some(if is_up == (order != Order::Stop) {
            JobResult::Done
        } else {
            JobResult::Failed
        }))
    }
}

async fn observe(link: &Link, unit: &UnitName) -> Result<UnitState, UnitError> {
    if !unit.is_template() {
        return Ok(link.properties(unit, asked_for_state(unit)).await?.state());
    }
    let call = link.manager.get_unit_file_state(unit.to_string());
    match within("show", CALL_TIMEOUT, call).await? {
        Ok(word) => Ok(template_state(unit_file_state(&word))),
        Err(source) => match UnitError::about("show", unit, source) {
            error if is_unknown(&error) => Ok(template_state(unit_file_state("not-found"))),
            error => Err(error),
        },
    }
}

/// A queued job, where its end will be heard, and how long to wait for it.
type Queued = (OwnedObjectPath, broadcast::Receiver<JobEnd>, Duration);

async fn queue(link: Arc<Link>, unit: &UnitName, order: Order) -> Result<Queued, UnitError> {
    let properties = link.properties(unit, asked_for_patience(unit)).await?;
    let patience = properties.patience(order, JOB_CAP);
    let ends = link.ends.subscribe();
    let (name, mode) = (unit.to_string(), "replace".to_owned());
    let manager = &link.manager;
    let job = within(order.verb(), CALL_TIMEOUT, async {
        match order {
            Order::Start => manager.start_unit(name, mode).await,
            Order::Stop => manager.stop_unit(name, mode).await,
            Order::Restart => manager.restart_unit(name, mode).await,
            Order::Reload => manager.reload_or_restart_unit(name, mode).await,
        }
    })
    .await?
    .map_err(|source| UnitError::about(order.verb(), unit, source))?;
    Ok((job, ends, patience))
}

/// The end of `job` among those that wait to be heard.
fn heard(ends: &mut broadcast::Receiver<JobEnd>, job: &OwnedObjectPath) -> Option<JobResult> {
    loop {
        match ends.try_recv() {
            Ok(end) if end.job == *job => return Some(JobResult::from_word(&end.result)),
            Ok(_) | Err(broadcast::error::TryRecvError::Lagged(_)) => {}
            Err(_) => return None,
        }
    }
}

fn is_unknown(error: &UnitError) -> bool {
    let UnitError::Refused { name, .. } = error else {
        return false;
    };
    matches!(
        name.as_str(),
        "org.freedesktop.systemd1.NoSuchUnit"
            | "org.freedesktop.DBus.Error.FileNotFound"
            | "org.freedesktop.systemd1.NoSuchUnitFile"
            | "System.Error.ENOENT"
    )
}

async fn within<T>(
    action: &'static str,
    limit: Duration,
    call: impl Future<Output = T>,
) -> Result<T, UnitError> {
    timeout(limit, call).await.map_err(|_| UnitError::Late {
        action,
        secs: limit.as_secs(),
    })
}
