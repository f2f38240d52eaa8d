//! The agent's side of the control socket.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::{debug, warn};

use super::control::{LINE_LIMIT_BYTES, Message, Request, SOCKET_PATH};
use super::{Mode, PassEvent, Pausing, Retry};
use crate::report::{LiveAgent, Report};

/// Clients waiting to be served; more have to wait in the kernel.
const QUEUE: usize = 32;

/// What a client asks of the service.
pub(super) enum Ask {
    Status(oneshot::Sender<LiveAgent>),
    Reconcile {
        retry: Retry,
        pausing: Pausing,
        mode: Mode,
        answer: oneshot::Sender<Report>,
    },
}

/// A control socket that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the control socket {}", path.display())]
pub struct SocketError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// The listening socket; removed on drop.
pub(super) struct ControlSocket {
    path: PathBuf,
    listening: JoinHandle<()>,
}

impl ControlSocket {
    /// Listens below `root`, and hands on what clients ask.
    pub(super) fn listen(
        root: &Path,
        events: broadcast::Sender<PassEvent>,
    ) -> Result<(Self, mpsc::Receiver<Ask>), SocketError> {
        let path = root.join(&SOCKET_PATH[1..]);
        let failed = |source| SocketError {
            path: path.clone(),
            source,
        };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(failed)?;
            std::fs::set_permissions(directory, Permissions::from_mode(0o700)).map_err(failed)?;
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let listening = tokio::spawn(accept(listener, sender, events));
        Ok((Self { path, listening }, receiver))
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.listening.abort();
        // A socket file left behind only makes the next client find nobody.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn accept(
    listener: UnixListener,
    asks: mpsc::Sender<Ask>,
    events: broadcast::Sender<PassEvent>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (asks, events) = (asks.clone(), events.subscribe());
                tokio::spawn(async move {
                    if let Err(error) = serve(stream, asks, events).await {
                        debug!(%error, "a control client went away");
                    }
                });
            }
            Err(error) => {
                warn!(%error, "the control socket does not accept");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}

async fn serve(
    mut stream: UnixStream,
    asks: mpsc::Sender<Ask>,
    events: broadcast::Receiver<PassEvent>,
) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    if peer != 0 && peer != rustix::process::geteuid().as_raw() {
        return send(
            &mut stream,
            &Message::Refused("only root may control this agent".to_owned()),
        )
        .await;
    }
    let mut line = String::new();
    BufReader::new((&mut stream).take(LINE_LIMIT_BYTES))
        .read_line(&mut line)
        .await?;
    match serde_json::from_str(&line) {
        Ok(Request::Status) => {
            let (answer, answered) = oneshot::channel();
            if asks.send(Ask::Status(answer)).await.is_ok()
                && let Ok(status) = answered.await
            {
                send(&mut stream, &Message::Status(status)).await?;
            }
            Ok(())
        }
        Ok(Request::Reconcile {
            retry,
            despite_pause,
            mode,
        }) => {
            let (answer, answered) = oneshot::channel();
            if asks
                .send(Ask::Reconcile {
                    retry: if retry { Retry::Yes } else { Retry::No },
                    pausing: if despite_pause {
                        Pausing::Overruled
                    } else {
                        Pausing::Obeyed
                    },
                    mode,
                    answer,
                })
                .await
                .is_ok()
            {
                follow(&mut stream, answered, events).await?;
            }
            Ok(())
        }
        Err(error) => {
            send(
                &mut stream,
                &Message::Refused(format!("not a request: {error}")),
            )
            .await
        }
    }
}

/// Hands on events until the report is there.
async fn follow(
    stream: &mut UnixStream,
    mut answered: oneshot::Receiver<Report>,
    mut events: broadcast::Receiver<PassEvent>,
) -> io::Result<()> {
    loop {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Ok(event) => send(stream, &Message::Event(event)).await?,
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return Ok(()),
            },
            report = &mut answered => {
                return match report {
                    Ok(report) => send(stream, &Message::Report(Box::new(report))).await,
                    // The agent is stopping; a client that is hung up on asks the next one.
                    Err(_) => Ok(()),
                };
            }
        }
    }
}

async fn send(stream: &mut UnixStream, message: &Message) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line).await
}
