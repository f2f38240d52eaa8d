//! A child as a stream: what one writes goes to its stdin, what one reads comes from its stdout.

use std::fmt;
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::capture::Captured;
use super::program::judge;
use super::{ExecError, group};

/// How long the end of stderr is awaited; a process that left the group may hold it open for ever.
const STDERR_GRACE: Duration = Duration::from_secs(1);

/// A running child with its stdin and stdout; killed with everything it started when dropped.
///
/// A child that moves no byte for longer than the program's timeout is killed; reads then end, and
/// [`finish`](Self::finish) says why.
pub struct PipedChild {
    command: String,
    idle_timeout: Duration,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Captured,
    /// Hangs up when stderr was read to its end.
    stderr_open: Receiver<()>,
    watched: Arc<Mutex<Watched>>,
}

/// Shared with the thread that kills a silent child.
struct Watched {
    /// `None` once it is reaped: its id may then belong to somebody else.
    child: Option<Child>,
    moved: Instant,
    given_up: bool,
}

impl fmt::Debug for PipedChild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PipedChild({})", self.command)
    }
}

impl PipedChild {
    /// `child` must have been started with all three streams piped and in a process group of its own.
    pub(super) fn new(mut child: Child, command: String, idle_timeout: Duration) -> Self {
        let stderr = Captured::default();
        let (reading, stderr_open) = channel();
        if let Some(pipe) = child.stderr.take() {
            let captured = stderr.clone();
            thread::spawn(move || {
                captured.read_tail(pipe);
                drop(reading);
            });
        }
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        let watched = Arc::new(Mutex::new(Watched {
            child: Some(child),
            moved: Instant::now(),
            given_up: false,
        }));
        let guard = Arc::downgrade(&watched);
        thread::spawn(move || {
            let pause = (idle_timeout / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
            while let Some(watched) = guard.upgrade() {
                let mut state = lock(&watched);
                let Some(child) = &state.child else { return };
                if state.moved.elapsed() > idle_timeout {
                    group::kill(Pid::from_child(child));
                    state.given_up = true;
                    return;
                }
                drop(state);
                drop(watched);
                thread::sleep(pause);
            }
        });
        Self {
            command,
            idle_timeout,
            stdin,
            stdout,
            stderr,
            stderr_open,
            watched,
        }
    }

    /// Closes its stdin, which tells most programs that there is no more to come.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// The last lines it wrote to stderr so far.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        self.stderr.tail()
    }

    /// Closes its stdin and waits for its end; any exit code but 0 is an error.
    ///
    /// # Errors
    /// [`ExecError::Failed`], [`ExecError::Killed`], or [`ExecError::TimedOut`] if it had to be killed.
    pub fn finish(mut self) -> Result<(), ExecError> {
        self.close_stdin();
        if let Some(mut rest) = self.stdout.take() {
            // What nobody reads any more must not keep the child from ending.
            thread::spawn(move || io::copy(&mut rest, &mut io::sink()));
        }
        let pid = lock(&self.watched).child.as_ref().map(Pid::from_child);
        if let Some(pid) = pid {
            // Ends at the latest when the watching thread kills it. The lock is not held meanwhile.
            group::await_end(pid);
        }
        let (child, given_up) = {
            let mut state = lock(&self.watched);
            (state.child.take(), state.given_up)
        };
        let Some(mut child) = child else {
            return Ok(());
        };
        group::kill(Pid::from_child(&child));
        let status = child.wait().map_err(|source| ExecError::Wait {
            command: self.command.clone(),
            source,
        })?;
        // The child's last words may still be on their way through the pipe.
        let _ = self.stderr_open.recv_timeout(STDERR_GRACE);
        if given_up {
            return Err(ExecError::TimedOut {
                command: self.command.clone(),
                after: self.idle_timeout,
                stderr: self.stderr.tail(),
            });
        }
        judge(&self.command, status, self.stderr.tail())
    }

    fn moved(&self) {
        lock(&self.watched).moved = Instant::now();
    }
}

impl Read for PipedChild {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(stdout) = &mut self.stdout else {
            return Ok(0);
        };
        let count = stdout.read(buffer)?;
        self.moved();
        Ok(count)
    }
}

impl Write for PipedChild {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let Some(stdin) = &mut self.stdin else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let count = stdin.write(buffer)?;
        self.moved();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stdin.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for PipedChild {
    fn drop(&mut self) {
        let child = lock(&self.watched).child.take();
        if let Some(mut child) = child {
            group::kill(Pid::from_child(&child));
            // Its exit status says nothing more: it was killed.
            let _ = child.wait();
        }
    }
}

fn lock(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}
