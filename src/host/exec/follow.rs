//! Programs that work for long and say how far they are: their lines are read as they come.

use std::io::{BufRead as _, BufReader, Read};
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::{ExecError, Interrupt, Program, SignalGuard, Signaller, group};

/// Longest line that is kept; what goes beyond is a line of its own.
const LINE_BYTES: u64 = 1024 * 1024;
/// Lines that may wait to be read.
const QUEUED_LINES: usize = 256;
/// How long something the program left behind may keep its output open.
const LINGER: Duration = Duration::from_millis(500);

/// Where a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// stdout.
    Out,
    /// stderr.
    Err,
}

/// How a program that was followed ended.
#[derive(Debug)]
pub struct Followed {
    /// How it ended.
    pub status: ExitStatus,
    /// The signal to this process that it was stopped for.
    pub stopped_by: Option<Signal>,
}

enum News {
    Line(Stream, String),
    Closed,
    Ended,
}

impl Program {
    /// Runs it to its end, whatever its exit code and however long it takes. `on_line` gets every line of both streams.
    ///
    /// A signal that asks this process to end is passed on as SIGINT, which lets the program clean up, and its end is
    /// awaited.
    ///
    /// # Errors
    /// [`ExecError::NotFound`], [`ExecError::Start`], [`ExecError::Wait`].
    pub fn follow(&self, on_line: &mut dyn FnMut(Stream, &str)) -> Result<Followed, ExecError> {
        let stop = Stop::watch().map_err(|source| self.start_error(source))?;
        let mut child = self.spawn(&mut self.captured_command())?;
        let pid = Pid::from_child(&child);
        match Signaller::of(&child) {
            Ok(signaller) => stop.of(signaller),
            Err(errno) => {
                // Without a handle nobody could end it when this process must go.
                group::terminate(&mut child);
                return Err(self.start_error(errno.into()));
            }
        }
        let (sender, news) = sync_channel(QUEUED_LINES);
        if let Some(stdout) = child.stdout.take() {
            read_lines(&sender, Stream::Out, stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            read_lines(&sender, Stream::Err, stderr);
        }
        thread::spawn(move || {
            group::await_end(pid);
            // Nobody listens any more.
            let _ = sender.send(News::Ended);
        });
        listen(&news, on_line);
        group::kill(pid);
        let status = child.wait().map_err(|source| ExecError::Wait {
            command: self.describe(),
            source,
        })?;
        Ok(Followed {
            status,
            stopped_by: stop.reason(),
        })
    }
}

/// Hands on lines until the program has ended and both streams are closed, or nearly so.
fn listen(news: &Receiver<News>, on_line: &mut dyn FnMut(Stream, &str)) {
    let (mut ended_at, mut open_streams) = (None::<Instant>, 2);
    while ended_at.is_none() || open_streams > 0 {
        let next = match ended_at {
            None => news.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => news.recv_timeout(LINGER.saturating_sub(at.elapsed())),
        };
        match next {
            Ok(News::Line(stream, line)) => on_line(stream, &line),
            Ok(News::Closed) => open_streams -= 1,
            Ok(News::Ended) => ended_at = Some(Instant::now()),
            Err(_) => return,
        }
    }
}

fn read_lines(sender: &SyncSender<News>, stream: Stream, pipe: impl Read + Send + 'static) {
    let sender = sender.clone();
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        // A broken pipe is the end of it, as is a reader that went away.
        while matches!(
            reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line),
            Ok(count) if count > 0
        ) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(News::Line(stream, text)).is_err() {
                return;
            }
            line.clear();
        }
        let _ = sender.send(News::Closed);
    });
}

/// Passes signals on, also one that came before there was a program to pass it to.
struct Stop {
    _guard: SignalGuard,
    state: Arc<Mutex<StopState>>,
}

#[derive(Default)]
struct StopState {
    program: Option<Signaller>,
    reason: Option<Signal>,
}

impl Stop {
    fn watch() -> std::io::Result<Self> {
        let state: Arc<Mutex<StopState>> = Arc::default();
        let told = Arc::clone(&state);
        let guard = SignalGuard::watch(
            Interrupt::Ours,
            Box::new(move |signal| {
                let mut state = lock(&told);
                state.reason = Some(signal);
                if let Some(program) = &state.program {
                    program.send(Signal::INT);
                }
            }),
        )?;
        Ok(Self {
            _guard: guard,
            state,
        })
    }

    fn of(&self, program: Signaller) {
        let mut state = lock(&self.state);
        if state.reason.is_some() {
            program.send(Signal::INT);
        }
        state.program = Some(program);
    }

    fn reason(&self) -> Option<Signal> {
        lock(&self.state).reason
    }
}

fn lock(state: &Mutex<StopState>) -> MutexGuard<'_, StopState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_streams_come_as_they_are_written() {
        let mut lines = Vec::new();
        let followed = Program::new("sh")
            .args(["-c", "echo one; echo two >&2; printf three; exit 3"])
            .follow(&mut |stream, line| lines.push((stream, line.to_owned())))
            .unwrap();
        lines.sort_by_key(|(stream, _)| *stream == Stream::Err);
        let expected = [
            (Stream::Out, "one".to_owned()),
            (Stream::Out, "three".to_owned()),
            (Stream::Err, "two".to_owned()),
        ];
        assert_eq!(lines, expected);
        assert_eq!(followed.status.code(), Some(3));
        assert_eq!(followed.stopped_by, None);
    }

    #[test]
    fn what_a_program_leaves_behind_does_not_hold_us() {
        let began = Instant::now();
        let followed = Program::new("sh")
            .args(["-c", "sleep 60 & exit 0"])
            .follow(&mut |_, _| {})
            .unwrap();
        assert!(followed.status.success());
        assert!(began.elapsed() < Duration::from_secs(40));
    }
}
