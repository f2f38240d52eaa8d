//! Secrets in git: what a change means, merging two branches, and telling git to ask this program about both.

mod changes;
mod conflict;
mod driver;
mod lines;
mod report;
mod setup;
mod textconv;
mod worktree;

pub use changes::{Changed, Selection, changes};
pub use conflict::{Conflict, ConflictError, Stages, conflict_in, edit_conflict, stages};
pub use driver::{MergeInput, MergeOutcome, Resolve, WholeReason, merge_texts};
pub use report::{FileChange, FileDiff, compare_texts, unified};
pub use setup::{Setup, SetupError, SetupStep, StepState, setup_missing};
pub use textconv::textconv;
pub use worktree::{GitError, State, Worktree};
