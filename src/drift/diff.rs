//! What differs inside a file.

use similar::TextDiff;

use crate::generation::GenerationNumber;
use crate::host::HostPath;

/// Larger files are not shown.
pub(super) const LARGEST_SHOWN_BYTES: u64 = 256 * 1024;

/// Unified diff from `wanted` to `actual`, or why there is none.
pub(super) fn unified(
    path: &HostPath,
    generation: GenerationNumber,
    wanted: &[u8],
    actual: &[u8],
) -> Result<String, &'static str> {
    let (Some(wanted), Some(actual)) = (text(wanted), text(actual)) else {
        return Err("binary");
    };
    let diff = TextDiff::from_lines(wanted, actual);
    Ok(diff
        .unified_diff()
        .context_radius(3)
        .header(
            &format!("{path} (generation {generation})"),
            &format!("{path} (this host)"),
        )
        .to_string())
}

fn text(content: &[u8]) -> Option<&str> {
    if content.contains(&0) {
        return None;
    }
    std::str::from_utf8(content).ok()
}
