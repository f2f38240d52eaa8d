//! What differs inside a file.

use similar::TextDiff;

use crate::generation::GenerationNumber;
use crate::host::HostPath;

/// Larger files are not shown.
pub(crate) const LARGEST_SHOWN_BYTES: u64 = 256 * 1024;

/// Unified diff from `wanted` to `actual`, or why there is none.
pub(super) fn unified(
    path: &HostPath,
    generation: GenerationNumber,
    wanted: &[u8],
    actual: &[u8],
) -> Result<String, &'static str> {
    unified_between(
        (&format!("{path} (generation {generation})"), wanted),
        (&format!("{path} (this host)"), actual),
    )
}

/// Unified diff between two contents, each with its heading, or why there is none.
pub(crate) fn unified_between(
    (old_name, old): (&str, &[u8]),
    (new_name, new): (&str, &[u8]),
) -> Result<String, &'static str> {
    let (Some(old), Some(new)) = (text(old), text(new)) else {
        return Err("binary");
    };
    let diff = TextDiff::from_lines(old, new);
    Ok(diff
        .unified_diff()
        .context_radius(3)
        .header(old_name, new_name)
        .to_string())
}

fn text(content: &[u8]) -> Option<&str> {
    if content.contains(&0) {
        return None;
    }
    std::str::from_utf8(content).ok()
}
