//! What a change of the repository would do to a host: from two builds, without the host.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Area, Change, TextChange};
use crate::activation::{Held, Observed, Owned, draft};
use crate::config::HostName;
use crate::generation::{
    Additions, Built, Change as Difference, Manifest, Originals, PathKind, diff,
};
use crate::host::{Digest, HostPath};
use crate::secrets::{TemplateSegment, TemplateSpec};

/// What a change of the repository would do to a host that is as the repository said before.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Forecast {
    /// What differs between the generations, resource by resource.
    pub changes: Vec<Difference>,
    /// What units would do, in order, each with its reason.
    pub units: Vec<Change>,
    /// What differs inside files and templates, by path.
    pub texts: Vec<TextChange>,
}

impl Forecast {
    /// Compares what a host was with what it would be; `None` stands for a host that is not there.
    ///
    /// Texts are compared where there is something to compare with: of a host that is new or gone they are not shown.
    #[must_use]
    pub fn between(host: &HostName, from: Option<&Built>, to: Option<&Built>) -> Self {
        let nothing = Manifest::empty(host.clone());
        let old = from.map_or(&nothing, |built| &built.manifest);
        let new = to.map_or(&nothing, |built| &built.manifest);
        Self {
            changes: diff(old, new),
            units: units((old, from), (new, to)),
            texts: match (from, to) {
                (Some(from), Some(to)) => texts(from, to),
                _ => Vec::new(),
            },
        }
    }

    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// What a plan from one to the other asks of units.
fn units(
    (old, from): (&Manifest, Option<&Built>),
    (new, to): (&Manifest, Option<&Built>),
) -> Vec<Change> {
    let originals = Originals::default();
    let owned = Owned {
        generations: vec![old],
        originals: &originals,
        additions: &Additions::default(),
        unfinished: [].into(),
    };
    let mut observed = Observed::as_if_towards(old, new);
    observed.read_unit_files(&[new, old], |digest| {
        let mut sides = [to, from].into_iter().flatten();
        sides.find_map(|built| built.objects.get(digest).cloned())
    });
    let plan = draft(new, &owned, &observed, Held::Nothing).into_plan();
    let mut changes = Change::of_plan(&plan);
    changes.retain(|change| change.area == Area::Units && change.subject != "systemd");
    changes
}

fn texts(from: &Built, to: &Built) -> Vec<TextChange> {
    let (old, new) = (&from.manifest, &to.manifest);
    let mut found = Vec::new();
    let paths: BTreeSet<&HostPath> = old.paths.keys().chain(new.paths.keys()).collect();
    for path in paths {
        let (before, after) = (content_at(old, path), content_at(new, path));
        if before == after {
            continue;
        }
        let bytes = |built: &'_ Built, digest: Option<&Digest>| {
            digest.map(|digest| built.objects.get(digest).cloned().unwrap_or_default())
        };
        let (before, after) = (bytes(from, before), bytes(to, after));
        found.extend(TextChange::of(
            ("file", path.as_str()),
            (before.as_deref(), after.as_deref()),
        ));
    }
    let names: BTreeSet<_> = old.templates.keys().chain(new.templates.keys()).collect();
    for name in names {
        let before = old.templates.get(name).map(written);
        let after = new.templates.get(name).map(written);
        found.extend(TextChange::of(
            ("template", name.as_str()),
            (before.as_deref(), after.as_deref()),
        ));
    }
    found
}

fn content_at<'m>(manifest: &'m Manifest, path: &HostPath) -> Option<&'m Digest> {
    match &manifest.paths.get(path)?.kind {
        PathKind::File { content, .. } => Some(content),
        PathKind::Directory { .. } | PathKind::Symlink { .. } => None,
    }
}

/// A template as it is written, with the names of secrets.
fn written(template: &TemplateSpec) -> Vec<u8> {
    let parts = template.segments.iter().map(|segment| match segment {
        TemplateSegment::Text(text) => text.clone(),
        TemplateSegment::Secret(name) => format!("{{{{ secret(\"{name}\") }}}}"),
    });
    parts.collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests;
