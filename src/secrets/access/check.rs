//! Everything about the secrets of a repository that is not as it should be. No private key is needed.

mod files;
mod hosts;

use super::survey::{Asked, survey};
use super::transaction::is_interrupted;
use super::usage::Usage;
use crate::host::Watcher;
use crate::identity::Identities;
use crate::secrets::repository::{
    MustChange, Repository, RepositoryError, RulesText, default_rules_file,
};
use crate::source::RepoPath;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file that it is about.
    pub file: RepoPath,
    /// Line, from 1, where that is known.
    pub line: Option<u32>,
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// What is wrong.
    pub what: String,
    /// How to put it right.
    pub fix: Option<String>,
}

/// What kind of thing a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// `.sops.yaml` cannot be read, or not as sops reads it.
    InvalidRules,
    /// The rule for a file cannot be used.
    UnusableRule,
    /// A rule names the file, and it is not encrypted.
    InTheClear,
    /// A value that the file's selector chooses is not encrypted.
    ClearValue,
    /// It cannot be read as a secret file, or its metadata is wrong.
    InvalidFile,
    /// Its recipients are not those of its rule.
    Recipients,
    /// It is encrypted and no rule says for whom.
    NoRule,
    /// A key opens it, and its MAC or a value is wrong.
    NotWhole,
    /// No key that is here opens it, though that was asked for.
    NotVerified,
    /// A host uses it and cannot open it.
    CannotOpen,
    /// A host uses a value that is not there, or not encrypted.
    NoValue,
    /// A host uses secrets, and its key is not known.
    NoHostKey,
    /// A host's file is wrong, so that nobody can tell what it uses.
    InvalidHost,
    /// A host can open files that it never uses.
    NeverUsed,
    /// A value that somebody could read who must not any more.
    MustChange,
    /// An interrupted run left something.
    Interrupted,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It must be put right.
    Error,
    /// It should be known.
    Warning,
}

impl FindingKind {
    /// How bad it is.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::NoRule | Self::NeverUsed | Self::NotVerified => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether it is work that somebody still has to do, which no commit makes worse and a commit may be a part of.
    #[must_use]
    pub fn is_standing(self) -> bool {
        matches!(self, Self::MustChange | Self::NoHostKey)
    }

    /// A word for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRules => "invalid_rules",
            Self::UnusableRule => "unusable_rule",
            Self::InTheClear => "in_the_clear",
            Self::ClearValue => "clear_value",
            Self::InvalidFile => "invalid_file",
            Self::Recipients => "recipients",
            Self::NoRule => "no_rule",
            Self::NotWhole => "not_whole",
            Self::NotVerified => "not_verified",
            Self::CannotOpen => "cannot_open",
            Self::NoValue => "no_value",
            Self::NoHostKey => "no_host_key",
            Self::InvalidHost => "invalid_host",
            Self::NeverUsed => "never_used",
            Self::MustChange => "must_change",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Whether MACs are verified.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "holds private keys")]
pub enum Verification<'a> {
    /// No key is used.
    None,
    /// Of files that one of these keys opens.
    WherePossible(&'a Identities),
    /// Of all files; one that does not open is named.
    Everywhere(&'a Identities),
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// What is not as it should be, by file and line.
    pub findings: Vec<Finding>,
    /// How many secret files there are.
    pub files: usize,
    /// How many of them were opened and are whole.
    pub verified: usize,
}

/// Looks at all secret files, rules and hosts.
#[must_use]
pub fn check(
    repository: &Repository,
    usage: &Usage,
    verification: Verification<'_>,
    watcher: Watcher<'_>,
) -> Checked {
    let mut checked = Checked::default();
    let seen = survey(repository, &repository.candidates(), Asked::ByRule, watcher);
    let ledger = match MustChange::load(repository) {
        Ok(ledger) => ledger,
        Err(error) => {
            checked.findings.push(Finding {
                file: MustChange::file(),
                line: None,
                kind: FindingKind::InvalidFile,
                what: with_causes(&error),
                fix: error.fix(),
            });
            MustChange::default()
        }
    };
    let text = repository
        .read(&repository.rules_file())
        .ok()
        .flatten()
        .unwrap_or_default();
    let lines = RulesText::parse(&String::from_utf8_lossy(&text)).ok();
    let context = files::Context {
        repository,
        ledger: &ledger,
        verification,
        lines: lines.as_ref(),
    };
    context.check(&seen, &mut checked, watcher);
    hosts::check(repository, usage, &seen, &mut checked);
    if is_interrupted(repository) {
        checked.findings.push(Finding {
            file: repository.rules_file(),
            line: None,
            kind: FindingKind::Interrupted,
            what: "an earlier rekey was interrupted".to_owned(),
            fix: Some("run `steadfast secrets rekey`, which goes on from there".to_owned()),
        });
    }
    checked.findings.sort();
    checked.findings.dedup();
    checked
}

/// What a repository that cannot be opened amounts to, if it is its rules that are wrong.
#[must_use]
pub fn broken_rules(error: &RepositoryError) -> Option<Finding> {
    let RepositoryError::Rules(rules) = error else {
        return None;
    };
    Some(Finding {
        file: default_rules_file(),
        line: None,
        kind: FindingKind::InvalidRules,
        what: with_causes(rules),
        fix: rules.fix().map(str::to_owned),
    })
}

/// An error with its causes, on one line.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
