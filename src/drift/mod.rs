//! (room)

use crate::activation::ObserveError;
use crate::config::Enforcement;
use crate::generation::{Generation, Store};
use crate::host::Host;
use crate::secrets::OpenedSecrets;

/// What differs.
#[derive(Debug, Clone, Default)]
pub struct DriftReport {
    /// What differs.
    pub items: Vec<DriftItem>,
}

/// One thing.
#[derive(Debug, Clone)]
pub struct DriftItem {
    /// What kind.
    pub class: String,
    /// What.
    pub subject: String,
    /// What is done about it.
    pub policy: Enforcement,
}

/// Looks.
#[expect(clippy::unused_async, reason = "not yet")]
pub async fn scan(
    _host: &Host,
    _store: &Store,
    _current: &Generation,
    _secrets: Option<&OpenedSecrets>,
) -> Result<DriftReport, ObserveError> {
    Ok(DriftReport::default())
}
