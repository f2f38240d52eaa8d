//! Asking: content is staged where only root looks, programs judge it in bounds, and what they say is for people.

use std::path::Path;
use std::time::Duration;

use super::super::failure::HostFailure;
use super::super::{Notice, Plan, Step};
use super::checks::{Check, Missing, SSHD_CONFIG, SSHD_DROP_INS};
use super::{sshd, units};
use crate::generation::{Manifest, Store};
use crate::host::exec::{ExecError, Output, Program};
use crate::host::{FileMode, Host, HostPath, Owner, PathState, Staging};

/// Longest time one program may take.
const LONGEST: Duration = Duration::from_secs(30);
/// The directory in the state directory where content is staged.
const STAGING: &str = "staging";
/// Where sshd wants to be able to lock itself in; its service makes it, but need not run.
const SSHD_RUNTIME: &str = "/run/sshd";

/// Content that a program refused, or that it could not be asked about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject}: {reason}")]
pub struct Refusal {
    /// The path, or the unit.
    pub subject: String,
    /// What the program said.
    pub reason: String,
}

/// Everything that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} not valid", counted(.0))]
pub struct Refused(pub Vec<Refusal>);

fn counted(refusals: &[Refusal]) -> String {
    match refusals {
        [one] => format!("`{}` is", one.subject),
        many => format!("{} files are", many.len()),
    }
}

/// What came of judging.
#[derive(Debug, Default)]
pub(in super::super) struct Judged {
    /// What must not be put in place.
    pub(in super::super) refused: Vec<Refusal>,
    /// What can be asked only when the packages of the plan are there.
    pub(in super::super) later: Vec<Check>,
    /// What people should know.
    pub(in super::super) warnings: Vec<Notice>,
}

/// Whoever judges the content that a plan puts in place.
#[derive(Clone, Copy)]
pub(in super::super) struct Judge<'a> {
    pub(in super::super) host: &'a Host,
    pub(in super::super) store: &'a Store,
    pub(in super::super) desired: &'a Manifest,
    pub(in super::super) plan: &'a Plan,
    /// Whether programs may still come with packages.
    pub(in super::super) packages: Packages,
}

/// Whether the packages of a plan are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Packages {
    /// They are about to be installed, if there are any.
    ToCome,
    /// They are there.
    There,
}

/// An answer: the question cannot be asked yet, or what is wrong.
enum Answer {
    Later,
    Said(Vec<Refusal>),
}

