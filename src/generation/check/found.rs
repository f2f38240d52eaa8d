//! Findings, each once, whoever has it.

use std::collections::BTreeMap;

use crate::config::{Colour, ConfigError, HostName, Origin, Severity, Sources};
use crate::source::Snapshot;

/// One thing that is wrong or that should be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub error: ConfigError,
    /// The hosts that have it, in order; none if it is about no host.
    pub hosts: Vec<HostName>,
}

/// The findings as text, one after the other, each with its source line.
#[must_use]
pub fn excerpts(findings: &[Finding], snapshot: &Snapshot, colour: Colour) -> Vec<String> {
    let sources = Sources::of(findings.iter().map(|finding| &finding.error), snapshot);
    findings
        .iter()
        .map(|finding| sources.excerpt(&finding.error, finding.severity, colour))
        .collect()
}

/// What makes two findings one: place, message, cause.
type Same = (Option<Origin>, String, Option<String>);

/// Findings by what they are: what many hosts have is said once.
#[derive(Default)]
pub(super) struct Found {
    errors: BTreeMap<Same, Finding>,
    warnings: BTreeMap<Same, Finding>,
}

impl Found {
    /// Takes a finding about `host`, or about none.
    pub(super) fn add(&mut self, severity: Severity, error: ConfigError, host: Option<&HostName>) {
        let origin = error.mark.as_ref().map(|mark| mark.origin.clone());
        let same = (origin, error.message.clone(), error.cause.clone());
        let findings = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        let finding = findings.entry(same).or_insert_with(|| Finding {
            severity,
            error,
            hosts: Vec::new(),
        });
        if let Some(host) = host
            && finding.hosts.last() != Some(host)
        {
            finding.hosts.push(host.clone());
        }
    }

    /// Takes findings that are about no host.
    pub(super) fn all(&mut self, findings: impl IntoIterator<Item = (Severity, ConfigError)>) {
        for (severity, error) in findings {
            self.add(severity, error, None);
        }
    }

    /// Errors and warnings, each by place; an error of a file that no line is known of comes first.
    pub(super) fn into_findings(self) -> (Vec<Finding>, Vec<Finding>) {
        let errors = self.errors.into_values().collect();
        (errors, self.warnings.into_values().collect())
    }
}
