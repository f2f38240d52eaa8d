//! What is forgotten once nobody needs to know it any more.

use super::{Activation, Prepared, originals};
use crate::generation::{Manifest, StoreError};

impl Activation<'_> {
    /// Forgets packages of ours that somebody removed. Writes only if there are any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_gone(&self, prepared: &Prepared) -> Result<(), StoreError> {
        let gone = &prepared.observed.software.gone;
        if gone.is_empty() {
            return Ok(());
        }
        let mut additions = self.store.additions()?;
        additions.forget(gone);
        tracing::info!(?gone, "packages of ours were removed by somebody");
        self.store.set_additions(&additions)
    }

    pub(super) fn forget_originals(&self, active: &Manifest) -> Result<(), StoreError> {
        let recorded = self.store.originals()?;
        let settled = originals::settled(&recorded, active);
        if settled != recorded {
            self.store.set_originals(&settled)?;
        }
        Ok(())
    }
}
