//! A unit's definition before and after, and whether the difference matters to a unit that runs.

use std::collections::{BTreeMap, BTreeSet};

use super::super::decide::{Draft, Situation, Touch};
use crate::generation::{Manifest, PathKind, Setting, UnitFile};
use crate::host::{Digest, HostPath, PathState, UnitId};

/// What a difference between two definitions asks of a unit that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    /// Nothing: systemd has it with the reload of its unit files.
    None,
    /// A reload.
    Reload,
    /// To run anew.
    Restart,
}

/// Settings of `[Unit]` that say nothing about what runs.
const IGNORED: [&str; 12] = [
    "Description",
    "Documentation",
    "OnFailure",
    "OnSuccess",
    "OnFailureJobMode",
    "IgnoreOnIsolate",
    "StopWhenUnneeded",
    "RefuseManualStart",
    "RefuseManualStop",
    "AllowIsolate",
    "CollectMode",
    "SourcePath",
];

/// Settings for us, which systemd does not read: they say how a unit is moved, not what runs.
const OURS: [&str; 7] = [
    "X-ReloadIfChanged",
    "X-RestartIfChanged",
    "X-StopIfChanged",
    "X-StopOnRemoval",
    "X-StopOnReconfiguration",
    "X-OnlyManualStart",
    "X-NotSocketActivated",
];

/// Whose the unit file is that drop-ins of ours extend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// Ours: what it says is known.
    Ours,
    /// The distribution's: an empty assignment takes back what is not known.
    Theirs,
}

/// The files of ours that define a unit in a generation: its own or its template's, and the drop-ins of both.
pub(in super::super) fn files<'m>(manifest: &'m Manifest, unit: &UnitId) -> BTreeSet<&'m HostPath> {
    let mut files = BTreeSet::new();
    let template = unit.name.template();
    let template = template.map(|name| UnitId::of(unit.account.as_ref(), name));
    for id in [Some(unit), template.as_ref()].into_iter().flatten() {
        let Some(own) = manifest.unit_file(id) else {
            continue;
        };
        let directory = format!("{own}.d/");
        let from = manifest.paths.range(own.clone()..);
        let near = from.take_while(|(path, _)| path.as_str().starts_with(own.as_str()));
        let are_its = near.filter(|(path, entry)| {
            let is_drop_in = path.as_str().strip_prefix(&directory);
            let is_file = matches!(entry.kind, PathKind::File { .. });
            let is_drop_in = is_drop_in.and_then(|name| name.strip_suffix(".conf"));
            is_file && (**path == own || is_drop_in.is_some_and(|name| !name.contains('/')))
        });
        files.extend(are_its.map(|(path, _)| path));
    }
    files
}

/// Whether systemd has the unit's own drop-ins, beside those of its template, in this generation.
pub(super) fn has_own_drop_in(manifest: &Manifest, unit: &UnitId) -> bool {
    let directory = format!("{}.d", unit.name);
    let mut files = files(manifest, unit).into_iter();
    files.any(|path| directory_of(path) == directory)
}

/// What the change of these files asks of `unit`, which runs.
pub(super) fn difference(
    at: &Situation<'_>,
    draft: &Draft,
    unit: &UnitId,
    files: &BTreeSet<&HostPath>,
) -> Difference {
    let sides = (
        side(at, unit, files, |path| found(at, path)),
        side(at, unit, files, |path| after(at, draft, path)),
    );
    let (Some((before, had)), Some((after, has))) = sides else {
        return Difference::Restart;
    };
    match (had, has) {
        (true, true) => compare(&before, &after, Base::Ours),
        (false, false) => compare(&before, &after, Base::Theirs),
        // It becomes ours, or the distribution's again.
        _ => Difference::Restart,
    }
}

/// What a path says at one time.
enum Text<'a> {
    Nothing,
    Of(&'a Digest),
    Unknown,
}

fn found<'a>(at: &'a Situation<'_>, path: &HostPath) -> Text<'a> {
    match at.observed.paths.get(path) {
        None | Some(PathState::Absent) => Text::Nothing,
        Some(PathState::File { content, .. }) => Text::Of(content),
        Some(_) => Text::Unknown,
    }
}

fn after<'a>(at: &'a Situation<'_>, draft: &Draft, path: &HostPath) -> Text<'a> {
    if draft.touched.get(path) != Some(&Touch::Content) {
        return found(at, path);
    }
    match at.desired.paths.get(path).map(|entry| &entry.kind) {
        Some(PathKind::File { content, .. }) => Text::Of(content),
        Some(_) => Text::Unknown,
        None => match at.owned.originals.get(path) {
            None | Some(PathState::Absent) => Text::Nothing,
            Some(_) => Text::Unknown,
        },
    }
}

