//! The configuration of sshd as it will be, in a directory of its own: the main file, whose `Include` is led to the
//! drop-ins beside it.

use std::collections::BTreeMap;

use super::super::failure::HostFailure;
use super::super::{Plan, Step};
use super::checks::{SSHD_CONFIG, SSHD_DROP_INS, is_of_sshd};
use crate::generation::{PathKind, Store};
use crate::host::{Host, HostPath, PathState};

/// Larger files are no configuration.
const LARGEST_BYTES: u64 = 1024 * 1024;

/// The files of sshd as they will be when `plan` is carried out.
pub(super) fn files_to_be(
    plan: &Plan,
    host: &Host,
    store: &Store,
) -> Result<BTreeMap<HostPath, Vec<u8>>, HostFailure> {
    let mut files = BTreeMap::new();
    for path in files_there(host)? {
        if let Some(content) = read(host, &path)? {
            files.insert(path, content);
        }
    }
    for step in &plan.steps {
        match step {
            Step::WritePath { path, entry, .. } if is_of_sshd(path) => match &entry.kind {
                PathKind::File { content, .. } => {
                    files.insert(path.clone(), store.object(content)?);
                }
                PathKind::Directory { .. } | PathKind::Symlink { .. } => {
                    files.remove(path);
                }
            },
            Step::RemovePath { path, .. } if is_of_sshd(path) => {
                files.remove(path);
            }
            Step::RestoreOriginal { path, .. } if is_of_sshd(path) => {
                match store.originals()?.get(path) {
                    Some(PathState::File { content, .. }) => {
                        files.insert(path.clone(), store.object(content)?);
                    }
                    _ => {
                        files.remove(path);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(files)
}

fn files_there(host: &Host) -> Result<Vec<HostPath>, HostFailure> {
    let names = match HostPath::new(SSHD_DROP_INS.trim_end_matches('/')) {
        Ok(directory) => host.list(&directory)?.unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    let drop_ins = names
        .iter()
        .filter_map(|name| HostPath::new(format!("{SSHD_DROP_INS}{name}")).ok());
    let mut paths: Vec<HostPath> = drop_ins.filter(is_of_sshd).collect();
    paths.extend(HostPath::new(SSHD_CONFIG).ok());
    Ok(paths)
}

/// The content of a file or of what a link leads to; `None` if there is none.
fn read(host: &Host, path: &HostPath) -> Result<Option<Vec<u8>>, HostFailure> {
    let found = host.read_through_links(path, LARGEST_BYTES)?;
    Ok(found.map(|(_, content)| content))
}

/// The main file with its `Include` of the drop-ins led to `drop_ins`; `None` if it includes none.
pub(super) fn led_to(config: &str, drop_ins: &str) -> Option<String> {
    let mut found = false;
    let lines: Vec<String> = config
        .lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            let is_include = words
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case("include"));
            if !is_include || !line.contains(SSHD_DROP_INS) {
                return line.to_owned();
            }
            found = true;
            line.replace(SSHD_DROP_INS, drop_ins)
        })
        .collect();
    found.then(|| lines.join("\n") + "\n")
}
