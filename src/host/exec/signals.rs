//! Signals while something must be cleaned up or waited for: nothing is left behind when the process goes.

use std::io::IsTerminal as _;
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::oneshot;

/// What is done about a signal that asks the process to end. It runs on a thread of its own, and may end the process.
pub type OnSignal = Box<dyn FnMut(Signal) + Send>;

/// What becomes of SIGINT, which is what Ctrl-C sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// On a terminal, nothing: there Ctrl-C goes to the program that is waited for as well, which knows what to do with it,
    /// and whoever interrupts a search in an editor must not lose what they typed.
    OfTheProgram,
    /// What becomes of the other signals.
    Ours,
}

/// As long as this lives, SIGTERM, SIGHUP, SIGQUIT and SIGINT do not end the process but call what it was made with.
#[must_use = "signals are watched only as long as this lives"]
#[derive(Debug)]
pub struct SignalGuard {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl SignalGuard {
    /// Begins to watch; when this returns, none of these signals can end the process by itself.
    ///
    /// # Errors
    /// The kernel's refusal to register them.
    pub fn watch(interrupt: Interrupt, act: OnSignal) -> std::io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (ready, watching) = mpsc::channel();
        let thread = thread::spawn(move || run(interrupt, act, &ready, stopped));
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
pub fn end_by(signal: Signal) -> ! {
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
    interrupt: Interrupt,
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
                    let goes_to_program = interrupt == Interrupt::OfTheProgram
                        && signal == Signal::INT
                        && std::io::stdin().is_terminal();
                    if !goes_to_program {
                        act(signal);
                    }
                }
            }
        }
    });
}
