//! What a pass and the service that activates for it say to each other: one JSON object a line, over a pair of sockets.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Overrides;
use crate::activation::{ActivationEvent, Ending, Held};
use crate::generation::GenerationNumber;
use crate::report::Problem;

/// The version of this conversation; both ends are the same program but where it was replaced meanwhile.
pub(super) const WIRE_VERSION: u32 = 1;

/// How long a reader that does not read may keep the service from ending.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is said within this time of the word before is said with it.
const MOMENT: Duration = Duration::from_millis(5);
/// Most that is said at once.
const MOST_BYTES: usize = 16 * 1024;

/// What the service is to do; all it is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) version: u32,
    /// How the settings are found.
    pub(super) overrides: Overrides,
    /// The stored generation to go to; for a repair the one in force.
    pub(super) target: GenerationNumber,
    /// Which drift is put right.
    pub(super) held: Held,
    /// Longest time it may take, in seconds.
    pub(super) longest_secs: u64,
}

/// What the service says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "said", content = "detail")]
pub(super) enum Said {
    /// How it goes on.
    Event(ActivationEvent),
    /// It is over; the last word. It is on disk as well.
    Ended(Box<Ending>),
    /// It could not begin, and nothing was changed; the last word.
    Failed(Problem),
}

/// The service's end. What is said here can neither fail nor wait: whoever listened may be dead or stand still.
pub(super) struct Mouth {
    words: Sender<Said>,
    closed: Receiver<()>,
}

impl Mouth {
    /// Says what is said from a thread of its own.
    pub(super) fn on(mut stream: UnixStream) -> io::Result<Self> {
        let (words, queue) = channel::<Said>();
        let (close, closed) = channel();
        thread::Builder::new()
            .name("words".to_owned())
            .spawn(move || {
                // Once nobody listens any more, nothing has to be said.
                while let Some(words) = next_words(&queue) {
                    if stream.write_all(&words).is_err() {
                        break;
                    }
                }
                drop(close);
            })?;
        Ok(Self { words, closed })
    }

    pub(super) fn say(&self, said: Said) {
        // Nobody listens any more.
        let _ = self.words.send(said);
    }

    /// Says the last word, and waits a moment for whoever listens to take everything in.
    pub(super) fn finish(self, said: Said) {
        self.say(said);
        drop(self.words);
        // Either way it is over.
        let _ = self.closed.recv_timeout(PATIENCE);
    }
}

/// Reads the order, the first line.
pub(super) fn take_order(stream: &UnixStream) -> io::Result<Order> {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    serde_json::from_str(&line).map_err(io::Error::from)
}

/// Gives the order.
pub(super) fn give_order(stream: &mut UnixStream, order: &Order) -> io::Result<()> {
    stream.write_all(&line(order)?)
}

/// Hands on what the service says, and gives back its last word; `None` if it died before it.
pub(super) fn listen(stream: UnixStream, on_event: &dyn Fn(ActivationEvent)) -> Option<Said> {
    for line in BufReader::new(stream).lines() {
        // A connection that breaks is as good as one that ends.
        let line = line.ok()?;
        match serde_json::from_str(&line) {
            Ok(Said::Event(event)) => on_event(event),
            Ok(last) => return Some(last),
            Err(error) => {
                tracing::debug!(%error, "the activation said something that is not understood");
            }
        }
    }
    None
}

/// The next words, with those that follow in a moment; `None` when all was said.
///
/// Each word on its own would wake the listener, who has to run on a processor that the work needs.
fn next_words(queue: &Receiver<Said>) -> Option<Vec<u8>> {
    let mut said = queue.recv().ok()?;
    let mut words = Vec::new();
    while let Ok(line) = line(&said) {
        words.extend(line);
        let Said::Event(_) = said else { break };
        if words.len() >= MOST_BYTES {
            break;
        }
        match queue.recv_timeout(MOMENT) {
            Ok(next) => said = next,
            Err(_) => break,
        }
    }
    Some(words)
}

fn line<T: Serialize>(what: &T) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Phase;

    fn event(phase: Phase) -> Said {
        Said::Event(ActivationEvent::Phase { phase })
    }

    #[test]
    fn events_arrive_in_order_and_the_last_word_ends_the_conversation() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mouth = Mouth::on(theirs).unwrap();
        mouth.say(event(Phase::Applying));
        mouth.say(event(Phase::Settling));
        mouth.finish(Said::Failed(Problem::new("no")));
        let heard = std::cell::RefCell::new(Vec::new());
        let last = listen(ours, &|event| heard.borrow_mut().push(event));
        assert_eq!(last, Some(Said::Failed(Problem::new("no"))));
        let phases = [Phase::Applying, Phase::Settling];
        let expected = phases.map(|phase| ActivationEvent::Phase { phase });
        assert_eq!(heard.into_inner(), expected);
    }

    #[test]
    fn a_listener_that_is_gone_or_stands_still_holds_nobody_up() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(ours);
        let mouth = Mouth::on(theirs).unwrap();
        for _ in 0..10_000 {
            mouth.say(event(Phase::Applying));
        }
        mouth.finish(event(Phase::Committed));

        let (_stands_still, theirs) = UnixStream::pair().unwrap();
        let mouth = Mouth::on(theirs).unwrap();
        for _ in 0..10_000 {
            mouth.say(event(Phase::Applying));
        }
        mouth.finish(event(Phase::Committed));
    }

    #[test]
    fn a_speaker_that_dies_leaves_no_last_word() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        assert_eq!(listen(ours, &|_| {}), None);
    }
}
