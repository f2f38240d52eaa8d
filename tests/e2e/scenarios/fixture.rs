//! The configuration most scenarios begin with: an application with a user, a secret, a template and a file.

use std::time::Duration;

use crate::harness::{Clone, Fleet, World};

/// The time in which what takes several polls, restarts or boots must have happened on a slow machine that has more to do.
pub const EVENTUALLY: Duration = Duration::from_mins(3);

/// `crypt(3)` of a password nobody knows.
pub const PASSWORD_HASH: &str = "$6$fZ2eTTQlcKc0cZ3W$1y7iLyRxwkMEGYHaU2mmHVFqJnPXM0zhAFmSa5o7u6r0AqkZQyS0iHkhgJFCSQpwUZLnSUm8zWZbXg2KXnL0s1";

/// A service that shows what it read when it started: the secret goes to `/run/NAME/seen`.
pub fn service(name: &str, reads: &str) -> String {
    format!(
        "[Unit]\nDescription={name}\n\n[Service]\nUser=ketan\nRuntimeDirectory={name}\n\
         ExecStart=/bin/sh -c 'cat {reads} >/run/{name}/seen; exec sleep infinity'\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    )
}

/// What a host with the application says. `more` is added at the end.
pub fn application(clone: &Clone, more: &str) -> String {
    let key = clone.public_key("developer");
    format!(
        r#"description: runs the application
users:
  ketan:
    description: Ketan
    shell: /bin/bash
    password_hash: "{PASSWORD_HASH}"
    ssh_keys: ["{key}"]
packages: [hello]
directories:
  /etc/app: {{}}
files:
  /etc/app/app.conf:
    text: "greeting = hello\n"
    owner: ketan
    mode: "0640"
units:
  app.service: {{ file: app.service, enable: true, start: true }}
secrets:
  app/token: {{ owner: ketan, units: {{ restart: [app.service] }} }}
templates:
  app.env:
    text: "TOKEN={{{{ secret(\"app/token\") }}}}\n"
    owner: ketan
health:
  - {{ unit: app.service }}
{more}"#
    )
}

/// Boots `names`, each with the application, with agents that run and have converged; gives the commit.
pub fn running_fleet(
    world: &World,
    scenario: &str,
    names: &[&str],
    settings: &str,
) -> (Fleet, String) {
    let fleet = Fleet::boot(world, scenario, names);
    fleet.set_up_agents(settings);
    fleet.share_secrets_with(names);
    fleet
        .clone
        .seal("secrets/default.yml", "app:\n  token: first\n");
    for name in names {
        fleet.clone.write(
            &format!("hosts/{name}/host.yml"),
            &application(&fleet.clone, ""),
        );
        fleet.clone.write(
            &format!("hosts/{name}/app.service"),
            &service("app", "/run/secrets/app/token"),
        );
    }
    let commit = fleet.clone.commit("the application");
    fleet.clone.push();
    fleet.start_agents();
    for host in fleet.hosts() {
        host.wait_converged(&commit, EVENTUALLY);
    }
    (fleet, commit)
}