impl Judge<'_> {
    /// Asks about everything. Changes nothing on the host that outlives it.
    ///
    /// # Errors
    /// [`HostFailure`] if content cannot be staged or read.
    pub(in super::super) fn judge(self, checks: &[Check]) -> Result<Judged, HostFailure> {
        let mut judged = Judged::default();
        if checks.is_empty() || !self.host.is_live() {
            return Ok(judged);
        }
        for check in checks {
            // One directory for each: a program that reads all files beside its own must not meet others.
            let staging = Staging::new(self.store.root().join(STAGING))?;
            match self.ask(check, &staging, &mut judged.warnings)? {
                Answer::Later => judged.later.push(check.clone()),
                Answer::Said(refused) => judged.refused.extend(refused),
            }
        }
        Ok(judged)
    }

    fn ask(
        self,
        check: &Check,
        staging: &Staging,
        warnings: &mut Vec<Notice>,
    ) -> Result<Answer, HostFailure> {
        match check {
            Check::Program {
                path,
                content,
                argv,
                missing,
            } => {
                let file = staging.put(path.file_name(), &self.store.object(content)?)?;
                Ok(self.ask_program(path, argv, &file, *missing))
            }
            Check::Sshd => self.ask_sshd(staging),
            Check::Units(paths) => self.ask_systemd(paths, staging, warnings),
        }
    }

    fn ask_program(
        self,
        path: &HostPath,
        argv: &[String],
        file: &Path,
        missing: Missing,
    ) -> Answer {
        let staged = file.to_string_lossy();
        let mut words = argv.iter().map(|word| word.replace("{file}", &staged));
        let program = Program::new(words.next().unwrap_or_default()).args(words);
        let said = self.outcome(program.timeout(LONGEST).run(), missing);
        said.named(path.as_str(), &[(&staged, path.as_str())])
    }

    /// What a program's end means.
    fn outcome(self, result: Result<Output, ExecError>, missing: Missing) -> Said {
        match result {
            Ok(output) if output.status.success() => Said::Nothing,
            Ok(output) => Said::No(words_of(&output)),
            Err(ExecError::NotFound { .. }) if self.installs_packages() => Said::Later,
            Err(ExecError::NotFound { .. }) if missing == Missing::Accept => Said::Nothing,
            Err(error) => Said::No(error.to_string()),
        }
    }

    fn installs_packages(self) -> bool {
        let mut steps = self.plan.steps.iter();
        self.packages == Packages::ToCome
            && steps.any(|step| matches!(step, Step::InstallPackages { .. }))
    }

    fn ask_sshd(self, staging: &Staging) -> Result<Answer, HostFailure> {
        let mut files = sshd::files_to_be(self.plan, self.host, self.store)?;
        let main = HostPath::new(SSHD_CONFIG)
            .ok()
            .and_then(|path| files.remove(&path));
        let Some(main) = main else {
            // Without sshd nobody reads its drop-ins; its package brings the file.
            return Ok(if self.installs_packages() {
                Answer::Later
            } else {
                Answer::Said(Vec::new())
            });
        };
        let drop_ins = format!("{}/", staging.path().join("sshd_config.d").display());
        let main = String::from_utf8_lossy(&main).into_owned();
        let Some(led) = sshd::led_to(&main, &drop_ins) else {
            return self.without_include(&files, &main, staging);
        };
        for (path, content) in &files {
            staging.put(&format!("sshd_config.d/{}", path.file_name()), content)?;
        }
        let file = staging.put("sshd_config", led.as_bytes())?;
        self.test_sshd(&file, &drop_ins)
    }

    /// Drop-ins that nobody reads say nothing, and whoever wrote them believes that they do.
    fn without_include(
        self,
        drop_ins: &std::collections::BTreeMap<HostPath, Vec<u8>>,
        main: &str,
        staging: &Staging,
    ) -> Result<Answer, HostFailure> {
        let ours = drop_ins
            .keys()
            .find(|path| self.desired.paths.contains_key(*path));
        if let Some(path) = ours {
            return Ok(Answer::Said(vec![Refusal {
                subject: path.to_string(),
                reason: format!(
                    "{SSHD_CONFIG} does not include {SSHD_DROP_INS}*.conf, so it would say nothing"
                ),
            }]));
        }
        let file = staging.put("sshd_config", main.as_bytes())?;
        self.test_sshd(&file, SSHD_DROP_INS)
    }

    fn test_sshd(self, file: &Path, drop_ins: &str) -> Result<Answer, HostFailure> {
        let made = self.make_runtime()?;
        let program = Program::new("/usr/sbin/sshd")
            .args(["-t", "-f"])
            .arg(file)
            .timeout(LONGEST);
        let said = self.outcome(program.run(), Missing::Accept);
        if let Some(made) = made {
            self.host.remove(&made)?;
        }
        let staged = file.to_string_lossy();
        Ok(said.named("sshd", &[(drop_ins, SSHD_DROP_INS), (&staged, SSHD_CONFIG)]))
    }

    fn make_runtime(self) -> Result<Option<HostPath>, HostFailure> {
        let Ok(path) = HostPath::new(SSHD_RUNTIME) else {
            return Ok(None);
        };
        if self.host.look(&path)? != PathState::Absent {
            return Ok(None);
        }
        let root = Owner::Ids { uid: 0, gid: 0 };
        self.host
            .make_directory(&path, root, FileMode::from_bits(0o755))?;
        Ok(Some(path))
    }

    fn ask_systemd(
        self,
        paths: &std::collections::BTreeSet<HostPath>,
        staging: &Staging,
        warnings: &mut Vec<Notice>,
    ) -> Result<Answer, HostFailure> {
        for (below, content) in units::files(self.desired, self.store)? {
            staging.put(&below, &content)?;
        }
        let changed = units::units_of(paths);
        let staged = staging.path().to_string_lossy();
        let names = changed.iter().map(|unit| {
            let file = staging.path().join(unit.as_str());
            if file.exists() {
                file.to_string_lossy().into_owned()
            } else {
                // A unit of the distribution, found by its name.
                unit.to_string()
            }
        });
        let output = Program::new("systemd-analyze")
            .args(["--man=no", "verify"])
            .args(names)
            // With a colon at its end: then come the usual places.
            .env("SYSTEMD_UNIT_PATH", format!("{staged}:"))
            .env("SYSTEMD_LOG_COLOR", "0")
            .timeout(LONGEST)
            .run();
        let printed = match output {
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            // A host without it, or one too busy: systemd itself judges when it loads the units.
            Err(error) => {
                tracing::warn!(%error, "unit files could not be verified");
                return Ok(Answer::Said(Vec::new()));
            }
        };
        let verdict = units::sort(&printed, &staged, &changed);
        warnings.extend(verdict.warnings.into_iter().map(|line| {
            let (subject, text) = line.split_once(": ").unwrap_or((UNIT_FILES, &line));
            Notice {
                subject: subject.to_owned(),
                text: text.to_owned(),
            }
        }));
        let refused = verdict.refused.into_iter();
        Ok(Answer::Said(
            refused
                .map(|(unit, reason)| Refusal {
                    subject: unit.to_string(),
                    reason,
                })
                .collect(),
        ))
    }
}

const UNIT_FILES: &str = "unit files";

/// What a program said.
enum Said {
    Nothing,
    Later,
    No(String),
}

impl Said {
    /// The answer about `subject`, with staged names as those that people know.
    fn named(self, subject: &str, names: &[(&str, &str)]) -> Answer {
        match self {
            Self::Nothing => Answer::Said(Vec::new()),
            Self::Later => Answer::Later,
            Self::No(mut reason) => {
                for (staged, known) in names {
                    reason = reason.replace(staged, known);
                }
                Answer::Said(vec![Refusal {
                    subject: subject.to_owned(),
                    reason,
                }])
            }
        }
    }
}

/// The last lines of what it wrote, to stderr if it did.
fn words_of(output: &Output) -> String {
    const LINES: usize = 12;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let text = if stderr.trim().is_empty() {
        stdout.trim()
    } else {
        stderr.trim()
    };
    if text.is_empty() {
        return format!("the validator ended with {}, without a word", output.status);
    }
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
