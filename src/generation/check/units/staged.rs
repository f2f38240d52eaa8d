//! The unit files of a host in groups that are looked at together, and what is said about them in words of the repository.

use std::collections::BTreeMap;

use crate::config::{
    ConfigError, FileSource, HostConfig, Located, Mark, Origin, Severity, UnitConfig,
};
use crate::generation::{Built, PathKind};
use crate::host::{
    Digest, HostPath, StagedKind, StagedUnits, UnitComplaint, UnitId, UnitName, UserName,
};
use crate::source::{RepoPath, Snapshot};

/// Where unit files of ours go.
const UNIT_DIRECTORY: &str = "/etc/systemd/system/";

/// Where they go in a home.
const ACCOUNT_DIRECTORY: &str = "/.config/systemd/user/";

/// Where quadlets go.
const QUADLET_DIRECTORY: &str = "/etc/containers/systemd/";

/// Files that are looked at together: those of one systemd, or all quadlets.
pub(super) struct Group<'c> {
    pub(super) kind: StagedKind,
    pub(super) units: Vec<Staged<'c>>,
}

/// A unit or quadlet with its files.
pub(super) struct Staged<'c> {
    /// What systemd or podman calls it.
    name: String,
    /// What we call it.
    shown: String,
    origin: &'c Origin,
    source: Option<&'c FileSource>,
    drop_ins: Option<&'c BTreeMap<String, FileSource>>,
    /// Contents by name below the directory of units.
    files: BTreeMap<String, &'c [u8]>,
}

/// What a host has of each kind; groups without anything in them are left out.
pub(super) fn groups<'c>(config: &'c HostConfig, built: &'c Built) -> Vec<Group<'c>> {
    let of = |account: Option<&UserName>, units: &'c BTreeMap<UnitName, Located<UnitConfig>>| {
        let units = units
            .iter()
            .filter_map(|(name, unit)| staged(built, &UnitId::of(account, name.clone()), unit));
        units.collect()
    };
    let system = Group {
        kind: StagedKind::System,
        units: of(None, &config.units),
    };
    let accounts = config.homes.iter().map(|(account, home)| Group {
        kind: StagedKind::Account,
        units: of(Some(account), &home.value.units),
    });
    let mut groups: Vec<Group<'c>> = [system].into_iter().chain(accounts).collect();
    groups.push(quadlets(config, built));
    groups.retain(|group| !group.units.is_empty());
    groups
}

/// A unit of ours with its files: fragment and drop-ins, those of the template too. Of a unit of the distribution there are
/// only drop-ins here, and the rest may not be on this machine: `None`.
fn staged<'c>(built: &'c Built, id: &UnitId, unit: &'c Located<UnitConfig>) -> Option<Staged<'c>> {
    let entry = built.manifest.units.get(id)?;
    let mut files = BTreeMap::new();
    for path in &entry.definition {
        let below = match &id.account {
            None => path.as_str().strip_prefix(UNIT_DIRECTORY),
            Some(_) => path
                .as_str()
                .split_once(ACCOUNT_DIRECTORY)
                .map(|(_, it)| it),
        };
        if let (Some(below), Some(content)) = (below, content(built, path)) {
            files.insert(below.to_owned(), content);
        }
    }
    let has_fragment = files.keys().any(|file| !file.contains('/'));
    has_fragment.then(|| Staged {
        name: id.name.to_string(),
        shown: id.to_string(),
        origin: &unit.origin,
        source: unit.value.source.as_ref(),
        drop_ins: Some(&unit.value.drop_ins),
        files,
    })
}

fn quadlets<'c>(config: &'c HostConfig, built: &'c Built) -> Group<'c> {
    let units = config.containers.iter().filter_map(|(name, quadlet)| {
        let path = HostPath::new(format!("{QUADLET_DIRECTORY}{name}")).ok()?;
        Some(Staged {
            name: name.to_string(),
            shown: name.to_string(),
            origin: &quadlet.origin,
            source: Some(&quadlet.value.source),
            drop_ins: None,
            files: [(name.to_string(), content(built, &path)?)].into(),
        })
    });
    Group {
        kind: StagedKind::Quadlets,
        units: units.collect(),
    }
}

fn content<'c>(built: &'c Built, path: &HostPath) -> Option<&'c [u8]> {
    match &built.manifest.paths.get(path)?.kind {
        PathKind::File { content, .. } => built.objects.get(content).map(Vec::as_slice),
        _ => None,
    }
}

