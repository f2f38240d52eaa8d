//! Handing an activation to a service of its own, which goes on when this process is stopped, killed or replaced.
//!
//! The pass decides that there is something to do; `steadfast-activation.service` looks again and does it. It gets the
//! lock of the state directory as its standard input and a socket as its standard output. The lock belongs to the open
//! file, so nobody can come between: it is held by both, and when one dies by the other.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use tracing::{debug, warn};

use super::pass::PassRun;
use super::rescue;
use super::wire::{self, Order, Said, WIRE_VERSION};
use super::{ACTIVATION_UNIT, PassEvent};
use crate::activation::{self, Ending, Held, Plan, Prepared, Recovery, TransactionId};
use crate::generation::GenerationNumber;
use crate::host::{Errand, Transient, TransientError, TransientService};
use crate::report::Problem;

/// What became of the wish to hand an activation over.
pub(super) enum HandOver {
    /// The service did it; this is how it ended.
    Done(Result<Box<Ending>, Problem>),
    /// There is no service to do it, so it has to be done here.
    NotHere(Box<Prepared>),
}

impl PassRun<'_> {
    /// Lets a service of its own carry out what was prepared, and waits for its end.
    pub(super) async fn hand_over(
        &self,
        prepared: Prepared,
        target: GenerationNumber,
        held: Held,
    ) -> HandOver {
        if prepared.plan.is_empty() || !self.reconciler.host().has_systemd() {
            return HandOver::NotHere(Box::new(prepared));
        }
        let before = match activation::newest(&self.store) {
            Ok(before) => before,
            Err(error) => {
                return HandOver::Done(Err(Problem::of(&error).with_hint(error.hint())));
            }
        };
        let longest = rescue::longest(
            self.reconciler.settings(),
            &prepared.plan,
            &prepared.desired,
        );
        // Whoever carries it out need not read again what did not change since.
        self.host.save_seen();
        let order = Order {
            version: WIRE_VERSION,
            overrides: self.reconciler.settings().overrides.clone(),
            target,
            held,
            longest_secs: longest.as_secs(),
        };
        let socket = match self.start_service(&order, &prepared.plan, longest).await {
            Ok(socket) => socket,
            Err(problem) => {
                warn!(
                    problem = problem.in_one_line(),
                    "no service of its own for the activation; it is done in this process"
                );
                return HandOver::NotHere(Box::new(prepared));
            }
        };
        let watching = self.reconciler.watch();
        let last = wire::listen(socket, &|event| {
            (self.on_event)(&PassEvent::Activation(event));
        });
        drop(watching);
        HandOver::Done(match last {
            Some(Said::Ended(ending)) => Ok(ending),
            Some(Said::Failed(problem)) => Err(problem),
            Some(Said::Event(_)) | None => self.after_its_death(before).await.map(Box::new),
        })
    }

    async fn start_service(
        &self,
        order: &Order,
        plan: &Plan,
        longest: Duration,
    ) -> Result<UnixStream, Problem> {
        let (mut ours, theirs) = UnixStream::pair().map_err(|error| Problem::of(&error))?;
        wire::give_order(&mut ours, order).map_err(|error| Problem::of(&error))?;
        let service = TransientService {
            name: ACTIVATION_UNIT,
            description: format!(
                "Steadfast: activation of generation {}, {} steps",
                order.target,
                plan.steps.len()
            ),
            errand: Errand {
                program: rescue::own_program(),
                args: vec!["activate".to_owned()],
            },
            afterwards: Some(rescue::after_activation(self.reconciler)),
            stop_within: longest,
            stdin: self.lock.share().map_err(|error| Problem::of(&error))?,
            stdout: OwnedFd::from(theirs),
        };
        let problem = |error: TransientError| Problem::of(&error).with_hint(error.hint());
        let systemd = Transient::connect().await.map_err(problem)?;
        systemd.start(service).await.map_err(problem)?;
        debug!(generation = %order.target, "activation handed over");
        Ok(ours)
    }

    /// The service died, and by now its rescue is over too. What is on disk says how it ended.
    async fn after_its_death(&self, before: Option<TransactionId>) -> Result<Ending, Problem> {
        warn!("the activation was cut off");
        let failed = |error: &activation::ActivateError| Problem::of(error).with_hint(error.hint());
        self.with_activation(async |activation| {
            Box::pin(activation.recover(Recovery::Automatic)).await
        })
        .await
        .map_err(|error| failed(&error))?;
        let journal = |error: activation::JournalError| Problem::of(&error).with_hint(error.hint());
        let newest = activation::newest(&self.store).map_err(journal)?;
        let ending = match newest.filter(|newest| Some(*newest) != before) {
            Some(id) => {
                let past = activation::past(&self.store, Some(id)).map_err(journal)?;
                past.first().and_then(activation::Past::ending)
            }
            None => None,
        };
        ending.ok_or_else(|| {
            Problem::new("the activation was cut off before it changed anything")
                .with_fix(format!("see `journalctl -u {ACTIVATION_UNIT} -e`"))
        })
    }
}

/// The flags that lead another run of this program to the same settings.
pub(super) fn flags(reconciler: &super::Reconciler) -> Vec<String> {
    let overrides = &reconciler.settings().overrides;
    let path = |flag: &str, path: &Option<PathBuf>| {
        let path = path.as_ref()?;
        Some([flag.to_owned(), path.to_string_lossy().into_owned()])
    };
    let host = overrides.host.as_ref();
    let host = host.map(|host| ["--host".to_owned(), host.to_string()]);
    let given = [
        path("--settings", &overrides.settings),
        path("--identity", &overrides.identity),
        host,
    ];
    given.into_iter().flatten().flatten().collect()
}
