//! What `steadfast.service` says about itself, for a unit that has no file. Its reasons are there.

use zbus::Error;

use super::{Property, property};

/// The capabilities that the agent has none of: `CAP_SYS_RAWIO`, `CAP_SYS_PACCT`, `CAP_SYS_BOOT`, `CAP_SYS_TIME`,
/// `CAP_WAKE_ALARM`, `CAP_BLOCK_SUSPEND`, `CAP_PERFMON`, `CAP_BPF`.
const WITHOUT: [u32; 8] = [17, 20, 22, 25, 35, 36, 38, 39];

/// The capabilities there are, as many as the kernels of today know: `CAP_CHECKPOINT_RESTORE` is the last.
const LAST_CAPABILITY: u32 = 40;

pub(super) fn as_hard_as_the_agent() -> Result<Vec<Property>, Error> {
    let words = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let denied = words(&[
        "@clock",
        "@cpu-emulation",
        "@obsolete",
        "@raw-io",
        "@reboot",
        "@debug",
    ]);
    let families = words(&["AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"]);
    let all = (1_u64 << (LAST_CAPABILITY + 1)) - 1;
    let capabilities = WITHOUT.iter().fold(all, |set, bit| set & !(1 << bit));
    Ok(vec![
        property("LimitCORE", 0_u64)?,
        property("MemorySwapMax", 0_u64)?,
        property("UMask", 0o077_u32)?,
        property("KeyringMode", "private")?,
        property("LockPersonality", true)?,
        property("RestrictRealtime", true)?,
        property("SystemCallArchitectures", words(&["native"]))?,
        // `false`: these are denied, all others allowed.
        property("SystemCallFilter", (false, denied))?,
        property(
            "SystemCallErrorNumber",
            rustix::io::Errno::PERM.raw_os_error(),
        )?,
        property("CapabilityBoundingSet", capabilities)?,
        property("RestrictAddressFamilies", (true, families))?,
    ])
}
