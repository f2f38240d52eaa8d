//! Who can read what, over all secret files of the working copy.

mod rekey;

pub use rekey::{
    FileRekey, MatchingFile, RekeyError, RekeyNotice, RekeyNoticeKind, RekeyPlan, RekeyTrouble,
    plan_rekey, rekey,
};
