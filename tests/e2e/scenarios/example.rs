//! `boulder` of `repo-example/`: its real files on a real host, and the way back.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::harness::{Fleet, Host, World};

/// Fifty packages are installed and removed again.
const A_WHILE: Duration = Duration::from_mins(3);

const BARE: &str =
    "description: nothing yet\nplatform: { os: debian, version: \"13\", arch: x86_64 }\n";

/// The host as the example has it, without what is too large for a gate: gcc, g++ and cmake (250 MB) and the debuggers
/// and searchers of `dev-setup`. The test hosts' podman is its generator alone. All else comes from Debian.
fn host(original: &str) -> String {
    let whole = "  dev-setup: { languages: [c, python] }\n";
    let trimmed = "  dev-setup: { languages: [], packages: [direnv, git, jq] }\n";
    assert!(original.contains(whole), "{original}");
    original.replace(whole, trimmed)
}

pub fn a_host_of_the_example_becomes_all_it_says_and_then_what_it_was(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["boulder"]);
    let boulder = fleet.host("boulder");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("repo-example");
    copy(&fleet, &example, &example);
    let text = |path: &str| fs::read_to_string(example.join(path)).unwrap();
    let public = text("hosts/boulder/ssh_host_ed25519_key.pub");
    fleet.change_host_key("boulder", &text("DEMO-KEYS-NOT-SECRET/boulder"), &public);
    // As on every machine; netbase, which comes with curl, would make one and not take it away.
    boulder.write("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 boulder\n");
    // In the end its operator goes, and nobody comes instead.
    fleet.set_up_agents(
        "health: { window: 20s, lockout_window: 20s, passes: 2, every: 1s, keep_operator: false }\n",
    );
    let says = |host: &str| {
        fleet.clone.write("hosts/boulder/host.yml", host);
        let commit = fleet.clone.commit("boulder");
        fleet.clone.push();
        commit
    };
    let nothing = says(BARE);
    fleet.start_agents();
    boulder.wait_converged(&nothing, A_WHILE);
    let files = listing(boulder);
    let accounts = accounts(boulder);
    let packages = packages(boulder);

    let commit = says(&host(&text("hosts/boulder/host.yml")));
    boulder.wait_converged(&commit, A_WHILE);
    system_is_as_said(boulder);
    ketan_is_as_said(&fleet, &text("DEMO-KEYS-NOT-SECRET/ketan"));
    let (code, drift) = boulder.drift();
    assert_eq!(code, 0, "{drift:?}");

    let commit = says(BARE);
    boulder.wait_converged(&commit, A_WHILE);
    assert_eq!(self::packages(boulder), packages);
    assert_eq!(differences(&files, &listing(boulder)), [""; 0]);
    account_is_locked(boulder, &accounts);
}

/// Copies what is in `folder` into the clone, but for the schemas, which only editors read.
fn copy(fleet: &Fleet, example: &Path, folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(example).unwrap().to_str().unwrap();
        if path.is_file() {
            fleet.clone.write(name, &fs::read_to_string(&path).unwrap());
        } else if name != ".schema" {
            copy(fleet, example, &path);
        }
    }
}

/// Asserts what each of the modules `base`, `networking`, `server`, `container` and `dev-setup` makes of the machine.
fn system_is_as_said(boulder: &Host) {
    for (script, answer) in [
        ("hostname", "boulder\n"),
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
            "head -1 /etc/motd",
            "boulder: Development box, an LXC container\n",
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
            "grep unqualified /etc/containers/registries.conf.d/50-fleet.conf",
            "unqualified-search-registries = [\"docker.io\"]\n",
        ),
        (
            "systemctl is-enabled sleep.target suspend.target hibernate.target hybrid-sleep.target e2scrub_all.timer fstrim.timer \
          systemd-pstore.service || true",
            "masked\nmasked\nmasked\nmasked\nmasked\nmasked\nmasked\n",
        ),
        (
            "test -s /etc/profile.d/50-direnv.sh && echo there",
            "there\n",
        ),
        (
            "dpkg-query -Wf '${db:Status-Status}\\n' bash-completion ca-certificates curl htop less rsync tmux vim-tiny \
          openssh-server sudo locales unattended-upgrades direnv git jq podman uidmap | sort -u",
            "installed\n",
        ),
        ("systemctl is-active ssh.service", "active\n"),
    ] {
        assert_eq!(boulder.run(script).stdout, answer, "{script}");
    }
}

