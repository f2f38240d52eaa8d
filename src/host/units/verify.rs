//! `systemd-analyze verify` over unit files that are installed nowhere, and podman's generator over quadlets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use super::quadlets;
use crate::host::exec::{ExecError, Program};

/// Longer than this and something is wrong with the tool, not with the units.
pub(super) const TIMEOUT: Duration = Duration::from_mins(1);

/// Whose unit files they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StagedKind {
    /// The machine's systemd's.
    #[default]
    System,
    /// The systemd's of an account.
    Account,
    /// Podman's: quadlets.
    Quadlets,
}

/// Unit files that are looked at together, as they would lie in one directory of units.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StagedUnits {
    /// Whose they are.
    pub kind: StagedKind,
    /// Contents by name: `app.service`, `app.service.d/10-limits.conf`.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The units to look at, instances by their own names.
    pub units: BTreeSet<String>,
}

/// Something that systemd has against a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitComplaint {
    /// The file that it is about, or the unit.
    pub about: String,
    /// The line of the file, from 1; absent if it is about the unit as a whole.
    pub line: Option<u32>,
    /// What systemd says.
    pub text: String,
    /// Whether the unit cannot be loaded; otherwise, systemd goes on without the line.
    pub fatal: bool,
}

/// Units that could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum VerifyUnitsError {
    /// The tool is not on this machine.
    #[error("systemd-analyze is not on this machine")]
    NoTool,
    /// The generator is not on this machine.
    #[error("podman is not on this machine")]
    NoGenerator,
    /// It did not come to an end.
    #[error(transparent)]
    Exec(ExecError),
    /// It does not know an option that is needed.
    #[error("systemd-analyze of this machine is too old: {said}")]
    TooOld {
        /// What it said.
        said: String,
    },
    /// The files could not be put anywhere.
    #[error("cannot stage the unit files")]
    Stage(#[from] io::Error),
}

/// Asks systemd, or podman, what it has against the units. Nothing of them is run, and this machine's own units are only
/// looked up.
///
/// # Errors
/// [`VerifyUnitsError`]; that there are complaints is none.
pub fn verify_units(staged: &StagedUnits) -> Result<Vec<UnitComplaint>, VerifyUnitsError> {
    let directory = tempfile::tempdir()?;
    stage(directory.path(), staged)?;
    if staged.kind == StagedKind::Quadlets {
        return quadlets::verify(directory.path(), staged);
    }
    let base = directory.path().display().to_string();
    let paths = staged.units.iter().map(|unit| format!("{base}/{unit}"));
    let verify = Program::new("systemd-analyze")
        .args([
            "verify",
            "--man=no",
            "--generators=no",
            "--recursive-errors=no",
        ])
        .args((staged.kind == StagedKind::Account).then_some("--user"))
        .args(paths)
        // The colon stands for the machine's own directories, which have `multi-user.target` and the like.
        .env("SYSTEMD_UNIT_PATH", format!("{base}:"))
        // An account's systemd does not begin without one, be it only to look.
        .env("XDG_RUNTIME_DIR", &base)
        .env("SYSTEMD_LOG_TARGET", "console")
        .env("SYSTEMD_LOG_COLOR", "0")
        .timeout(TIMEOUT);
    let output = verify.run().map_err(|error| match error {
        ExecError::NotFound { .. } => VerifyUnitsError::NoTool,
        other => VerifyUnitsError::Exec(other),
    })?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if let Some(line) = said
        .lines()
        .find(|line| line.contains("unrecognized option"))
    {
        let said = line.trim().to_owned();
        return Err(VerifyUnitsError::TooOld { said });
    }
    Ok(complaints(&said, &base, &staged.units))
}

fn stage(directory: &Path, staged: &StagedUnits) -> io::Result<()> {
    for (name, content) in &staged.files {
        let path = directory.join(name);
        if let Some(parent) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent)?;
        }
        File::create(path)?.write_all(content)?;
    }
    Ok(())
}

