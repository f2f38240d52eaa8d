//! The gate before a transaction: nothing begins with content that is refused.

use super::super::{ActivateError, Activation, Prepared};
use super::{Judge, Judged, Packages, Refused, checks};

impl Activation<'_> {
    /// Has the new content judged by the programs that will read it.
    pub(in super::super) fn validate(&self, prepared: &Prepared) -> Result<Judged, ActivateError> {
        let judge = Judge {
            host: self.host,
            store: self.store,
            desired: &prepared.desired,
            plan: &prepared.plan,
            packages: Packages::ToCome,
        };
        let judged = judge
            .judge(&checks(&prepared.plan, &prepared.desired))
            .map_err(ActivateError::Judge)?;
        if judged.refused.is_empty() {
            Ok(judged)
        } else {
            Err(ActivateError::Refused(Refused(judged.refused)))
        }
    }
}
