use anstream::adapter::strip_str;

use super::*;
use crate::activation::{Hold, Notice, Remains};
use crate::cli::{GenerationEntry, GenerationList, PlanAnswer};
use crate::config::{Enforcement, HostName};
use crate::drift::{Contended, DriftClass, DriftItem, DriftReport};
use crate::generation::{GcMode, GcReport, GenerationNumber};
use crate::health::{Answer, Verdict};
use crate::host::{Digest, HostPath};
use crate::report::{
    Action, ActiveGeneration, AgentStatus, Area, Change, DriftSummary, FailedRevision, LiveAgent,
    NextBootStatus, OpenTransaction, Outcome, Problem, Report, Status, TextChange, Trigger,
    Unavailable,
};
use crate::source::{CommitId, Revision, Signer};

const NOW: i64 = 1_800_000_000;

fn plain(text: &str) -> String {
    strip_str(text).to_string()
}

fn revision(digit: char, subject: &str) -> Revision {
    Revision {
        commit: CommitId::new(digit.to_string().repeat(40)).unwrap(),
        author: "Anna Ober <anna@example.org>".into(),
        time_secs: NOW - 7_200,
        subject: subject.into(),
    }
}

fn change(area: Area, action: Action, subject: &str, detail: Option<&str>) -> Change {
    Change {
        area,
        action,
        subject: subject.into(),
        detail: detail.map(str::to_owned),
    }
}

fn activated() -> Report {
    Report {
        version: 1,
        host: HostName::new("chicago").unwrap(),
        at_secs: NOW - 30,
        took_ms: 2_345,
        trigger: Trigger::Manual,
        revision: Some(revision('a', "app: serve the new page")),
        signer: Some(Signer {
            principal: "anna@example.org".into(),
            fingerprint: "SHA256:abc".into(),
        }),
        generation: Some(GenerationNumber(4)),
        outcome: Outcome::Activated,
        changes: vec![
            change(Area::Packages, Action::Install, "curl", None),
            change(Area::Secrets, Action::Create, "db/password", None),
            change(Area::Secrets, Action::Update, "api/token", Some("content")),
            change(
                Area::Files,
                Action::Create,
                "/etc/app.conf",
                Some("file 0644 root:root"),
            ),
            change(Area::Files, Action::Remove, "/etc/old", None),
            change(
                Area::Units,
                Action::Restart,
                "app.service",
                Some("secret api/token changed"),
            ),
        ],
        notices: vec![Notice {
            subject: "/etc/issue".into(),
            text: "changed by hand; its policy is `report`".into(),
        }],
        secrets: vec!["api/token".into(), "db/password".into()],
        unavailable: vec![Unavailable {
            name: "mail/password".into(),
            cause: "secrets/mail.yml is not encrypted to this host".into(),
            fix: Some("add age1xyz to .sops.yaml and run `steadfast secrets rekey`".into()),
        }],
        health: vec![
            verdict("unit app.service", Answer::Passed),
            verdict(
                "sshd",
                Answer::NotAsked {
                    reason: "not below a --root".into(),
                },
            ),
            verdict(
                "git remote",
                Answer::FailedBefore {
                    reason: "no route".into(),
                },
            ),
        ],
        problem: None,
    }
}

fn verdict(check: &str, answer: Answer) -> Verdict {
    Verdict {
        check: check.into(),
        required: true,
        answer,
    }
}

#[test]
fn an_activation_is_told_from_revision_to_result() {
    insta::assert_snapshot!(plain(&report(&activated(), NOW, Page::ENDLESS)));
}

#[test]
fn each_outcome_has_its_last_line() {
    let last_lines: Vec<String> = [
        Outcome::NothingToDo,
        Outcome::Repaired,
        Outcome::RolledBack,
        Outcome::KnownBad,
        Outcome::Refused,
        Outcome::Failed,
        Outcome::Stuck,
        Outcome::Paused,
        Outcome::PutOff,
    ]
    .into_iter()
    .map(|outcome| {
        let text = plain(&report(
            &Report {
                outcome,
                ..activated()
            },
            NOW,
            Page::ENDLESS,
        ));
        text.lines().last().unwrap_or_default().to_owned()
    })
    .collect();
    insta::assert_snapshot!(last_lines.join("\n"));
}

