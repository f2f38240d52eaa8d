//! What a plan has judged. Pure.

use std::collections::BTreeSet;

use super::super::{PathChange, Plan, Step};
use crate::generation::{Manifest, PathKind};
use crate::host::{Digest, HostPath};

/// One question about new content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Check {
    /// A program judges one file.
    Program {
        /// Where the file is to be.
        path: HostPath,
        /// Its new content.
        content: Digest,
        /// The program with its arguments; `{file}` stands for the file.
        argv: Vec<String>,
        /// What it means when there is no such program.
        missing: Missing,
    },
    /// `sshd` judges its configuration as a whole.
    Sshd,
    /// systemd judges units of ours: those whose files change.
    Units(BTreeSet<HostPath>),
}

/// What it means when there is no such program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Missing {
    /// The file is refused: somebody asked for this program.
    Refuse,
    /// The file is taken: who would read it is not there either.
    Accept,
}

/// Where sshd reads its configuration.
pub(super) const SSHD_CONFIG: &str = "/etc/ssh/sshd_config";
/// Where drop-ins of it are.
pub(super) const SSHD_DROP_INS: &str = "/etc/ssh/sshd_config.d/";
/// Where unit files of ours are.
pub(super) const UNITS: &str = "/etc/systemd/system/";

/// Everything that is to be judged before `plan` is carried out.
pub(in super::super) fn checks(plan: &Plan, desired: &Manifest) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut units = BTreeSet::new();
    let mut sshd = false;
    for step in &plan.steps {
        let (Step::WritePath { path, .. }
        | Step::RemovePath { path, .. }
        | Step::RestoreOriginal { path, .. }) = step
        else {
            continue;
        };
        sshd |= is_of_sshd(path);
        let Some(content) = written(step) else {
            continue;
        };
        if let Some(argv) = desired.validators.get(path) {
            checks.push(program(path, content, argv.clone(), Missing::Refuse));
        }
        if let Some(argv) = built_in(path) {
            checks.push(program(path, content, argv, Missing::Accept));
        }
        if path.as_str().starts_with(UNITS) {
            units.insert(path.clone());
        }
    }
    if sshd {
        checks.push(Check::Sshd);
    }
    if !units.is_empty() {
        checks.push(Check::Units(units));
    }
    checks
}

/// The new content of a file; `None` if the step gives it none.
fn written(step: &Step) -> Option<&Digest> {
    match step {
        Step::WritePath { entry, change, .. } if *change != PathChange::Metadata => {
            match &entry.kind {
                PathKind::File { content, .. } => Some(content),
                PathKind::Directory { .. } | PathKind::Symlink { .. } => None,
            }
        }
        _ => None,
    }
}

fn program(path: &HostPath, content: &Digest, argv: Vec<String>, missing: Missing) -> Check {
    Check::Program {
        path: path.clone(),
        content: content.clone(),
        argv,
        missing,
    }
}

/// What judges the files of a few programs that lock people out, or everybody in, when they are wrong.
fn built_in(path: &HostPath) -> Option<Vec<String>> {
    let text = path.as_str();
    let argv: &[&str] = if text == "/etc/sudoers" || text.starts_with("/etc/sudoers.d/") {
        &["/usr/sbin/visudo", "-c", "-f", "{file}"]
    } else if text == "/etc/nftables.conf" {
        &["/usr/sbin/nft", "-c", "-f", "{file}"]
    } else {
        return None;
    };
    Some(argv.iter().map(|&word| word.to_owned()).collect())
}

pub(super) fn is_of_sshd(path: &HostPath) -> bool {
    let text = path.as_str();
    text == SSHD_CONFIG || (text.starts_with(SSHD_DROP_INS) && text.strip_suffix(".conf").is_some())
}
