//! Homes of accounts: files, git, session variables, secrets, and units in an account's own systemd.

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, World};

const ACCOUNT: &str = "drift: report\nusers:\n  ketan: { linger: true, shell: /bin/bash }\n";

const HOME: &str = r#"home:
  ketan:
    files:
      .config/app/app.conf: { text: "version 1\n", mode: 0600, units: { restart: [app.service] } }
    directories: { projects: { mode: 0700 } }
    symlinks: { .vimrc: .config/vim/vimrc }
    git:
      user: { name: Ketan "K" Example, email: ketan@example.org }
      includeIf: { "gitdir:~/work/": { path: ~/work/config } }
    session_variables: { EDITOR: vim, GREETING: "it's $(id) in ${HOME}" }
    secrets:
      registry/token: { path: .config/app/token }
    templates:
      auth.json: { text: '{"auth": "{{ secret("registry/token") }}"}', path: .config/containers/auth.json }
    units:
      app.service: { file: app.service, enable: true, start: true }
      other.service: { file: other.service, enable: true, start: true }
      needing.service: { text: "[Unit]\nRequires=app.service\nAfter=app.service\n[Service]\nExecStart=/bin/sleep infinity\n", start: true }
      waiting.service: { text: "[Unit]\nConditionPathExists=/nowhere\n[Service]\nExecStart=/bin/sleep infinity\n", start: true }
      work@.service: { text: "[Service]\nExecStart=/bin/sleep infinity\nEnvironment=VERSION=1\n" }
      work@a.service: { drop_ins: { a.conf: { text: "[Service]\nEnvironment=OF=a\n" } }, start: true }
      tick.service: { text: "[Service]\nType=oneshot\nExecStart=/bin/true\n" }
      tick.timer: { text: "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n", enable: true, start: true }
"#;

/// A service that writes down what happens to it, with what it read when it started.
fn service(version: &str) -> String {
    format!(
        "[Service]\nRuntimeDirectory=%N\nRuntimeDirectoryPreserve=yes\n\
         ExecStart=/bin/sh -c 'echo start {version} $EDITOR $(cat %h/.config/app/token) >>%t/%N/marks; exec sleep infinity'\n\
         ExecStop=/bin/sh -c 'echo stop {version} >>%t/%N/marks'\n\n\
         [Install]\nWantedBy=default.target\n"
    )
}

pub fn a_home_comes_changes_and_goes_and_its_units_with_it(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    let yard = fleet.host("yard");
    fleet.set_up_agents("");
    fleet.share_secrets_with(&["yard"]);
    fleet
        .clone
        .seal("secrets/default.yml", "registry:\n  token: first\n");
    fleet.clone.write("hosts/yard/app.service", &service("1"));
    fleet.clone.write("hosts/yard/other.service", &service("1"));
    fleet.clone.write("hosts/yard/host.yml", ACCOUNT);
    let account = fleet.clone.commit("an account");
    fleet.clone.push();
    fleet.start_agents();
    yard.wait_converged(&account, EVENTUALLY);
    as_ketan(
        yard,
        "mkdir -p ~/.config/git; printf '[user]\\n name = by hand\\n' >~/.config/git/config; chmod 0600 ~/.config/git/config",
    );
    let before = picture(yard);

    it_comes(&fleet);
    only_the_unit_that_is_meant_restarts(&fleet);
    instances_go_with_their_template(&fleet);
    a_unit_that_crashes_goes_back(&fleet);
    a_hostile_account_leads_root_nowhere(&fleet);

    fleet.clone.write("hosts/yard/host.yml", ACCOUNT);
    let gone = fleet.clone.commit("the home goes");
    fleet.clone.push();
    yard.wait_converged(&gone, EVENTUALLY);
    assert_eq!(picture(yard), before, "the home is what it was");
    for unit in [
        "app.service",
        "other.service",
        "needing.service",
        "work@b.service",
        "tick.timer",
    ] {
        assert_eq!(user_systemctl(yard, "is-active", unit), "inactive");
    }
    let marks = yard.must("tail -n 1 /run/user/$(id -u ketan)/app/marks");
    assert_eq!(marks, "stop 2\n", "stopped while its ExecStop was known");
    yard.must("! ls /run/secrets/home /etc/profile.d/50-steadfast.sh 2>/dev/null");
}

