//! Unfinished files: what they are called, and how those of a process that was killed go.

use rustix::fs::{AtFlags, OFlags, unlinkat};
use rustix::io::Errno;

use crate::host::{FileError, Host, HostPath};

/// What our own unfinished files are called, before the number of the transaction, if there is one, and random digits.
const PREFIX: &str = ".steadfast-";
/// Before the process of one that belongs to no transaction.
const PROCESS: &str = "p";
const RANDOM_DIGITS: usize = 16;
const TRANSACTION_DIGITS: usize = 8;

impl Host {
    /// A name for an unfinished file that nobody has taken.
    pub(super) fn temporary_name(&self) -> String {
        let random = rand::random::<u64>();
        match self.transaction {
            Some(transaction) => format!("{}{random:016x}", prefix_of(transaction)),
            None => temporary_name(),
        }
    }

    /// Removes the unfinished files that a killed process left of `transaction` in `directory`, and says how many.
    ///
    /// Only for whoever holds the lock: the files of a process that is alive look the same.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn sweep_temporaries(
        &self,
        directory: &HostPath,
        transaction: u64,
    ) -> Result<usize, FileError> {
        let failed = |errno: Errno| FileError::io("sweep", &self.real_path(directory), errno);
        let ours = prefix_of(transaction);
        let mut swept = 0;
        for name in self.list(directory)?.unwrap_or_default() {
            if !name.starts_with(&ours) || !is_temporary(&name) {
                continue;
            }
            let handle = self
                .root
                .open(directory, OFlags::PATH | OFlags::DIRECTORY)
                .map_err(failed)?;
            match unlinkat(&handle, name.as_str(), AtFlags::empty()) {
                Ok(()) => swept += 1,
                Err(Errno::NOENT | Errno::ISDIR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(swept)
    }
}

fn prefix_of(transaction: u64) -> String {
    format!("{PREFIX}{transaction:08}-")
}

/// A name of ours that nobody has taken, of no transaction but of this process.
pub(in crate::host) fn temporary_name() -> String {
    let random = rand::random::<u64>();
    format!("{PREFIX}{PROCESS}{}-{random:016x}", std::process::id())
}

/// The process that an unfinished file of no transaction is of.
pub(in crate::host) fn process_of(name: &str) -> Option<u32> {
    let (process, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    process.strip_prefix(PROCESS)?.parse().ok()
}

/// Whether `name` is one that an unfinished file of ours has.
pub(in crate::host) fn is_temporary(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let random = match rest.split_once('-') {
        Some((whose, random)) => {
            let number = whose.strip_prefix(PROCESS);
            let is_whole = number.is_some() || whose.len() >= TRANSACTION_DIGITS;
            let number = number.unwrap_or(whose);
            if !is_whole || number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return false;
            }
            random
        }
        None => rest,
    };
    random.len() == RANDOM_DIGITS && random.bytes().all(|byte| byte.is_ascii_hexdigit())
}
