//! Units that are made for one task and gone with it: work that outlives the process that asked for it, and a timer that
//! sets off what must happen if nobody else does it.

mod error;
mod hardening;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use zbus::{Connection, Fd, OwnedVariant, Variant};
use zbus_systemd::systemd1::ManagerProxy;

use super::Host;
pub use error::TransientError;

/// Longest time for one question.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the unit of the same name that came before may take to be forgotten.
const PREDECESSOR: Duration = Duration::from_secs(15);
/// How often it is looked for.
const GLANCE: Duration = Duration::from_millis(50);
/// What systemd sets off may be this much late.
const ACCURACY: Duration = Duration::from_secs(1);
/// Time between two attempts of what must not be given up.
const TRY_AGAIN: Duration = Duration::from_secs(20);

/// A program with its arguments, to be run by systemd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// The program, an absolute path.
    pub program: PathBuf,
    /// Its arguments. Every user of the machine can see them.
    pub args: Vec<String>,
}

/// A service that is gone when it is over.
#[derive(Debug)]
pub struct TransientService {
    /// Its name, `steadfast-activation.service`.
    pub name: &'static str,
    /// What people read.
    pub description: String,
    /// What it does.
    pub errand: Errand,
    /// What is done when that ended, however it ended, with the same descriptors.
    pub afterwards: Option<Errand>,
    /// How long either may take to end once it is told to, and `afterwards` as a whole.
    pub stop_within: Duration,
    /// What is its standard input; kept open for as long as the service is there.
    pub stdin: OwnedFd,
    /// What is its standard output, likewise.
    pub stdout: OwnedFd,
}

/// A timer that goes off once, and the service it sets off, which is tried again until it succeeds.
#[derive(Debug)]
pub struct TransientTimer {
    /// Their name without a suffix, `steadfast-rescue`.
    pub name: &'static str,
    /// What people read.
    pub description: String,
    /// When, from now on.
    pub after: Duration,
    /// What it sets off.
    pub errand: Errand,
}

/// What systemd is doing as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineState {
    /// It shuts down: no unit can be started any more.
    Stopping,
    /// Anything else.
    Up,
}

impl Host {
    /// Whether this is a machine that systemd booted, and not a directory or a container without it.
    #[must_use]
    pub fn has_systemd(&self) -> bool {
        // What systemd itself asks people to test: sd_booted(3).
        self.is_live() && Path::new("/run/systemd/system").is_dir()
    }
}

/// The conversation with systemd about transient units.
#[derive(Debug)]
pub struct Transient {
    connection: Connection,
    manager: ManagerProxy<'static>,
}

type Property = (String, OwnedVariant);

impl Transient {
    /// Opens the conversation. Needs a tokio runtime with I/O and time, which must stay the same for its life.
    ///
    /// # Errors
    /// [`TransientError`] if the bus cannot be reached.
    pub async fn connect() -> Result<Self, TransientError> {
        let failed = TransientError::of("reach systemd over D-Bus");
        let connecting = async {
            let connection = zbus::connection::Builder::system()
                .method_timeout(CALL_TIMEOUT)
                .build()
                .await?;
            let manager = ManagerProxy::builder(&connection)
                .cache_properties(zbus::proxy::CacheProperties::No)
                .build()
                .await?;
            Ok(Self {
                connection,
                manager,
            })
        };
        within(connecting).await.map_err(failed)
    }

