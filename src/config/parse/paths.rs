//! Paths that a host file must leave alone.

use crate::host::{HostPath, UnitName, reserved};

/// Why a path is refused, and what to write instead.
pub(super) struct Refusal {
    pub(super) reason: &'static str,
    pub(super) fix: Option<String>,
}

/// Why the files of units are no entries.
pub(super) const DEFINES_A_UNIT: &str =
    "it defines a unit, and units are stopped, started and reloaded with what defines them";

/// Why `path` must not be an entry of `files`, `directories` or `symlinks`; `None` if it may.
pub(super) fn refusal(path: &HostPath) -> Option<Refusal> {
    if let Some(reserved) = reserved(path) {
        return Some(Refusal {
            reason: reserved.reason,
            fix: reserved.instead.map(str::to_owned),
        });
    }
    let below = path.as_str().strip_prefix("/etc/systemd/system/")?;
    defined_unit(below).map(|unit| Refusal {
        reason: DEFINES_A_UNIT,
        fix: Some(format!("declare `{unit}` under `units:`")),
    })
}

/// The unit that a path below a directory of unit files defines.
pub(super) fn defined_unit(below: &str) -> Option<UnitName> {
    let unit = below.split('/').next().unwrap_or_default();
    let unit = [".d", ".wants", ".requires"]
        .iter()
        .find_map(|suffix| unit.strip_suffix(suffix))
        .unwrap_or(unit);
    UnitName::new(unit).ok()
}

#[cfg(test)]
mod tests {
    use super::refusal;
    use crate::host::HostPath;

    #[test]
    fn what_others_own_is_refused_and_its_neighbours_are_not() {
        for (path, refused) in [
            ("/etc/passwd", true),
            ("/etc/passwd.d", false),
            ("/etc/machine-id", true),
            ("/dev", true),
            ("/dev/null", true),
            ("/devices", false),
            ("/proc/sys/kernel/x", true),
            ("/run/secrets", true),
            ("/run/secrets.d/3/x", true),
            ("/run/app.conf", true),
            ("/runner", false),
            ("/boot/firmware/config.txt", true),
            ("/etc/default/grub.d/60-console.cfg", false),
            ("/etc/ssh/ssh_host_rsa_key", true),
            ("/etc/ssh/ssh_host_rsa_key.pub", false),
            ("/var/lib/steadfast/state.json", true),
            ("/var/lib/steadfastly", false),
            ("/etc/systemd/system/app.service", true),
            ("/etc/systemd/system/app.service.d/10.conf", true),
            ("/etc/systemd/system/timers.target.wants/a.timer", true),
            ("/etc/systemd/system/service.d/10-all.conf", false),
            ("/etc/systemd/journald.conf.d/10.conf", false),
            ("/etc/motd", false),
        ] {
            let path = HostPath::new(path).unwrap();
            assert_eq!(refusal(&path).is_some(), refused, "{path}");
        }
    }
}
