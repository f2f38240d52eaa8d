//! `chicago`, a virtual machine: what its modules make of it, beside what they make of any host.
//!
//! A container stands for the machine. It has no boot loader, no disk, no serial port and no channel to a hypervisor, so of
//! these only files, units and conditions are looked at. The share of its backups is a directory, because this kernel may be
//! without NFS. Nothing is left out: all its packages are small.

use std::time::Duration;

use super::says;
use crate::harness::{Fleet, Host, wait_until};

/// The host as the example has it; the network of the tests has no DHCP, so its address is said.
pub fn config(original: &str, address: &str, gateway: &str) -> String {
    let whole = "  vm-guest:\n";
    assert!(original.contains(whole), "{original}");
    let interface = format!("{{ host0: {{ addresses: [{address}/24], gateway: {gateway} }} }}");
    let network = format!("  networking: {{ interfaces: {interface} }}\n");
    original.replace(whole, &(whole.to_owned() + &network))
}

/// Kernel parameters that the host sets and that are not of its network namespace, so that a container may not set them. It
/// gets files in their place: what is written is looked at, and this machine's own stay.
const PARAMETERS: [(&str, &str); 2] = [("kernel/panic", "0"), ("vm/swappiness", "60")];

/// Makes a container as good as the machine that it stands for.
pub fn prepare(chicago: &Host) {
    for (parameter, value) in PARAMETERS {
        let file = format!("/run/{}", parameter.replace('/', "."));
        chicago.must(&format!(
            "echo {value} >{file} && mount --bind {file} /proc/sys/{parameter}"
        ));
    }
    // It comes with nfs-common and is mounted where the kernel has NFS.
    chicago.must("grep -q rpc_pipefs /proc/filesystems || systemctl mask --quiet --runtime run-rpc_pipefs.mount");
    // As on every machine with a disk. It comes with cloud-guest-utils, and apt does not let it go again.
    chicago.must("apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends e2fsprogs");
}

/// The groups of ketan.
pub const GROUPS: &str = "ketan sudo nix-users";

/// What packages leave of their accounts, here as everywhere: Debian asks them to, because files may have their ids.
pub const OF_PACKAGES: &[&str] = &["_rpc", "netdev", "nix-users", "nixbld", "statd"];

/// `base` and `server`, where there is no container.
const SYSTEM: &[(&str, &str)] = &[
    ("head -1 /etc/motd", "chicago: Server, a virtual machine\n"),
    ("grep XKBLAYOUT /etc/default/keyboard", "XKBLAYOUT=\"us\"\n"),
    ("grep KEYMAP /etc/vconsole.conf", "KEYMAP=us\n"),
    (
        "echo $(cat /proc/sys/kernel/panic) $(cat /proc/sys/vm/swappiness)",
        "10 10\n",
    ),
    (
        "grep -E 'panic|swappiness' /etc/sysctl.d/60-steadfast.conf",
        "kernel.panic = 10\nvm.swappiness = 10\n",
    ),
];

/// `vm-guest`.
const GUEST: &[(&str, &str)] = &[
    (
        "GRUB_CMDLINE_LINUX=quiet; . /etc/default/grub.d/50-serial-console.cfg; \
         echo \"$GRUB_CMDLINE_LINUX / $GRUB_TERMINAL / $GRUB_SERIAL_COMMAND\"",
        "quiet console=tty0 console=ttyS0,115200 / console serial / serial --speed=115200\n",
    ),
    // There is no boot menu to be written.
    (
        "test ! -e /boot/grub/grub.cfg && systemctl show --property=ActiveState,Result update-grub.service",
        "Result=success\nActiveState=active\n",
    ),
    (
        "systemctl is-enabled serial-getty@ttyS0.service",
        "enabled\n",
    ),
    (
        "dpkg-query -Wf '${db:Status-Status}\\n' qemu-guest-agent cloud-guest-utils | sort -u",
        "installed\n",
    ),
    // It is started by its device, which no container has.
    (
        "systemctl cat qemu-guest-agent.service | grep ^BindsTo",
        "BindsTo=dev-virtio\\x2dports-org.qemu.guest_agent.0.device\n",
    ),
    (
        "systemctl is-enabled grow-root.service; systemctl is-active grow-root.service; stat -c %a /usr/local/sbin/grow-root",
        "enabled\nactive\n755\n",
    ),
    (
        "journalctl --quiet --output=cat --unit=grow-root.service | grep -c 'which is no partition; nothing to do'",
        "1\n",
    ),
];

