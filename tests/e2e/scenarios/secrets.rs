//! Secrets on their host: handed over, mixed into texts, linked, refused.

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, World, changed};

/// Shows which credential and which secret it read when it started.
const READER: &str = "[Service]
User=ketan
RuntimeDirectory=reader
ExecStart=/bin/sh -c 'cat ${CREDENTIALS_DIRECTORY}/database >/run/reader/credential; cat /run/secrets/open/token >/run/reader/secret; exec sleep infinity'

[Install]
WantedBy=multi-user.target
";

const SECRETS: &str = "app:
  password: first
  other: other-first
open:
  token: token-first
tricky: '{{ secret(\"app/password\") }} stays'
";

const CONFIG: &str = "users:
  ketan: {}
units:
  reader.service: { file: reader.service, enable: true, start: true }
secrets:
  app/password: { credentials: { reader.service: database } }
  app/other: { path: /etc/app/other }
  open/token: { owner: ketan, units: { restart: [reader.service] } }
  tricky: {}
templates:
  mixed.env: { text: \"A={{ secret(\\\"tricky\\\") }} B={{ secret(\\\"app/password\\\") }}\\n\" }
";

fn begin(world: &World, name: &str) -> Fleet {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents("");
    fleet.share_secrets_with(&["yard"]);
    fleet.clone.seal("secrets/default.yml", SECRETS);
    fleet.clone.write("hosts/yard/reader.service", READER);
    commit(&fleet, CONFIG, "a service with secrets");
    fleet.start_agents();
    let first = fleet.clone.git(&["rev-parse", "HEAD"]);
    fleet.host("yard").wait_converged(first.trim(), EVENTUALLY);
    fleet
}

fn commit(fleet: &Fleet, config: &str, message: &str) -> String {
    fleet.clone.write("hosts/yard/host.yml", config);
    let commit = fleet.clone.commit(message);
    fleet.clone.push();
    commit
}

pub fn a_service_is_handed_its_credential_and_starts_anew_only_when_the_new_value_is_there(
    world: &World,
    name: &str,
) {
    let fleet = begin(world, name);
    let yard = fleet.host("yard");
    assert_eq!(yard.must("cat /run/reader/credential"), "first");
    assert_eq!(
        yard.must("stat -L -c '%U %a' /run/secrets/app/password"),
        "root 400\n"
    );
    assert_ne!(
        yard.run("runuser -u ketan -- cat /run/secrets/app/password")
            .code,
        0,
        "only systemd hands it over"
    );

    // A text that looks like a placeholder is a value like any other.
    assert_eq!(
        yard.must("cat /run/secrets/rendered/mixed.env"),
        "A={{ secret(\"app/password\") }} stays B=first\n"
    );

    // Each start reads what is there by then: were it before the link moves, the old value would be seen.
    for (value, key, seen) in [
        ("second", "app/password", "/run/reader/credential"),
        ("token-second", "open/token", "/run/reader/secret"),
    ] {
        let before = yard.invocations();
        fleet.clone.set_secret("secrets/default.yml", key, value);
        let commit = fleet.clone.commit(key);
        fleet.clone.push();
        yard.wait_converged(&commit, EVENTUALLY);
        assert_eq!(yard.must(&format!("cat {seen}")), value);
        assert_eq!(changed(&before, &yard.invocations()), ["reader.service"]);
    }

    // What is not wanted any more leaves neither file nor link nor drop-in.
    assert_eq!(yard.must("cat /etc/app/other"), "other-first");
    let fewer = CONFIG
        .replace("  app/other: { path: /etc/app/other }\n", "")
        .replace(" { credentials: { reader.service: database } }", " {}");
    let last = commit(&fleet, &fewer, "fewer secrets");
    yard.wait_converged(&last, EVENTUALLY);
    assert_eq!(yard.must("ls /run/secrets/app"), "password\n");
    assert_eq!(
        yard.run("test -L /etc/app/other").code,
        1,
        "the link is gone"
    );
    assert_eq!(yard.must("find /etc -xtype l -lname '/run/secrets*'"), "");
    assert_eq!(
        yard.run("ls /etc/systemd/system/reader.service.d").code,
        2,
        "the drop-in is gone"
    );
}

pub fn a_secret_that_does_not_open_changes_nothing_and_says_which_way_it_failed(
    world: &World,
    name: &str,
) {
    let fleet = begin(world, name);
    let yard = fleet.host("yard");
    let whole = fleet.clone.read("secrets/default.yml");
    let before = (footprint(yard), yard.invocations());
    let more = CONFIG.replace("users:\n", "users:\n  newcomer: {}\n")
        + "files:\n  /etc/new.conf: { text: \"new\\n\" }\n";

    // Somebody took a value out: every other one opens, the whole does not.
    let kept: Vec<&str> = whole
        .lines()
        .filter(|line| !line.trim_start().starts_with("other:"))
        .collect();
    let without = kept.join("\n") + "\n";
    assert_ne!(without, whole);
    fleet.clone.write("secrets/default.yml", &without);
    let damaged = more.replace("  app/other: { path: /etc/app/other }\n", "");
    commit(&fleet, &damaged, "a value less");
    let said = yard.wait_problem("failed", "MAC", EVENTUALLY).problem();
    assert!(said.contains("secrets/default.yml"), "{said}");
    assert!(!said.contains("recipient"), "{said}");
    let now = yard.run("reconcile now");
    assert_eq!(now.code, 1, "{}", now.all());
    assert!(now.all().contains("MAC"), "{}", now.all());

    // The host is no recipient any more.
    fleet.share_secrets_with(&[]);
    fleet.clone.write("secrets/default.yml", &whole);
    fleet.clone.must(&["secrets", "rekey"], b"");
    fleet
        .clone
        .set_secret("secrets/default.yml", "app/password", "third");
    commit(&fleet, &more, "not for this host");
    let said = yard
        .wait_problem("failed", "recipient", EVENTUALLY)
        .problem();
    assert!(!said.contains("MAC"), "{said}");
    let now = yard.run("reconcile now");
    assert_eq!(now.code, 1, "{}", now.all());

    assert_eq!((footprint(yard), yard.invocations()), before);
    assert_eq!(yard.run("id newcomer").code, 1, "no account was made");
    assert_eq!(
        yard.run("test -e /etc/new.conf").code,
        1,
        "no file was made"
    );
    assert_eq!(yard.must("cat /run/reader/credential"), "first");
}

/// Everything below `/etc` and all installed secrets, with owners, modes, times and content.
fn footprint(host: &Host) -> String {
    host.must(
        "find -L /run/secrets -printf '%p %u %g %m %T@\\n' | sort
         find /etc -printf '%p %y %u %g %m %T@ %l\\n' | sort
         find -L /run/secrets /etc -type f -print0 2>/dev/null | sort -z | xargs -0 sha256sum | sha256sum",
    )
}