    /// Starts `service`. One of the same name that is just over is waited for.
    ///
    /// # Errors
    /// [`TransientError`]; one of the same name that runs on is [`TransientError::is_taken`].
    pub async fn start(&self, service: TransientService) -> Result<(), TransientError> {
        let failed = || TransientError::of("start a service for the activation");
        let name = service.name;
        let deadline = Instant::now() + PREDECESSOR;
        let mut properties = properties_of(&service).map_err(failed())?;
        for (key, fd) in [
            ("StandardInputFileDescriptor", service.stdin),
            ("StandardOutputFileDescriptor", service.stdout),
        ] {
            let fd = OwnedVariant::try_from(Fd::from(fd)).map_err(failed())?;
            properties.push((key.to_owned(), fd));
        }
        loop {
            let again = copy(&properties).map_err(failed())?;
            let call = self.manager.start_transient_unit(
                name.to_owned(),
                "fail".to_owned(),
                again,
                Vec::new(),
            );
            match within(call).await.map_err(failed()) {
                Ok(_job) => return Ok(()),
                Err(error) if error.is_taken() && Instant::now() < deadline => sleep(GLANCE).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Arms `timer`, instead of one of the same name that is armed already.
    ///
    /// # Errors
    /// [`TransientError`].
    pub async fn arm(&self, timer: &TransientTimer) -> Result<(), TransientError> {
        let failed = || TransientError::of("arm the timer of the rescue");
        self.disarm(timer.name).await?;
        let deadline = Instant::now() + PREDECESSOR;
        loop {
            let own = timer_properties(timer).map_err(failed())?;
            let service = rescue_properties(timer).map_err(failed())?;
            let call = self.manager.start_transient_unit(
                format!("{}.timer", timer.name),
                "fail".to_owned(),
                own,
                vec![(format!("{}.service", timer.name), service)],
            );
            match within(call).await.map_err(failed()) {
                Ok(_job) => return Ok(()),
                Err(error) if error.is_taken() && Instant::now() < deadline => sleep(GLANCE).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Disarms the timer `name`. Nothing happens if it is not armed; what it has set off goes on.
    ///
    /// # Errors
    /// [`TransientError`].
    pub async fn disarm(&self, name: &str) -> Result<(), TransientError> {
        let failed = TransientError::of("disarm the timer of the rescue");
        let call = self
            .manager
            .stop_unit(format!("{name}.timer"), "replace".to_owned());
        match within(call).await.map_err(failed) {
            Ok(_job) => Ok(()),
            Err(error) if error.is_unknown() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether the unit `name` runs, begins to or ends; `false` for one that nobody knows.
    ///
    /// # Errors
    /// [`TransientError`].
    pub async fn is_running(&self, name: &str) -> Result<bool, TransientError> {
        let failed = || TransientError::of("look at a unit");
        let unit = match within(self.manager.get_unit(name.to_owned()))
            .await
            .map_err(failed())
        {
            Ok(unit) => unit,
            Err(error) if error.is_unknown() => return Ok(false),
            Err(error) => return Err(error),
        };
        let question = ("org.freedesktop.systemd1.Unit", "ActiveState");
        let call = self.connection.call_method(
            Some("org.freedesktop.systemd1"),
            unit,
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &question,
        );
        let state = match within(call).await.map_err(failed()) {
            Ok(reply) => reply.body().deserialize::<OwnedVariant>(),
            Err(error) if error.is_unknown() => return Ok(false),
            Err(error) => return Err(error),
        };
        let state = state.and_then(String::try_from).map_err(failed())?;
        Ok(!matches!(state.as_str(), "inactive" | "failed"))
    }

    /// Kills everything that runs in the unit `name`, at once. Nothing happens if nobody knows it.
    ///
    /// # Errors
    /// [`TransientError`].
    pub async fn kill(&self, name: &str) -> Result<(), TransientError> {
        const SIGKILL: i32 = 9;
        let failed = TransientError::of("end a unit that hangs");
        let call = self
            .manager
            .kill_unit(name.to_owned(), "all".to_owned(), SIGKILL);
        match within(call).await.map_err(failed) {
            Err(error) if !error.is_unknown() => Err(error),
            _ => Ok(()),
        }
    }

    /// What systemd is doing as a whole.
    ///
    /// # Errors
    /// [`TransientError`].
    pub async fn machine_state(&self) -> Result<MachineState, TransientError> {
        let failed = TransientError::of("ask systemd what it is doing");
        let state = within(self.manager.system_state()).await.map_err(failed)?;
        Ok(match state.as_str() {
            "stopping" => MachineState::Stopping,
            _ => MachineState::Up,
        })
    }

    /// Asks logind to let nobody shut the machine down or put it to sleep, for as long as the descriptor is open.
    ///
    /// # Errors
    /// [`TransientError`], as on a machine without logind.
    pub async fn inhibit_shutdown(&self, why: &str) -> Result<OwnedFd, TransientError> {
        let failed = || TransientError::of("ask logind not to shut down meanwhile");
        let question = ("shutdown:sleep", "steadfast", why, "block");
        let call = self.connection.call_method(
            Some("org.freedesktop.login1"),
            "/org/freedesktop/login1",
            Some("org.freedesktop.login1.Manager"),
            "Inhibit",
            &question,
        );
        let reply = within(call).await.map_err(failed())?;
        let fd = reply.body().deserialize::<zbus::OwnedFd>();
        Ok(fd.map_err(failed())?.into())
    }
}

fn properties_of(service: &TransientService) -> Result<Vec<Property>, zbus::Error> {
    let mut properties = hardening::as_hard_as_the_agent()?;
    properties.extend([
        property("Description", service.description.as_str())?,
        // Gone when it is over, so that the next one can have the name.
        property("CollectMode", "inactive-or-failed")?,
        property("Type", "exec")?,
        property("ExecStart", vec![command(&service.errand)])?,
        // Said although a descriptor is given: what is said for both streams alike is one stream for systemd.
        property("StandardOutput", "null")?,
        property("StandardError", "journal")?,
        // The program is told to stop, and what it started is left to it; at the end nothing stays.
        property("KillMode", "mixed")?,
        property("TimeoutStopUSec", micros(service.stop_within))?,
        // No dependency on the agent: it may come, go and be killed.
        property("OOMPolicy", "continue")?,
        property("OOMScoreAdjust", -900_i32)?,
    ]);
    if let Some(errand) = &service.afterwards {
        properties.push(property("ExecStopPost", vec![command(errand)])?);
    }
    Ok(properties)
}

fn timer_properties(timer: &TransientTimer) -> Result<Vec<Property>, zbus::Error> {
    let after = vec![("OnActiveSec".to_owned(), micros(timer.after))];
    Ok(vec![
        property("Description", timer.description.as_str())?,
        property("CollectMode", "inactive-or-failed")?,
        property("TimersMonotonic", after)?,
        property("AccuracyUSec", micros(ACCURACY))?,
        property("RemainAfterElapse", false)?,
    ])
}

fn rescue_properties(timer: &TransientTimer) -> Result<Vec<Property>, zbus::Error> {
    let mut properties = hardening::as_hard_as_the_agent()?;
    properties.extend([
        property("Description", timer.description.as_str())?,
        property("CollectMode", "inactive-or-failed")?,
        property("Type", "exec")?,
        property("ExecStart", vec![command(&timer.errand)])?,
        property("Restart", "on-failure")?,
        property("RestartUSec", micros(TRY_AGAIN))?,
        property("StartLimitIntervalUSec", 0_u64)?,
        property("OOMScoreAdjust", -900_i32)?,
    ]);
    Ok(properties)
}

/// One entry of `ExecStart`: path, argv with the name first, and that a failure counts.
fn command(errand: &Errand) -> (String, Vec<String>, bool) {
    let program = errand.program.to_string_lossy().into_owned();
    let mut words = vec![program.clone()];
    words.extend(errand.args.iter().cloned());
    (program, words, false)
}

fn property<'v>(name: &str, value: impl Into<Variant<'v>>) -> Result<Property, zbus::Error> {
    let value: Variant<'v> = value.into();
    Ok((name.to_owned(), OwnedVariant::try_from(value)?))
}

fn copy(properties: &[Property]) -> Result<Vec<Property>, zbus::Error> {
    let copied = properties
        .iter()
        .map(|(name, value)| Ok((name.clone(), value.try_clone()?)));
    copied.collect()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

async fn within<T>(call: impl Future<Output = Result<T, zbus::Error>>) -> Result<T, zbus::Error> {
    match timeout(CALL_TIMEOUT, call).await {
        Ok(answer) => answer,
        Err(late) => Err(zbus::Error::InputOutput(std::sync::Arc::new(late.into()))),
    }
}
