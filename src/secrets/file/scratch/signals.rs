//! Signals while something must be cleaned up: nothing is left behind when the process goes.

use std::io::IsTerminal as _;
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::oneshot;

/// What is done about a signal that asks the process to end. It runs on a thread of its own, and may end the process.
pub(in crate::secrets::file) type OnSignal = Box<dyn FnMut(Signal) + Send>;

/// As long as this lives, SIGTERM, SIGHUP and SIGQUIT do not end the process but call what it was made with.
///
/// So does SIGINT, unless this is a terminal: there Ctrl-C goes to the program that is waited for as well, which knows
/// what to do with it, and whoever interrupts a search in an editor must not lose what they typed.
#[must_use = "signals are watched only as long as this lives"]
pub(in crate::secrets::file) struct SignalGuard {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl SignalGuard {
    /// Begins to watch; when this returns, none of these signals can end the process by itself.
    pub(in crate::secrets::file) fn watch(act: OnSignal) -> std::io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (ready, watching) = mpsc::channel();
        let thread = thread::spawn(move || run(act, &ready, stopped));
        match watching.recv() {
            Ok(Ok(())) => Ok(Self {
                stop: Some(stop),
                thread: Some(thread),
            }),
            Ok(Err(error)) => Err(error),
            Err(_gone) => Err(std::io::Error::other("the thread for signals is gone")),
        }
    }
}

impl Drop for SignalGuard {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread is gone only together with the process.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Ends the process with the exit code that a shell shows for `signal`.
pub(in crate::secrets::file) fn end(signal: Signal) -> ! {
    std::process::exit(128 + signal.as_raw())
}

struct Watched {
    terminate: unix::Signal,
    hang_up: unix::Signal,
    quit: unix::Signal,
    interrupt: unix::Signal,
}

impl Watched {
    fn register() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal.
    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hang_up.recv() => Signal::HUP,
            _ = self.quit.recv() => Signal::QUIT,
            _ = self.interrupt.recv() => Signal::INT,
        }
    }
}

fn run(
    mut act: OnSignal,
    ready: &mpsc::Sender<std::io::Result<()>>,
    mut stopped: oneshot::Receiver<()>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            // Whoever asked waits for exactly one answer.
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        let mut watched = match Watched::register() {
            Ok(watched) => watched,
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        let _ = ready.send(Ok(()));
        loop {
            tokio::select! {
                _ = &mut stopped => return,
                signal = watched.next() => {
                    if signal != Signal::INT || !std::io::stdin().is_terminal() {
                        act(signal);
                    }
                }
            }
        }
    });
}