impl Group<'_> {
    /// By what each unit is known: its files. Quadlets name one another, and an error of one can lie in another.
    pub(super) fn digests(&self) -> Vec<Digest> {
        let all: Vec<u8> = match self.kind {
            StagedKind::System => Vec::new(),
            StagedKind::Account => b"account".to_vec(),
            StagedKind::Quadlets => self.units.iter().flat_map(Staged::spelled).collect(),
        };
        self.units
            .iter()
            .map(|unit| Digest::of(&[unit.spelled(), all.clone()].concat()))
            .collect()
    }

    /// All files, since units depend on one another; but only the new ones are looked at.
    pub(super) fn staged(&self, new: &[usize]) -> StagedUnits {
        let files = self.units.iter().flat_map(|unit| &unit.files);
        let units = new.iter().map(|index| self.units[*index].name.clone());
        StagedUnits {
            kind: self.kind,
            files: files
                .map(|(name, content)| (name.clone(), content.to_vec()))
                .collect(),
            units: units.collect(),
        }
    }
}

impl Staged<'_> {
    fn spelled(&self) -> Vec<u8> {
        let mut all = self.name.clone().into_bytes();
        for (name, content) in &self.files {
            for part in [name.as_bytes(), content] {
                all.push(0);
                all.extend(part.len().to_le_bytes());
                all.extend(part);
            }
        }
        all
    }

    /// Whether a complaint about the unit or file `about` is one about this unit.
    pub(super) fn is_meant(&self, about: &str) -> bool {
        about == self.name || self.files.contains_key(about)
    }

    /// A complaint in words of the repository.
    pub(super) fn finding(
        &self,
        complaint: &UnitComplaint,
        kind: StagedKind,
        snapshot: &Snapshot,
    ) -> (Severity, ConfigError) {
        let who = match kind {
            StagedKind::System => "systemd-analyze verify",
            StagedKind::Account => "systemd-analyze verify --user",
            StagedKind::Quadlets => "the generator of podman",
        };
        let (severity, cause) = match (complaint.fatal, kind) {
            (true, StagedKind::Quadlets) => (Severity::Error, "podman makes no unit of it"),
            (true, _) => (Severity::Error, "systemd will not load the unit"),
            (false, _) => (Severity::Warning, "systemd goes on without this line"),
        };
        let said = complaint.text.trim_end_matches('.');
        let said = said
            .trim_end_matches(", ignoring")
            .trim_end_matches(". Refusing");
        let line = complaint.line.and_then(|line| {
            let content = String::from_utf8_lossy(self.files.get(&complaint.about)?);
            let index = usize::try_from(line).ok()?.checked_sub(1)?;
            Some((line, content.lines().nth(index)?.to_owned()))
        });
        let mark = line
            .as_ref()
            .and_then(|(number, text)| self.place_of(&complaint.about, (*number, text), snapshot));
        let mut message = format!("`{}`: {said}", self.shown);
        if let (None, Some((_, text))) = (&mark, &line) {
            message = format!("`{}`, in the line `{}`: {said}", self.shown, text.trim());
        }
        let mark = mark.unwrap_or_else(|| Mark::from(self.origin));
        let error = ConfigError::new(message)
            .at(mark)
            .cause(format!("{cause}; said by {who}"));
        (severity, error)
    }

    /// Where a line of a unit file was written, as far as that can be told: in the file it comes from, or below the
    /// entry in which it is written out. A line with expressions in it is not found again.
    fn place_of(&self, about: &str, line: (u32, &str), snapshot: &Snapshot) -> Option<Mark> {
        let (number, text) = line;
        let source = match about.split_once(".d/") {
            Some((_, drop_in)) => self.drop_ins.and_then(|all| all.get(drop_in)),
            None => self.source,
        };
        let (file, from) = match source {
            Some(FileSource::File(file)) => {
                return Some(mark(file, number, text));
            }
            Some(FileSource::Filled { file, .. }) => (file, 0),
            Some(FileSource::Text(_)) | None => (&self.origin.file, self.origin.line),
        };
        let content = snapshot.read(file).ok()??;
        let content = String::from_utf8_lossy(&content).into_owned();
        let wanted = text.trim();
        let skipped = usize::try_from(from.saturating_sub(1)).ok()?;
        let (index, found) = content
            .lines()
            .enumerate()
            .skip(skipped)
            .find(|(_, line)| line.trim() == wanted)?;
        Some(mark(file, u32::try_from(index + 1).ok()?, found))
    }
}

fn mark(file: &RepoPath, line: u32, text: &str) -> Mark {
    let indent = text.chars().take_while(|c| c.is_whitespace()).count();
    Mark {
        origin: Origin {
            file: file.clone(),
            line,
            column: u32::try_from(indent + 1).unwrap_or(u32::MAX),
        },
        length: text.trim().chars().count(),
    }
}
