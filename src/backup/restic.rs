//! Calls of restic: what every one of them gets, and what their failures mean.

use super::message::{Message, Summary};
use super::{BackupError, Definition};
use crate::host::exec::{Followed, Inherited, Program, Stream};
use crate::host::{Host, HostPath};

/// Variables of this process that restic, and the ssh of an sftp repository, work by.
const PASSED_ON: [&str; 5] = ["PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "TZ"];
/// How often it says how far it is, per second.
const PROGRESS_PER_SECOND: &str = "4";
/// Last words that are kept.
const LAST_WORDS: usize = 8;

/// restic with one backup's repository and password.
#[derive(Clone, Copy)]
pub(super) struct Restic<'a> {
    host: &'a Host,
    backup: &'a Definition,
}

/// A call: its verb and its arguments.
pub(super) struct Call {
    verb: &'static str,
    args: Vec<String>,
}

/// How a call ended that did what it should.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// restic's exit code: 0, or what the caller takes for good too.
    pub(super) code: i32,
    /// The last summary it gave.
    pub(super) summary: Option<Summary>,
    /// What it wrote to stderr last, without JSON.
    pub(super) said: Vec<String>,
}

impl Call {
    pub(super) fn new(verb: &'static str) -> Self {
        Self {
            verb,
            args: Vec::new(),
        }
    }

    /// A call that takes no lock in the repository: it only looks.
    pub(super) fn without_lock(verb: &'static str) -> Self {
        Self::new(verb).arg("--no-lock")
    }

    pub(super) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(super) fn args(mut self, args: impl IntoIterator<Item = String>) -> Self {
        self.args.extend(args);
        self
    }
}

impl<'a> Restic<'a> {
    pub(super) fn new(host: &'a Host, backup: &'a Definition) -> Self {
        Self { host, backup }
    }

    /// Where `path` of the host is on this machine.
    pub(super) fn real(&self, path: &HostPath) -> String {
        self.host.real_path(path).to_string_lossy().into_owned()
    }

    /// A pattern of the host as one of this machine: only one that begins with `/` is about a place.
    pub(super) fn below(&self, pattern: &str) -> String {
        match pattern.strip_prefix('/') {
            Some(rest) => self.host.root().join(rest).to_string_lossy().into_owned(),
            None => pattern.to_owned(),
        }
    }

    /// Runs `call`; every line that is not taken in here goes to `on_message`. Exit code 0 is good, and so is 3, which says
    /// that some files could not be read.
    pub(super) fn run(
        &self,
        call: &Call,
        on_message: &mut dyn FnMut(Message),
    ) -> Result<Ended, BackupError> {
        let mut ended = Ended::default();
        let mut last_words = None;
        let followed = self.program(call).follow(&mut |stream, line| {
            tracing::trace!(?stream, line, "restic says");
            match (Message::of(line), stream) {
                (Message::Summary(summary), _) => ended.summary = Some(*summary),
                (Message::Exit { said }, _) => last_words = Some(said),
                (Message::Text(text), Stream::Err) if !text.is_empty() => {
                    ended.said.push(text);
                    let surplus = ended.said.len().saturating_sub(LAST_WORDS);
                    ended.said.drain(..surplus);
                }
                (message, _) => on_message(message),
            }
        })?;
        ended.code = self.judge(call, &followed, || {
            last_words.unwrap_or_else(|| ended.said.join("\n"))
        })?;
        Ok(ended)
    }

    /// Runs `call` and gives back what it wrote to stdout.
    pub(super) fn answer(&self, call: &Call) -> Result<String, BackupError> {
        let mut answer = String::new();
        self.run(call, &mut |message| {
            if let Message::Text(line) = message {
                answer.push_str(&line);
                answer.push('\n');
            }
        })?;
        Ok(answer)
    }

    fn program(&self, call: &Call) -> Program {
        let backup = self.backup;
        let mut program = Program::new("restic")
            .inherit(Inherited::Nothing)
            .arg(call.verb)
            .arg("--json")
            .arg("--password-file")
            .arg(self.real(&backup.password_file))
            .arg("--cache-dir")
            .arg(self.host.root().join("var/cache/restic"));
        program = match (&backup.repository_file, backup.directory()) {
            (Some(file), _) => program.arg("--repository-file").arg(self.real(file)),
            (None, Some(directory)) => program.arg("--repo").arg(self.real(&directory)),
            (None, None) => program
                .arg("--repo")
                .arg(backup.repository.as_deref().unwrap_or_default()),
        };
        for variable in PASSED_ON {
            if let Some(value) = std::env::var_os(variable) {
                program = program.env(variable, value);
            }
        }
        for (name, value) in &backup.environment {
            program = program.env(name, value);
        }
        let program = program
            .env("RESTIC_PROGRESS_FPS", PROGRESS_PER_SECOND)
            .args(&backup.options)
            .args(&call.args);
        tracing::debug!(call = %program.describe(), "calling restic");
        program
    }

