//! What podman's generator has against quadlets that are installed nowhere.

use std::path::Path;

use super::verify::{StagedUnits, TIMEOUT, UnitComplaint, VerifyUnitsError};
use crate::host::exec::{ExecError, Program};

/// The generator, where Debian and Fedora have it.
const GENERATOR: &str = "/usr/libexec/podman/quadlet";

/// Asks the generator what it has against the quadlets in `directory`. It makes nothing of them.
pub(super) fn verify(
    directory: &Path,
    staged: &StagedUnits,
) -> Result<Vec<UnitComplaint>, VerifyUnitsError> {
    let output = Program::new(GENERATOR)
        .args(["-dryrun"])
        .env("QUADLET_UNIT_DIRS", directory)
        .timeout(TIMEOUT)
        .run()
        .map_err(|error| match error {
            ExecError::NotFound { .. } => VerifyUnitsError::NoGenerator,
            other => VerifyUnitsError::Exec(other),
        })?;
    let said = String::from_utf8_lossy(&output.stderr);
    let found = complaints(&said, &directory.display().to_string(), staged);
    Ok(found)
}

/// `converting "web.container": unsupported key 'Imagee' in group 'Container' in …`, and what cannot be read at all:
/// `error loading "…/web.container", file contains line 1: …`.
fn complaints(said: &str, base: &str, staged: &StagedUnits) -> Vec<UnitComplaint> {
    let mut found: Vec<UnitComplaint> = Vec::new();
    for line in said.lines() {
        let Some((about, text)) = about(line) else {
            continue;
        };
        let about = about.strip_prefix(base).unwrap_or(about);
        let about = about.trim_start_matches('/').to_owned();
        let text = text.split(&format!(" in {base}")).next().unwrap_or(text);
        let content = staged.files.get(&about).map(Vec::as_slice);
        let complaint = UnitComplaint {
            line: content.and_then(|content| line_of(text, content)),
            text: text.to_owned(),
            about,
            fatal: true,
        };
        if staged.units.contains(&complaint.about) && !found.contains(&complaint) {
            found.push(complaint);
        }
    }
    found
}

/// The quadlet, or its file, and what is said about it.
fn about(line: &str) -> Option<(&str, &str)> {
    if let Some((_, rest)) = line.split_once("converting \"") {
        return rest.split_once("\": ");
    }
    let (_, rest) = line.split_once("error loading \"")?;
    rest.split_once("\", ")
}

/// The line of `content` that has the key which is complained of.
fn line_of(text: &str, content: &[u8]) -> Option<u32> {
    let (_, rest) = text.split_once("key '")?;
    let (key, _) = rest.split_once('\'')?;
    let content = String::from_utf8_lossy(content);
    let index = content.lines().position(|line| {
        let name = line.split('=').next().unwrap_or_default();
        line.contains('=') && name.trim() == key
    })?;
    u32::try_from(index + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::StagedKind;

    #[test]
    fn what_the_generator_says_is_about_quadlets_and_their_lines() {
        // As podman 5.4 of Debian 13 prints it.
        let said = "\
quadlet-generator[1]: Loading source unit file /tmp/x/web.container
quadlet-generator[1]: converting \"web.container\": unsupported key 'Imagee' in group 'Container' in /tmp/x/web.container
converting \"db.container\": requested Quadlet unit lan.network was not found
quadlet-generator[1]: error loading \"/tmp/x/data.volume\", file contains line 1: \u{201c}gg\u{201d} which is not a key-value pair
converting \"other.container\": something
";
        let files = [
            ("web.container", "[Container]\nImagee=x\n"),
            (
                "db.container",
                "[Container]\nImage=x\nNetwork=lan.network\n",
            ),
            ("data.volume", "gg\n"),
        ];
        let staged = StagedUnits {
            kind: StagedKind::Quadlets,
            units: files.iter().map(|(name, _)| (*name).to_owned()).collect(),
            files: files
                .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
                .into(),
        };
        let found = complaints(said, "/tmp/x", &staged);
        let found: Vec<(&str, Option<u32>, &str)> = found
            .iter()
            .map(|one| (one.about.as_str(), one.line, one.text.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (
                    "web.container",
                    Some(2),
                    "unsupported key 'Imagee' in group 'Container'"
                ),
                (
                    "db.container",
                    None,
                    "requested Quadlet unit lan.network was not found"
                ),
                (
                    "data.volume",
                    None,
                    "file contains line 1: \u{201c}gg\u{201d} which is not a key-value pair"
                ),
            ]
        );
    }
}
