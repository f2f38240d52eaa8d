//! What hosts use and cannot open, and what they can open and never use.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checked, Finding, FindingKind};
use crate::secrets::access::principals::{Principals, ReaderKind};
use crate::secrets::access::survey::{Sealed, Seen, State};
use crate::secrets::access::usage::{SecretUse, Usage};
use crate::secrets::file::KeyPath;
use crate::secrets::repository::Repository;
use crate::source::RepoPath;

/// A secret file, with the hosts that can open it.
struct Opened<'a> {
    sealed: &'a Sealed,
    hosts: BTreeSet<String>,
}

pub(super) fn check(repository: &Repository, usage: &Usage, seen: &[Seen], checked: &mut Checked) {
    let principals = Principals::of(repository, usage);
    let mut files: BTreeMap<&RepoPath, Opened<'_>> = BTreeMap::new();
    for Seen { file, state } in seen {
        if let State::Sealed(sealed) = state {
            let recipients = sealed.sealed.recipients();
            let readers = recipients.iter().map(|text| principals.reader(text));
            let hosts = readers
                .filter(|it| it.kind == ReaderKind::Host)
                .map(|it| it.name);
            let hosts = hosts.collect();
            files.insert(file, Opened { sealed, hosts });
        }
    }
    for (host, used) in &usage.hosts {
        match &used.secrets {
            Err(trouble) => checked.findings.push(Finding {
                file: trouble.file.clone().unwrap_or_else(|| used.file.clone()),
                line: trouble.line,
                kind: FindingKind::InvalidHost,
                what: trouble.what.clone(),
                fix: trouble.fix.clone(),
            }),
            Ok(secrets) => {
                let is_known = principals
                    .hosts()
                    .get(host)
                    .is_some_and(|keys| !keys.is_empty());
                uses(host, secrets, (&files, is_known), checked);
                never_used((host, secrets), &files, &repository.rules_file(), checked);
            }
        }
    }
}

fn uses(
    host: &str,
    secrets: &[SecretUse],
    (files, is_known): (&BTreeMap<&RepoPath, Opened<'_>>, bool),
    checked: &mut Checked,
) {
    let mut push = |kind, secret: &SecretUse, what: String, fix: String| {
        checked.findings.push(Finding {
            file: secret.said_in.clone(),
            line: Some(secret.line),
            kind,
            what,
            fix: Some(fix),
        });
    };
    let onboard = format!("run `steadfast secrets onboard {host}`");
    if !is_known && let Some(first) = secrets.first() {
        push(
            FindingKind::NoHostKey,
            first,
            format!("{host} uses secrets, and no key of it is known"),
            format!("{onboard}; or remove hosts/{host}, if there is no such host any more"),
        );
    }
    let mut closed = BTreeSet::new();
    for secret in secrets {
        let SecretUse {
            name, file, key, ..
        } = secret;
        let path = KeyPath::of(key);
        let Some(opened) = files.get(file) else {
            continue;
        };
        let value = opened.sealed.sealed.ciphertext(key);
        if !value.is_some_and(|text| text.starts_with("ENC[")) {
            let what = match value {
                None => format!("{host} uses `{name}`, and {file} has no value at `{path}`"),
                Some(_) => format!("{host} uses `{name}`, and `{path}` in {file} is not encrypted"),
            };
            let fix = format!("run `steadfast secrets set {file} '{path}'`");
            push(FindingKind::NoValue, secret, what, fix);
        }
        if is_known && !opened.hosts.contains(host) && closed.insert(file) {
            push(
                FindingKind::CannotOpen,
                secret,
                format!("{host} uses `{name}` from {file} and cannot open it"),
                format!("{onboard}, which adds it to the rule of that file"),
            );
        }
    }
}

fn never_used(
    (host, secrets): (&str, &[SecretUse]),
    files: &BTreeMap<&RepoPath, Opened<'_>>,
    rules_file: &RepoPath,
    checked: &mut Checked,
) {
    let used: BTreeSet<&RepoPath> = secrets.iter().map(|secret| &secret.file).collect();
    let unused: Vec<&str> = files
        .iter()
        .filter(|(file, opened)| opened.hosts.contains(host) && !used.contains(*file))
        .map(|(file, _)| file.as_str())
        .collect();
    let Some(first) = unused.first() else { return };
    let shown = match unused.len() {
        1 => (*first).to_owned(),
        count => format!("{first} and {} more", count - 1),
    };
    checked.findings.push(Finding {
        file: rules_file.clone(),
        line: None,
        kind: FindingKind::NeverUsed,
        what: format!("{host} can open {shown}, and uses nothing of it"),
        fix: Some(format!(
            "take {host} out of the rule, then run `steadfast secrets rekey --rotate`; `steadfast secrets who {host}` shows what it can open"
        )),
    });
}
