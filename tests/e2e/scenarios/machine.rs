//! The machine as a whole and what accounts have besides.

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, World};

const WHOLE: &str = r"locale: { lang: en_US.UTF-8, settings: { LC_TIME: C.UTF-8 } }
keymap: us
kernel_modules: [steadfast-no-such-module]
hosts: { 10.0.0.2: [nas, nas.lan] }
resolv: { nameservers: [10.0.0.1], search: [lan] }
users:
  anna: { admin: true, linger: true, expires: 2099-12-31, subids: { start: 300000, count: 1000 } }
";

pub fn language_names_and_accounts_are_as_said_and_drift_is_put_right(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    let yard = fleet.host("yard");
    fleet.set_up_agents("");
    yard.must(
        "rm -f /etc/resolv.conf; ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf",
    );
    let say = |host: &str, message: &str| {
        fleet.clone.write("hosts/yard/host.yml", host);
        let commit = fleet.clone.commit(message);
        fleet.clone.push();
        commit
    };
    let commit = say(WHOLE, "the machine as a whole");
    fleet.start_agents();
    yard.wait_converged(&commit, EVENTUALLY);
    assert!(yard.must("locale -a").contains("en_US.utf8"));
    assert!(yard.must("getent hosts nas").contains("10.0.0.2"));
    assert_eq!(
        yard.must("tail -n 2 /etc/resolv.conf"),
        "search lan\nnameserver 10.0.0.1\n"
    );
    assert!(yard.must("id -nG anna").contains("sudo"));
    yard.must("sudo --version >/dev/null");
    assert_eq!(
        yard.must("grep ^anna: /etc/subuid /etc/subgid"),
        "/etc/subuid:anna:300000:1000\n/etc/subgid:anna:300000:1000\n"
    );
    assert_eq!(yard.must("getent shadow anna | cut -d: -f8"), "47481\n");
    assert_eq!(
        yard.must("loginctl show-user anna --property=Linger"),
        "Linger=yes\n"
    );
    let said = yard.run("steadfast reconcile now --dry-run").all();
    assert!(
        said.contains("only the machine under this container can load modules"),
        "{said}"
    );
    assert_eq!(yard.drift().0, 0);

    yard.must("sed -i s/10.0.0.2/10.0.0.66/ /etc/hosts; chage --expiredate -1 anna");
    let (code, items) = yard.drift();
    assert_eq!((code, items.len()), (3, 2), "{items:?}");
    yard.must("steadfast reconcile now");
    assert_eq!(yard.drift().0, 0);
}
