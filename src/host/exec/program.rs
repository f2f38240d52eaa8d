//! A program to run: how it is described, started and waited for.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Pid;
use zeroize::Zeroizing;

use super::capture::{Captured, Ended, tail};
use super::error::package_of;
use super::pipe::PipedChild;
use super::{ExecError, group};

/// How long a program may take unless it says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);
/// How much a program may write to stdout unless it says otherwise.
const DEFAULT_OUTPUT_BYTES: usize = 16 * 1024 * 1024;
/// How long something the program left behind may keep its output open.
const LINGER: Duration = Duration::from_millis(500);
/// Variables that are ours alone: private keys, and the service manager's sockets.
const PRIVATE_VARIABLES: [&str; 8] = [
    "SOPS_AGE_KEY",
    "SOPS_AGE_KEY_CMD",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
];

/// A program with its arguments, and the bounds it runs in.
///
/// Arguments and environment are visible to every user of the machine: secrets go by [`stdin`](Self::stdin).
pub struct Program {
    name: OsString,
    args: Vec<OsString>,
    stdin: Option<Zeroizing<Vec<u8>>>,
    timeout: Duration,
    output_bytes: usize,
    env: Vec<(OsString, OsString)>,
    inherited: Inherited,
    current_dir: Option<PathBuf>,
    user: Option<(u32, u32)>,
}

/// Which variables of this process a program gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inherited {
    /// All but those that are this process's alone.
    Public,
    /// All, private keys too: for a command that the person wrote.
    All,
    /// None.
    Nothing,
}

/// What a program that ended left behind.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Everything it wrote to stdout.
    pub stdout: Vec<u8>,
    /// The last 16 KiB it wrote to stderr.
    pub stderr: Vec<u8>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program({})", self.describe())
    }
}

impl Program {
    /// A program by name, searched in `PATH`, or by path.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            name: program.as_ref().to_owned(),
            args: Vec::new(),
            stdin: None,
            timeout: DEFAULT_TIMEOUT,
            output_bytes: DEFAULT_OUTPUT_BYTES,
            env: Vec::new(),
            inherited: Inherited::Public,
            current_dir: None,
            user: None,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Bytes to feed to its stdin, which is empty otherwise; wiped on drop.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(Zeroizing::new(bytes.into()));
        self
    }

    /// Longest time it may take; 120 s otherwise. For [`pipe`](Self::pipe): longest time without a byte moving.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Most bytes it may write to stdout; 16 MiB otherwise.
    #[must_use]
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_bytes = bytes;
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((key.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Says which variables of this process it gets; [`Inherited::Public`] otherwise.
    #[must_use]
    pub fn inherit(mut self, inherited: Inherited) -> Self {
        self.inherited = inherited;
        self
    }

    /// Sets the directory it starts in.
    #[must_use]
    pub fn current_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.current_dir = Some(path.into());
        self
    }

    /// Runs it as another user, with that user's id and group and no further groups. Only root can.
    #[must_use]
    pub fn as_user(mut self, uid: u32, gid: u32) -> Self {
        self.user = Some((uid, gid));
        self
    }

    /// Program and arguments as one line for messages, shortened.
    #[must_use]
    pub fn describe(&self) -> String {
        const LONGEST: usize = 160;
        let mut line = self.name.to_string_lossy().into_owned();
        for arg in &self.args {
            line.push(' ');
            line.push_str(&arg.to_string_lossy());
        }
        if line.chars().count() > LONGEST {
            line = line.chars().take(LONGEST).chain(['…']).collect();
        }
        line.replace(|c: char| c.is_control(), " ")
    }

    /// Runs it to its end, whatever its exit code, and gives back what it wrote.
    ///
    /// # Errors
    /// [`ExecError::NotFound`], [`ExecError::Start`], [`ExecError::TimedOut`], [`ExecError::TooMuchOutput`].
    pub fn run(&self) -> Result<Output, ExecError> {
        let mut command = self.captured_command();
        if self.stdin.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = self.spawn(&mut command)?;
        let running = Running::begin(&mut child, self.stdin.clone(), self.output_bytes);
        match running.wait(self.timeout) {
            Waited::Ended => {
                let status = child.wait().map_err(|source| ExecError::Wait {
                    command: self.describe(),
                    source,
                })?;
                Ok(Output {
                    status,
                    stdout: running.stdout.take(),
                    stderr: running.stderr.take(),
                })
            }
            Waited::TimedOut => {
                group::terminate(&mut child);
                Err(ExecError::TimedOut {
                    command: self.describe(),
                    after: self.timeout,
                    stderr: running.stderr.tail(),
                })
            }
            Waited::TooMuch => {
                group::terminate(&mut child);
                Err(ExecError::TooMuchOutput {
                    command: self.describe(),
                    limit_bytes: self.output_bytes,
                })
            }
        }
    }

    /// Runs it to its end and gives back its stdout; any exit code but 0 is an error.
    ///
    /// # Errors
    /// As [`run`](Self::run), and [`ExecError::Failed`] or [`ExecError::Killed`] with the last lines of its stderr.
    pub fn run_ok(&self) -> Result<Vec<u8>, ExecError> {
        let output = self.run()?;
        self.judge(output.status, tail(&output.stderr))?;
        Ok(output.stdout)
    }

    /// Starts it with its stdin and stdout as a stream; it is killed with everything it started when dropped.
    ///
    /// # Errors
    /// [`ExecError::NotFound`], [`ExecError::Start`].
    pub fn pipe(&self) -> Result<PipedChild, ExecError> {
        let mut command = self.captured_command();
        command.stdin(Stdio::piped());
        let child = self.spawn(&mut command)?;
        Ok(PipedChild::new(child, self.describe(), self.timeout))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the door for child processes is here"
    )]
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.name);
        command.args(&self.args);
        match self.inherited {
            Inherited::Public => {
                for variable in PRIVATE_VARIABLES {
                    command.env_remove(variable);
                }
            }
            Inherited::All => {}
            Inherited::Nothing => {
                command.env_clear();
            }
        }
        command.envs(self.env.iter().map(|(key, value)| (key, value)));
        if let Some(dir) = &self.current_dir {
            command.current_dir(dir);
        }
        if let Some((uid, gid)) = self.user {
            // Further groups go too: the standard library empties them when root becomes somebody else.
            command.uid(uid).gid(gid);
        }
        command
    }

    pub(super) fn captured_command(&self) -> Command {
        let mut command = self.command();
        command
            .env_remove("LANGUAGE")
            .env("LC_ALL", "C.UTF-8")
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(super) fn spawn(&self, command: &mut Command) -> Result<Child, ExecError> {
        command.spawn().map_err(|source| self.start_error(source))
    }

    /// Why it did not start.
    pub(super) fn start_error(&self, source: std::io::Error) -> ExecError {
        let program = self.name.to_string_lossy();
        let directory_is_there = self.current_dir.as_ref().is_none_or(|dir| dir.is_dir());
        if source.kind() == std::io::ErrorKind::NotFound && directory_is_there {
            ExecError::NotFound {
                package: package_of(&program),
                program: program.into_owned(),
            }
        } else {
            ExecError::Start {
                command: self.describe(),
                source,
            }
        }
    }

    fn judge(&self, status: ExitStatus, stderr: String) -> Result<(), ExecError> {
        judge(&self.describe(), status, stderr)
    }
}