/// The merged files of a unit at one time, and whether the unit file itself is among them; `None` if it is not known.
fn side<'a>(
    at: &'a Situation<'_>,
    unit: &UnitId,
    files: &BTreeSet<&HostPath>,
    text: impl Fn(&HostPath) -> Text<'a>,
) -> Option<(UnitFile, bool)> {
    let own = format!("{}.d", unit.name);
    let mut fragment: Option<&UnitFile> = None;
    let mut of_template: Option<&UnitFile> = None;
    // systemd sorts by file name across directories; of two with one name, that of the instance counts.
    let mut drop_ins: BTreeMap<&str, &UnitFile> = BTreeMap::new();
    for path in files {
        let digest = match text(path) {
            Text::Nothing => continue,
            Text::Unknown => return None,
            Text::Of(digest) => digest,
        };
        let file = at.observed.unit_files.get(digest)?;
        let directory = directory_of(path);
        if directory == own {
            drop_ins.insert(path.file_name(), file);
        } else if directory.strip_suffix(".d").is_some() {
            drop_ins.entry(path.file_name()).or_insert(file);
        } else if unit.name.template().is_none() || path.file_name() == unit.name.as_str() {
            fragment = Some(file);
        } else {
            of_template = Some(file);
        }
    }
    let fragment = fragment.or(of_template);
    let mut merged = fragment.cloned().unwrap_or_default();
    for file in drop_ins.values() {
        merged.extend(file);
    }
    Some((merged, fragment.is_some()))
}

fn directory_of(path: &HostPath) -> &str {
    let mut parts = path.as_str().rsplit('/');
    parts.nth(1).unwrap_or_default()
}

fn compare(before: &UnitFile, after: &UnitFile, base: Base) -> Difference {
    let mut worst = Difference::None;
    for (section, key, [old, new]) in before.beside(after) {
        if !same(old, new, base) {
            let is_gone = new.is_none_or(|setting| setting.values.is_empty());
            worst = worst.max(match (section, key) {
                ("Service", "ExecReload") if is_gone => Difference::None,
                (section, key) => weight(section, key),
            });
        }
    }
    worst
}

fn same(old: Option<&Setting>, new: Option<&Setting>, base: Base) -> bool {
    let said = |setting: Option<&Setting>| {
        let values = setting.map_or(&[][..], |setting| &setting.values);
        let clears = base == Base::Theirs && setting.is_some_and(|setting| setting.clears);
        (values.to_vec(), clears)
    };
    said(old) == said(new)
}

/// What it asks for when this setting differs.
fn weight(section: &str, key: &str) -> Difference {
    match (section, key) {
        // How it is enabled, which links say; and what systemd does not read.
        ("Install", _) => Difference::None,
        (section, _) if section.starts_with("X-") => Difference::None,
        ("Unit", key) if IGNORED.contains(&key) => Difference::None,
        ("Unit" | "Service", key) if OURS.contains(&key) => Difference::None,
        ("Unit", "X-Reload-Triggers") | ("Service", "ExecReload") | ("Mount", "Options") => {
            Difference::Reload
        }
        _ => Difference::Restart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> UnitFile {
        let mut file = UnitFile::default();
        file.merge(text).unwrap();
        file
    }

    #[test]
    fn a_difference_weighs_what_it_changes_about_what_runs() {
        let base =
            "[Unit]\nDescription=a\n[Service]\nExecStart=/bin/a\n[Install]\nWantedBy=a.target\n";
        let with = |more: &str| format!("{base}{more}");
        let table = [
            (with("# a comment\n\n[Unit]\n"), Difference::None),
            (base.replace("=a\n", "=b\n"), Difference::None),
            (base.replace("WantedBy=a", "WantedBy=b"), Difference::None),
            (with("[Unit]\nX-StopIfChanged=false\n"), Difference::None),
            (with("[X-Notes]\nA=1\n"), Difference::None),
            (with("[Unit]\nX-Reload-Triggers=1\n"), Difference::Reload),
            (with("[Service]\nExecReload=/bin/r\n"), Difference::Reload),
            (with("[Unit]\nX-Restart-Triggers=1\n"), Difference::Restart),
            (with("[Unit]\nAfter=b.service\n"), Difference::Restart),
            (with("[Service]\nUser=a\n"), Difference::Restart),
            (base.replace("/bin/a", "/bin/a\\x2d"), Difference::Restart),
        ];
        for (after, expected) in table {
            assert_eq!(
                compare(&read(base), &read(&after), Base::Ours),
                expected,
                "{after}"
            );
        }
        for key in IGNORED {
            let after = with(&format!("[Unit]\n{key}=x\n"));
            let found = compare(&read(base), &read(&after), Base::Ours);
            assert_eq!(found, Difference::None, "{key}");
        }
    }

    #[test]
    fn a_reload_command_that_goes_asks_for_nothing() {
        let with = read("[Service]\nExecReload=/bin/r\n");
        let without = read("[Service]\n");
        assert_eq!(compare(&with, &without, Base::Ours), Difference::None);
    }

    #[test]
    fn an_empty_assignment_matters_where_something_unknown_is_below_it() {
        let (empty, cleared) = (read("[Service]\n"), read("[Service]\nExecStart=\n"));
        assert_eq!(compare(&empty, &cleared, Base::Ours), Difference::None);
        assert_eq!(compare(&empty, &cleared, Base::Theirs), Difference::Restart);
        let (once, twice) = (read("[Service]\nA=2\n"), read("[Service]\nA=1\nA=\nA=2\n"));
        assert_eq!(compare(&once, &twice, Base::Ours), Difference::None);
    }

    #[test]
    fn options_of_a_mount_are_given_to_it_while_it_is_mounted() {
        let of = |options: &str| read(&format!("[Mount]\nWhat=/dev/a\nOptions={options}\n"));
        assert_eq!(
            compare(&of("ro"), &of("rw"), Base::Ours),
            Difference::Reload
        );
        let other = read("[Mount]\nWhat=/dev/b\nOptions=rw\n");
        assert_eq!(compare(&of("ro"), &other, Base::Ours), Difference::Restart);
    }
}
