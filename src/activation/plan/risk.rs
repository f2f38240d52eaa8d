//! What a plan puts at risk, read off its steps: nobody has to say it, and nobody can forget to.

use super::{Plan, Step};
use crate::generation::UserEntry;
use crate::health::{Extent, LockOut, Risk};
use crate::host::{HostPath, PackageName, UnitId, UserName};

/// Paths that can lock people out. One that ends in `/` stands for all that lies below it, one that ends in `*` for all
/// that begin so. The first that fits counts.
const PATHS: &[(&str, Option<LockOut>)] = &[
    // The client's own settings lock nobody out; those of known servers decide whether the remote is believed.
    ("/etc/ssh/ssh_known_hosts", Some(LockOut::Agent)),
    ("/etc/ssh/ssh_config", None),
    ("/etc/ssh/ssh_config.d/", None),
    ("/etc/ssh/", Some(LockOut::Sshd)),
    ("/etc/default/ssh", Some(LockOut::Sshd)),
    ("/etc/steadfast/backups/", None),
    ("/etc/steadfast/", Some(LockOut::Agent)),
    ("/usr/bin/steadfast", Some(LockOut::Agent)),
    ("/etc/network/", Some(LockOut::Network)),
    ("/etc/netplan/", Some(LockOut::Network)),
    ("/etc/NetworkManager/", Some(LockOut::Network)),
    ("/etc/systemd/network/", Some(LockOut::Network)),
    ("/etc/systemd/networkd.conf*", Some(LockOut::Network)),
    ("/etc/wireguard/", Some(LockOut::Network)),
    ("/etc/iproute2/", Some(LockOut::Network)),
    ("/etc/dhcp/", Some(LockOut::Network)),
    ("/etc/dhcpcd.conf", Some(LockOut::Network)),
    ("/etc/wpa_supplicant/", Some(LockOut::Network)),
    ("/etc/resolv.conf", Some(LockOut::Names)),
    ("/etc/hosts", Some(LockOut::Names)),
    ("/etc/host.conf", Some(LockOut::Names)),
    ("/etc/gai.conf", Some(LockOut::Names)),
    ("/etc/systemd/resolved.conf*", Some(LockOut::Names)),
    ("/etc/nftables*", Some(LockOut::Firewall)),
    ("/etc/iptables/", Some(LockOut::Firewall)),
    ("/etc/ufw/", Some(LockOut::Firewall)),
    ("/etc/firewalld/", Some(LockOut::Firewall)),
    ("/etc/fail2ban/", Some(LockOut::Firewall)),
    ("/etc/hosts.allow", Some(LockOut::Firewall)),
    ("/etc/hosts.deny", Some(LockOut::Firewall)),
    ("/etc/pam.d/", Some(LockOut::Login)),
    ("/etc/pam.conf", Some(LockOut::Login)),
    ("/etc/security/", Some(LockOut::Login)),
    ("/etc/nsswitch.conf", Some(LockOut::Login)),
    ("/etc/nologin", Some(LockOut::Login)),
    ("/etc/login.defs", Some(LockOut::Login)),
    ("/etc/shells", Some(LockOut::Login)),
    ("/etc/ld.so.*", Some(LockOut::Login)),
    ("/etc/passwd", Some(LockOut::Login)),
    ("/etc/group", Some(LockOut::Login)),
    ("/etc/shadow", Some(LockOut::Login)),
    ("/etc/sudoers", Some(LockOut::Operators)),
    ("/etc/sudoers.d/", Some(LockOut::Operators)),
    ("/etc/sudo*", Some(LockOut::Operators)),
    ("/etc/doas.conf", Some(LockOut::Operators)),
    ("/etc/polkit-1/", Some(LockOut::Operators)),
    ("/etc/ssl/", Some(LockOut::Authorities)),
    ("/etc/ca-certificates*", Some(LockOut::Authorities)),
    (
        "/usr/local/share/ca-certificates/",
        Some(LockOut::Authorities),
    ),
];

/// Units that can lock people out, by how their names begin: what follows is `.`, `@` or `-`.
const UNITS: &[(&str, LockOut)] = &[
    ("ssh", LockOut::Sshd),
    ("sshd", LockOut::Sshd),
    ("dropbear", LockOut::Sshd),
    ("systemd-networkd", LockOut::Network),
    ("networking", LockOut::Network),
    ("NetworkManager", LockOut::Network),
    ("wg-quick", LockOut::Network),
    ("wpa_supplicant", LockOut::Network),
    ("dhcpcd", LockOut::Network),
    ("ifup", LockOut::Network),
    ("systemd-resolved", LockOut::Names),
    ("nftables", LockOut::Firewall),
    ("netfilter", LockOut::Firewall),
    ("iptables", LockOut::Firewall),
    ("ufw", LockOut::Firewall),
    ("firewalld", LockOut::Firewall),
    ("fail2ban", LockOut::Firewall),
    ("systemd-logind", LockOut::Login),
    ("systemd-user-sessions", LockOut::Login),
    ("systemd-userdbd", LockOut::Login),
    ("sssd", LockOut::Login),
    ("nscd", LockOut::Login),
    ("nslcd", LockOut::Login),
    ("polkit", LockOut::Operators),
    ("steadfast", LockOut::Agent),
];

