//! What is wrong with single files.

use super::{Checked, Finding, FindingKind, Verification, with_causes};
use crate::host::{Watcher, for_each};
use crate::identity::Identities;
use crate::secrets::access::plan::{Difference, shape_of};
use crate::secrets::access::survey::{Sealed, Seen, State};
use crate::secrets::file::{KeyPath, explain};
use crate::secrets::repository::{MustChange, RecipientsError, Repository, RulesText};
use crate::sops::OpenError;
use crate::source::RepoPath;

pub(super) struct Context<'a> {
    pub(super) repository: &'a Repository,
    pub(super) ledger: &'a MustChange,
    pub(super) verification: Verification<'a>,
    /// `.sops.yaml` with its lines.
    pub(super) lines: Option<&'a RulesText>,
}

/// What one file amounts to.
#[derive(Default)]
struct OfFile {
    findings: Vec<Finding>,
    sealed: usize,
    verified: usize,
}

impl Context<'_> {
    pub(super) fn check(&self, seen: &[Seen], checked: &mut Checked, watcher: Watcher<'_>) {
        for of_file in for_each(seen, ("checking", watcher), |seen| self.file(seen)) {
            checked.findings.extend(of_file.findings);
            checked.files += of_file.sealed;
            checked.verified += of_file.verified;
        }
    }

    fn file(&self, seen: &Seen) -> OfFile {
        let mut found = OfFile::default();
        let file = &seen.file;
        let finding = |kind, what: String, fix: String| Finding {
            file: file.clone(),
            line: None,
            kind,
            what,
            fix: Some(fix),
        };
        match &seen.state {
            State::Other | State::Missing => {}
            State::InTheClear => found.findings.push(finding(
                FindingKind::InTheClear,
                "it is not encrypted, though a rule of .sops.yaml is for it".to_owned(),
                format!("run `steadfast secrets encrypt -i {file}`; if it ever was pushed, change the secrets in it"),
            )),
            State::Broken(error) => found.findings.push(finding(
                FindingKind::InvalidFile,
                with_causes(error),
                error.fix().replace("FILE", file.as_str()),
            )),
            State::Unreadable(error) => found.findings.push(Finding {
                fix: error.hint(),
                ..finding(FindingKind::InvalidFile, with_causes(error), String::new())
            }),
            State::Sealed(sealed) => {
                found.sealed = 1;
                self.recipients(file, sealed, &mut found);
                if self.repository.rules().rule_for(file).is_none() {
                    // Such as the vectors of a test suite: nobody's business here.
                    return found;
                }
                for (path, line) in sealed.sealed.clear_values() {
                    found.findings.push(Finding {
                        line: u32::try_from(line).ok(),
                        ..finding(
                            FindingKind::ClearValue,
                            format!("the value `{}` must be encrypted and is not", path.join("/")),
                            "change this secret, it was in the clear; then set it with `steadfast secrets set`".to_owned(),
                        )
                    });
                }
                self.must_change(file, sealed, &mut found);
                self.verify(file, sealed, &mut found);
            }
        }
        found
    }

    fn recipients(&self, file: &RepoPath, sealed: &Sealed, found: &mut OfFile) {
        let mut push = |kind, line: Option<u32>, what: String, fix: &str| {
            found.findings.push(Finding {
                file: file.clone(),
                line,
                kind,
                what,
                fix: Some(fix.to_owned()),
            });
        };
        let there = sealed.sealed.keys();
        match self.repository.rules().keys_of(file) {
            Ok(wanted) if shape_of(&there) == shape_of(&wanted) => {}
            Ok(wanted) => {
                let difference = Difference::between(&there, &wanted, self.repository.names());
                push(
                    FindingKind::Recipients,
                    None,
                    difference.to_string(),
                    "run `steadfast secrets rekey`",
                );
            }
            Err(error @ RecipientsError::NoRule { .. }) => push(
                FindingKind::NoRule,
                None,
                "it is encrypted, and no rule of .sops.yaml says for whom".to_owned(),
                error.fix(),
            ),
            Err(error @ RecipientsError::Trouble { number, .. }) => {
                let line = self.lines.and_then(|lines| lines.rule_line(number));
                let fix = error.fix();
                let line = line.and_then(|line| u32::try_from(line).ok());
                found.findings.push(Finding {
                    file: self.repository.rules_file(),
                    line,
                    kind: FindingKind::UnusableRule,
                    what: with_causes(&error),
                    fix: Some(fix.to_owned()),
                });
            }
        }
    }

    fn must_change(&self, file: &RepoPath, sealed: &Sealed, found: &mut OfFile) {
        for value in self.ledger.unchanged(file, &sealed.sealed) {
            let key = KeyPath::of(&value.key);
            found.findings.push(Finding {
                file: file.clone(),
                line: None,
                kind: FindingKind::MustChange,
                what: format!(
                    "`{key}` must be changed: {} could read it",
                    value.could_read.join(", ")
                ),
                fix: Some(format!(
                    "`steadfast secrets set {file} KEY` asks for a new value, `new {file} KEY --replace` makes one up"
                )),
            });
        }
    }

    fn verify(&self, file: &RepoPath, sealed: &Sealed, found: &mut OfFile) {
        let (identities, must): (&Identities, bool) = match self.verification {
            Verification::None => return,
            Verification::WherePossible(identities) => (identities, false),
            Verification::Everywhere(identities) => (identities, true),
        };
        let error = match sealed.sealed.open(identities) {
            Ok(_whole) => {
                found.verified = 1;
                return;
            }
            // Said already, with its line.
            Err(OpenError::NotEncrypted { .. }) => return,
            Err(error) => error,
        };
        let kind = match error {
            OpenError::Value { .. }
            | OpenError::Scalar { .. }
            | OpenError::MacMissing
            | OpenError::MacUnreadable { .. }
            | OpenError::MacMismatch => FindingKind::NotWhole,
            _ if must => FindingKind::NotVerified,
            _ => return,
        };
        let line = match &error {
            OpenError::Value { line, .. } | OpenError::Scalar { line, .. } => {
                u32::try_from(*line).ok()
            }
            _ => None,
        };
        let fix = error.fix().to_owned();
        let error = explain(error, identities, self.repository.names());
        found.findings.push(Finding {
            file: file.clone(),
            line,
            kind,
            what: with_causes(&error),
            fix: Some(fix),
        });
    }
}
