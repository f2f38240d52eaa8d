//! Programs that a person works with: they have the terminal, no bound in time, and can be ended from another thread.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};

use super::{ExecError, Program};

/// How often it is looked whether a program that was asked to end has ended.
const GLANCE: Duration = Duration::from_millis(10);

/// A program that runs on the terminal of this process.
#[derive(Debug)]
pub struct Attended {
    child: Child,
    handle: OwnedFd,
    command: String,
}

/// Sends signals to one [`Attended`] program, from any thread, also when it has ended already.
#[derive(Debug)]
pub struct Signaller {
    handle: OwnedFd,
}

impl Program {
    /// Starts it on the terminal of this process; no timeout, no capture, the person's own locale.
    ///
    /// # Errors
    /// [`ExecError::NotFound`], [`ExecError::Start`].
    pub fn attend(&self) -> Result<Attended, ExecError> {
        let mut child = self.spawn(&mut self.command())?;
        let handle = match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(errno) => {
                // Without a handle nobody could end it when this process must go.
                let _ = child.kill();
                let _ = child.wait();
                return Err(ExecError::Start {
                    command: self.describe(),
                    source: errno.into(),
                });
            }
        };
        Ok(Attended {
            child,
            handle,
            command: self.describe(),
        })
    }

    /// Becomes the program: this process ends without its destructors, and the program has its id.
    ///
    /// Returns only if it cannot be started.
    #[must_use]
    pub fn become_it(&self) -> ExecError {
        let source = self.command().exec();
        self.start_error(source)
    }
}

impl Attended {
    /// A way to send it signals.
    ///
    /// # Errors
    /// [`ExecError::Wait`] if this process has no file descriptor left.
    pub fn signaller(&self) -> Result<Signaller, ExecError> {
        let handle = self.handle.try_clone().map_err(|source| ExecError::Wait {
            command: self.command.clone(),
            source,
        })?;
        Ok(Signaller { handle })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// [`ExecError::Wait`].
    pub fn wait(mut self) -> Result<ExitStatus, ExecError> {
        self.child.wait().map_err(|source| ExecError::Wait {
            command: self.command,
            source,
        })
    }
}

impl Signaller {
    /// A way to signal `child`, which must not be reaped yet.
    pub(super) fn of(child: &Child) -> Result<Self, Errno> {
        let handle = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        Ok(Self { handle })
    }

    /// Sends `signal`; nothing happens if it has ended.
    pub fn send(&self, signal: Signal) {
        // ESRCH: it ended by itself.
        let _ = pidfd_send_signal(&self.handle, signal);
    }

    /// Asks it to end by `signal`, and makes it if it has not ended after `grace`.
    pub fn end(&self, signal: Signal, grace: Duration) {
        self.send(signal);
        // No signal reaches a stopped process until it goes on.
        self.send(Signal::CONT);
        let deadline = Instant::now() + grace;
        while !self.has_ended() {
            if Instant::now() > deadline {
                self.send(Signal::KILL);
                return;
            }
            thread::sleep(GLANCE);
        }
    }

    fn has_ended(&self) -> bool {
        use std::os::fd::AsFd as _;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        match waitid(WaitId::PidFd(self.handle.as_fd()), options) {
            Ok(ended) => ended.is_some(),
            Err(Errno::INTR) => false,
            // Whoever waits for it has reaped it.
            Err(_) => true,
        }
    }
}
