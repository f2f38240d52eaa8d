//! How running a program goes wrong.

use std::io;
use std::time::Duration;

/// A program that could not be started, or did not end as it should.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// There is no such program.
    #[error("there is no program `{program}` on this machine")]
    NotFound {
        /// The program.
        program: String,
        /// The Debian package that brings it, where known.
        package: Option<&'static str>,
    },
    /// The kernel refused to start it.
    #[error("cannot start `{command}`")]
    Start {
        /// Program and arguments, shortened.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended with a non-zero exit code.
    #[error("`{command}` failed with exit code {code}{}", quoted(stderr))]
    Failed {
        /// Program and arguments, shortened.
        command: String,
        /// Exit code.
        code: i32,
        /// The last lines it wrote to stderr.
        stderr: String,
    },
    /// A signal ended it.
    #[error("`{command}` was ended by signal {signal}{}", quoted(stderr))]
    Killed {
        /// Program and arguments, shortened.
        command: String,
        /// Signal number.
        signal: i32,
        /// The last lines it wrote to stderr.
        stderr: String,
    },
    /// It took too long and was killed with everything it had started.
    #[error("`{command}` did not end within {}{}", seconds(*after), quoted(stderr))]
    TimedOut {
        /// Program and arguments, shortened.
        command: String,
        /// How long it was given.
        after: Duration,
        /// The last lines it wrote to stderr.
        stderr: String,
    },
    /// It wrote more than anybody asked for and was killed.
    #[error("`{command}` wrote more than {limit_bytes} bytes")]
    TooMuchOutput {
        /// Program and arguments, shortened.
        command: String,
        /// The limit.
        limit_bytes: usize,
    },
    /// Waiting for it failed.
    #[error("cannot wait for `{command}`")]
    Wait {
        /// Program and arguments, shortened.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ExecError {
    /// How to put it right, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { package, .. } => {
                package.map(|package| format!("install it: apt install {package}"))
            }
            Self::TimedOut { command, .. } => {
                Some(format!("run `{command}` by hand and see what it waits for"))
            }
            Self::Start { .. }
            | Self::Failed { .. }
            | Self::Killed { .. }
            | Self::TooMuchOutput { .. }
            | Self::Wait { .. } => None,
        }
    }

    /// What it wrote to stderr last; empty where nothing ran.
    #[must_use]
    pub fn stderr(&self) -> &str {
        match self {
            Self::Failed { stderr, .. }
            | Self::Killed { stderr, .. }
            | Self::TimedOut { stderr, .. } => stderr,
            Self::NotFound { .. }
            | Self::Start { .. }
            | Self::TooMuchOutput { .. }
            | Self::Wait { .. } => "",
        }
    }
}

fn quoted(stderr: &str) -> String {
    if stderr.is_empty() {
        String::new()
    } else {
        format!(": {stderr}")
    }
}

fn seconds(duration: Duration) -> String {
    if duration.as_secs() >= 1 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

/// The Debian package that brings `program`.
pub(super) fn package_of(program: &str) -> Option<&'static str> {
    let name = program.rsplit('/').next().unwrap_or(program);
    Some(match name {
        "ssh" | "ssh-keygen" | "ssh-keyscan" => "openssh-client",
        "systemctl" | "systemd-run" | "systemd-analyze" => "systemd",
        "apt-get" | "apt-cache" => "apt",
        "dpkg" | "dpkg-query" => "dpkg",
        "useradd" | "usermod" | "groupadd" | "chpasswd" => "passwd",
        "git" | "git-upload-pack" => "git",
        "sysctl" => "procps",
        "restic" => "restic",
        "vi" => "vim-tiny",
        "nano" => "nano",
        _ => return None,
    })
}
