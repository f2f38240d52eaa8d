//! Hosts of `repo-example/`: their real files on real hosts, and the way back.

pub(super) mod before;
mod boulder;
mod chicago;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use before::Before;

use crate::harness::{Clone, Fleet, Host, World};

/// Fifty packages are installed on each and removed again.
const A_WHILE: Duration = Duration::from_mins(4);

const HOSTS: [&str; 2] = ["boulder", "chicago"];

const BARE: &str =
    "description: nothing yet\nplatform: { os: debian, version: \"13\", arch: x86_64 }\n";

pub fn hosts_of_the_example_become_all_they_say_and_then_what_they_were(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &HOSTS);
    copy(&fleet.clone);
    let text = |path: &str| fs::read_to_string(example().join(path)).unwrap();
    for host in HOSTS {
        let public = text(&format!("hosts/{host}/ssh_host_ed25519_key.pub"));
        fleet.change_host_key(
            host,
            &text(&format!("DEMO-KEYS-NOT-SECRET/{host}")),
            &public,
        );
        // As on every machine; netbase, which comes with curl, would make one and not take it away.
        let names = format!("127.0.0.1 localhost\n127.0.1.1 {host}\n");
        fleet.host(host).write("/etc/hosts", &names);
    }
    chicago::prepare(fleet.host("chicago"));
    // In the end its operator goes, and nobody comes instead.
    fleet.set_up_agents(
        "health: { window: 20s, lockout_window: 20s, passes: 2, every: 1s, keep_operator: false }\n",
    );
    let nothing = say(&fleet, [BARE, BARE]);
    fleet.start_agents();
    converged(&fleet, &nothing);
    let before = HOSTS.map(|host| Before::of(fleet.host(host)));

    let original = HOSTS.map(|host| text(&format!("hosts/{host}/host.yml")));
    let place = &fleet.host("chicago").place;
    let boulder = boulder::config(&original[0]);
    let chicago = chicago::config(&original[1], &place.address, &place.gateway);
    let commit = say(&fleet, [&boulder, &chicago]);
    converged(&fleet, &commit);
    let ketan = text("DEMO-KEYS-NOT-SECRET/ketan");
    for host in HOSTS {
        system_is_as_said(fleet.host(host));
        ketan_is_as_said(&fleet, host, &ketan);
        digest_is_what_anybody_finds(&fleet, host);
    }
    boulder::is_as_said(&fleet);
    chicago::is_as_said(&fleet);
    for host in fleet.hosts() {
        let (code, drift) = host.drift();
        assert_eq!(code, 0, "{}: {drift:?}", host.name);
    }

    let commit = say(&fleet, [BARE, BARE]);
    converged(&fleet, &commit);
    for (host, before) in HOSTS.iter().zip(&before) {
        before.is_back(fleet.host(host));
    }
    before[0].ketan_is_locked(fleet.host("boulder"), &[]);
    before[1].ketan_is_locked(fleet.host("chicago"), chicago::OF_PACKAGES);
}

/// Commits and pushes the host files, in the order of [`HOSTS`].
fn say(fleet: &Fleet, files: [&str; 2]) -> String {
    for (host, file) in HOSTS.iter().zip(files) {
        fleet.clone.write(&format!("hosts/{host}/host.yml"), file);
    }
    let commit = fleet.clone.commit("hosts");
    fleet.clone.push();
    commit
}

fn converged(fleet: &Fleet, commit: &str) {
    for host in fleet.hosts() {
        host.wait_converged(commit, A_WHILE);
    }
}

