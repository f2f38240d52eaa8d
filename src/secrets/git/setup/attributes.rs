//! `.gitattributes`: patterns that are for secret files and for nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use git2::AttrCheckFlags;

use super::{DRIVER, FILE_MODE, Setup, SetupError, SetupStep, StepState, read_text};
use crate::host::durable;
use crate::secrets::git::worktree::Worktree;
use crate::secrets::repository::Repository;
use crate::sops::{Format, SealedFile};

/// The file of the attributes, at the top of the working tree.
const ATTRIBUTES_FILE: &str = ".gitattributes";

impl Setup<'_> {
    pub(super) fn install_attributes(&self) -> Result<SetupStep, SetupError> {
        let files = Files::of(self.repository, self.worktree);
        if files.sealed.is_empty() {
            return Err(SetupError::NoSecrets);
        }
        let path = self.worktree.root().join(ATTRIBUTES_FILE);
        let before = read_text(&path)?.unwrap_or_default();
        let missing = files.sealed.iter().any(|name| !covers(self.worktree, name));
        if !missing {
            return Ok(step(StepState::AlreadyThere));
        }
        let mut text = without_ours(&before);
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        for pattern in files.patterns() {
            text.extend([pattern.as_str(), " ", &attributes(), "\n"]);
        }
        durable::replace_keeping(&path, text.as_bytes(), FILE_MODE)?;
        Ok(step(StepState::Done))
    }

    pub(super) fn remove_attributes(&self) -> Result<SetupStep, SetupError> {
        let path = self.worktree.root().join(ATTRIBUTES_FILE);
        let Some(before) = read_text(&path)? else {
            return Ok(step(StepState::NotThere));
        };
        let text = without_ours(&before);
        if text == before {
            return Ok(step(StepState::NotThere));
        }
        durable::replace_keeping(&path, text.as_bytes(), FILE_MODE)?;
        Ok(step(StepState::Removed))
    }
}

fn step(state: StepState) -> SetupStep {
    SetupStep {
        place: ATTRIBUTES_FILE.to_owned(),
        state,
    }
}

fn attributes() -> String {
    format!("diff={DRIVER} merge={DRIVER}")
}

/// The lines that were not written by this program.
fn without_ours(text: &str) -> String {
    let ours = format!(" {}", attributes());
    text.split_inclusive('\n')
        .filter(|line| !line.trim_end().ends_with(&ours))
        .collect()
}

/// Whether the file that git names `name` goes through this program's merge driver.
pub(in crate::secrets::git) fn covers(worktree: &Worktree, name: &str) -> bool {
    let flags = AttrCheckFlags::FILE_THEN_INDEX;
    // An attribute that cannot be read is not set, which is what git does with it.
    let value = worktree
        .git
        .get_attr_bytes(Path::new(name), "merge", flags)
        .ok()
        .flatten();
    value == Some(DRIVER.as_bytes())
}

/// The files of the working tree, as git names them.
struct Files {
    sealed: BTreeSet<String>,
    /// What is no secret file and shall not become one.
    others: BTreeSet<String>,
}

impl Files {
    fn of(repository: &Repository, worktree: &Worktree) -> Self {
        let mut files = Self {
            sealed: BTreeSet::new(),
            others: BTreeSet::new(),
        };
        for file in repository.candidates() {
            let Ok(name) = worktree.name_of(&repository.path(&file)) else {
                continue;
            };
            // What cannot be read is not known to be a secret file.
            let text = repository.read(&file).ok().flatten().unwrap_or_default();
            let rule = repository.rules().rule_for(&file);
            if SealedFile::parse(&text, Format::of_path(file.as_str())).is_ok() {
                files.sealed.insert(name);
            } else if !rule.is_some_and(crate::secrets::Rule::names_files) {
                files.others.insert(name);
            }
        }
        files
    }

    /// As few patterns as there can be that match every sealed file and none of the others.
    fn patterns(&self) -> BTreeSet<String> {
        self.sealed
            .iter()
            .map(|file| self.pattern_for(file))
            .collect()
    }

    fn pattern_for(&self, file: &str) -> String {
        let name = file.rsplit('/').next().unwrap_or(file);
        let suffix = name.rfind('.').map_or("", |at| &name[at..]);
        let matches = |other: &String, directory: &str| {
            other
                .strip_prefix(directory)
                .is_some_and(|rest| rest.starts_with('/'))
                && other.ends_with(suffix)
        };
        let directories = file.match_indices('/').map(|(at, _)| &file[..at]);
        for directory in directories.filter(|_| !suffix.is_empty()) {
            if self.others.iter().any(|other| matches(other, directory)) {
                continue;
            }
            let below = self.sealed.iter().filter(|other| matches(other, directory));
            let is_flat = below
                .into_iter()
                .all(|other| !other[directory.len() + 1..].contains('/'));
            let between = if is_flat { "*" } else { "**/*" };
            return quoted(&format!(
                "{}/{between}{}",
                escaped(directory),
                escaped(suffix)
            ));
        }
        quoted(&format!("/{}", escaped(file)))
    }
}

/// Without meaning to git's patterns.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A pattern with blanks stands in quotes.
fn quoted(pattern: &str) -> String {
    let is_plain = !pattern.starts_with(['!', '#', '"'])
        && !pattern.contains(|c: char| c.is_whitespace() || c.is_control());
    if is_plain {
        pattern.to_owned()
    } else {
        format!("\"{}\"", pattern.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_what_is_sealed_and_nothing_else() {
        let patterns = |sealed: &[&str], others: &[&str]| -> Vec<String> {
            let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            Files {
                sealed: set(sealed),
                others: set(others),
            }
            .patterns()
            .into_iter()
            .collect()
        };
        assert_eq!(
            patterns(&["secrets/a.yml", "secrets/b.yml"], &["hosts/x/host.yml"]),
            ["secrets/*.yml"]
        );
        assert_eq!(
            patterns(&["s/a/x.yml", "s/b/y.yml", "s/c.env"], &[]),
            ["s/**/*.yml", "s/*.env"]
        );
        assert_eq!(
            patterns(&["a/s/x.yml", "a/s/y.yml"], &["a/z.yml"]),
            ["a/s/*.yml"]
        );
        assert_eq!(
            patterns(&["a/x.yml", "top.yml"], &["a/z.yml"]),
            ["/a/x.yml", "/top.yml"]
        );
        assert_eq!(patterns(&["my [s]/x.yml"], &[]), ["\"my \\\\[s]/*.yml\""]);
    }

    #[test]
    fn other_lines_stay() {
        let text = "*.png binary\nsecrets/*.yml diff=steadfast merge=steadfast\n# end";
        assert_eq!(without_ours(text), "*.png binary\n# end");
    }
}
