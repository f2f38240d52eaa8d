//! Connections of `NetworkManager`: read again when their files change, as systemd reads unit files again.

use std::collections::BTreeSet;

use super::Step;
use super::decide::{Draft, Touch};
use crate::host::{CONNECTION_PREFIX, HostPath};

const DIRECTORY: &str = "/etc/NetworkManager/system-connections/";
const PACKAGE: &str = "network-manager";

pub(super) fn decide(draft: &mut Draft) {
    let is_connection = |path: &HostPath| path.as_str().starts_with(DIRECTORY);
    let mut changed = draft.touched.keys().filter(|path| is_connection(path));
    if changed.next().is_none() {
        return;
    }
    // Told of connections that go it would take their addresses away at once; as it stops, it leaves the network as it is.
    let leaves = draft.steps.iter().any(|step| match step {
        Step::RemovePackages { packages } => packages.iter().any(|name| name.as_str() == PACKAGE),
        _ => false,
    });
    if leaves {
        draft.notice(
            "NetworkManager",
            "goes with its package; addresses and routes that it has set stay until the next boot",
        );
        return;
    }
    let up: BTreeSet<String> = draft
        .writes
        .iter()
        .filter(|(path, step)| {
            let written = matches!(step, Step::WritePath { .. });
            is_connection(path) && written && draft.touched.get(*path) == Some(&Touch::Content)
        })
        .filter_map(|(path, _)| interface(path))
        .collect();
    draft.steps.push(Step::ReloadConnections { up });
}

/// The interface of a connection of ours.
fn interface(path: &HostPath) -> Option<String> {
    let name = path.file_name().strip_prefix(CONNECTION_PREFIX)?;
    Some(name.strip_suffix(".nmconnection")?.to_owned())
}
