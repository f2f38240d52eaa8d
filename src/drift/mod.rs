//! (room)

/// What differs.
#[derive(Debug, Clone, Default)]
pub struct DriftReport;