/// Takes exit code 0 as success and nothing else.
pub(super) fn judge(command: &str, status: ExitStatus, stderr: String) -> Result<(), ExecError> {
    let command = command.to_owned();
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(ExecError::Failed {
            command,
            code,
            stderr,
        }),
        (None, signal) => Err(ExecError::Killed {
            command,
            signal: signal.unwrap_or_default(),
            stderr,
        }),
    }
}

/// What the threads around a child tell.
enum News {
    Exited,
    Stream(Ended),
}

enum Waited {
    Ended,
    TimedOut,
    TooMuch,
}

/// A child with one thread per stream; none of them is joined, because something the child left behind in another
/// session may keep a stream open for ever.
struct Running {
    stdout: Captured,
    stderr: Captured,
    news: Receiver<News>,
    pid: Pid,
}

impl Running {
    fn begin(child: &mut Child, stdin: Option<Zeroizing<Vec<u8>>>, output_bytes: usize) -> Self {
        let (sender, news) = channel();
        let (stdout, stderr) = (Captured::default(), Captured::default());
        if let (Some(mut pipe), Some(bytes)) = (child.stdin.take(), stdin) {
            thread::spawn(move || {
                // A program that ends without reading its input is judged by its exit code.
                let _ = pipe.write_all(&bytes);
            });
        }
        if let Some(pipe) = child.stdout.take() {
            let captured = stdout.clone();
            tell(&sender, move || {
                News::Stream(captured.read_all(pipe, output_bytes))
            });
        }
        if let Some(pipe) = child.stderr.take() {
            let captured = stderr.clone();
            tell(&sender, move || News::Stream(captured.read_tail(pipe)));
        }
        let pid = Pid::from_child(child);
        tell(&sender, move || {
            group::await_end(pid);
            News::Exited
        });
        Self {
            stdout,
            stderr,
            news,
            pid,
        }
    }

    fn wait(&self, timeout: Duration) -> Waited {
        let mut deadline = Instant::now() + timeout;
        let (mut exited, mut open_streams) = (false, 2);
        while !exited || open_streams > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.news.recv_timeout(left) {
                Ok(News::Exited) => {
                    exited = true;
                    deadline = Instant::now() + LINGER;
                }
                Ok(News::Stream(Ended::Eof)) => open_streams -= 1,
                Ok(News::Stream(Ended::TooMuch)) => return Waited::TooMuch,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) if exited => {
                    group::kill(self.pid);
                    return Waited::Ended;
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Waited::TimedOut;
                }
            }
        }
        Waited::Ended
    }
}

fn tell(sender: &Sender<News>, task: impl FnOnce() -> News + Send + 'static) {
    let sender = sender.clone();
    thread::spawn(move || {
        // Nobody listens any more when the program was given up.
        let _ = sender.send(task());
    });
}
