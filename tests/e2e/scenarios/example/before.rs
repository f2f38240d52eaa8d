//! What a host was before it became one of the example, to compare with what it is afterwards.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::Host;

/// Paths that need not be what they were, and why. What is below a folder of these is excepted as well.
const EXCEPTIONS: [(&str, &str); 6] = [
    ("/home/dave", "homes stay with their accounts"),
    ("/home/lena", "homes stay with their accounts"),
    (
        "/home/ketan",
        "homes stay with their accounts, with what useradd and sudo put there; see below",
    ),
    ("/etc/.pwd.lock", "the lock of the account tools"),
    (
        "/etc/ld.so.cache",
        "a cache; ldconfig sorts it by what was installed when",
    ),
    (
        "/root/.nix-profile",
        "nix makes it in the home of whoever uses it, as root for its collector of garbage",
    ),
];

/// Files of accounts, which are locked and not deleted: looked at line by line; and what the account tools keep of them.
const ACCOUNTS: [&str; 6] = ["passwd", "group", "shadow", "gshadow", "subuid", "subgid"];

/// What stays of ketan, and of the group that is his.
const LEFT: &[&str] = &[
    "ketan:!::",
    "ketan:100000:65536",
    "ketan:100000:65536",
    "ketan:x:1000:",
    "ketan:x:1000:1000:Ketan Example:/home/ketan:/bin/bash",
];

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
        let packages = packages(host);
        let came = only_in(&packages, &self.packages);
        let gone = only_in(&self.packages, &packages);
        assert_eq!((came, gone), (vec![], vec![]), "{}", host.name);
        assert_eq!(
            differences(&self.files, &listing(host)),
            [""; 0],
            "{}",
            host.name
        );
    }

    /// Asserts that ketan cannot log in, that he keeps his ids and is in no group of ours any more, and that but for him and for
    /// what packages leave of their accounts nothing is new in the files of accounts, and no line is gone.
    pub fn ketan_is_locked(&self, host: &Host, of_packages: &[&str]) {
        let now = accounts(host);
        let mut new = only_in(&now, &self.accounts);
        let locked = new.extract_if(.., |line| line.starts_with("ketan:!$6$"));
        assert_eq!(locked.count(), 1, "{}: {now}", host.name);
        // Accounts with a number, such as nixbld1, come in packs.
        let name = |line: &str| {
            let name = line.split(':').next().unwrap_or_default();
            name.trim_end_matches(|c: char| c.is_ascii_digit())
                .to_owned()
        };
        let theirs: Vec<String> = new
            .extract_if(.., |line| of_packages.contains(&name(line).as_str()))
            .collect();
        let names: BTreeSet<String> = theirs.iter().map(|line| name(line)).collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), of_packages);
        // An account of a package has no shell, and neither it nor a group has a password.
        let is_harmless = |line: &String| match line.matches(':').count() {
            6 => line.ends_with(":/usr/sbin/nologin"),
            _ => line.contains(":x:") || line.contains(":!"),
        };
        assert!(theirs.iter().all(is_harmless), "{theirs:?}");
        new.sort();
        assert_eq!(new, LEFT, "{}", host.name);
        let gone = only_in(&self.accounts, &now);
        assert_eq!(gone, [""; 0], "{}", host.name);
        assert_eq!(
            host.must("cd /home/ketan && find . -type f | sort"),
            "./.bash_logout\n./.bashrc\n./.profile\n./.sudo_as_admin_successful\n"
        );
    }
}

/// The lines of one text that another has not.
fn only_in(one: &str, other: &str) -> Vec<String> {
    let others: Vec<&str> = other.lines().collect();
    one.lines()
        .filter(|line| !others.contains(line))
        .map(str::to_owned)
        .collect()
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
