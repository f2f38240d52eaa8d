//! What may be meant by a name.

use std::collections::BTreeSet;

use super::{Known, UnknownThing};
use crate::config::nearest;

/// A thing by its kind and its name.
pub(super) type Named = (String, String);

/// Kinds of more than one word, as places are recorded under them.
const LONG_KINDS: [&str; 2] = ["kernel module ", "package repository "];
/// What is installed from secrets.
const RENDERED: &str = "rendered/";
const INSTALLED: &str = "/run/secrets/";
const KERNEL: &str = "/proc/sys/";
/// The most names that are suggested.
const SUGGESTED: usize = 5;

/// Everything that `asked` may mean; never empty.
pub(super) fn meant(known: &Known<'_>, asked: &str) -> Result<Vec<Named>, UnknownThing> {
    let all = known.named();
    let asked = asked.trim();
    let spellings = spellings(asked);
    let mut found: Vec<Named> = all
        .iter()
        .filter(|(kind, name)| {
            spellings.iter().any(|(of_kind, spelled)| {
                spelled == name && of_kind.is_none_or(|of_kind| of_kind == kind)
                    || name.is_empty() && spelled == kind
            })
        })
        .cloned()
        .collect();
    if found.is_empty() && !asked.contains(['.', '/']) {
        let stem = |name: &str| name.rsplit_once('.').map(|(stem, _)| stem.to_owned());
        let units = all
            .iter()
            .filter(|(kind, name)| kind == "unit" && stem(name).as_deref() == Some(asked));
        found.extend(units.cloned());
    }
    if !found.is_empty() {
        return Ok(found);
    }
    Err(UnknownThing {
        host: known.resolution.config.name.to_string(),
        nearest: suggestions(asked, &all),
        asked: asked.to_owned(),
    })
}

/// The ways in which a name may be meant, each with the kind that it says.
fn spellings(asked: &str) -> Vec<(Option<&str>, String)> {
    let mut spellings = vec![(None, asked.to_owned())];
    for kind in LONG_KINDS {
        if let Some(name) = asked.strip_prefix(kind) {
            spellings.push((Some(kind.trim_end()), name.to_owned()));
        }
    }
    if let Some((kind, name)) = asked.split_once(' ') {
        let kind = if kind == "link" { "symlink" } else { kind };
        spellings.push((Some(kind), name.to_owned()));
    }
    // As a plan prints a kernel parameter and the host name.
    if let Some((key, _)) = asked.split_once(" = ") {
        spellings.push((Some("sysctl"), key.to_owned()));
    }
    if asked.starts_with("host name") {
        spellings.push((None, "hostname".to_owned()));
    }
    if let Some(installed) = asked.strip_prefix(INSTALLED) {
        spellings.push(secret(installed));
    }
    spellings.push(secret(asked));
    if let Some(key) = asked.strip_prefix(KERNEL) {
        spellings.push((Some("sysctl"), key.replace('/', ".")));
    }
    spellings
}

/// A secret, or a template, as it is named below `/run/secrets`.
fn secret(name: &str) -> (Option<&str>, String) {
    match name.strip_prefix(RENDERED) {
        Some(template) => (Some("template"), template.to_owned()),
        None => (Some("secret"), name.to_owned()),
    }
}

fn suggestions(asked: &str, all: &BTreeSet<Named>) -> Vec<String> {
    let plain = asked.split_once(' ').map_or(asked, |(_, name)| name);
    let names = all.iter().map(|(_, name)| name.as_str());
    let close = nearest(plain, names.filter(|name| !name.is_empty()));
    let similar = all.iter().filter(|(kind, name)| {
        Some(name.as_str()) == close
            || plain.len() > 2 && name.contains(plain)
            || name.is_empty() && nearest(plain, [kind.as_str()]).is_some()
    });
    let mut similar: Vec<&Named> = similar.collect();
    similar.sort_by_key(|(_, name)| Some(name.as_str()) != close);
    let words = similar.into_iter().take(SUGGESTED);
    words
        .map(|(kind, name)| format!("`{}`", format!("{kind} {name}").trim_end()))
        .collect()
}

impl Known<'_> {
    /// Everything that has a name.
    fn named(&self) -> BTreeSet<Named> {
        let manifest = &self.built.manifest;
        let mut all: BTreeSet<Named> = self.built.origins.keys().map(|key| split(key)).collect();
        all.retain(|(kind, _)| kind != "check");
        for (index, check) in manifest.health.iter().enumerate() {
            all.insert(("check".to_owned(), check.probe.label()));
            all.insert(("check".to_owned(), (index + 1).to_string()));
        }
        for (module, used) in &self.resolution.modules {
            all.insert(("module".to_owned(), module.to_string()));
            let options = used.options.keys();
            all.extend(options.map(|option| ("option".to_owned(), format!("{module}.{option}"))));
        }
        // Units that only act on something, and folders that are made on the way to something.
        for unit in self.units_that_act() {
            all.insert(("unit".to_owned(), unit.to_string()));
        }
        for path in manifest.paths.keys() {
            let mut above = path.parent();
            while let Some(folder) = above.filter(|folder| folder.as_str() != "/") {
                if !manifest.paths.contains_key(&folder) {
                    all.insert(("parent directory".to_owned(), folder.to_string()));
                }
                above = folder.parent();
            }
        }
        all
    }
}

/// `file /etc/motd`, `kernel module loop`, `hostname`.
fn split(key: &str) -> Named {
    for kind in LONG_KINDS {
        if let Some(name) = key.strip_prefix(kind) {
            return (kind.trim_end().to_owned(), name.to_owned());
        }
    }
    let (kind, name) = key.split_once(' ').unwrap_or((key, ""));
    (kind.to_owned(), name.to_owned())
}
