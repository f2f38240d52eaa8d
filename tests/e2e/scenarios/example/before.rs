//! What a host was before it became one of the example, to compare with what it is afterwards.

use std::collections::BTreeMap;

use crate::harness::Host;

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

/// A host as it was found.
pub struct Before {
    files: BTreeMap<String, String>,
    accounts: String,
    packages: String,
}

impl Before {
    pub fn of(host: &Host) -> Self {
        Self {
            files: listing(host),
            accounts: accounts(host),
            packages: packages(host),
        }
    }

    /// Asserts that packages, and all files but those of accounts, are what they were.
    pub fn is_back(&self, host: &Host) {
        assert_eq!(packages(host), self.packages, "{}", host.name);
        assert_eq!(
            differences(&self.files, &listing(host)),
            [""; 0],
            "{}",
            host.name
        );
    }

    /// Asserts that ketan cannot log in, that he keeps his ids and is in no group of ours any more, and that but for him these lines of the files of
    /// accounts are all that is new, and no line is gone.
    pub fn ketan_is_locked(&self, host: &Host, left: &[&str]) {
        let now = accounts(host);
        let only_in = |one: &str, other: &str| -> Vec<String> {
            let others: Vec<&str> = other.lines().collect();
            one.lines()
                .filter(|line| !others.contains(line))
                .map(str::to_owned)
                .collect()
        };
        let (shadow, new): (Vec<_>, Vec<_>) = only_in(&now, &self.accounts)
            .into_iter()
            .partition(|line| line.starts_with("ketan:!$6$"));
        let mut new = new;
        new.sort();
        assert_eq!(shadow.len(), 1, "{}: {now}", host.name);
        assert_eq!(new, left, "{}", host.name);
        let gone = only_in(&self.accounts, &now);
        assert_eq!(gone, [""; 0], "{}", host.name);
        assert_eq!(
            host.must("cd /home/ketan && find . -type f | sort"),
            "./.bash_logout\n./.bashrc\n./.profile\n./.sudo_as_admin_successful\n"
        );
    }
}

fn packages(host: &Host) -> String {
    host.must("dpkg-query --show --showformat='${Package} ${Version} ${db:Status-Abbrev}\\n'; apt-mark showauto; apt-mark showhold")
}

fn accounts(host: &Host) -> String {
    host.must("cat /etc/passwd /etc/group /etc/gshadow /etc/subuid /etc/subgid; cut -d: -f1,2 /etc/shadow")
}

/// Type, mode, owner and content of everything where people and packages keep what is not theirs to throw away.
fn listing(host: &Host) -> BTreeMap<String, String> {
    let text = host.must(
        "find /etc /usr/local /home /root /srv -path /srv/apt -prune -o -printf '%p\\t%y %m %U:%G %l\\n'; \
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
