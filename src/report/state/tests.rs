use super::*;
use crate::source::CommitId;

fn revision(digit: char) -> Revision {
    Revision {
        commit: CommitId::new(digit.to_string().repeat(40)).unwrap(),
        author: "Anna <anna@example.org>".into(),
        time_secs: 1_700_000_000,
        subject: "motd: say hello".into(),
    }
}

fn failed(number: usize) -> FailedRevision {
    FailedRevision {
        digest: Digest::of(number.to_string().as_bytes()),
        revision: revision('a'),
        reason: "unit app.service failed".into(),
        at_secs: 1_700_000_000,
    }
}

#[test]
fn what_is_saved_is_what_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    let mut state = State {
        accepted: Some(revision('b').commit),
        ..State::default()
    };
    state.remember_failure(failed(1));
    state.save(&path).unwrap();
    assert_eq!(State::load(&path).unwrap(), state);
}

#[test]
fn a_missing_file_is_the_state_of_a_new_host() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::load(&dir.path().join("state.json")).unwrap();
    assert_eq!(state, State::default());
}

#[test]
fn version_1_is_read() {
    let text = include_bytes!("v1.json");
    let state = State::parse(text).unwrap();
    assert_eq!(state.failed.len(), 1);
    assert_eq!(state.accepted.unwrap().short(), "bbbbbbbbbbbb");
    assert_eq!(state.last.unwrap().took_ms, 1234);
    assert_eq!(state.last_drift.unwrap().items, ["content /etc/motd"]);
}

#[test]
fn a_damaged_or_newer_file_is_an_error_that_says_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    for (text, cause, fix) in [
        ("", "EOF", "move "),
        ("{\"version\":1,\"failed\":7}", "invalid type", "move "),
        ("{}", "version", "move "),
        (
            "{\"version\":2}",
            "its version is 2",
            "install the newer version",
        ),
    ] {
        std::fs::File::create(&path).unwrap();
        durable_text(&path, text);
        let error = State::load(&path).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.to_string().contains("state.json"), "{error}");
        assert!(source.contains(cause), "{text}: {source}");
        assert!(error.fix().contains(fix), "{text}: {}", error.fix());
    }
}

fn durable_text(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn an_unreadable_file_is_not_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    assert!(State::load(dir.path()).is_err());
}

#[test]
fn failures_are_remembered_once_per_digest_and_not_for_ever() {
    let mut state = State::default();
    for number in 0..40 {
        state.remember_failure(failed(number));
    }
    assert_eq!(state.failed.len(), FAILED_KEPT);
    assert!(state.failure(&failed(0).digest).is_none());
    state.remember_failure(FailedRevision {
        reason: "again".into(),
        ..failed(39)
    });
    assert_eq!(state.failed.len(), FAILED_KEPT);
    assert_eq!(state.failure(&failed(39).digest).unwrap().reason, "again");
    state.forget_failure(&failed(39).digest);
    assert!(state.failure(&failed(39).digest).is_none());
}
