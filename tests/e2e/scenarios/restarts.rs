//! One secret changes.

use super::fixture::{EVENTUALLY, application, service};
use crate::harness::{Fleet, World, changed};

const MORE_UNITS: &str = "  worker.service: { file: worker.service, enable: true, start: true }
  other.service: { file: other.service, enable: true, start: true }
";

pub fn only_units_that_declare_a_secret_restart_and_they_see_its_new_value(
    world: &World,
    name: &str,
) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    let yard = fleet.host("yard");
    fleet.set_up_agents("");
    fleet.share_secrets_with(&["yard"]);
    fleet.clone.seal(
        "secrets/default.yml",
        "# kept\napp:\n  token: first\n  other: other-first\n",
    );
    let config = application(&fleet.clone, "")
        .replacen("units:\n", &format!("units:\n{MORE_UNITS}"), 1)
        .replacen(
            "secrets:\n",
            "secrets:\n  app/other: { owner: ketan, units: { restart: [other.service] } }\n",
            1,
        )
        .replacen(
            "    owner: ketan\nhealth",
            "    owner: ketan\n    units: { restart: [worker.service] }\nhealth",
            1,
        );
    assert!(config.contains("[worker.service]"));
    fleet.clone.write("hosts/yard/host.yml", &config);
    for (unit, reads) in [
        ("app", "/run/secrets/app/token"),
        ("worker", "/run/secrets/rendered/app.env"),
        ("other", "/run/secrets/app/other"),
    ] {
        fleet
            .clone
            .write(&format!("hosts/yard/{unit}.service"), &service(unit, reads));
    }
    let first = fleet.clone.commit("three services");
    fleet.clone.push();
    fleet.start_agents();
    yard.wait_converged(&first, EVENTUALLY);
    assert_eq!(yard.must("cat /run/app/seen"), "first");
    assert_eq!(yard.must("cat /run/worker/seen"), "TOKEN=first\n");
    assert_eq!(yard.must("cat /run/other/seen"), "other-first");

    let before = yard.invocations();
    fleet
        .clone
        .set_secret("secrets/default.yml", "app/token", "second");
    let text = fleet.clone.read("secrets/default.yml");
    assert!(text.starts_with('#'), "comments stay: {text}");
    let second = fleet.clone.commit("another token");
    fleet.clone.push();
    yard.wait_converged(&second, EVENTUALLY);

    assert_eq!(
        changed(&before, &yard.invocations()),
        ["app.service", "worker.service"]
    );
    assert_eq!(yard.must("cat /run/app/seen"), "second");
    assert_eq!(yard.must("cat /run/worker/seen"), "TOKEN=second\n");
    assert_eq!(yard.must("cat /run/other/seen"), "other-first");
    assert_eq!(yard.must("cat /run/secrets/app/token"), "second");

    // A new owner and mode are a change too, of exactly that secret.
    let before = yard.invocations();
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "app/other: { owner: ketan,",
        "app/other: { owner: ketan, mode: \"0440\",",
    );
    let third = fleet.clone.commit("another mode");
    fleet.clone.push();
    yard.wait_converged(&third, EVENTUALLY);
    assert_eq!(changed(&before, &yard.invocations()), ["other.service"]);
    assert_eq!(yard.must("stat -L -c %a /run/secrets/app/other"), "440\n");

    // A secret that is gone from the host is gone from /run/secrets.
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "  app/other: { owner: ketan, mode: \"0440\", units: { restart: [other.service] } }\n",
        "",
    );
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "  other.service: { file: other.service, enable: true, start: true }\n",
        "",
    );
    let fourth = fleet.clone.commit("no other");
    fleet.clone.push();
    yard.wait_converged(&fourth, EVENTUALLY);
    assert_eq!(yard.must("ls /run/secrets/app"), "token\n");
    assert_eq!(
        yard.run("systemctl cat other.service").code,
        1,
        "the unit is gone"
    );
    assert_eq!(
        yard.run("pgrep -f [/]run/other/seen").stdout,
        "",
        "and so is its process"
    );
}
