//! A push arrives.

use super::fixture::{EVENTUALLY, PASSWORD_HASH, application, service};
use crate::harness::{Fleet, World};

/// Everything that an activation could touch, with inodes and times, and how many jobs systemd ever got.
const TOUCHED: &str = "find /etc /home /root /usr/local /var/lib/steadfast /run/secrets.d -printf '%p %i %T@ %C@\\n' | sort; \
                       systemctl show -p NInstalledJobs";

pub fn a_push_converges_both_hosts(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard", "dock"]);
    fleet.set_up_agents("");
    for host in fleet.hosts() {
        fleet.clone.write(
            &format!("hosts/{}/host.yml", host.name),
            "files:\n  /etc/first: { text: \"one\\n\" }\n",
        );
    }
    let first = fleet.clone.commit("a first file");
    fleet.clone.push();
    fleet.start_agents();
    for host in fleet.hosts() {
        host.wait_converged(&first, EVENTUALLY);
    }

    fleet.share_secrets_with(&["yard", "dock"]);
    fleet
        .clone
        .seal("secrets/default.yml", "app:\n  token: s3cret-t0ken\n");
    for host in fleet.hosts() {
        let dir = format!("hosts/{}", host.name);
        let config = application(&fleet.clone, "").replacen(
            "files:\n",
            "files:\n  /etc/first: { text: \"one\\n\" }\n",
            1,
        );
        fleet.clone.write(&format!("{dir}/host.yml"), &config);
        fleet.clone.write(
            &format!("{dir}/app.service"),
            &service("app", "/run/secrets/app/token"),
        );
    }
    let commit = fleet.clone.commit("the application");
    fleet.clone.push();
    std::thread::scope(|scope| {
        for host in fleet.hosts() {
            scope.spawn(|| host.wait_converged(&commit, EVENTUALLY));
        }
    });

    for host in fleet.hosts() {
        assert_eq!(host.must("systemctl is-active app.service"), "active\n");
        assert_eq!(host.must("systemctl is-enabled app.service"), "enabled\n");
        assert_eq!(
            host.must("stat -c '%a %U %G' /etc/app/app.conf"),
            "640 ketan ketan\n"
        );
        assert_eq!(host.must("cat /etc/app/app.conf"), "greeting = hello\n");
        assert_eq!(
            host.must("stat -c '%a %U %G' /etc/first"),
            "644 root root\n"
        );
        let shadow = host.must("getent shadow ketan");
        assert!(
            shadow.starts_with(&format!("ketan:{PASSWORD_HASH}:")),
            "{shadow}"
        );
        let login = fleet
            .clone
            .ssh("ketan", &host.place.address, "id -un; echo $SHELL");
        assert_eq!(login.stdout, "ketan\n/bin/bash\n", "{}", login.all());
        assert_eq!(host.must("hello"), "Hello, world!\n");
        assert_eq!(
            host.must("stat -L -c '%a %U' /run/secrets/app/token"),
            "400 ketan\n"
        );
        assert_eq!(
            host.must("cat /run/app/seen"),
            "s3cret-t0ken",
            "the service reads its secret"
        );
        assert_eq!(
            host.must("cat /run/secrets/rendered/app.env"),
            "TOKEN=s3cret-t0ken\n"
        );
        assert_eq!(host.must("stat -f -c %T -L /run/secrets/"), "ramfs\n");
        assert_eq!(host.drift().0, 0, "nothing has drifted");
    }

    // What is there is left alone: nothing is written, not even to the state directory; nothing restarts, and systemd
    // gets no job.
    let yard = fleet.host("yard");
    yard.must("systemctl stop steadfast.service");
    let before = (yard.must(TOUCHED), yard.invocations());
    let again = yard.run("reconcile now --json");
    assert_eq!(again.code, 0, "{}", again.all());
    assert!(
        again.stdout.contains("\"nothing_to_do\""),
        "{}",
        again.stdout
    );
    let after = (yard.must(TOUCHED), yard.invocations());
    assert_eq!(before, after);
}
