//! What a probe said.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// What was asked, in words: `unit app.service`, `git remote`.
    pub check: String,
    /// Whether its failure rolls back.
    pub required: bool,
    /// `None` if it passed, else why not.
    pub failure: Option<String>,
}