fn it_comes(fleet: &Fleet) {
    let yard = fleet.host("yard");
    fleet
        .clone
        .write("hosts/yard/host.yml", &format!("{ACCOUNT}{HOME}"));
    let first = fleet.clone.commit("a home");
    fleet.clone.push();
    yard.wait_converged(&first, EVENTUALLY);
    assert_eq!(as_ketan(yard, "cat ~/.config/app/app.conf"), "version 1\n");
    assert_eq!(
        as_ketan(
            yard,
            "git config --get user.name; git config --get includeIf.gitdir:~/work/.path"
        ),
        "Ketan \"K\" Example\n~/work/config\n"
    );
    assert_eq!(
        yard.must("su - ketan -c 'printf \"%s, %s\" \"$EDITOR\" \"$GREETING\"'"),
        "vim, it's $(id) in /home/ketan"
    );
    let environment = user_systemctl(yard, "show-environment", "");
    assert!(environment.contains("EDITOR=vim"), "{environment}");
    assert!(
        environment.contains("it\\'s $(id) in /home/ketan"),
        "{environment}"
    );
    assert_eq!(
        as_ketan(
            yard,
            "cat ~/.config/app/token ~/.config/containers/auth.json"
        ),
        "first{\"auth\": \"first\"}"
    );
    for unit in ["app.service", "other.service", "tick.timer"] {
        assert_eq!(user_systemctl(yard, "is-active", unit), "active", "{unit}");
    }
    assert_eq!(marks(yard, "app"), "start 1 vim first\n");
    let foreign = yard.must("find /home/ketan ! -user ketan -o ! -group ketan");
    assert_eq!(foreign, "", "all of it is the account's");
    assert_eq!(
        yard.must("stat -c '%a %n' /home/ketan/.config/app/app.conf /home/ketan/projects"),
        "600 /home/ketan/.config/app/app.conf\n700 /home/ketan/projects\n"
    );
    assert_eq!(yard.drift().0, 0);
}

fn only_the_unit_that_is_meant_restarts(fleet: &Fleet) {
    let yard = fleet.host("yard");
    let invocation = |unit: &str| user_systemctl(yard, "show -P InvocationID", unit);
    let (app, other, tick) = (
        invocation("app.service"),
        invocation("other.service"),
        invocation("tick.timer"),
    );
    fleet
        .clone
        .edit("hosts/yard/host.yml", "version 1", "version 2");
    let second = fleet.clone.commit("a file of one unit");
    fleet.clone.push();
    yard.wait_converged(&second, EVENTUALLY);
    assert_ne!(invocation("app.service"), app);
    assert_eq!(invocation("other.service"), other);
    assert_eq!(invocation("tick.timer"), tick);

    let needing = invocation("needing.service");
    fleet.clone.write("hosts/yard/app.service", &service("2"));
    let third = fleet.clone.commit("the definition of one unit");
    fleet.clone.push();
    yard.wait_converged(&third, EVENTUALLY);
    assert_eq!(
        marks(yard, "app"),
        "start 1 vim first\nstop 1\nstart 1 vim first\nstop 1\nstart 2 vim first\n"
    );
    assert_eq!(invocation("other.service"), other);
    assert_ne!(
        invocation("needing.service"),
        needing,
        "it stops and starts with what it requires"
    );
    assert_eq!(
        user_systemctl(yard, "is-active", "needing.service"),
        "active"
    );

    as_ketan(yard, "echo mine >~/.config/app/app.conf");
    yard.must("systemctl --user -M ketan@ stop other.service || runuser -u ketan -- env XDG_RUNTIME_DIR=/run/user/$(id -u ketan) systemctl --user stop other.service");
    let (code, items) = yard.drift();
    let subjects: Vec<&str> = items
        .iter()
        .filter_map(|item| item["subject"].as_str())
        .collect();
    assert_eq!(code, 3);
    assert_eq!(
        subjects,
        ["/home/ketan/.config/app/app.conf", "ketan/other.service"]
    );
    yard.must("reconcile now");
    assert_eq!(yard.drift().0, 0);
    assert_eq!(user_systemctl(yard, "is-active", "other.service"), "active");
}

