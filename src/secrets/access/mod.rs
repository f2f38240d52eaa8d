//! Who can read what, over all secret files of the working copy.

mod check;
mod ever;
mod exclusive;
mod offboard;
mod onboard;
mod plan;
mod principals;
mod rekey;
mod survey;
mod transaction;
mod trouble;
mod usage;
mod who;

pub use crate::host::{Step, Watcher};
pub use check::{Checked, Finding, FindingKind, Severity, Verification, broken_rules, check};
pub use exclusive::{Exclusive, ExclusiveError};
pub use offboard::{HistoryNeed, OffboardPlan, offboard, plan_offboard};
pub use onboard::{Joining, OnboardPlan, OtherKey, add_files, onboard, plan_onboard};
pub use plan::{
    DataKeyChange, FileRekey, MatchingFile, RekeyNotice, RekeyNoticeKind, RekeyPlan, Wanted,
    plan_rekey,
};
pub use principals::{Principals, Reader, ReaderKind};
pub use rekey::rekey;
pub use transaction::{Recovered, TransactionError, is_interrupted};
pub use trouble::{OffboardError, OnboardError, RekeyError, RekeyTrouble};
pub use usage::{HostFileTrouble, HostUse, SecretUse, Usage};
pub use who::{AccessTable, FileAccess, Subject, ValueUse, who};
