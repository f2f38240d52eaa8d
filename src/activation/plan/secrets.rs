//! Secrets and templates: one step installs them all, when any is not as it should be.

use super::decide::{Draft, Situation};
use super::{SecretChange, Step};
use crate::host::UnitId;
use crate::secrets::{
    SecretName, SecretState, TemplateName, TemplateSegment, TemplateSpec, UnitTriggers,
};

pub(super) fn decide(at: &Situation<'_>, draft: &mut Draft) {
    let mut found = Vec::new();
    for (name, spec) in &at.desired.secrets {
        let state = at.observed.secrets.get(name).copied();
        let unchanged = at.unchanged(|m| m.secrets.get(name));
        found.push(Found {
            name: name.to_string(),
            state: state.unwrap_or(SecretState::Missing),
            unchanged,
            units: &spec.units,
        });
    }
    for (name, spec) in &at.desired.templates {
        let state = at.observed.templates.get(name).copied();
        found.push(Found {
            name: format!("rendered/{name}"),
            state: state.unwrap_or(SecretState::Missing),
            unchanged: template_unchanged(at, name, spec),
            units: &spec.units,
        });
    }
    for one in &found {
        note(at, one, draft);
    }
    let mut changes: Vec<SecretChange> = found.iter().filter_map(Found::change).collect();
    changes.extend(at.observed.stale_secrets.iter().map(|name| SecretChange {
        name: name.clone(),
        found: None,
    }));
    let acts = !at.observed.stale_secrets.is_empty()
        || found
            .iter()
            .any(|one| one.change().is_some() && !one.held(at));
    if !acts {
        return;
    }
    for one in found.iter().filter(|one| one.change().is_some()) {
        trigger(one.units, &format!("secret {}", one.name), draft);
    }
    draft.steps.push(Step::InstallSecrets { changes });
}

/// Adds the units of a resource that changes.
pub(super) fn trigger(units: &UnitTriggers, what: &str, draft: &mut Draft) {
    let why = |unit: &UnitId| (unit.clone(), format!("{what} changes"));
    for unit in &units.restart {
        let (unit, why) = why(unit);
        draft.restart.entry(unit).or_insert(why);
    }
    for unit in &units.reload {
        let (unit, why) = why(unit);
        draft.reload.entry(unit).or_insert(why);
    }
}

struct Found<'a> {
    name: String,
    state: SecretState,
    unchanged: bool,
    units: &'a UnitTriggers,
}

impl Found<'_> {
    fn change(&self) -> Option<SecretChange> {
        match self.state {
            // Nothing can be installed for a value that does not open; what is there stays.
            SecretState::Current | SecretState::Unknown => None,
            state => Some(SecretChange {
                name: self.name.clone(),
                found: Some(state),
            }),
        }
    }

    /// A secret that is gone is never held: it is gone after every boot.
    fn held(&self, at: &Situation<'_>) -> bool {
        self.state != SecretState::Missing && at.holds(at.desired.drift, self.unchanged)
    }
}

fn note(at: &Situation<'_>, one: &Found<'_>, draft: &mut Draft) {
    let subject = format!("secret {}", one.name);
    match one.state {
        SecretState::Unknown => draft.notice(
            subject,
            "could not be opened here, so it is not compared and not installed",
        ),
        SecretState::Different | SecretState::Metadata if one.held(at) => draft.notice(
            subject,
            "was changed by somebody; it is left so, because drift is only reported",
        ),
        _ => {}
    }
}

/// A template changes with its text and with every secret in it.
fn template_unchanged(at: &Situation<'_>, name: &TemplateName, spec: &TemplateSpec) -> bool {
    let inputs = spec.segments.iter().filter_map(|segment| match segment {
        TemplateSegment::Secret(secret) => Some(secret),
        TemplateSegment::Text(_) => None,
    });
    at.unchanged(|m| m.templates.get(name)) && all_unchanged(at, inputs)
}

fn all_unchanged<'a>(
    at: &Situation<'_>,
    mut secrets: impl Iterator<Item = &'a SecretName>,
) -> bool {
    secrets.all(|secret| at.unchanged(|m| m.secrets.get(secret)))
}
