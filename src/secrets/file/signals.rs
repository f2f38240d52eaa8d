//! Signals while plaintext is in a file: it is wiped and removed before the process goes.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::scratch::wipe;

/// As long as this lives, SIGTERM, SIGHUP and SIGQUIT wipe a directory before they end the process.
///
/// So does SIGINT, unless this is a terminal: there Ctrl-C goes to the editor as well, which knows what to do with it,
/// and whoever interrupts a search must not lose what they typed.
#[must_use = "signals are watched only as long as this lives"]
pub(super) struct SignalGuard {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl SignalGuard {
    /// Begins to watch; when this returns, no signal can end the process with `directory` left behind.
    pub(super) fn watch(directory: &Path) -> std::io::Result<Self> {
        let directory = directory.to_owned();
        let (stop, stopped) = oneshot::channel();
        let (ready, watching) = mpsc::channel();
        let thread = thread::spawn(move || run(&directory, &ready, stopped));
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

struct Watched {
    terminate: Signal,
    hang_up: Signal,
    quit: Signal,
    interrupt: Signal,
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

    /// Waits for the next signal and gives its number.
    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hang_up.recv() => SignalKind::hangup(),
            _ = self.quit.recv() => SignalKind::quit(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
        }
    }
}

fn run(
    directory: &Path,
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
                kind = watched.next() => {
                    if kind == SignalKind::interrupt() && std::io::stdin().is_terminal() {
                        continue;
                    }
                    end(directory, kind);
                }
            }
        }
    });
}

/// Wipes and ends, with the exit code that a shell would show for the signal.
fn end(directory: &Path, kind: SignalKind) -> ! {
    let directory: PathBuf = directory.to_owned();
    wipe(&directory);
    std::process::exit(128 + kind.as_raw_value())
}
