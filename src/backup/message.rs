//! The lines of `restic --json`, of every version since 0.14.

use serde::Deserialize;
use serde_json::Value;

use super::{Progress, Unread};

/// One line of stdout or stderr.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Message {
    Progress(Progress),
    Summary(Box<Summary>),
    Unread(Unread),
    /// The last words of restic 0.17 and later.
    Exit {
        said: String,
    },
    /// Anything else.
    Text(String),
}

/// The end of `backup` or `restore`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    pub(super) files_new: u64,
    pub(super) files_changed: u64,
    pub(super) files_unmodified: u64,
    pub(super) data_added: u64,
    /// What was written after compression; restic 0.17 and later.
    pub(super) data_added_packed: Option<u64>,
    pub(super) total_files_processed: u64,
    pub(super) total_bytes_processed: u64,
    pub(super) snapshot_id: Option<String>,
    pub(super) files_restored: Option<u64>,
    pub(super) bytes_restored: Option<u64>,
    /// Of `check`.
    pub(super) num_errors: Option<u64>,
}

#[derive(Deserialize)]
#[serde(tag = "message_type", rename_all = "snake_case")]
enum Written {
    Status(WrittenStatus),
    Summary(Box<Summary>),
    Error {
        #[serde(default)]
        error: Value,
        /// What `check` says instead.
        message: Option<String>,
        #[serde(default)]
        item: String,
    },
    ExitError {
        #[serde(default)]
        message: String,
    },
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WrittenStatus {
    seconds_remaining: Option<u64>,
    total_files: u64,
    files_done: u64,
    files_restored: u64,
    total_bytes: u64,
    bytes_done: u64,
    bytes_restored: u64,
    current_files: Vec<String>,
}

impl Message {
    /// Reads a line; what is not JSON that is known is text.
    pub(super) fn of(line: &str) -> Self {
        let Ok(written) = serde_json::from_str(line) else {
            return Self::Text(line.to_owned());
        };
        match written {
            Written::Status(status) => Self::Progress(Progress {
                files: status.files_done + status.files_restored,
                of_files: status.total_files,
                bytes: status.bytes_done + status.bytes_restored,
                of_bytes: status.total_bytes,
                seconds_left: status.seconds_remaining,
                current: status.current_files.into_iter().next(),
            }),
            Written::Summary(summary) => Self::Summary(summary),
            Written::Error {
                error,
                message,
                item,
            } => Self::Unread(Unread {
                path: item,
                reason: message.unwrap_or_else(|| reason(&error)),
            }),
            Written::ExitError { message } => Self::Exit { said: message },
        }
    }
}

/// Words for the error of a file: a message, or what Go makes of a `PathError`.
fn reason(error: &Value) -> String {
    if let Some(message) = error.get("message").and_then(Value::as_str) {
        return message.to_owned();
    }
    let number = error.get("Err").and_then(Value::as_i64);
    match number.and_then(|number| i32::try_from(number).ok()) {
        Some(number) => std::io::Error::from_raw_os_error(number).to_string(),
        None => error.as_str().unwrap_or("it cannot be read").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_of_a_backup_and_of_a_restore_are_the_same_thing() {
        let line = r#"{"message_type":"status","seconds_elapsed":3,"seconds_remaining":9,"percent_done":0.25,"total_files":40,"files_done":10,"total_bytes":4000,"bytes_done":1000,"current_files":["/home/a","/home/b"]}"#;
        let Message::Progress(progress) = Message::of(line) else {
            panic!("not a progress");
        };
        let expected = Progress {
            files: 10,
            of_files: 40,
            bytes: 1000,
            of_bytes: 4000,
            seconds_left: Some(9),
            current: Some("/home/a".to_owned()),
        };
        assert_eq!(progress, expected);
        let line = r#"{"message_type":"status","seconds_elapsed":1,"percent_done":0.5,"total_files":4,"files_restored":2,"total_bytes":40,"bytes_restored":20}"#;
        let Message::Progress(progress) = Message::of(line) else {
            panic!("not a progress");
        };
        assert_eq!((progress.files, progress.bytes), (2, 20));
    }

    #[test]
    fn a_summary_is_read_from_old_and_new_versions() {
        let old = r#"{"message_type":"summary","files_new":2,"files_changed":1,"files_unmodified":5,"dirs_new":2,"data_added":3001539,"total_files_processed":8,"total_bytes_processed":3000003,"total_duration":0.267022259,"snapshot_id":"626831aa"}"#;
        let Message::Summary(summary) = Message::of(old) else {
            panic!("not a summary");
        };
        assert_eq!(summary.snapshot_id.as_deref(), Some("626831aa"));
        assert_eq!(
            (summary.files_new, summary.files_changed, summary.data_added),
            (2, 1, 3_001_539)
        );
        let restored = r#"{"message_type":"summary","total_files":1,"files_restored":4,"total_bytes":3,"bytes_restored":3}"#;
        let Message::Summary(summary) = Message::of(restored) else {
            panic!("not a summary");
        };
        assert_eq!(summary.files_restored, Some(4));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_with_its_reason() {
        let new = r#"{"message_type":"error","error":{"message":"open /home/a: permission denied"},"during":"archival","item":"/home/a"}"#;
        let old = r#"{"message_type":"error","error":{"Op":"open","Path":"/home/a","Err":13},"during":"archival","item":"/home/a"}"#;
        for (line, reason) in [
            (new, "open /home/a: permission denied"),
            (old, "Permission denied (os error 13)"),
        ] {
            let expected = Unread {
                path: "/home/a".to_owned(),
                reason: reason.to_owned(),
            };
            assert_eq!(Message::of(line), Message::Unread(expected));
        }
    }

    #[test]
    fn last_words_and_anything_else_are_kept_as_text() {
        let exit = r#"{"message_type":"exit_error","code":12,"message":"Fatal: wrong password or no key found"}"#;
        let said = "Fatal: wrong password or no key found".to_owned();
        assert_eq!(Message::of(exit), Message::Exit { said });
        for line in [
            "loading indexes...",
            "",
            "{",
            r#"{"message_type":"verbose_status","action":"new"}"#,
        ] {
            assert_eq!(Message::of(line), Message::Text(line.to_owned()));
        }
    }
}