#[test]
fn nothing_to_do_on_a_new_host_is_short() {
    let nothing = Report {
        revision: None,
        signer: None,
        generation: None,
        outcome: Outcome::NothingToDo,
        changes: Vec::new(),
        notices: Vec::new(),
        secrets: Vec::new(),
        unavailable: Vec::new(),
        health: Vec::new(),
        ..activated()
    };
    insta::assert_snapshot!(plain(&report(&nothing, NOW, Page::ENDLESS)), @r"
    host        chicago

    nothing to do, no generation is in force (2.3 s)
    ");
}

fn a_busy_host() -> Status {
    Status {
        version: 1,
        at_secs: NOW,
        host: HostName::new("chicago").unwrap(),
        repository: Some("ssh://git@git.example.org/fleet.git".into()),
        branch: Some("main".into()),
        agent: AgentStatus::Running(LiveAgent {
            pid: 812,
            version: "0.1.0".into(),
            started_secs: NOW - 86_400 * 3,
            phase: "waiting".into(),
            next_poll_secs: Some(NOW + 42),
            failures_in_a_row: 2,
        }),
        generation: Some(ActiveGeneration {
            number: GenerationNumber(4),
            digest: Digest::of(b"4"),
            revision: revision('a', "app: serve the new page"),
            signer: None,
            created_secs: NOW - 7_000,
        }),
        accepted: Some(revision('b', "").commit),
        next_boot: Some(NextBootStatus::Leave {
            generation: GenerationNumber(4),
            back_to: GenerationNumber(3),
        }),
        transaction: Some(OpenTransaction {
            phase: "stuck".into(),
            reason: Some("unit app.service failed; then the rollback failed: no space left".into()),
            confirm_until_secs: None,
            remains: vec![Remains {
                step: "write /etc/app.conf".into(),
                reason: "no space left on device".into(),
                fix: Some("make room on the file system".into()),
            }],
        }),
        last: Some(Report {
            outcome: Outcome::RolledBack,
            problem: Some(
                Problem::new("unit app.service failed")
                    .with_fix("look at `journalctl -u app.service`"),
            ),
            ..activated()
        }),
        failed: vec![FailedRevision {
            digest: Digest::of(b"5"),
            revision: revision('b', "app: try something"),
            reason: "unit app.service failed: exit-code".into(),
            at_secs: NOW - 30,
        }],
        drift: Some(DriftSummary {
            at_secs: NOW - 120,
            generation: Some(GenerationNumber(4)),
            items: (1..=10)
                .map(|number| format!("content /etc/file{number}"))
                .collect(),
            traces: Vec::new(),
            notices: Vec::new(),
        }),
        holds: vec![
            hold(None, 5_400, Some("replacing the disk")),
            hold(Some("/etc/app.conf"), 1_200, None),
        ],
        contended: vec![Contended {
            subject: "/etc/motd".to_owned(),
            until_secs: NOW + 120,
            rounds: 2,
            by: Some("sh (process 7 of app.service)".to_owned()),
        }],
    }
}

fn hold(path: Option<&str>, lasts_secs: i64, reason: Option<&str>) -> Hold {
    Hold {
        path: path.map(|path| HostPath::new(path).unwrap()),
        since_secs: NOW - 60,
        until_secs: NOW + lasts_secs,
        reason: reason.map(str::to_owned),
    }
}

#[test]
fn status_shows_everything_that_is_wrong() {
    insta::assert_snapshot!(plain(&status(&a_busy_host(), Page::ENDLESS)));
}

#[test]
fn status_of_a_new_host_says_what_there_is_not() {
    let new = Status {
        agent: AgentStatus::NotRunning,
        repository: None,
        branch: None,
        generation: None,
        accepted: None,
        next_boot: None,
        transaction: None,
        last: None,
        failed: Vec::new(),
        drift: None,
        holds: Vec::new(),
        contended: Vec::new(),
        ..a_busy_host()
    };
    insta::assert_snapshot!(plain(&status(&new, Page::ENDLESS)), @r"
    host        chicago
    agent       not running
    generation  none yet
    last news   none yet
    drift       not looked yet
    ");
}

fn entry(number: u64) -> GenerationEntry {
    GenerationEntry {
        number: GenerationNumber(number),
        digest: Digest::of(b"x"),
        revision: revision('a', "app: serve the new page"),
        signer: None,
        created_secs: NOW - 86_400 * (12 - i64::try_from(number).unwrap()),
        copy_of: None,
        current: false,
        previous_good: false,
        pinned: false,
    }
}

#[test]
fn the_list_of_generations_marks_what_is_special() {
    let generations = vec![
        GenerationEntry {
            pinned: true,
            ..entry(8)
        },
        GenerationEntry {
            previous_good: true,
            ..entry(9)
        },
        entry(10),
        GenerationEntry {
            current: true,
            pinned: true,
            copy_of: Some(GenerationNumber(9)),
            ..entry(11)
        },
    ];
    let answer = GenerationList {
        version: 1,
        generations,
    };
    insta::assert_snapshot!(plain(&list(&answer, NOW)));
}

#[test]
fn a_dry_run_ends_with_what_is_to_do() {
    let answer = PlanAnswer {
        version: 1,
        host: HostName::new("chicago").unwrap(),
        revision: revision('b', "app: try something"),
        generation: Some(GenerationNumber(4)),
        changes: activated().changes,
        texts: vec![TextChange {
            resource: "file".to_owned(),
            name: "/etc/app.conf".to_owned(),
            diff: Some(
                "--- /etc/app.conf\n+++ /etc/app.conf\n@@ -1 +1 @@\n-old\n+new\n".to_owned(),
            ),
            left_out: None,
        }],
        notices: activated().notices,
    };
    insta::assert_snapshot!(plain(&plan(&answer, NOW, Page::ENDLESS)));
    let nothing = PlanAnswer {
        changes: Vec::new(),
        texts: Vec::new(),
        notices: Vec::new(),
        ..answer
    };
    insta::assert_snapshot!(plain(&plan(&nothing, NOW, Page::ENDLESS)), @r"
    host        chicago
    revision    bbbbbbbbbbbb app: try something (Anna Ober, 2 hours ago)

    nothing to do
    ");
}

#[test]
fn gc_says_what_went_and_what_stayed() {
    let answer = GcReport {
        generations: vec![GenerationNumber(1), GenerationNumber(2)],
        kept: vec![GenerationNumber(3)],
        objects: 7,
        freed_bytes: 70_000,
    };
    insta::assert_snapshot!(plain(&gc(&answer, GcMode::DryRun)), @r"
    generations 1, 2
    kept        3
    would forget 2 of 3 generations and 7 objects, 68 KiB
    ");
}

fn drifted(class: DriftClass, subject: &str, detail: &str) -> DriftItem {
    DriftItem {
        class,
        subject: subject.into(),
        policy: Enforcement::Report,
        detail: detail.into(),
        diff: None,
        hold: None,
        contended: None,
        trace: None,
    }
}

#[test]
fn drift_is_grouped_and_shown_as_diffs() {
    let report = DriftReport {
        version: 1,
        host: HostName::new("chicago").unwrap(),
        generation: GenerationNumber(4),
        items: vec![
            drifted(DriftClass::Secret, "db/password", "has another value"),
            DriftItem {
                diff: Some(
                    "--- /etc/motd (generation 4)\n+++ /etc/motd (this host)\n@@ -1 +1,2 @@\n hello\n+hacked\n".into(),
                ),
                ..drifted(DriftClass::Content, "/etc/motd", "has other content")
            },
            DriftItem {
                policy: Enforcement::Enforce,
                hold: Some(hold(Some("/etc/app.conf"), 1_200, None)),
                ..drifted(DriftClass::Metadata, "/etc/app.conf", "mode is 0666, should be 0644")
            },
            drifted(DriftClass::UnitState, "app.service", "failed, should be running"),
            drifted(DriftClass::UnitState, "backup.timer", "is not enabled"),
        ],
        holds: vec![hold(None, 5_400, Some("replacing the disk"))],
        notices: Vec::new(),
    };
    insta::assert_snapshot!(plain(&drift(&report, Page::ENDLESS)));
    let none = DriftReport {
        items: Vec::new(),
        holds: Vec::new(),
        ..report
    };
    insta::assert_snapshot!(plain(&drift(&none, Page::ENDLESS)), @"nothing differs from generation 4");
    let waiting = "does not run: its condition does not hold (ConditionPathExists=/etc/app.conf)";
    let waiting = DriftReport {
        notices: vec![Notice {
            subject: "app.service".into(),
            text: waiting.into(),
        }],
        ..none
    };
    insta::assert_snapshot!(plain(&drift(&waiting, Page::ENDLESS)), @r"
    nothing differs from generation 4
    note: app.service does not run: its condition does not hold (ConditionPathExists=/etc/app.conf)
    ");
}

#[test]
fn a_narrow_terminal_breaks_no_word() {
    let page = Page::of_columns(60);
    let long = "/etc/a/directory/with/a/name/that/goes/on/for/ever/app.conf";
    let report = Report {
        changes: vec![
            change(
                Area::Files,
                Action::Create,
                "/etc/app.conf",
                Some("file 0644 root:root"),
            ),
            change(
                Area::Files,
                Action::Update,
                "/etc/app/with/a/long/name.conf",
                Some("content"),
            ),
            change(
                Area::Files,
                Action::Update,
                long,
                Some("content, mode 0644 to 0600"),
            ),
            change(
                Area::Units,
                Action::Restart,
                "app.service",
                Some("/etc/app.conf changed, and so did the secret database/password"),
            ),
        ],
        ..activated()
    };
    insta::assert_snapshot!(plain(&super::report(&report, NOW, page)));
}

#[test]
fn many_directories_on_the_way_are_counted() {
    let made = |path: &str| {
        change(
            Area::Files,
            Action::Create,
            path,
            Some("directory 0755 root:root"),
        )
    };
    let mut all: Vec<Change> = ["/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a/empty"]
        .map(made)
        .into();
    all.push(change(
        Area::Files,
        Action::Create,
        "/a/b/c/d/file",
        Some("file 0644 root:root"),
    ));
    insta::assert_snapshot!(plain(&changes(&all, Page::ENDLESS)));
}

#[test]
fn a_terminal_gets_the_beginning_of_long_diffs_and_a_program_all_of_them() {
    let text = |name: &str, lines: usize| TextChange {
        resource: "file".into(),
        name: name.into(),
        diff: Some(format!(
            "--- {name}\n+++ {name}\n@@ -1 +1 @@\n{}",
            "+a\x1b[2J\n".repeat(lines)
        )),
        left_out: None,
    };
    let many: Vec<TextChange> = (0..9)
        .map(|number| text(&format!("/etc/{number}"), 100))
        .collect();
    let shown = plain(&texts(&many, Page::of_columns(80)));
    assert_eq!(
        shown
            .matches("… 43 more lines; in all, 100 are added and 0 removed")
            .count(),
        5
    );
    assert!(
        shown.contains("… and what differs in 4 more files"),
        "{shown}"
    );
    assert!(shown.contains("\n+a\\u{1b}[2J\n"), "{shown}");
    let all = texts(&many, Page::ENDLESS);
    assert_eq!(all.matches("+a\x1b[2J").count(), 900);
}
