//! sshd, sudo, the packet filter and systemd say no before anything changes.

use crate::harness::{Fleet, World};

const HOST: &str = r#"files:
  /etc/motd: { text: "one\n", on_conflict: backup }
  /etc/sudoers.d/ops: { text: "%ops ALL=(ALL) NOPASSWD: /usr/bin/true\n", mode: 0440 }
  /etc/app.conf: { text: "good\n", validate: [/usr/bin/grep, -q, good, "{file}"] }
packages: [sudo]
sshd: { settings: { PasswordAuthentication: no, X11Forwarding: no } }
firewall:
  text: |
    table inet guard {
      chain input {
        type filter hook input priority 0; policy accept;
        tcp dport 4444 drop
      }
    }
units:
  app.service: { text: "[Service]\nExecStart=/bin/sleep infinity\n", start: true }
"#;

pub fn what_a_program_refuses_changes_nothing(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents("");
    let yard = fleet.host("yard");
    fleet.clone.write("hosts/yard/host.yml", HOST);
    fleet.clone.commit("everything that is judged");
    fleet.clone.push();
    yard.must("cp /etc/motd /root/motd-before");
    yard.must("steadfast reconcile now --json");
    assert!(yard.must("sshd -T").contains("x11forwarding no"));
    assert!(
        yard.must("nft list ruleset")
            .contains("tcp dport 4444 drop")
    );
    assert_eq!(
        yard.must("systemctl is-active nftables.service app.service"),
        "active\nactive\n"
    );
    yard.must("visudo -c");

    let before = (yard.invocations(), yard.must("nft list ruleset"));
    for (good, bad, said) in [
        (
            "X11Forwarding: no",
            "X11Forwarding: perhaps",
            "/etc/ssh/sshd_config.d/00-steadfast.conf",
        ),
        ("X11Forwarding: no", "X11Forwording: no", "X11Forwording"),
        (
            "NOPASSWD: /usr/bin/true",
            "NOPASSWD /usr/bin/true",
            "/etc/sudoers.d/ops",
        ),
        (
            "tcp dport 4444 drop",
            "tcp dport 4444 dorp",
            "/etc/nftables.conf",
        ),
        ("text: \"good\\n\"", "text: \"bad\\n\"", "/etc/app.conf"),
        (
            "ExecStart=/bin/sleep infinity",
            "Type=simple",
            "app.service: Service has no ExecStart=",
        ),
    ] {
        let broken = HOST.replace(good, bad).replace("one\\n", "two\\n");
        assert!(broken.contains(bad), "{bad}");
        fleet.clone.write("hosts/yard/host.yml", &broken);
        fleet.clone.commit(&format!("break it: {bad}"));
        fleet.clone.push();
        let now = yard.run("steadfast reconcile now");
        assert_eq!(now.code, 1, "{bad}: {}", now.all());
        assert!(
            now.all().contains("nothing was changed"),
            "{bad}: {}",
            now.all()
        );
        assert!(now.all().contains(said), "{bad}: {}", now.all());
        assert!(
            !now.all().contains("/staging/"),
            "people know other names: {}",
            now.all()
        );
        assert_eq!(yard.must("cat /etc/motd"), "one\n", "{bad}");
        let after = (yard.invocations(), yard.must("nft list ruleset"));
        assert_eq!(before, after, "{bad}");
        yard.must("test ! -e /var/lib/steadfast/staging");
        assert_eq!(yard.drift().0, 0, "{bad}");
    }

    // What systemd only skips is said, and does not stop anything; the ruleset is replaced, not added to.
    let changed = HOST
        .replace("ExecStart=", "Nonsense=1\\nExecStart=")
        .replace("4444", "5555");
    fleet.clone.write("hosts/yard/host.yml", &changed);
    fleet.clone.commit("another port");
    fleet.clone.push();
    let now = yard.run("steadfast reconcile now");
    assert_eq!(now.code, 0, "{}", now.all());
    assert!(now.all().contains("Nonsense"), "{}", now.all());
    let rules = yard.must("nft list ruleset");
    assert!(rules.contains("5555") && !rules.contains("4444"), "{rules}");

    fleet
        .clone
        .write("hosts/yard/host.yml", "description: nothing\n");
    fleet.clone.commit("nothing");
    fleet.clone.push();
    yard.must("steadfast reconcile now");
    assert!(yard.must("sshd -T").contains("x11forwarding yes"));
    yard.must("test ! -e /etc/sudoers.d/ops && test ! -e /etc/ssh/sshd_config.d/00-steadfast.conf");
    yard.must("cmp /etc/motd /root/motd-before");
    // The package went too, for it came with us; so did what it had told the kernel.
    assert_eq!(yard.run("command -v nft visudo").stdout, "");
    yard.must("apt-get install -q -y nftables && dpkg --verify nftables");
    assert!(!yard.must("nft list ruleset").contains("guard"));
}
