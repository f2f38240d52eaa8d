//! Verifying a repository.

use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;

use super::lock::lock;
use super::message::Message;
use super::restic::{Call, Restic};
use super::run::millis;
use super::{
    BackupError, BackupName, Checked, Definition, Event, Missing, Patience, Record, Tell,
    repository,
};
use crate::host::{Host, clock};

/// How restic says that something is wrong.
const DAMAGED: &str = "repository contains errors";

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckReport {
    /// Format version, 1.
    pub version: u32,
    /// The backup.
    pub name: BackupName,
    /// The repository's address; `the repository of FILE` where it is a secret.
    pub repository: String,
    /// Whether nothing is wrong.
    pub sound: bool,
    /// What is wrong, in restic's words.
    pub problems: Vec<String>,
    /// The part of the data that was read; `null` if only its structure was looked at.
    pub read: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Verifies the repository of `backup`: its structure, and the part `read` of its data (`5%`, `1/12`, `2G`).
///
/// # Errors
/// [`BackupError`] if it could not be verified; damage is an answer.
pub fn check(
    host: &Host,
    backup: &Definition,
    read: Option<&str>,
    patience: Patience,
    tell: Tell<'_>,
) -> Result<CheckReport, BackupError> {
    let _lock = lock(host, backup, patience, tell)?;
    let began = Instant::now();
    repository::open(host, backup, Missing::Fail, tell)?;
    let restic = Restic::new(host, backup);
    restic.answer(&Call::new("unlock"))?;
    tell(&Event::Doing("verifying the repository"));
    let mut call = Call::new("check");
    if let Some(part) = read {
        call = call.arg(format!("--read-data-subset={part}"));
    }
    let mut problems = Vec::new();
    let mut note = |message| match message {
        Message::Unread(one) => problems.push(one.reason),
        Message::Text(line) if is_step(&line) => tell(&Event::Said(line)),
        _ => {}
    };
    let sound = match restic.run(&call, &mut note) {
        Ok(ended) => ended.summary.unwrap_or_default().num_errors.unwrap_or(0) == 0,
        // Anything else that fails says nothing about the repository.
        Err(BackupError::Failed { said, .. }) if said.contains(DAMAGED) => {
            let lines = said.lines().filter(|line| !line.is_empty());
            problems.extend(lines.map(str::to_owned));
            false
        }
        Err(error) => return Err(error),
    };
    let mut record = Record::load(host, &backup.name)?;
    record.check = Some(Checked {
        at_secs: clock::now_secs(),
        sound,
        read: read.map(str::to_owned),
    });
    record.save(host, &backup.name)?;
    Ok(CheckReport {
        version: 1,
        name: backup.name.clone(),
        repository: backup.shown_repository(),
        sound,
        problems,
        read: read.map(str::to_owned),
        took_ms: millis(began.elapsed()),
    })
}

/// `check all packs`, `check snapshots, trees and blobs`, `read 5% of data packs`.
fn is_step(line: &str) -> bool {
    ["check ", "read "]
        .iter()
        .any(|word| line.starts_with(word))
}
