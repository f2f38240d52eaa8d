//! Hints that units changed, as PID 1 tells everybody on the system bus.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::pin::Pin;

use futures_core::Stream;
use zbus::message::Type;
use zbus::{Connection, MatchRule, Message, MessageStream, OwnedVariant};
use zbus_systemd::systemd1::ManagerProxy;

use super::UnitError;
use super::properties::object_path;
use crate::host::UnitName;

const NAMESPACE: &str = "/org/freedesktop/systemd1";
const OF_A_UNIT: &str = "org.freedesktop.systemd1.Unit";
/// Signals that may wait; of the others nothing is lost that the next look would not find.
const QUEUED: Option<NonZeroUsize> = NonZeroUsize::new(64);

/// A connection that hears when units change.
#[derive(Debug)]
pub struct UnitWatch {
    units: BTreeSet<String>,
    signals: MessageStream,
    /// Closed with the value, so that PID 1 stops telling.
    _connection: Connection,
}

impl UnitWatch {
    /// Listens for changes of `units` of the machine's systemd. Those of accounts are not told there.
    ///
    /// Needs a tokio runtime that stays the same for the life of the value.
    ///
    /// # Errors
    /// [`UnitError::NoBus`].
    pub async fn of<'n>(units: impl IntoIterator<Item = &'n UnitName>) -> Result<Self, UnitError> {
        let no_bus = |source| UnitError::NoBus { source };
        let connection = Connection::system().await.map_err(no_bus)?;
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender("org.freedesktop.systemd1")
            .path_namespace(NAMESPACE)
            .build()
            .map_err(no_bus)?;
        let listening = MessageStream::for_match_rule(rule, &connection, QUEUED);
        let signals = listening.await.map_err(no_bus)?;
        let manager = ManagerProxy::builder(&connection)
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
            .map_err(no_bus)?;
        manager.subscribe().await.map_err(no_bus)?;
        Ok(Self {
            units: units.into_iter().map(object_path).collect(),
            signals,
            _connection: connection,
        })
    }

    /// Waits until a unit changed, or unit files were read again; `None` when PID 1 is not heard any more.
    pub async fn changed(&mut self) -> Option<()> {
        loop {
            let signals = &mut self.signals;
            let message = std::future::poll_fn(|cx| Pin::new(&mut *signals).poll_next(cx)).await?;
            if self.matters(&message.ok()?) {
                return Some(());
            }
        }
    }

    fn matters(&self, message: &Message) -> bool {
        let header = message.header();
        let member = header.member().map(zbus::names::MemberName::as_str);
        match member {
            Some("UnitFilesChanged" | "Reloading") => true,
            Some("PropertiesChanged") => {
                let of_ours = |path: &str| self.units.contains(path);
                let is_ours = header.path().is_some_and(|path| of_ours(path.as_str()));
                is_ours && interface(message).is_some_and(|name| name == OF_A_UNIT)
            }
            _ => false,
        }
    }
}

/// Whose properties changed.
fn interface(message: &Message) -> Option<String> {
    type Changed = (String, HashMap<String, OwnedVariant>, Vec<String>);
    let (interface, _, _) = message.body().deserialize::<Changed>().ok()?;
    Some(interface)
}
