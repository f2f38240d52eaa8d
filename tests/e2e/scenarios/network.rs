//! An interface that systemd-networkd configures, and a unit that podman's generator makes.

use std::time::Duration;

use crate::harness::{Fleet, Host, World};

fn apply(fleet: &Fleet, host: &str) {
    fleet.clone.write("hosts/yard/host.yml", host);
    fleet.clone.commit("network");
    fleet.clone.push();
    fleet.host("yard").must("steadfast reconcile now");
}

fn addresses(yard: &Host, wanted: &str) {
    for _ in 0..100 {
        let said =
            yard.quietly("ip -o -4 address show dev lan0 | awk '{print $4}' | sort | tr '\\n' ' '");
        if said == wanted {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let said = yard.must("ip address show dev lan0; networkctl --no-pager status lan0; journalctl --no-pager -u systemd-networkd | tail");
    panic!("lan0 never had the addresses {wanted:?}: {said}");
}

pub fn interfaces_and_containers_do_what_their_files_say(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents("");
    let yard = fleet.host("yard");
    // What networkd brings itself would ask for an address of the test's own network.
    yard.write(
        "/etc/systemd/network/80-container-host0.network",
        "[Match]\nName=host0\n[Link]\nUnmanaged=yes\n",
    );
    yard.must("ip link add lan0 type veth peer name lan1 && ip link set lan1 up");
    let host = |address: &str, image: &str| {
        format!(
            "network:\n  manager: networkd\n  interfaces:\n    lan0:\n      addresses: [{address}]\n      routes: [{{ to: 10.77.0.0/16, via: 10.66.0.9 }}]\n      mtu: 1400\n\
             containers:\n  web.container:\n    start: true\n    text: |\n      [Container]\n      Image={image}\n      [Install]\n      WantedBy=multi-user.target\n"
        )
    };
    apply(&fleet, &host("10.66.0.2/24", "localhost/one"));
    addresses(yard, "10.66.0.2/24 ");
    assert!(
        yard.must("ip route show 10.77.0.0/16")
            .contains("via 10.66.0.9")
    );
    assert_eq!(yard.must("cat /sys/class/net/lan0/mtu"), "1400\n");
    assert_eq!(yard.must("systemctl is-active web.service"), "active\n");
    assert_eq!(yard.must("systemctl is-enabled web.service"), "generated\n");
    assert!(
        yard.must("systemctl show -p ExecStart web.service")
            .contains("localhost/one")
    );
    assert_eq!(yard.drift().0, 0);
    asks_podman_about_quadlets(yard);
    let (networkd, web) = (
        invocation(yard, "systemd-networkd"),
        invocation(yard, "web"),
    );

    apply(&fleet, &host("10.66.0.3/24", "localhost/two"));
    addresses(yard, "10.66.0.3/24 ");
    assert_eq!(
        invocation(yard, "systemd-networkd"),
        networkd,
        "it was only reloaded"
    );
    assert_ne!(invocation(yard, "web"), web, "it was restarted");
    assert!(
        yard.must("systemctl show -p ExecStart web.service")
            .contains("localhost/two")
    );

    apply(&fleet, "description: nothing\n");
    assert_eq!(
        yard.must("systemctl is-active web.service; true"),
        "inactive\n"
    );
    assert_eq!(
        yard.must("systemctl show -p LoadState --value web.service"),
        "not-found\n"
    );
    yard.must("test ! -e /etc/containers/systemd && test ! -e /etc/systemd/network/60-steadfast-lan0.network");
    addresses(yard, "");
}

/// Where podman is, `check` says what its generator has against a quadlet, and where.
fn asks_podman_about_quadlets(yard: &Host) {
    let host = |key: &str| {
        format!("containers:\n  web.container:\n    text: |\n      [Container]\n      {key}=one\n")
    };
    yard.write("/root/repo/hosts/a/host.yml", &host("Image"));
    let said = yard.must("steadfast check /root/repo");
    assert!(said.contains("nothing is wrong"), "{said}");
    assert!(!said.contains("were not looked at"), "{said}");
    yard.write("/root/repo/hosts/a/host.yml", &host("Imagee"));
    let said = yard.run("steadfast check /root/repo");
    assert_eq!(said.code, 1, "{}", said.all());
    for words in [
        "unsupported key 'Imagee' in group 'Container'",
        "hosts/a/host.yml:5:7",
        "podman makes no unit of it; said by the generator of podman",
    ] {
        assert!(said.all().contains(words), "{words}: {}", said.all());
    }
}

fn invocation(yard: &Host, unit: &str) -> String {
    yard.must(&format!(
        "systemctl show -p InvocationID --value {unit}.service"
    ))
}
