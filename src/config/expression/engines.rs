//! Engines that hosts take one after the other, so that an expression many of them share is compiled once per processor.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use super::engine::Engine;

/// Engines that nobody uses at the moment.
#[derive(Default)]
pub(in crate::config) struct Engines {
    idle: Mutex<Vec<Engine>>,
}

/// An engine for one host, with a budget of its own. It goes back when it is dropped.
pub(in crate::config) struct Lease<'e> {
    engine: Option<Engine>,
    from: &'e Engines,
}

impl Engines {
    /// An engine with a full budget.
    pub(in crate::config) fn take(&self) -> Lease<'_> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut engine = idle.unwrap_or_else(Engine::new);
        engine.refill();
        Lease {
            engine: Some(engine),
            from: self,
        }
    }
}

impl Deref for Lease<'_> {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        self.engine
            .as_ref()
            .expect("it is there until the lease is dropped")
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Engine {
        self.engine
            .as_mut()
            .expect("it is there until the lease is dropped")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut idle = self
            .from
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.engine.take());
    }
}
