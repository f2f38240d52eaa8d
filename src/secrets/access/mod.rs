//! Who can read what, over all secret files of the working copy.

mod exclusive;
mod parallel;
mod plan;
mod rekey;
mod survey;
mod transaction;
mod trouble;

pub use exclusive::{Exclusive, ExclusiveError};
pub use parallel::{Step, Watcher};
pub use plan::{
    DataKeyChange, FileRekey, MatchingFile, RekeyNotice, RekeyNoticeKind, RekeyPlan, Wanted,
    plan_rekey,
};
pub use rekey::rekey;
pub use transaction::{Recovered, TransactionError, is_interrupted};
pub use trouble::{RekeyError, RekeyTrouble};
