//! The service that activates: takes over the lock and the order, arms the rescue, carries out, says how it ended.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use super::pass::PassRun;
use super::renewal::Renewal;
use super::wire::{self, Mouth, Order, Said, WIRE_VERSION};
use super::{Mode, Pass, PassEvent, Pausing, Reading, Reconciler, Retry, Settings, rescue};
use crate::activation::{Ending, Outcome};
use crate::host::{Host, Transient, durable};
use crate::report::{Problem, Trigger};

/// How the service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// It did what it was asked, whatever came of it.
    ToTheEnd,
    /// It was told to stop in the middle. What it began is open.
    CutOff,
}

/// Does what the pass that started this service asks for. Its standard input is the lock of the state directory, its
/// standard output a socket.
///
/// # Errors
/// [`Problem`] if this is not how systemd was asked to start it; nothing was done then.
pub async fn serve_activation(host: Host) -> Result<Served, Problem> {
    let not_ours = |error: std::io::Error| {
        Problem::of(&error)
            .about("an activation is started by a pass, not by hand")
            .with_fix("run `steadfast reconcile now`")
    };
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    let lock = stdin.as_fd().try_clone_to_owned().map_err(not_ours)?;
    let socket = stdout.as_fd().try_clone_to_owned().map_err(not_ours)?;
    let socket = UnixStream::from(socket);
    socket.peer_addr().map_err(not_ours)?;
    let order = wire::take_order(&socket).map_err(not_ours)?;
    let mouth = Mouth::on(socket).map_err(not_ours)?;
    let mut told_to_stop = signal(SignalKind::terminate()).map_err(not_ours)?;
    let ended = tokio::select! {
        ended = obey(host, lock, &order, &mouth) => ended,
        // Heard where the work waits for something: a package manager under way is never left alone.
        _ = told_to_stop.recv() => {
            warn!("told to stop in the middle of an activation");
            return Ok(Served::CutOff);
        }
    };
    mouth.finish(match ended {
        Ok(ending) => Said::Ended(Box::new(ending)),
        Err(problem) => Said::Failed(problem),
    });
    Ok(Served::ToTheEnd)
}

async fn obey(host: Host, lock: OwnedFd, order: &Order, mouth: &Mouth) -> Result<Ending, Problem> {
    if order.version != WIRE_VERSION {
        return Err(
            Problem::new("the program was replaced by one of another version meanwhile")
                .with_fix("systemctl restart steadfast.service"),
        );
    }
    let settings = Settings::load(&host, &order.overrides)
        .map_err(|error| Problem::of(&error).with_hint(error.fix()))?;
    let reconciler = Reconciler::new(host, settings);
    let lock = durable::inherited_lock(&reconciler.state_dir().join("lock"), lock)
        .map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
    let on_event = |event: &PassEvent| {
        if let PassEvent::Activation(event) = event {
            mouth.say(Said::Event(event.clone()));
        }
    };
    let pass = Pass {
        trigger: Trigger::Start,
        retry: Retry::No,
        pausing: Pausing::Overruled,
        mode: Mode::Switch,
    };
    let run = PassRun::with_lock(&reconciler, pass, &on_event, (lock, Reading::Changed))?;
    run.carry_out_guarded(order).await
}

impl PassRun<'_> {
    /// Carries out the order, with a rescue armed for as long as it takes.
    async fn carry_out_guarded(&self, order: &Order) -> Result<Ending, Problem> {
        let target = self
            .store
            .get(order.target)
            .map_err(|error| Problem::of_store(&error))?;
        let secrets = self.stored_secrets().open_manifest(&target.manifest)?;
        let prepared = self.prepare(&target.manifest, &secrets, order.held).await?;
        let systemd = Transient::connect()
            .await
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
        let why = format!("activating generation {}", target.number);
        // Without logind nobody could be kept from shutting down, and nobody asks.
        let _inhibited = match systemd.inhibit_shutdown(&why).await {
            Ok(descriptor) => Some(descriptor),
            Err(error) => {
                info!(%error, "shutting down is not inhibited");
                None
            }
        };
        let renewal = Renewal::at_last();
        let state_dir = self.reconciler.state_dir();
        rescue::pin_if_missing(state_dir);
        rescue::arm(
            self.reconciler,
            &systemd,
            Duration::from_secs(order.longest_secs),
        )
        .await
        .map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
        let ended = self
            .carry_out_here(prepared, target.number, &secrets, &renewal)
            .await;
        match ended.as_ref().map(|ending| &ending.outcome) {
            Ok(Outcome::Committed) => rescue::pin(state_dir),
            Ok(Outcome::RolledBack { .. }) if renewal.was_tried() => {
                if let Err(problem) = self.reconciler.restart_agent().await {
                    warn!(
                        problem = problem.in_one_line(),
                        "the agent does not start anew"
                    );
                }
            }
            _ => {}
        }
        rescue::disarm(&systemd).await;
        ended
    }
}
