//! The control socket: how `reconcile now` and `status` talk to a running agent.
//!
//! One JSON object a line. A client sends one [`Request`]; the agent answers with [`Message`]s and closes. The socket
//! is `/run/steadfast/control.sock`, mode 0600; peers other than root (or the agent's own user) are refused.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Mode, Pass, PassEvent, Pausing, Retry};
use crate::report::{LiveAgent, Report};

/// Where the socket is, below the host's root.
pub const SOCKET_PATH: &str = "/run/steadfast/control.sock";

/// Longest line either side reads.
pub const LINE_LIMIT_BYTES: u64 = 4 << 20;

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verb", deny_unknown_fields)]
pub enum Request {
    /// Run a pass, and tell how it goes.
    Reconcile {
        /// Try a revision again that failed before.
        retry: bool,
        /// Do it although the host is paused.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        despite_pause: bool,
        /// What becomes of an activation at the next boot.
        #[serde(default, skip_serializing_if = "is_switch")]
        mode: Mode,
    },
    /// Tell what the agent is doing.
    Status,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_switch(mode: &Mode) -> bool {
    *mode == Mode::Switch
}

/// What the agent answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "message", content = "body")]
pub enum Message {
    /// The pass goes on.
    Event(PassEvent),
    /// The pass is over; the last message.
    Report(Box<Report>),
    /// What the agent is doing; the last message.
    Status(LiveAgent),
    /// The request cannot be carried out; the last message.
    Refused(String),
}

/// A conversation with the agent that did not work.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ControlError {
    #[error("cannot reach the agent at {}", path.display())]
    Unreachable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the agent did not answer")]
    Silent(#[source] std::io::Error),
    #[error("the agent answered something this version does not understand")]
    Foreign(#[source] serde_json::Error),
    #[error("the agent ended before the pass was over")]
    Gone,
    #[error("the agent refused: {0}")]
    Refused(String),
}

/// A connection to the agent of one host.
pub struct Client {
    stream: UnixStream,
}

impl Client {
    /// Connects; `None` if no agent is running on the host whose root is `root`.
    ///
    /// # Errors
    /// [`ControlError::Unreachable`] if there is a socket that cannot be used, such as for lack of privilege.
    pub fn connect(root: &Path) -> Result<Option<Self>, ControlError> {
        use std::io::ErrorKind::{ConnectionRefused, NotFound};
        let path = root.join(&SOCKET_PATH[1..]);
        match UnixStream::connect(&path) {
            Ok(stream) => Ok(Some(Self { stream })),
            Err(error) if matches!(error.kind(), NotFound | ConnectionRefused) => Ok(None),
            Err(source) => Err(ControlError::Unreachable { path, source }),
        }
    }

    /// Asks for a pass, and hands on its events. That somebody asked is what set it off, whatever `pass` says.
    pub fn reconcile(
        self,
        pass: Pass,
        on_event: &dyn Fn(&PassEvent),
    ) -> Result<Report, ControlError> {
        self.send(&Request::Reconcile {
            retry: pass.retry == Retry::Yes,
            despite_pause: pass.pausing == Pausing::Overruled,
            mode: pass.mode,
        })?;
        for message in self.messages() {
            match message? {
                Message::Event(event) => on_event(&event),
                Message::Report(report) => return Ok(*report),
                Message::Refused(reason) => return Err(ControlError::Refused(reason)),
                Message::Status(_) => {}
            }
        }
        Err(ControlError::Gone)
    }

    /// Asks what the agent is doing; at most two seconds.
    pub fn status(self) -> Result<LiveAgent, ControlError> {
        self.stream
            .set_read_timeout(Some(Duration::from_secs(2)))
            .map_err(ControlError::Silent)?;
        self.send(&Request::Status)?;
        for message in self.messages() {
            match message? {
                Message::Status(status) => return Ok(status),
                Message::Refused(reason) => return Err(ControlError::Refused(reason)),
                Message::Event(_) | Message::Report(_) => {}
            }
        }
        Err(ControlError::Gone)
    }

    fn send(&self, request: &Request) -> Result<(), ControlError> {
        let mut line = serde_json::to_vec(request).map_err(ControlError::Foreign)?;
        line.push(b'\n');
        (&self.stream)
            .write_all(&line)
            .map_err(ControlError::Silent)
    }

    fn messages(&self) -> impl Iterator<Item = Result<Message, ControlError>> {
        BufReader::new(&self.stream).lines().map(|line| {
            let line = line.map_err(ControlError::Silent)?;
            serde_json::from_str(&line).map_err(ControlError::Foreign)
        })
    }
}
