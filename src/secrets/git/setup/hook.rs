//! The pre-commit hook, which refuses a commit with secrets in the clear.

use std::path::{Path, PathBuf};

use super::{Setup, SetupError, SetupStep, StepState, local_config, read_text, text_of};
use crate::host::FileMode;
use crate::host::durable;

const BEGIN: &str = "# >>> steadfast secrets >>>\n";
const END: &str = "# <<< steadfast secrets <<<\n";
const HOOK_MODE: FileMode = FileMode::from_bits(0o755);
const DIRECTORY_MODE: FileMode = FileMode::from_bits(0o755);
/// Shells in which the block means what it says.
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "zsh", "ksh"];

/// Where a hook of this clone is to be.
enum Place {
    /// A hook of this clone alone.
    Own(PathBuf),
    /// Kept by another program, or for all clones.
    Others { file: PathBuf, how: &'static str },
}

impl Setup<'_> {
    fn check(&self) -> String {
        format!("{} check --staged", self.command)
    }

    fn block(&self) -> String {
        format!("{BEGIN}{} || exit 1\n{END}", self.check())
    }

    fn place(&self) -> Result<Place, SetupError> {
        let root = self.worktree.root();
        let framework = root.join(".pre-commit-config.yaml");
        if framework.exists() {
            return Ok(Place::Others {
                file: framework,
                how: "framework",
            });
        }
        let husky = root.join(".husky");
        if husky.is_dir() {
            return Ok(Place::Others {
                file: husky.join("pre-commit"),
                how: "line",
            });
        }
        let everywhere = self
            .worktree
            .git
            .config()
            .map_err(super::GitError::git("read git's configuration"))?;
        let path = match text_of(&local_config(self.worktree)?, "core.hookspath")? {
            Some(path) => Some(path),
            None => text_of(&everywhere, "core.hookspath")?,
        };
        Ok(match path.filter(|path| !path.is_empty()) {
            Some(path) => Place::Others {
                file: root.join(path).join("pre-commit"),
                how: "line",
            },
            None => Place::Own(self.worktree.git.commondir().join("hooks/pre-commit")),
        })
    }

    pub(super) fn install_hook(&self) -> Result<SetupStep, SetupError> {
        let (path, text) = match self.place()? {
            Place::Others { file, how } => return self.others(&file, how),
            Place::Own(path) => {
                let text = read_text(&path)?;
                (path, text)
            }
        };
        let text = match text {
            None => format!("#!/bin/sh\n{}", self.block()),
            Some(text) if text.contains(&self.block()) => {
                return Ok(step(&path, StepState::AlreadyThere));
            }
            Some(text) => {
                let text = without_block(&text);
                let Some((first, rest)) =
                    text.split_once('\n').filter(|(first, _)| is_shell(first))
                else {
                    return Ok(step(&path, self.by_hand(&path)));
                };
                // In front: what is there may end with `exec`.
                format!("{first}\n{}{rest}", self.block())
            }
        };
        if let Some(parent) = path.parent() {
            durable::make_directories(parent, DIRECTORY_MODE)?;
        }
        durable::replace_keeping(&path, text.as_bytes(), HOOK_MODE)?;
        Ok(step(&path, StepState::Done))
    }

    fn others(&self, file: &Path, how: &str) -> Result<SetupStep, SetupError> {
        let there = read_text(file)?.unwrap_or_default();
        if there.contains("secrets check --staged") {
            return Ok(step(file, StepState::AlreadyThere));
        }
        if how == "line" {
            return Ok(step(file, self.by_hand(file)));
        }
        let how = format!(
            "add to {}:\n  - repo: local\n    hooks:\n      - id: steadfast-secrets\n        name: secrets are encrypted\n        entry: {}\n        language: system\n        pass_filenames: false\n        always_run: true",
            file.display(),
            self.check()
        );
        Ok(step(file, StepState::Yours { how }))
    }

    fn by_hand(&self, file: &Path) -> StepState {
        StepState::Yours {
            how: format!("add to {}:\n{} || exit 1", file.display(), self.check()),
        }
    }

    pub(super) fn remove_hook(&self) -> Result<SetupStep, SetupError> {
        let path = match self.place()? {
            Place::Own(path) => path,
            Place::Others { file, .. } => {
                let there = read_text(&file)?.unwrap_or_default();
                return Ok(step(
                    &file,
                    if there.contains("secrets check --staged") {
                        StepState::Yours {
                            how: format!("take `{}` out of {}", self.check(), file.display()),
                        }
                    } else {
                        StepState::NotThere
                    },
                ));
            }
        };
        let Some(text) = read_text(&path)?.filter(|text| text.contains(BEGIN)) else {
            return Ok(step(&path, StepState::NotThere));
        };
        let rest = without_block(&text);
        if rest
            .lines()
            .all(|line| line.starts_with("#!") || line.trim().is_empty())
        {
            durable::remove(&path)?;
        } else {
            durable::replace_keeping(&path, rest.as_bytes(), HOOK_MODE)?;
        }
        Ok(step(&path, StepState::Removed))
    }
}

fn step(path: &Path, state: StepState) -> SetupStep {
    SetupStep {
        place: path.display().to_string(),
        state,
    }
}

/// The text without what an earlier setup put there.
fn without_block(text: &str) -> String {
    let Some((before, rest)) = text.split_once(BEGIN) else {
        return text.to_owned();
    };
    match rest.split_once(END) {
        Some((_block, after)) => format!("{before}{after}"),
        None => text.to_owned(),
    }
}

fn is_shell(first_line: &str) -> bool {
    let Some(command) = first_line.strip_prefix("#!") else {
        return false;
    };
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    let name = if name == "env" {
        words.next().unwrap_or_default()
    } else {
        name
    };
    SHELLS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shell_hooks_are_added_to() {
        for (line, expected) in [
            ("#!/bin/sh", true),
            ("#!/usr/bin/env bash", true),
            ("#! /bin/bash -e", true),
            ("#!/usr/bin/env python3", false),
            ("echo", false),
        ] {
            assert_eq!(is_shell(line), expected, "{line}");
        }
        let text = format!("#!/bin/sh\n{BEGIN}x\n{END}make test\n");
        assert_eq!(without_block(&text), "#!/bin/sh\nmake test\n");
    }
}
