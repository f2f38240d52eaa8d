//! `boulder`, a container: what its modules make of it, beside what they make of any host.

use super::says;
use crate::harness::Fleet;

/// The host as the example has it, without what is too large for a gate: gcc, g++ and cmake (250 MB) and the debuggers
/// and searchers of `dev-setup`. The test hosts' podman is its generator alone. All else comes from Debian.
pub fn config(original: &str) -> String {
    let whole = "  dev-setup: { languages: [c, python] }\n";
    let trimmed = "  dev-setup: { languages: [], packages: [direnv, git, jq] }\n";
    assert!(original.contains(whole), "{original}");
    original.replace(whole, trimmed)
}

/// The groups of ketan.
pub const GROUPS: &str = "ketan sudo";

/// Asserts what the modules `container` and `dev-setup` make of the machine.
pub fn is_as_said(fleet: &Fleet) {
    says(
        fleet.host("boulder"),
        &[
            (
                "head -1 /etc/motd",
                "boulder: Development box, an LXC container\n",
            ),
            (
                "grep unqualified /etc/containers/registries.conf.d/50-fleet.conf",
                "unqualified-search-registries = [\"docker.io\"]\n",
            ),
            (
                "systemctl is-enabled e2scrub_all.timer fstrim.timer systemd-pstore.service || true",
                "masked\nmasked\nmasked\n",
            ),
            (
                "test -s /etc/profile.d/50-direnv.sh && echo there",
                "there\n",
            ),
            (
                "dpkg-query -Wf '${db:Status-Status}\\n' direnv git jq podman uidmap | sort -u",
                "installed\n",
            ),
            (
                "grep ketan /etc/subuid /etc/subgid",
                "/etc/subuid:ketan:100000:65536\n/etc/subgid:ketan:100000:65536\n",
            ),
        ],
    );
}
