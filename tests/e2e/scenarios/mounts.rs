//! File systems that are mounted, at once or when somebody looks.

use crate::harness::{Fleet, Host, World};

fn apply(fleet: &Fleet, host: &str) -> String {
    fleet.clone.write("hosts/yard/host.yml", host);
    fleet.clone.commit("mounts");
    fleet.clone.push();
    fleet.host("yard").must("steadfast reconcile now")
}

fn mounted(yard: &Host, path: &str) -> String {
    yard.must(&format!("findmnt -n -o FSTYPE {path} | tr '\\n' ' '; true"))
}

pub fn mounts_come_change_and_go_and_drift_scans_do_not_touch_them(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents("");
    let yard = fleet.host("yard");
    // A container has no devices of its own, and systemd looks for this one when it begins.
    yard.must("mknod /dev/autofs c 10 235; systemctl daemon-reexec");
    let host = |cache: &str, lazy: &str| {
        format!(
            "mounts:\n  /srv/my-cache: {{ type: tmpfs, options: [{cache}] }}\n  /srv/lazy/disk: {{ {lazy} }}\n"
        )
    };
    let lazy = "type: tmpfs, options: [size=4M], automount: true, nofail: true, idle: 5min";
    apply(&fleet, &host("size=1M", lazy));
    assert_eq!(mounted(yard, "/srv/my-cache"), "tmpfs ");
    assert_eq!(mounted(yard, "/srv/lazy/disk"), "autofs ");
    assert_eq!(
        yard.must("systemctl is-enabled 'srv-my\\x2dcache.mount'"),
        "enabled\n"
    );

    // Looking is what mounts it, and a drift scan is not looking.
    let (code, items) = yard.drift();
    assert_eq!((code, items.len()), (0, 0), "{items:?}");
    yard.must("steadfast reconcile now");
    assert_eq!(mounted(yard, "/srv/lazy/disk"), "autofs ");
    yard.must("touch /srv/lazy/disk/here");
    assert_eq!(mounted(yard, "/srv/lazy/disk"), "autofs tmpfs ");
    assert_eq!(
        yard.drift().0,
        0,
        "what is mounted is not compared with its directory"
    );

    // Other options are given to what is mounted: the file stays, and so does the mount.
    yard.must("touch /srv/my-cache/kept");
    let said = apply(&fleet, &host("size=2M", lazy));
    assert!(said.contains("reload"), "{said}");
    assert_eq!(yard.must("ls /srv/my-cache"), "kept\n");
    assert!(
        yard.must("findmnt -n -o OPTIONS /srv/my-cache")
            .contains("size=2048k")
    );

    // One that becomes the other: what was mounted goes, and comes back when somebody looks.
    apply(&fleet, &host("size=2M", "type: tmpfs, options: [size=4M]"));
    assert_eq!(mounted(yard, "/srv/lazy/disk"), "tmpfs ");
    apply(&fleet, &host("size=2M", lazy));
    assert_eq!(mounted(yard, "/srv/lazy/disk"), "autofs ");

    // A server that is not there does not hold up a host that goes on without it.
    let missing = "  /srv/none: { what: /dev/disk/by-label/none, type: ext4, nofail: true }\n";
    yard.must("mkdir -p /etc/systemd/system.conf.d && printf '[Manager]\\nDefaultDeviceTimeoutSec=3s\\n' >/etc/systemd/system.conf.d/short.conf && systemctl daemon-reexec");
    let said = apply(&fleet, &format!("{}{missing}", host("size=2M", lazy)));
    assert!(said.contains("the host goes on without it"), "{said}");
    assert!(!said.contains("+ start srv-none.mount"), "{said}");
    assert_eq!(mounted(yard, "/srv/none"), "");

    apply(&fleet, "description: nothing\n");
    assert_eq!(
        yard.must("findmnt -n -t tmpfs,autofs -o TARGET | grep /srv; true"),
        ""
    );
    assert_eq!(
        yard.must("ls -A /srv"),
        "apt\narchive-names\n",
        "directories go that were made for them"
    );
    assert_eq!(
        yard.must("ls /etc/systemd/system | grep -c srv; true"),
        "0\n"
    );
}