/// Packages that bring what can lock people out, by how their names begin.
const PACKAGES: &[(&str, LockOut)] = &[
    ("openssh-server", LockOut::Sshd),
    ("openssh-sftp-server", LockOut::Sshd),
    ("dropbear", LockOut::Sshd),
    ("network-manager", LockOut::Network),
    ("ifupdown", LockOut::Network),
    ("netplan", LockOut::Network),
    ("isc-dhcp-client", LockOut::Network),
    ("dhcpcd", LockOut::Network),
    ("systemd", LockOut::Network),
    ("udev", LockOut::Network),
    ("nftables", LockOut::Firewall),
    ("iptables", LockOut::Firewall),
    ("ufw", LockOut::Firewall),
    ("firewalld", LockOut::Firewall),
    ("libpam", LockOut::Login),
    ("libnss-", LockOut::Login),
    ("libc6", LockOut::Login),
    ("passwd", LockOut::Login),
    ("login", LockOut::Login),
    ("sudo", LockOut::Operators),
    ("ca-certificates", LockOut::Authorities),
    ("steadfast", LockOut::Agent),
];

/// Where units and their drop-ins are.
const UNIT_DIRECTORIES: [&str; 3] = [
    "/etc/systemd/system/",
    "/run/systemd/system/",
    "/usr/local/lib/systemd/system/",
];

/// Groups whose members may become root where nobody changed that.
const ADMIN_GROUPS: [&str; 4] = ["sudo", "wheel", "admin", "root"];

/// What carrying out `plan` puts at risk.
#[must_use]
pub(in crate::activation) fn risk(plan: &Plan) -> Risk {
    Risk {
        locks_out: plan.steps.iter().flat_map(of_step).collect(),
        extent: plan.steps.iter().map(extent).max().unwrap_or_default(),
    }
}

fn extent(step: &Step) -> Extent {
    match step {
        Step::WritePath { .. } | Step::RemovePath { .. } | Step::RestoreOriginal { .. } => {
            Extent::Files
        }
        _ => Extent::Running,
    }
}

fn of_step(step: &Step) -> Vec<LockOut> {
    match step {
        Step::WritePath { path, .. }
        | Step::RemovePath { path, .. }
        | Step::RestoreOriginal { path, .. } => of_path(path),
        Step::StopUnit { unit, .. }
        | Step::EnableUnit { unit }
        | Step::DisableUnit { unit }
        | Step::ReloadUnit { unit, .. }
        | Step::RestartUnit { unit, .. }
        | Step::StartUnit { unit, .. } => of_unit(unit),
        Step::InstallPackages { packages, arriving } => {
            let names = packages.iter().chain(arriving.keys());
            names.filter_map(of_package).collect()
        }
        Step::RemovePackages { packages } => packages.iter().filter_map(of_package).collect(),
        Step::ModifyUser {
            user,
            entry,
            changes,
            ..
        } if may_lock_out(user, entry, changes) => vec![LockOut::Operators],
        // Whether it could become root is not known any more.
        Step::LockUser { .. } => vec![LockOut::Operators],
        Step::SetSysctl { key, .. } if key.starts_with("net.") => vec![LockOut::Network],
        Step::ReloadConnections { .. } => vec![LockOut::Network],
        _ => Vec::new(),
    }
}

fn of_path(path: &HostPath) -> Vec<LockOut> {
    let text = path.as_str();
    if path.as_path().iter().any(|part| part == ".ssh") {
        return vec![LockOut::Operators];
    }
    let unit = UNIT_DIRECTORIES
        .iter()
        .find_map(|directory| text.strip_prefix(directory));
    if let Some(below) = unit {
        // A drop-in lies in `NAME.d/`, an enablement link in `TARGET.wants/`.
        let names = below.split('/').filter_map(named_like_unit);
        return names.collect();
    }
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(begin) => text.starts_with(begin),
        None if pattern.ends_with('/') => {
            text.starts_with(pattern) || text == pattern.trim_end_matches('/')
        }
        None => text == pattern,
    };
    let found = PATHS.iter().find(|(pattern, _)| fits(pattern));
    found.and_then(|(_, part)| *part).into_iter().collect()
}

fn of_unit(unit: &UnitId) -> Vec<LockOut> {
    match unit.account {
        // An account's own units are not the machine's, whatever they are called.
        Some(_) => Vec::new(),
        None => named_like_unit(unit.name.as_str()).into_iter().collect(),
    }
}

fn named_like_unit(name: &str) -> Option<LockOut> {
    let fits = |begin: &str| {
        name.strip_prefix(begin)
            .is_some_and(|rest| rest.starts_with(['.', '@', '-']))
    };
    let found = UNITS.iter().find(|(begin, _)| fits(begin));
    found.map(|(_, part)| *part)
}

fn of_package(name: &PackageName) -> Option<LockOut> {
    let found = PACKAGES
        .iter()
        .find(|(begin, _)| name.as_str().starts_with(begin));
    found.map(|(_, part)| *part)
}

fn may_lock_out(user: &UserName, entry: &UserEntry, changes: &[String]) -> bool {
    let leaves_admins = |change: &String| {
        change.starts_with("no longer member of")
            && change.split(' ').any(|word| ADMIN_GROUPS.contains(&word))
    };
    let is_admin = user.as_str() == "root"
        || entry
            .groups
            .iter()
            .any(|group| ADMIN_GROUPS.contains(&group.as_str()))
        || changes.iter().any(leaves_admins);
    let harmless = ["description ", "subordinate ids "];
    let matters = |change: &String| !harmless.iter().any(|begin| change.starts_with(begin));
    is_admin && changes.iter().any(matters)
}

#[cfg(test)]
mod tests;
