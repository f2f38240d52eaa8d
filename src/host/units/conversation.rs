//! One conversation with the machine's systemd for all who talk to it at the same time.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::UnitError;
use super::bus::Bus;

/// The conversation that is going on, if any. Nobody is connected while nobody talks: systemd tells whoever is
/// connected of every job and unit.
#[derive(Debug, Clone, Default)]
pub(in crate::host) struct Conversation(Arc<Mutex<Weak<Bus>>>);

impl Conversation {
    /// Takes part in the one that is going on, or begins one.
    pub(super) async fn take_part(&self) -> Result<Arc<Bus>, UnitError> {
        if let Some(bus) = self.going_on() {
            return Ok(bus);
        }
        let bus = Arc::new(Bus::connect().await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&bus);
        Ok(bus)
    }

    fn going_on(&self) -> Option<Arc<Bus>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.upgrade().filter(|bus| bus.is_of_this_runtime())
    }
}
