//! Reading what a child writes, without deadlock and without end.

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much of stderr is kept.
const TAIL_BYTES: usize = 16 * 1024;
/// How many of its last lines go into an error.
const TAIL_LINES: usize = 12;

/// What one stream brought so far; shared with the thread that reads it.
#[derive(Clone, Default)]
pub(super) struct Captured(Arc<Mutex<Vec<u8>>>);

/// Whether a stream was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Eof,
    TooMuch,
}

impl Captured {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps everything up to `limit_bytes`.
    pub(super) fn read_all(&self, mut stream: impl Read, limit_bytes: usize) -> Ended {
        let mut buffer = vec![0_u8; 64 * 1024];
        while let Some(count) = read_some(&mut stream, &mut buffer) {
            let mut kept = self.lock();
            if kept.len() + count > limit_bytes {
                return Ended::TooMuch;
            }
            kept.extend_from_slice(&buffer[..count]);
        }
        Ended::Eof
    }

    /// Keeps the last bytes only.
    pub(super) fn read_tail(&self, mut stream: impl Read) -> Ended {
        let mut buffer = [0_u8; 4096];
        while let Some(count) = read_some(&mut stream, &mut buffer) {
            let mut kept = self.lock();
            kept.extend_from_slice(&buffer[..count]);
            let surplus = kept.len().saturating_sub(TAIL_BYTES);
            kept.drain(..surplus);
        }
        Ended::Eof
    }

    /// Takes what was read.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.lock())
    }

    /// The last lines, as text for an error: printable, trimmed.
    pub(super) fn tail(&self) -> String {
        tail(&self.lock())
    }
}

/// `None` at the end; a pipe that breaks is at its end too.
fn read_some(stream: &mut impl Read, buffer: &mut [u8]) -> Option<usize> {
    loop {
        match stream.read(buffer) {
            Ok(0) => return None,
            Ok(count) => return Some(count),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

/// The last lines of `bytes`, without control characters that would move the reader's terminal.
pub(super) fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            line.trim_end()
                .chars()
                .filter(|c| !c.is_control() || *c == '\t')
                .collect()
        })
        .filter(|line: &String| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
