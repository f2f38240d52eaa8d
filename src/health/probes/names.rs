//! Whether the remote's name can be found, the way every program finds it: through nsswitch.

use std::time::Duration;

use crate::host::exec::Program;

/// Longest time for one look; resolvers that hang are killed after it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks for the addresses of `name`.
pub(in crate::health) fn ask(name: &str) -> Result<(), String> {
    Program::new("getent")
        .args(["ahosts", name])
        .timeout(PATIENCE)
        .run_ok()
        .map(drop)
        .map_err(|error| format!("`{name}` has no address: {error}"))
}