/// What is said about the staged files and units. What is said about this machine is not: a program that is not
/// installed here, or an account that is not known here.
fn complaints(said: &str, base: &str, units: &BTreeSet<String>) -> Vec<UnitComplaint> {
    let mut found: Vec<UnitComplaint> = Vec::new();
    for line in said.lines().map(str::trim) {
        let complaint = match line.strip_prefix(base) {
            Some(rest) => about_a_line(rest.trim_start_matches('/')),
            None => about_a_unit(line, units),
        };
        if let Some(complaint) = complaint.filter(|one| !found.contains(one)) {
            found.push(complaint);
        }
    }
    found
}

/// `app.service:3: Unknown key …`
fn about_a_line(rest: &str) -> Option<UnitComplaint> {
    let (about, rest) = rest.split_once(':')?;
    let (line, text) = rest.split_once(": ")?;
    Some(UnitComplaint {
        about: about.to_owned(),
        line: Some(line.parse().ok()?),
        text: text.to_owned(),
        fatal: false,
    })
}

/// `app.service: Service has no ExecStart=…. Refusing.`
fn about_a_unit(line: &str, units: &BTreeSet<String>) -> Option<UnitComplaint> {
    let (about, text) = line.split_once(": ")?;
    let fatal = text.contains("Refusing") || text.contains("fatal error");
    (fatal && units.contains(about)).then(|| UnitComplaint {
        about: about.to_owned(),
        line: None,
        text: text.to_owned(),
        fatal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_about_this_machine_is_left_out() {
        let said = "\
/tmp/x/app.service:3: Unknown key 'Afterr' in section [Unit], ignoring.
/tmp/x/app.service.d/10.conf:2: Unknown key 'LimitFOO' in section [Service], ignoring.
/usr/lib/systemd/system/other.service:9: Unknown key 'Y' in section [Service], ignoring.
bad.service: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.
Unit bad.service has a bad unit file setting.
app.service: Command /usr/bin/none is not executable: No such file or directory
distribution.service: Service has no ExecStart=. Refusing.
/tmp/x/app.service:3: Unknown key 'Afterr' in section [Unit], ignoring.
";
        let units = ["app.service", "bad.service"].map(str::to_owned).into();
        let complaint = |about: &str, line, text: &str, fatal| UnitComplaint {
            about: about.to_owned(),
            line,
            text: text.to_owned(),
            fatal,
        };
        assert_eq!(
            complaints(said, "/tmp/x", &units),
            [
                complaint(
                    "app.service",
                    Some(3),
                    "Unknown key 'Afterr' in section [Unit], ignoring.",
                    false
                ),
                complaint(
                    "app.service.d/10.conf",
                    Some(2),
                    "Unknown key 'LimitFOO' in section [Service], ignoring.",
                    false
                ),
                complaint(
                    "bad.service",
                    None,
                    "Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.",
                    true
                ),
            ]
        );
    }

    #[test]
    fn the_real_tool_says_what_is_wrong_with_staged_units() {
        let file = |text: &str| text.as_bytes().to_vec();
        let mut staged = StagedUnits {
            kind: StagedKind::System,
            files: [
                ("good.service", "[Service]\nExecStart=/bin/true\n"),
                ("bad.service", "[Service]\nType=simple\nColour=red\n"),
                ("work@.service", "[Service]\nExecStart=/bin/true %i\n"),
                ("work@.service.d/10.conf", "[Service]\nColour=blue\n"),
            ]
            .map(|(name, text)| (name.to_owned(), file(text)))
            .into(),
            units: ["good.service", "bad.service", "work@a.service"]
                .map(str::to_owned)
                .into(),
        };
        for kind in [StagedKind::System, StagedKind::Account] {
            staged.kind = kind;
            let found = match verify_units(&staged) {
                Ok(found) => found,
                Err(VerifyUnitsError::NoTool) => {
                    eprintln!("skipped: no systemd-analyze here");
                    return;
                }
                Err(other) => panic!("{other}"),
            };
            let about: Vec<(&str, Option<u32>, bool)> = found
                .iter()
                .map(|one| (one.about.as_str(), one.line, one.fatal))
                .collect();
            assert_eq!(
                about,
                [
                    ("bad.service", Some(3), false),
                    ("bad.service", None, true),
                    ("work@.service.d/10.conf", Some(2), false),
                ],
                "{kind:?}"
            );
        }
    }
}