/// Asserts what `users` and `home` make of `users/ketan.yml`: from afar, with his key, and in his home.
fn ketan_is_as_said(fleet: &Fleet, key: &str) {
    let boulder = fleet.host("boulder");
    fleet.forge.write_with_mode("/root/ketan", key, 0o600);
    let login = |script: &str| {
        fleet.forge.run(&format!(
            "ssh -i /root/ketan -o BatchMode=yes -o StrictHostKeyChecking=no ketan@{} '{script}'",
            boulder.place.address
        ))
    };
    let said = login("id -un; id -u; id -nG; sudo -n id -u; echo $0");
    assert_eq!(
        said.stdout,
        "ketan\n1000\nketan sudo\n0\nbash\n",
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
        (
            "grep ketan /etc/subuid /etc/subgid",
            "/etc/subuid:ketan:100000:65536\n/etc/subgid:ketan:100000:65536\n",
        ),
        ("find . ! -user ketan | wc -l", "0\n"),
    ] {
        let said = login(script);
        assert_eq!(said.stdout, answer, "{script}: {}", said.all());
    }
    let shadow = boulder.must("getent shadow ketan");
    assert!(shadow.starts_with("ketan:$6$SWYLm6zKN/xl3ymZ$"), "{shadow}");
    assert_eq!(
        boulder.must("stat -c '%a %U:%G' -L /home/ketan/.config/openai/api_key"),
        "400 ketan:ketan\n"
    );
}

fn packages(host: &Host) -> String {
    host.must("dpkg-query --show --showformat='${Package} ${Version} ${db:Status-Abbrev}\\n'; apt-mark showauto; apt-mark showhold")
}

/// Type, mode, owner and content of everything where people and packages keep what is not theirs to throw away.
fn listing(host: &Host) -> BTreeMap<String, String> {
    let text = host.must(
        "find /etc /usr/local /home /root -printf '%p\\t%y %m %U:%G %l\\n'; \
         find /etc /usr/local /home /root -type f -print0 | xargs -0 sha256sum | sed 's/^\\([0-9a-f]*\\)  \\(.*\\)/\\2\\t\\1/'",
    );
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines() {
        let (path, fact) = line.split_once('\t').unwrap();
        let facts = all.entry(path.to_owned()).or_default();
        facts.push_str(fact);
        facts.push(' ');
    }
    all
}

/// Paths that need not be what they were, and why. What is below a folder of these is excepted as well.
const EXCEPTIONS: [(&str, &str); 3] = [
    (
        "/home/ketan",
        "homes stay with their accounts, with what useradd and sudo put there; see below",
    ),
    ("/etc/.pwd.lock", "the lock of the account tools"),
    (
        "/etc/ld.so.cache",
        "a cache; ldconfig sorts it by what was installed when",
    ),
];

/// Files of accounts, which are locked and not deleted: looked at line by line; and what the account tools keep of them.
const ACCOUNTS: [&str; 6] = ["passwd", "group", "shadow", "gshadow", "subuid", "subgid"];

/// What differs, without what may.
fn differences(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let mut all: Vec<&String> = before.keys().chain(after.keys()).collect();
    all.sort();
    all.dedup();
    let below = |path: &str, folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let excepted = |path: &str| {
        let of_accounts = path
            .strip_prefix("/etc/")
            .is_some_and(|name| ACCOUNTS.contains(&name.trim_end_matches('-')));
        of_accounts || EXCEPTIONS.iter().any(|(except, _)| below(path, except))
    };
    all.into_iter()
        .filter(|path| before.get(*path) != after.get(*path) && !excepted(path))
        .map(|path| format!("{path}: {:?}, now {:?}", before.get(path), after.get(path)))
        .collect()
}

fn accounts(host: &Host) -> String {
    host.must("cat /etc/passwd /etc/group /etc/gshadow /etc/subuid /etc/subgid; cut -d: -f1,2 /etc/shadow")
}

/// Asserts that the account cannot log in, keeps its ids and group, and that no other differs.
fn account_is_locked(host: &Host, before: &str) {
    let now = accounts(host);
    let new: Vec<&str> = now
        .lines()
        .filter(|line| !before.lines().any(|old| old == *line))
        .collect();
    let left = [
        "ketan:x:1000:1000:Ketan Example:/home/ketan:/bin/bash",
        "sudo:x:27:ketan",
        "ketan:x:1000:",
        "sudo:*::ketan",
        "ketan:!::",
        "ketan:100000:65536",
        "ketan:100000:65536",
    ];
    let (shadow, rest) = new.split_last().unwrap();
    assert_eq!(rest, left);
    assert!(shadow.starts_with("ketan:!"), "{shadow}");
    let gone: Vec<&str> = before
        .lines()
        .filter(|line| !now.lines().any(|new| new == *line))
        .collect();
    assert_eq!(gone, ["sudo:x:27:", "sudo:*::"]);
    assert_eq!(
        host.must("cd /home/ketan && find . -type f | sort"),
        "./.bash_logout\n./.bashrc\n./.profile\n./.sudo_as_admin_successful\n"
    );
}
