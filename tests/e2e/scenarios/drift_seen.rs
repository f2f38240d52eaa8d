//! How soon drift is put right, and when it is left alone.

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, World, wait_until};

/// Far more than a test lasts: what is seen is seen because somebody changed something.
const HOURS: &str = "drift_interval: 6h\n";

pub fn every_kind_of_edit_is_put_right_at_once_but_not_while_it_is_held_or_the_host_paused(
    world: &World,
    name: &str,
) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents(HOURS);
    fleet.clone.write(
        "hosts/yard/host.yml",
        "drift: enforce\nfiles:\n  /etc/app/content: { text: \"a\\n\" }\n  /etc/app/mode: { text: \"a\\n\" }\n  \
         /etc/app/owner: { text: \"a\\n\" }\n  /etc/app/xattr: { text: \"a\\n\" }\n  /etc/app/missing: { text: \"a\\n\" }\n  \
         /etc/app/swapped: { text: \"a\\n\" }\n  /etc/app/held: { text: \"a\\n\" }\n",
    );
    let commit = fleet.clone.commit("files");
    fleet.clone.push();
    fleet.start_agents();
    let yard = fleet.host("yard");
    yard.wait_converged(&commit, EVENTUALLY);
    let listing = "cd /etc/app; for f in content mode owner missing swapped; do stat -c '%n %F %a %U' $f; cat $f; done";
    let right = yard.must(listing);

    let edit = "cd /etc/app; echo b >content; chmod 0600 mode; chown games owner; rm missing; ln -sf /etc/hostname swapped";
    yard.must(edit);
    let file = yard.path("/etc/app/xattr");
    rustix::fs::setxattr(
        &file,
        "user.note",
        b"by hand",
        rustix::fs::XattrFlags::empty(),
    )
    .unwrap();
    wait_until("all is put right", EVENTUALLY, || {
        yard.must(listing) == right
    });
    wait_until("the note is gone", EVENTUALLY, || {
        let mut names = [0_u8; 256];
        rustix::fs::listxattr(&file, &mut names[..]).unwrap() == 0
    });

    yard.must("steadfast drift hold /etc/app/held --for 20s; echo b >/etc/app/held; echo b >/etc/app/content");
    wait_until("the other one is put right", EVENTUALLY, || {
        yard.must("cat /etc/app/content") == "a\n"
    });
    assert_eq!(yard.must("cat /etc/app/held"), "b\n", "held");
    wait_until("the hold is over", EVENTUALLY, || {
        yard.must("touch /etc/app/mode; sleep 1; cat /etc/app/held") == "a\n"
    });

    yard.must("steadfast reconcile pause --for 20s; echo c >/etc/app/mode");
    wait_until("it is told", EVENTUALLY, || yard.drift().0 == 3);
    assert_eq!(yard.must("cat /etc/app/mode"), "c\n", "paused");
    wait_until("the pause is over", EVENTUALLY, || {
        yard.must("touch /etc/app/owner; sleep 1; cat /etc/app/mode") == "a\n"
    });
}