/// Those that are declared and those that somebody started by hand: all change with the template, and only what was declared
/// stops when it is no longer.
fn instances_go_with_their_template(fleet: &Fleet) {
    let yard = fleet.host("yard");
    assert_eq!(user_systemctl(yard, "start", "work@b.service"), "");
    let environments = || {
        ["work@a.service", "work@b.service"]
            .map(|unit| user_systemctl(yard, "show -P Environment", unit))
    };
    assert_eq!(environments(), ["VERSION=1 OF=a", "VERSION=1"]);
    let invocation = user_systemctl(yard, "show -P InvocationID", "work@b.service");
    fleet
        .clone
        .edit("hosts/yard/host.yml", "VERSION=1", "VERSION=2");
    let changed = fleet.clone.commit("the template");
    fleet.clone.push();
    yard.wait_converged(&changed, EVENTUALLY);
    assert_eq!(environments(), ["VERSION=2 OF=a", "VERSION=2"]);
    assert_ne!(
        user_systemctl(yard, "show -P InvocationID", "work@b.service"),
        invocation,
        "it runs with the new definition"
    );

    let instance = "      work@a.service: { drop_ins: { a.conf: { text: \"[Service]\\nEnvironment=OF=a\\n\" } }, start: true }\n";
    fleet.clone.edit("hosts/yard/host.yml", instance, "");
    let gone = fleet.clone.commit("an instance goes");
    fleet.clone.push();
    yard.wait_converged(&gone, EVENTUALLY);
    let active = |unit: &str| user_systemctl(yard, "is-active", unit);
    assert_eq!(active("work@a.service"), "inactive");
    assert_eq!(active("work@b.service"), "active");
}

fn a_unit_that_crashes_goes_back(fleet: &Fleet) {
    let yard = fleet.host("yard");
    fleet.clone.edit(
        "hosts/yard/app.service",
        "exec sleep infinity",
        "sleep 0.5; exit 3",
    );
    let bad = fleet.clone.commit("crashes");
    fleet.clone.push();
    let reason = yard.wait_rolled_back(&bad, EVENTUALLY);
    assert!(reason.contains("ketan/app.service"), "{reason}");
    assert_eq!(user_systemctl(yard, "is-active", "app.service"), "active");
    fleet.clone.write("hosts/yard/app.service", &service("2"));
    let good = fleet.clone.commit("as before");
    fleet.clone.push();
    yard.wait_converged(&good, EVENTUALLY);
}

/// While the account swaps its directories for links as fast as it can, root writes there again and again.
fn a_hostile_account_leads_root_nowhere(fleet: &Fleet) {
    let yard = fleet.host("yard");
    yard.must(
        "mkdir -p /srv/vault && echo vault >/srv/vault/app.conf && chmod 0644 /srv/vault/app.conf",
    );
    let vault = "ls -A /srv/vault; cat /srv/vault/app.conf; stat -c '%a %U %G' /srv/vault /srv/vault/app.conf";
    let before = yard.must(vault);
    let mut attack = yard.start(
        "runuser -u ketan -- sh -c 'cd ~/.config; while :; do mv -T app real; ln -s /srv/vault app; rm app; mv -T real app; done'",
    );
    for round in 0..12 {
        yard.run(&format!(
            "runuser -u ketan -- sh -c 'echo {round} >/home/ketan/.config/app/app.conf'; reconcile now"
        ));
    }
    attack.kill().unwrap();
    attack.wait().unwrap();
    yard.must("pkill -u ketan -f 'ln -s|mv -T'; sleep 0.5; runuser -u ketan -- sh -c 'cd ~/.config; if test -L app; then rm app; fi; if test -d app; then rm -rf real; else mv -T real app; fi; rm -f app/vault'");
    assert_eq!(yard.must(vault), before);
    yard.must("reconcile now");
    assert_eq!(yard.drift().0, 0);
}

/// Everything in the home, with owners, modes, targets and contents; what programs leave there apart.
fn picture(host: &Host) -> String {
    host.must("cd /home/ketan && find . -printf '%p %y %m %U:%G %l\\n' | sort && find . -type f -exec sha256sum {} + | sort")
}

fn as_ketan(host: &Host, script: &str) -> String {
    host.must(&format!(
        "runuser -u ketan -- env HOME=/home/ketan sh -c '{}'",
        script.replace('\'', "'\\''")
    ))
}

fn user_systemctl(host: &Host, verb: &str, unit: &str) -> String {
    let said = host.run(&format!(
        "runuser -u ketan -- env XDG_RUNTIME_DIR=/run/user/$(id -u ketan) systemctl --user {verb} {unit}"
    ));
    said.stdout.trim().to_owned()
}

fn marks(host: &Host, unit: &str) -> String {
    host.must(&format!("cat /run/user/$(id -u ketan)/{unit}/marks"))
}