/// `nix`.
const NIX: &[(&str, &str)] = &[
    (
        "nix config show | grep -E '^(auto-optimise-store|experimental-features|substituters|trusted-users) '",
        "auto-optimise-store = true\nexperimental-features = fetch-tree flakes nix-command\n\
         substituters = https://cache.nixos.org/\ntrusted-users = root @sudo\n",
    ),
    // A flake's expression, and the daemon, as somebody who is not root.
    (
        "cd / && su ketan -c 'nix eval --expr 1+1 && nix store info 2>&1 | grep ^Trusted'",
        "2\nTrusted: 1\n",
    ),
    (
        "systemctl is-enabled nix-gc.timer; systemctl is-active nix-gc.timer; \
         systemctl show --property=TimersCalendar --value nix-gc.timer | grep -o 'OnCalendar=[^;]*' ",
        "enabled\nactive\nOnCalendar=Mon *-*-* 00:00:00 \n",
    ),
    (
        "systemctl start nix-gc.service && systemctl show --property=Result nix-gc.service",
        "Result=success\n",
    ),
];

/// `restic-backup`.
const BACKUP: &[(&str, &str)] = &[
    ("systemctl is-active srv-backup.automount", "active\n"),
    (
        "systemctl show --property=What,Type --value srv-backup.mount; findmnt --noheadings --output FSTYPE /srv/backup",
        "nas.example.org:/export/backup\nnfs\nautofs\n",
    ),
    (
        "grep ^Options= /etc/systemd/system/srv-backup.mount",
        "Options=soft,timeo=100,retrans=3,noatime,nofail\n",
    ),
    (
        "systemctl show --property=TimersCalendar --value restic-backups-home.timer | grep -o 'OnCalendar=[^;]*'",
        "OnCalendar=*-*-* 15:00:00 \nOnCalendar=*-*-* 03:00:00 \n",
    ),
    (
        "stat -c '%a %U' -L /run/secrets/backups/restic/password && cat /run/secrets/backups/restic/password | head -c 15",
        "400 root\nDEMO-NOT-SECRET",
    ),
];

/// Asserts what `base`, `networking` and `server` do where there is no container, and `vm-guest`, `nix` and `restic-backup`.
pub fn is_as_said(fleet: &Fleet) {
    let chicago = fleet.host("chicago");
    says(chicago, &[SYSTEM, GUEST, NIX, BACKUP].concat());
    backup_is_as_said(chicago);
    network_is_as_said(fleet);
}

/// `NetworkManager` has the interface, and the firewall lets nothing in but SSH.
fn network_is_as_said(fleet: &Fleet) {
    let chicago = fleet.host("chicago");
    let address = &chicago.place.address;
    says(
        chicago,
        &[
            (
                "nmcli --get-values GENERAL.STATE,GENERAL.CONNECTION device show host0",
                "100 (connected)\nsteadfast-host0\n",
            ),
            (
                "nmcli --get-values IP4.ADDRESS device show host0",
                &format!("{address}/24\n"),
            ),
            (
                "systemctl is-active NetworkManager nftables",
                "active\nactive\n",
            ),
            (
                "nft list chain inet filter input | grep -c 'policy drop'",
                "1\n",
            ),
        ],
    );
    chicago.must(
        "systemd-run --quiet --unit=listener systemd-socket-activate -l 8080 -l 22222 /bin/cat",
    );
    wait_until("somebody listens", Duration::from_secs(10), || {
        chicago.quietly("ss -tln").contains(":8080")
    });
    let reaches = |port: u16| {
        let connect = format!("timeout 2 bash -c 'exec 3<>/dev/tcp/{address}/{port}'");
        fleet.forge.run(&connect).code
    };
    assert_eq!((reaches(22), reaches(8080)), (0, 124));
    chicago.must("systemctl stop listener.service");
}

/// What `mount` calls for NFS, which this machine's kernel does not have: the share is a directory in memory.
const SHARE: &str = "#!/bin/sh\nexec mount --bind /run/nas \"$2\"\n";

/// A backup over the share, mounted because restic looked there, and a file out of it.
fn backup_is_as_said(chicago: &Host) {
    let said = chicago.run("steadfast backup status --json").stdout;
    let status: serde_json::Value = serde_json::from_str(&said).unwrap();
    let home = &status["backups"][0];
    assert_eq!(
        (&home["name"], &home["repository"]),
        (&"home".into(), &"/srv/backup/chicago-restic-repo".into()),
        "{said}"
    );
    chicago.must(&format!(
        "mkdir /run/nas && printf '%s' '{SHARE}' >/run/mount.nfs && chmod 755 /run/mount.nfs && \
         mount --bind /run/mount.nfs /usr/sbin/mount.nfs"
    ));
    chicago.must("systemctl reset-failed && systemctl start restic-backups-home.service");
    chicago.must("systemctl start restic-check-home.service");
    says(
        chicago,
        &[
            ("systemctl is-active srv-backup.mount", "active\n"),
            ("stat -c '%a %U' /run/nas/chicago-restic-repo", "700 root\n"),
            (
                "steadfast backup restore /home/ketan/.bashrc --to /run/old >&2 && cmp /run/old/home/ketan/.bashrc /home/ketan/.bashrc && echo same",
                "same\n",
            ),
        ],
    );
    chicago.must("systemctl stop srv-backup.mount && umount /usr/sbin/mount.nfs");
}
