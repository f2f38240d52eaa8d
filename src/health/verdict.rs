//! What a check said.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// What was asked, in words: `unit app.service`, `git remote`.
    pub check: String,
    /// Whether its failure rolls back.
    pub required: bool,
    /// What came back.
    pub answer: Answer,
}

/// What came back from a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum Answer {
    /// It is as it should be.
    Passed,
    /// It is not.
    Failed {
        /// Why not.
        reason: String,
    },
    /// It failed before the activation as well, so the activation is not to blame.
    FailedBefore {
        /// Why not.
        reason: String,
    },
    /// It could not be asked here, such as a unit below a `--root`.
    NotAsked {
        /// Why.
        reason: String,
    },
}

impl Verdict {
    /// Whether an activation that ends so must be rolled back.
    #[must_use]
    pub fn rolls_back(&self) -> bool {
        self.required && matches!(self.answer, Answer::Failed { .. })
    }
}
