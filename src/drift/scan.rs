//! Looking for drift. Changes nothing.

use super::diff::{LARGEST_SHOWN_BYTES, unified};
use super::item;
use super::report::{DriftClass, DriftItem, DriftReport, REPORT_VERSION};
use crate::activation::{Held, HostFailure, ObserveError, Owned, draft, observe, waiting_units};
use crate::generation::{Generation, Manifest, PathKind, Store};
use crate::host::{FileErrorKind, Host, HostPath};
use crate::secrets::OpenedSecrets;

/// Compares the host with `current`, the generation in force.
///
/// `secrets` are those of `current`, opened; without them installed secrets are not compared.
///
/// # Errors
/// [`ObserveError`] if anything cannot be looked at: unreadable is not unchanged.
pub async fn scan(
    host: &Host,
    store: &Store,
    current: &Generation,
    secrets: Option<&OpenedSecrets>,
) -> Result<DriftReport, ObserveError> {
    let manifest = &current.manifest;
    let observed = observe(host, &[manifest], secrets).await?;
    let originals = store.originals()?;
    let additions = store.additions()?;
    let owned = Owned {
        generations: vec![manifest],
        originals: &originals,
        additions: &additions,
        unfinished: [].into(),
    };
    let draft = draft(manifest, &owned, &observed, Held::Nothing);
    let mut items: Vec<DriftItem> = draft
        .conflicts
        .iter()
        .map(|conflict| item::of_conflict(manifest, conflict))
        .collect();
    for step in &draft.into_plan().steps {
        items.extend(item::of_step(manifest, &observed, step));
    }
    let residue = observed.residue.iter();
    items.extend(residue.map(|(left, of)| item::of_residue(manifest, left, of)));
    for item in &mut items {
        if item.class == DriftClass::Content {
            show(host, store, current, item)?;
        }
        item.trace = item.path().and_then(|path| host.trace(&path));
    }
    Ok(DriftReport {
        version: REPORT_VERSION,
        host: manifest.host.clone(),
        generation: current.number,
        items,
        holds: Vec::new(),
        notices: waiting_units(&observed.unmet),
    })
}

/// Adds what differs inside a file, or says why it is not shown.
fn show(
    host: &Host,
    store: &Store,
    current: &Generation,
    item: &mut DriftItem,
) -> Result<(), HostFailure> {
    let Some((path, wanted)) = file_of(&current.manifest, &item.subject) else {
        return Ok(());
    };
    let wanted = store.object(wanted)?;
    let actual = match host.read_file(&path, LARGEST_SHOWN_BYTES) {
        Ok(Some(actual)) if wanted.len() as u64 <= LARGEST_SHOWN_BYTES => actual,
        // Gone since it was looked at: the next scan says so.
        Ok(None) => return Ok(()),
        Ok(Some(_)) => {
            item.detail.push_str(" (too large to show)");
            return Ok(());
        }
        Err(error) if matches!(error.kind, FileErrorKind::TooLarge { .. }) => {
            item.detail.push_str(" (too large to show)");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    match unified(&path, current.number, &wanted, &actual) {
        Ok(diff) => item.diff = Some(diff),
        Err(why) => item.detail = format!("{} ({why})", item.detail),
    }
    Ok(())
}

fn file_of<'a>(
    manifest: &'a Manifest,
    subject: &str,
) -> Option<(HostPath, &'a crate::host::Digest)> {
    let path = HostPath::new(subject).ok()?;
    match &manifest.paths.get(&path)?.kind {
        PathKind::File { content, .. } => Some((path, content)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