/// Asserts that each script prints this on the host.
fn says(host: &Host, expected: &[(&str, &str)]) {
    let wrong = expected.iter().filter_map(|(script, answer)| {
        let said = host.run(script);
        (said.stdout != *answer).then(|| {
            format!(
                "{}# {script}\nmust print {answer:?}\n{}",
                host.name,
                said.all()
            )
        })
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asserts that a developer's clone, at another path of another machine, gives the digest that the host found by itself.
fn digest_is_what_anybody_finds(fleet: &Fleet, host: &str) {
    let on_host = fleet.host(host).status().unwrap().0["generation"]["digest"].clone();
    assert!(on_host.is_string(), "{on_host}");
    for arguments in [
        ["check", "--json", "--host", host].as_slice(),
        &["check", "--json", "--host", host, "--rev", "HEAD"],
    ] {
        let said = fleet.clone.must(arguments, b"");
        let found: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(found["hosts"][0]["digest"], on_host, "{arguments:?}");
    }
}

/// Copies the example into a clone, but for the schemas, which only editors read.
pub fn copy(clone: &Clone) {
    let example = example();
    let mut folders = vec![example.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&example).unwrap().to_str().unwrap();
            if path.is_file() {
                clone.write(name, &fs::read_to_string(&path).unwrap());
            } else if name != ".schema" {
                folders.push(path);
            }
        }
    }
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("repo-example")
}

/// Asserts what `base`, `networking` and `server` make of any machine.
fn system_is_as_said(host: &Host) {
    let name = format!("{}\n", host.name);
    says(
        host,
        &[
            ("hostname", &name),
            ("locale -a | grep -c en_US.utf8", "1\n"),
            (
                ". /etc/default/locale 2>/dev/null || . /etc/locale.conf; echo $LANG",
                "en_US.UTF-8\n",
            ),
            (
                "readlink /etc/localtime | grep -o 'America/.*'",
                "America/Los_Angeles\n",
            ),
            (
                "sshd -T | grep -E '^(port|passwordauthentication|kbdinteractiveauthentication|permitrootlogin|x11forwarding) ' | sort",
                "kbdinteractiveauthentication no\npasswordauthentication no\npermitrootlogin no\nport 22\nx11forwarding no\n",
            ),
            (
                "stat -c '%a %U:%G' /etc/sudoers.d/50-admins && visudo -c -q && cat /etc/sudoers.d/50-admins",
                "440 root:root\n%sudo ALL=(ALL:ALL) NOPASSWD: ALL\n",
            ),
            (
                "grep SystemMaxUse /etc/systemd/journald.conf.d/50-server.conf",
                "SystemMaxUse=500M\n",
            ),
            (
                "apt-config dump APT::Periodic::Unattended-Upgrade",
                "APT::Periodic::Unattended-Upgrade \"1\";\n",
            ),
            (
                "systemctl is-enabled sleep.target suspend.target hibernate.target hybrid-sleep.target || true",
                "masked\nmasked\nmasked\nmasked\n",
            ),
            (
                "dpkg-query -Wf '${db:Status-Status}\\n' bash-completion ca-certificates curl htop less rsync tmux vim-tiny \
          openssh-server sudo locales unattended-upgrades git | sort -u",
                "installed\n",
            ),
            ("systemctl is-active ssh.service", "active\n"),
        ],
    );
}

/// Asserts what `users` and `home` make of `users/ketan.yml`: from afar, with his key, and in his home.
fn ketan_is_as_said(fleet: &Fleet, host: &str, key: &str) {
    let host = fleet.host(host);
    fleet.forge.write_with_mode("/root/ketan", key, 0o600);
    let login = |script: &str| {
        fleet.forge.run(&format!(
            "ssh -i /root/ketan -o BatchMode=yes -o StrictHostKeyChecking=no ketan@{} '{script}'",
            host.place.address
        ))
    };
    let groups = match host.name.as_str() {
        "chicago" => chicago::GROUPS,
        _ => boulder::GROUPS,
    };
    let said = login("id -un; id -u; id -nG; sudo -n id -u; echo $0");
    assert_eq!(
        said.stdout,
        format!("ketan\n1000\n{groups}\n0\nbash\n"),
        "{}",
        said.all()
    );
    for (script, answer) in [
        ("bash -lc \"echo \\$EDITOR \\$LESS\"", "vim -FRX\n"),
        (
            "git config --global --list | sort",
            "init.defaultbranch=main\npull.rebase=true\nuser.email=ketan@example.org\nuser.name=Ketan Example\n",
        ),
        (
            "cat .config/git/ignore",
            "*.swp\n.direnv/\n.venv/\n__pycache__/\n",
        ),
        (
            "grep -c alias .bash_aliases; grep mouse .config/tmux/tmux.conf",
            "2\nset -g mouse on\n",
        ),
        (
            "cat .config/openai/api_key .config/github/token",
            "DEMO-NOT-SECRET-sk-0123456789DEMO-NOT-SECRET-ghp-0123456789",
        ),
        (
            "readlink .config/openai/api_key",
            "/run/secrets/home/ketan/api/openai\n",
        ),
        (
            "cat .config/containers/auth.json",
            "{\"auths\": {\"registry.example.org\": {\"username\": \"ketan\", \"identitytoken\": \"DEMO-NOT-SECRET-registry\"}}}\n",
        ),
        ("find . ! -user ketan | wc -l", "0\n"),
    ] {
        let said = login(script);
        assert_eq!(said.stdout, answer, "{script}: {}", said.all());
    }
    let shadow = host.must("getent shadow ketan");
    assert!(shadow.starts_with("ketan:$6$SWYLm6zKN/xl3ymZ$"), "{shadow}");
    assert_eq!(
        host.must("stat -c '%a %U:%G' -L /home/ketan/.config/openai/api_key"),
        "400 ketan:ketan\n"
    );
}
