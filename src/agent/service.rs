//! The long-running agent: waits for what sets a pass off, runs one at a time, answers the control socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{broadcast, mpsc, oneshot};
use tracing::{debug, info, warn};

use super::hints::{Hints, Wanted};
use super::pace::Pace;
use super::phase::{AgentEvent, AgentPhase, Contact};
use super::socket::{Ask, ControlSocket, SocketError};
use super::watch::RepositoryWatch;
use super::{Mode, Pass, PassEvent, Pausing, Reconciler, Retry};
use crate::activation::OWN_UNIT;
use crate::host::clock;
use crate::report::{LiveAgent, Outcome, Report, Trigger};

/// How long a stopping agent waits for the pass under way. A pass that is cut off is finished by recovery.
const STOP_WAIT: Duration = Duration::from_secs(80);

/// How often a stopping agent looks whether the pass under way only looks on by now.
const GLANCE: Duration = Duration::from_millis(100);

/// How long a stopping agent waits for clients that read slowly.
const CLIENT_WAIT: Duration = Duration::from_secs(2);

/// A service that could not be started.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ServiceError {
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("cannot listen for signals")]
    Signals(#[source] std::io::Error),
    #[error("cannot start a thread for the passes")]
    Thread(#[source] std::io::Error),
}

/// Runs the agent until it is told to stop.
///
/// # Errors
/// [`ServiceError`] if it cannot start. Once it runs, failures are reported and retried, never returned.
pub async fn run(reconciler: Arc<Reconciler>) -> Result<(), ServiceError> {
    let mut service = Service::start(reconciler)?;
    let mut stop = signal(SignalKind::terminate()).map_err(ServiceError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServiceError::Signals)?;
    notify_systemd(&[sd_notify::NotifyState::Ready]);
    info!(host = %service.reconciler.settings().host, "agent started");
    service.advance(AgentEvent::Wanted(Trigger::Start));
    loop {
        let wake = service.next_wake();
        tokio::select! {
            _ = stop.recv() => break,
            _ = interrupt.recv() => break,
            Some(ask) = service.asks.recv() => service.answer(ask),
            Some(ended) = service.ended.recv() => service.pass_ended(ended),
            () = service.hints.next() => service.pace.noticed(Instant::now()),
            Some(()) = service.watch.changed() => service.advance(AgentEvent::Wanted(Trigger::Watch)),
            () = tokio::time::sleep_until(wake.into()) => service.on_time(),
        }
        if service.renews_now() {
            info!("the agent's own unit changed; it starts anew");
            break;
        }
    }
    notify_systemd(&[sd_notify::NotifyState::Stopping]);
    service.stop().await;
    Ok(())
}

struct Service {
    reconciler: Arc<Reconciler>,
    phase: AgentPhase,
    started_secs: i64,
    next_poll: Instant,
    next_scan: Instant,
    next_ping: Option<(Instant, Duration)>,
    asks: mpsc::Receiver<Ask>,
    ended_sender: mpsc::UnboundedSender<Ended>,
    ended: mpsc::UnboundedReceiver<Ended>,
    events: broadcast::Sender<PassEvent>,
    watch: RepositoryWatch,
    hints: Hints,
    pace: Pace,
    waiting: Vec<Waiting>,
    /// A pass changed the agent's own unit.
    renewed: bool,
    _socket: ControlSocket,
}

/// A pass that is over.
struct Ended {
    report: Report,
    contact: Contact,
    /// What is to be watched from now on, if that is something else.
    wanted: Option<Wanted>,
}

/// A client that asked for a pass.
struct Waiting {
    retry: Retry,
    pausing: Pausing,
    mode: Mode,
    answer: oneshot::Sender<Report>,
    /// Whether the pass under way is the one it asked for; else the next is.
    taken_up: bool,
}

impl Service {
    fn start(reconciler: Arc<Reconciler>) -> Result<Self, ServiceError> {
        let (events, _) = broadcast::channel(1024);
        let (socket, asks) = ControlSocket::listen(reconciler.host().root(), events.clone())?;
        let (ended_sender, ended) = mpsc::unbounded_channel();
        let now = Instant::now();
        let watchdog = sd_notify::watchdog_enabled().map(|period| period / 3);
        Ok(Self {
            phase: AgentPhase::Idle { failures: 0 },
            started_secs: clock::now_secs(),
            next_poll: now + reconciler.settings().poll_interval,
            next_scan: now + reconciler.settings().drift_interval,
            next_ping: watchdog.map(|period| (now + period, period)),
            asks,
            ended_sender,
            ended,
            events,
            watch: RepositoryWatch::of(&reconciler.settings().remotes),
            hints: Hints::new(reconciler.host()),
            pace: Pace::default(),
            waiting: Vec::new(),
            renewed: false,
            _socket: socket,
            reconciler,
        })
    }

    /// The next time something is due by the clock.
    fn next_wake(&self) -> Instant {
        let mut wake = self
            .next_ping
            .map_or(self.next_scan, |(ping, _)| ping.min(self.next_scan));
        if let AgentPhase::Idle { .. } = self.phase {
            wake = wake.min(self.next_poll);
            wake = self.pace.due().map_or(wake, |due| wake.min(due));
        }
        wake
    }

    fn on_time(&mut self) {
        let now = Instant::now();
        if let Some((ping, period)) = &mut self.next_ping
            && now >= *ping
        {
            *ping = now + *period;
            notify_systemd(&[sd_notify::NotifyState::Watchdog]);
        }
        let idle = matches!(self.phase, AgentPhase::Idle { .. });
        // A look of its own is not spared by a poll that is due as well: that one does not look.
        if now >= self.next_scan || (idle && self.pace.take(now)) {
            self.next_scan = now + self.reconciler.settings().drift_interval;
            self.advance(AgentEvent::Wanted(Trigger::Drift));
        }
        if now >= self.next_poll && matches!(self.phase, AgentPhase::Idle { .. }) {
            self.advance(AgentEvent::Wanted(Trigger::Poll));
        }
    }

    /// Moves the phase machine, and begins a pass where that is what the new phase says.
    fn advance(&mut self, event: AgentEvent) {
        let ended = matches!(event, AgentEvent::Ended(_));
        // Scans come more often than polls on some hosts: one must not put the other off.
        let polled = ended && !matches!(event, AgentEvent::Ended(Contact::NotTried));
        let was_idle = matches!(self.phase, AgentPhase::Idle { .. });
        self.phase = self.phase.clone().after(event);
        match self.phase {
            AgentPhase::Working { trigger, .. } if was_idle || ended => self.begin_pass(trigger),
            AgentPhase::Working { .. } => {}
            AgentPhase::Idle { .. } if !polled => {}
            AgentPhase::Idle { .. } => {
                let jitter = rand::random::<f64>();
                self.next_poll = Instant::now()
                    + self
                        .phase
                        .wait(self.reconciler.settings().poll_interval, jitter);
            }
        }
    }

    /// Runs a pass on a thread of its own, so that signals, watchdog and socket are served meanwhile.
    fn begin_pass(&mut self, trigger: Trigger) {
        let (mut retry, mut pausing, mut mode) = (Retry::No, Pausing::Obeyed, Mode::Switch);
        for waiting in &mut self.waiting {
            waiting.taken_up = true;
            if waiting.retry == Retry::Yes {
                retry = Retry::Yes;
            }
            if waiting.pausing == Pausing::Overruled {
                pausing = Pausing::Overruled;
            }
            // Of two people who ask at once, the one who wants less for good is served.
            if waiting.mode != Mode::Switch {
                mode = waiting.mode;
            }
        }
        debug!(?trigger, ?retry, "pass begins");
        let (reconciler, events, ended) = (
            Arc::clone(&self.reconciler),
            self.events.clone(),
            self.ended_sender.clone(),
        );
        let pass = Pass {
            trigger,
            retry,
            pausing,
            mode,
        };
        let followed = self.hints.generation();
        let work = move || {
            let on_event = |event: &PassEvent| {
                // Nobody listening is fine.
                let _ = events.send(event.clone());
            };
            let (report, contact) = reconciler.pass_blocking(pass, &on_event);
            // What cannot be read now is read after the next pass.
            let wanted = match report.generation {
                Some(number) if Some(number) == followed => None,
                _ => reconciler.wanted(followed).unwrap_or_default(),
            };
            // The service is gone only when it is stopping.
            let _ = ended.send(Ended {
                report,
                contact,
                wanted,
            });
        };
        if let Err(error) = std::thread::Builder::new()
            .name("pass".to_owned())
            .spawn(work)
        {
            warn!(%error, "cannot start a thread for a pass");
            self.phase = self.phase.clone().after(AgentEvent::Ended(Contact::Failed));
        }
    }

    fn pass_ended(&mut self, ended: Ended) {
        let Ended {
            report,
            contact,
            wanted,
        } = ended;
        self.hints.follow(wanted);
        let (done, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|w: &Waiting| w.taken_up);
        self.waiting = waiting;
        for client in done {
            // A client that went away does not want its report.
            let _ = client.answer.send(report.clone());
        }
        let status = format!(
            "{}: {:?}",
            report
                .generation
                .map_or("no generation".to_owned(), |n| format!("generation {n}")),
            report.outcome
        );
        notify_systemd(&[sd_notify::NotifyState::Status(&status)]);
        self.renewed |= matches!(report.outcome, Outcome::Activated | Outcome::Repaired)
            && report
                .notices
                .iter()
                .any(|notice| notice.subject == OWN_UNIT);
        self.advance(AgentEvent::Ended(contact));
    }

    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Status(answer) => {
                // A client that went away does not want its answer.
                let _ = answer.send(self.live());
            }
            Ask::Reconcile {
                retry,
                pausing,
                mode,
                answer,
            } => {
                self.waiting.push(Waiting {
                    retry,
                    pausing,
                    mode,
                    answer,
                    taken_up: false,
                });
                self.advance(AgentEvent::Wanted(Trigger::Manual));
            }
        }
    }

    /// Lets those who asked read their answer to its end: each connection listens to events for as long as it lives.
    async fn see_clients_off(&self) {
        let deadline = Instant::now() + CLIENT_WAIT;
        while self.events.receiver_count() > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn live(&self) -> LiveAgent {
        let (phase, failures, idle) = match &self.phase {
            AgentPhase::Idle { failures } => ("idle".to_owned(), *failures, true),
            AgentPhase::Working {
                trigger, failures, ..
            } => (
                format!("working ({trigger:?})").to_lowercase(),
                *failures,
                false,
            ),
        };
        let left = self.next_poll.saturating_duration_since(Instant::now());
        LiveAgent {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_secs: self.started_secs,
            phase,
            next_poll_secs: idle.then(|| clock::now_secs().saturating_add_unsigned(left.as_secs())),
            failures_in_a_row: failures,
        }
    }

    /// Whether to end, for systemd to start this unit with its new definition: last of all, when nothing is under way.
    fn renews_now(&self) -> bool {
        let idle = matches!(self.phase, AgentPhase::Idle { .. });
        self.renewed && idle && std::env::var_os("NOTIFY_SOCKET").is_some()
    }

    async fn stop(mut self) {
        if matches!(self.phase, AgentPhase::Idle { .. }) {
            self.see_clients_off().await;
            return;
        }
        info!("waiting for the pass under way");
        let deadline = Instant::now() + STOP_WAIT;
        while Instant::now() < deadline {
            if self.reconciler.only_looks_on() {
                info!(
                    "an activation is under way in its own unit, and goes on; the next start takes up its end"
                );
                return;
            }
            if tokio::time::timeout(GLANCE, self.ended.recv())
                .await
                .is_ok()
            {
                return;
            }
        }
        warn!("the pass under way is cut off; the next start finishes it");
    }
}

fn notify_systemd(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "systemd was not notified");
    }
}
