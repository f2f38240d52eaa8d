//! The checks a host declares.

use serde::{Deserialize, Serialize};

use crate::host::{FileMode, HostPath, UnitName};

/// One declared check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What is asked.
    #[serde(flatten)]
    pub probe: Probe,
    /// Longest time until it must have passed once, in milliseconds; it is asked again until then.
    pub within_ms: u64,
    /// Whether its failure rolls back (`required`, the default) or is only reported (`wanted`).
    pub required: bool,
}

/// A question to the machine, answered by yes or by a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "probe")]
pub enum Probe {
    /// The unit is active (a oneshot: has succeeded).
    Unit {
        /// The unit.
        unit: UnitName,
    },
    /// A GET answers with the status.
    Http {
        /// `http://` or `https://` address.
        url: String,
        /// Expected status.
        status: u16,
    },
    /// A TCP connection is accepted.
    Tcp {
        /// `host:port`.
        address: String,
    },
    /// A program ends with exit code 0; argv, no shell. A hung one is killed with its children.
    Command {
        /// Program and arguments.
        argv: Vec<String>,
    },
    /// A file exists, and is as said.
    File {
        /// The file.
        path: HostPath,
        /// Expected mode.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<FileMode>,
        /// Text it must contain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
    },
}
