//! What the next boot is to do about generations: leave one that was only tried, or begin one that was put off.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::activation::Plan;
use crate::generation::GenerationNumber;
use crate::host::{FileError, FileMode, durable};

/// The version of `next-boot.json` that this build writes.
const VERSION: u32 = 1;
/// A plan, and a few numbers.
const LARGEST_BYTES: u64 = 256 << 20;

/// What the next boot is to do, as stored in `next-boot.json` of the state directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextBoot {
    version: u32,
    /// The boot in which it was said; every other one is the next.
    pub boot_id: Option<String>,
    /// What.
    #[serde(flatten)]
    pub what: AtBoot,
}

/// What is to be done at a boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "at_boot")]
pub enum AtBoot {
    /// A generation that is tried is left.
    Leave {
        /// The generation that is tried.
        generation: GenerationNumber,
        /// Where the host goes back to.
        back_to: GenerationNumber,
        /// What was done to come here.
        plan: Plan,
    },
    /// A generation that was put off is activated.
    Begin {
        /// The generation.
        generation: GenerationNumber,
        /// How often a boot has begun with it.
        attempts: u32,
    },
}

/// What `status` says about the next boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "at_boot")]
pub enum NextBootStatus {
    /// The generation in force is only tried.
    Leave {
        /// It.
        generation: GenerationNumber,
        /// Where the host goes back to.
        back_to: GenerationNumber,
    },
    /// A generation waits for the next boot.
    Begin {
        /// It.
        generation: GenerationNumber,
    },
}

/// The file about the next boot cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub struct NextBootError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    kind: NextBootErrorKind,
}

#[derive(Debug, thiserror::Error)]
enum NextBootErrorKind {
    #[error(transparent)]
    File(Box<FileError>),
    #[error("{0}")]
    Damaged(serde_json::Error),
    #[error("its version is {found}, and this build knows only versions up to {VERSION}")]
    Newer { found: u32 },
}

impl NextBootError {
    /// How to fix it.
    #[must_use]
    pub fn fix(&self) -> String {
        let path = self.path.display();
        match &self.kind {
            NextBootErrorKind::File(error) => error
                .hint()
                .unwrap_or_else(|| format!("check the file system that holds {path}")),
            NextBootErrorKind::Damaged(_) => {
                format!(
                    "remove {path}: the generation in force then stays, and none waits for a boot"
                )
            }
            NextBootErrorKind::Newer { .. } => {
                "install the newer version of steadfast again".to_owned()
            }
        }
    }
}

impl NextBoot {
    /// Something to do at the boot after the one with `boot_id`.
    #[must_use]
    pub fn after(boot_id: Option<String>, what: AtBoot) -> Self {
        Self {
            version: VERSION,
            boot_id,
            what,
        }
    }

    /// Reads what is to be done in the next boot of the host with this state directory; `None` if nothing is.
    ///
    /// # Errors
    /// [`NextBootError`] if it cannot be read, is damaged or was written by a newer version.
    pub fn load(state_dir: &Path) -> Result<Option<Self>, NextBootError> {
        let path = file(state_dir);
        let failed = |kind| NextBootError {
            doing: "read",
            path: path.clone(),
            kind,
        };
        let read = durable::read(&path, LARGEST_BYTES)
            .map_err(|error| failed(NextBootErrorKind::File(error.into())))?;
        let Some(text) = read else { return Ok(None) };
        let read: Self = serde_json::from_slice(&text)
            .map_err(|error| failed(NextBootErrorKind::Damaged(error)))?;
        if read.version > VERSION {
            let found = read.version;
            return Err(failed(NextBootErrorKind::Newer { found }));
        }
        Ok(Some(read))
    }

    /// Writes it down, or that nothing is to be done.
    ///
    /// # Errors
    /// [`NextBootError`] if it cannot be written.
    pub fn save(next: Option<&Self>, state_dir: &Path) -> Result<(), NextBootError> {
        let path = file(state_dir);
        let failed = |kind| NextBootError {
            doing: "write",
            path: path.clone(),
            kind,
        };
        let written = match next {
            None => durable::remove(&path),
            Some(next) => {
                let mut text = serde_json::to_vec_pretty(next)
                    .map_err(|error| failed(NextBootErrorKind::Damaged(error)))?;
                text.push(b'\n');
                durable::replace(&path, &text, FileMode::from_bits(0o644))
            }
        };
        written.map_err(|error| failed(NextBootErrorKind::File(error.into())))
    }

    /// Whether it still says something about a host with this generation in force: one that is not there any more is not
    /// left.
    #[must_use]
    pub fn is_about(&self, in_force: Option<GenerationNumber>) -> bool {
        match self.what {
            AtBoot::Leave { generation, .. } => in_force == Some(generation),
            AtBoot::Begin { .. } => true,
        }
    }

    /// What `status` says about it.
    #[must_use]
    pub fn status(&self) -> NextBootStatus {
        match self.what {
            AtBoot::Leave {
                generation,
                back_to,
                ..
            } => NextBootStatus::Leave {
                generation,
                back_to,
            },
            AtBoot::Begin { generation, .. } => NextBootStatus::Begin { generation },
        }
    }
}

fn file(state_dir: &Path) -> PathBuf {
    state_dir.join("next-boot.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_next_boot_does_is_kept_and_never_taken_as_nothing_when_damaged() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(NextBoot::load(directory.path()).unwrap(), None);
        let next = NextBoot::after(
            Some("boot".to_owned()),
            AtBoot::Leave {
                generation: GenerationNumber(5),
                back_to: GenerationNumber(4),
                plan: Plan::default(),
            },
        );
        NextBoot::save(Some(&next), directory.path()).unwrap();
        assert_eq!(NextBoot::load(directory.path()).unwrap(), Some(next));
        NextBoot::save(None, directory.path()).unwrap();
        assert_eq!(NextBoot::load(directory.path()).unwrap(), None);
        NextBoot::save(None, directory.path()).unwrap();

        durable::replace(&file(directory.path()), b"{", FileMode::from_bits(0o644)).unwrap();
        let error = NextBoot::load(directory.path()).unwrap_err();
        assert!(error.fix().contains("next-boot.json"), "{}", error.fix());
    }
}
