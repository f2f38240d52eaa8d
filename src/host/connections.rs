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
            Err(ExecError::NotFound { .. }) => return Ok(()),
            Err(error) if is_not_running(&error) => return Ok(()),
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

/// Whether nobody listens. `connection reload` says so in words alone, with the exit code of any failure.
fn is_not_running(error: &ExecError) -> bool {
    match error {
        ExecError::Failed { code, stderr, .. } => {
            *code == NOT_RUNNING || stderr.contains("NetworkManager is not running")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_manager_that_does_not_run_is_told_from_one_that_refuses() {
        let failed = |code, stderr: &str| ExecError::Failed {
            command: "nmcli connection reload".into(),
            code,
            stderr: stderr.into(),
        };
        let said = "Error: failed to reload connections: NetworkManager is not running.";
        assert!(is_not_running(&failed(1, said)));
        assert!(is_not_running(&failed(8, "")));
        assert!(!is_not_running(&failed(1, "Error: no access.")));
    }
}