    /// What the end of a call means.
    fn judge(
        &self,
        call: &Call,
        followed: &Followed,
        said: impl FnOnce() -> String,
    ) -> Result<i32, BackupError> {
        let code = followed.status.code();
        if let Some(code @ (0 | 3)) = code {
            return Ok(code);
        }
        if let Some(signal) = followed.stopped_by {
            return Err(BackupError::Stopped { signal });
        }
        Err(self.failure(call.verb, code, &said()))
    }

    /// What a failure is, by the exit code that restic has for it since 0.17, else by its words.
    fn failure(&self, verb: &str, code: Option<i32>, said: &str) -> BackupError {
        let repository = self.backup.shown_repository();
        let said = said.strip_prefix("Fatal: ").unwrap_or(said).to_owned();
        let has = |words: &[&str]| words.iter().any(|words| said.contains(words));
        if code == Some(12) || has(&["wrong password or no key found"]) {
            let file = self.backup.password_file.clone();
            return BackupError::WrongPassword { repository, file };
        }
        if code == Some(10) || has(&["Is there a repository at the following location?"]) {
            return BackupError::NoRepository { repository };
        }
        if code == Some(11) || has(&["repository is already locked"]) {
            return BackupError::Locked {
                said: holder(&said),
                repository,
            };
        }
        if has(&["no space left on device", "disk quota exceeded"]) {
            return BackupError::Full { repository, said };
        }
        let said = match (said.is_empty(), code) {
            (false, _) => said,
            (true, Some(code)) => format!("exit code {code}"),
            (true, None) => "it was killed".to_owned(),
        };
        BackupError::Failed {
            verb: verb.to_owned(),
            repository,
            said,
        }
    }
}

/// `by PID 24756 on nas by root` and the like, out of restic's four lines.
fn holder(said: &str) -> String {
    let line = said
        .lines()
        .find_map(|line| line.split_once("already locked "));
    let when = said.lines().find(|line| line.starts_with("lock was"));
    match (line, when) {
        (Some((_, by)), Some(when)) => format!("{by}, {when}"),
        (Some((_, by)), None) => by.to_owned(),
        (None, _) => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::definition::tests::HOME;
    use super::*;

    #[test]
    fn failures_are_told_by_exit_code_and_by_the_words_of_old_versions() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::below(directory.path()).unwrap();
        let home: Definition = serde_yaml::from_str(HOME).unwrap();
        let restic = Restic::new(&host, &home);
        let locked = "unable to create lock in backend: repository is already locked by PID 24756 on nas by root (UID 0, \
                      GID 0)\nlock was created at 2026-11-23 12:12:40 (1.5s ago)\nstorage ID f4511464\nthe `unlock` command \
                      can be used to remove stale locks";
        let table = [
            (
                Some(12),
                "Fatal: wrong password or no key found",
                "the password in /run/secrets/backups/restic/password does not open /srv/backup/chicago-restic-repo",
            ),
            (
                Some(1),
                "Fatal: wrong password or no key found",
                "the password in /run/secrets/backups/restic/password does not open /srv/backup/chicago-restic-repo",
            ),
            (
                Some(10),
                "",
                "there is no repository at /srv/backup/chicago-restic-repo",
            ),
            (
                Some(1),
                "Fatal: unable to open config file: stat /x/config: no such file or directory\nIs there a repository at the following location?\n/x",
                "there is no repository at /srv/backup/chicago-restic-repo",
            ),
            (
                Some(11),
                locked,
                "/srv/backup/chicago-restic-repo is locked: by PID 24756 on nas by root (UID 0, GID 0), lock was created at 2026-11-23 12:12:40 (1.5s ago)",
            ),
            (
                Some(1),
                "Fatal: unable to save snapshot: write /x: no space left on device",
                "there is no room left for /srv/backup/chicago-restic-repo: unable to save snapshot: write /x: no space left on device",
            ),
            (
                Some(1),
                "",
                "`restic backup` failed for /srv/backup/chicago-restic-repo: exit code 1",
            ),
            (
                None,
                "",
                "`restic backup` failed for /srv/backup/chicago-restic-repo: it was killed",
            ),
        ];
        for (code, said, message) in table {
            let error = restic.failure("backup", code, said);
            assert_eq!(error.to_string(), message);
            assert!(error.fix().is_some(), "{message}");
        }
    }
}
