//! How a pass goes on, for those who watch it.

use serde::{Deserialize, Serialize};

use crate::activation::ActivationEvent;
use crate::source::Revision;

/// Something that happened in a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event", content = "detail")]
pub enum PassEvent {
    /// An activation is under way that another pass began; this one waits for its end.
    Waiting,
    /// Another pass is at work, which this one waits for a while.
    Queued,
    /// An interrupted transaction is being finished.
    Recovering,
    /// The remote is being asked.
    Fetching {
        /// Its address.
        remote: String,
    },
    /// The revision that the pass is about.
    Found(Revision),
    /// The generation is being built.
    Building,
    /// Secrets are being opened.
    Opening {
        /// How many.
        secrets: usize,
    },
    /// The host is being looked at.
    Observing,
    /// The activation goes on.
    Activation(ActivationEvent),
}
