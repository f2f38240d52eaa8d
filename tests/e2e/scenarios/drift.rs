//! Hands on the host.

use serde_json::Value;

use super::fixture::{EVENTUALLY, application, service};
use crate::harness::{Fleet, Host, World, wait_until};

const FILES: &str = r#"files:
  /etc/app/content.conf: { text: "as it should be\n" }
  /etc/app/mode.conf: { text: "mode\n" }
  /etc/app/owner.conf: { text: "owner\n" }
  /etc/app/gone.conf: { text: "gone\n" }
"#;

pub fn hand_edits_are_drift_which_enforce_repairs_and_report_leaves(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard", "dock"]);
    fleet.set_up_agents("drift_interval: 2s\n");
    fleet.share_secrets_with(&["yard", "dock"]);
    fleet
        .clone
        .seal("secrets/default.yml", "app:\n  token: first\n");
    for (host, policy) in [("yard", "report"), ("dock", "enforce")] {
        let config = application(&fleet.clone, "").replacen("files:\n", FILES, 1);
        let config = format!("drift: {policy}\n{config}");
        fleet
            .clone
            .write(&format!("hosts/{host}/host.yml"), &config);
        fleet.clone.write(
            &format!("hosts/{host}/app.service"),
            &service("app", "/run/secrets/app/token"),
        );
    }
    let commit = fleet.clone.commit("the application");
    fleet.clone.push();
    fleet.start_agents();
    for host in fleet.hosts() {
        host.wait_converged(&commit, EVENTUALLY);
        assert_eq!(host.drift().0, 0);
    }

    let yard = fleet.host("yard");
    lay_hands_on(yard);
    let (code, items) = yard.drift();
    assert_eq!(code, 3);
    let found: Vec<String> = items.iter().map(Value::to_string).collect();
    for (what, subject) in EDITS {
        assert!(
            found
                .iter()
                .any(|item| item.contains(subject) && item.contains(what)),
            "no {what} drift of {subject} in {found:#?}"
        );
    }
    let text = yard.run("steadfast drift");
    assert_eq!(text.code, 3);
    assert!(
        text.stdout.contains("-as it should be"),
        "a unified diff:\n{}",
        text.stdout
    );
    assert!(
        text.stdout.contains("+by hand"),
        "a unified diff:\n{}",
        text.stdout
    );
    assert!(
        !text.stdout.contains("first"),
        "no secret is shown:\n{}",
        text.stdout
    );
    wait_until("the agent has seen the drift", EVENTUALLY, || {
        let status = yard.status().unwrap();
        status.0["drift"]["items"]
            .as_array()
            .is_some_and(|items| items.len() >= EDITS.len())
    });
    let (_, still) = yard.drift();
    assert_eq!(still.len(), items.len(), "`report` leaves everything");
    assert!(is_edited(yard));

    let dock = fleet.host("dock");
    lay_hands_on(dock);
    wait_until("dock repairs itself", EVENTUALLY, || dock.drift().0 == 0);
    assert_right(dock);

    let now = yard.run("reconcile now");
    assert_eq!(now.code, 0, "{}", now.all());
    assert_eq!(yard.drift().0, 0, "asked for, everything is put right");
    assert_right(yard);
}

/// What [`lay_hands_on`] does: a word that the item must have, and the subject it must name.
const EDITS: [(&str, &str); 7] = [
    ("content", "/etc/app/content.conf"),
    ("metadata", "/etc/app/mode.conf"),
    ("metadata", "/etc/app/owner.conf"),
    ("missing", "/etc/app/gone.conf"),
    ("unit", "app.service"),
    ("user", "ketan"),
    ("secret", "app/token"),
];

fn lay_hands_on(host: &Host) {
    host.must(
        "echo 'by hand' >/etc/app/content.conf
         chmod 0600 /etc/app/mode.conf
         chown games /etc/app/owner.conf
         rm /etc/app/gone.conf
         systemctl stop app.service
         userdel --force ketan 2>/dev/null || true
         echo wrong >\"$(realpath /run/secrets/app/token)\"
         ! id ketan 2>/dev/null",
    );
}

fn is_edited(host: &Host) -> bool {
    host.must("cat /etc/app/content.conf") == "by hand\n"
        && host.must("stat -c %a /etc/app/mode.conf") == "600\n"
        && host.must("stat -c %U /etc/app/owner.conf") == "games\n"
        && host.run("test -e /etc/app/gone.conf").code == 1
        && host.run("systemctl is-active app.service").code != 0
        && host.run("id ketan").code != 0
}

fn assert_right(host: &Host) {
    assert_eq!(host.must("cat /etc/app/content.conf"), "as it should be\n");
    assert_eq!(host.must("stat -c %a /etc/app/mode.conf"), "644\n");
    assert_eq!(host.must("stat -c %U /etc/app/owner.conf"), "root\n");
    assert_eq!(host.must("cat /etc/app/gone.conf"), "gone\n");
    host.must("systemctl is-active app.service && id ketan");
    assert_eq!(host.must("cat /run/secrets/app/token"), "first");
    assert_eq!(
        host.must("stat -L -c '%a %U' /run/secrets/app/token"),
        "400 ketan\n"
    );
}
