//! `NetworkManager` reads its connections when it starts, and when it is told.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::exec::{ExecError, Program};
use super::{Host, MachineError};

/// What ids of our connections begin with; the name of their interface follows.
pub const CONNECTION_PREFIX: &str = "steadfast-";
/// `nmcli` when nobody listens: the connections are read when `NetworkManager` starts.
const NOT_RUNNING: i32 = 8;

impl Host {
    /// Lets `NetworkManager` read its connections again, and brings up those of `interfaces` that are there.
    ///
    /// Where it does not run there is nothing to do.
    ///
    /// # Errors
    /// [`MachineError::Connections`] if it does not take them, or one does not come up in a minute.
    pub fn reload_connections(&self, interfaces: &BTreeSet<String>) -> Result<(), MachineError> {
        if !self.is_live() {
            return Ok(());
        }
        match Program::new("nmcli")
            .args(["connection", "reload"])
            .run_ok()
        {
            Ok(_) => {}
            Err(
                ExecError::NotFound { .. }
                | ExecError::Failed {
                    code: NOT_RUNNING, ..
                },
            ) => {
                return Ok(());
            }
            Err(error) => return Err(MachineError::Connections(error)),
        }
        for interface in interfaces {
            if !Path::new("/sys/class/net").join(interface).exists() {
                tracing::info!(
                    interface,
                    "interface not there, its connection waits for it"
                );
                continue;
            }
            Program::new("nmcli")
                .args(["--wait", "60", "connection", "up"])
                .arg(format!("{CONNECTION_PREFIX}{interface}"))
                .timeout(Duration::from_secs(75))
                .run_ok()
                .map_err(MachineError::Connections)?;
        }
        Ok(())
    }
}
