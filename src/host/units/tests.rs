//! On a real systemd. These tests move units, so they run only on a host made for it: one with the marker file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::host::{ActiveState, FileMode, Host, UnitFileState, UnitId, UnitState, durable};

const MARKER: &str = "/run/steadfast-test-host";
const UNITS: &str = "/etc/systemd/system";

fn unit(text: &str) -> UnitId {
    text.parse().unwrap()
}

fn define(name: &str, text: &str) {
    let path = Path::new(UNITS).join(name);
    durable::replace(&path, text.as_bytes(), FileMode::from_bits(0o644)).unwrap();
}

async fn one(units: &Units, name: &str) -> UnitState {
    let mut states = units.observe(&[unit(name)].into()).await.unwrap();
    states.remove(&unit(name)).unwrap()
}

/// Runs `test` on a host made for it, and says so when there is none.
fn on_a_test_host(name: &str, test: impl AsyncFnOnce(Units)) {
    if !Path::new(MARKER).exists() {
        println!("SKIP {name}: not on a test host ({MARKER})");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let units = Host::live().unwrap().units().await.unwrap();
        test(units).await;
    });
}

#[test]
fn a_unit_is_started_stopped_and_seen() {
    on_a_test_host(
        "a_unit_is_started_stopped_and_seen",
        async |units: Units| {
            define(
                "t1.service",
                "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n",
            );
            units.daemon_reload(None).await.unwrap();
            let before = one(&units, "t1.service").await;
            assert_eq!(before.active, Some(ActiveState::Inactive));
            assert_eq!(before.file, UnitFileState::Disabled);
            assert_eq!(
                before.fragment.unwrap().as_str(),
                "/etc/systemd/system/t1.service"
            );
            assert_eq!(
                units.start(&unit("t1.service")).await.unwrap(),
                JobResult::Done
            );
            units.enable(&unit("t1.service")).await.unwrap();
            let after = one(&units, "t1.service").await;
            assert_eq!(after.active, Some(ActiveState::Active));
            assert_eq!(
                (after.sub.as_str(), after.result.as_str()),
                ("running", "success")
            );
            assert_eq!(after.file, UnitFileState::Enabled);
            assert_eq!(after.invocation.len(), 32);
            assert_eq!(
                units.restart(&unit("t1.service")).await.unwrap(),
                JobResult::Done
            );
            assert_ne!(one(&units, "t1.service").await.invocation, after.invocation);
            assert_eq!(
                units.reload(&unit("t1.service")).await.unwrap(),
                JobResult::Done
            );
            assert_eq!(
                units.stop(&unit("t1.service")).await.unwrap(),
                JobResult::Done
            );
            units.disable(&unit("t1.service")).await.unwrap();
            define("t1.service", "[Service]\nExecStart=/bin/sleep 2000\n");
            units.start(&unit("t1.service")).await.unwrap();
            assert!(one(&units, "t1.service").await.needs_reload);
            assert_eq!(
                units.stop(&unit("t1.service")).await.unwrap(),
                JobResult::Done
            );
        },
    );
}

#[test]
fn failures_have_their_own_words() {
    on_a_test_host("failures_have_their_own_words", async |units: Units| {
        define(
            "t2.service",
            "[Service]\nType=oneshot\nExecStart=/bin/false\n",
        );
        define(
            "t3.service",
            "[Unit]\nRequires=t2.service\nAfter=t2.service\n[Service]\nExecStart=/bin/sleep 9\n",
        );
        define(
            "t4.service",
            "[Unit]\nJobTimeoutSec=1\n[Service]\nType=notify\nExecStart=/bin/sleep 9\n",
        );
        define("t5.service", "[Service]\nRestart=always\n");
        units.daemon_reload(None).await.unwrap();
        assert_eq!(
            units.start(&unit("t2.service")).await.unwrap(),
            JobResult::Failed
        );
        assert_eq!(
            units.start(&unit("t3.service")).await.unwrap(),
            JobResult::Dependency
        );
        assert_eq!(
            units.start(&unit("t4.service")).await.unwrap(),
            JobResult::Timeout
        );
        let state = one(&units, "t2.service").await;
        assert!(state.oneshot);
        assert_eq!(
            (state.active, state.result.as_str()),
            (Some(ActiveState::Failed), "exit-code")
        );
        assert!(
            units
                .failed()
                .await
                .unwrap()
                .contains(&unit("t2.service").name)
        );
        for name in ["t2.service", "t4.service", "no-such.service"] {
            units.reset_failed(&unit(name)).await.unwrap();
        }
        assert!(
            !units
                .failed()
                .await
                .unwrap()
                .contains(&unit("t2.service").name)
        );
        for (name, hint) in [
            ("t5.service", "systemd-analyze verify t5.service"),
            (
                "no-such.service",
                "install the package that brings no-such.service, or give the unit a `file`",
            ),
        ] {
            let error = units.start(&unit(name)).await.unwrap_err();
            assert_eq!(error.hint().as_deref(), Some(hint), "{error:?}");
        }
        let error = units.enable(&unit("no-such.service")).await.unwrap_err();
        assert!(error.hint().is_some(), "{error:?}");
        assert_eq!(
            units.stop(&unit("no-such.service")).await.unwrap(),
            JobResult::Done
        );
    });
}

#[test]
fn masked_missing_and_template_units_are_seen_for_what_they_are() {
    on_a_test_host(
        "masked_missing_and_template_units_are_seen_for_what_they_are",
        async |units: Units| {
            define(
                "t6@.service",
                "[Service]\nExecStart=/bin/sleep 9\n[Install]\nWantedBy=multi-user.target\n",
            );
            let masked = Path::new(UNITS).join("t7.service");
            durable::replace_link(&masked, Path::new("/dev/null")).unwrap();
            units.daemon_reload(None).await.unwrap();
            assert_eq!(
                one(&units, "t6@.service").await.file,
                UnitFileState::Disabled
            );
            assert_eq!(
                one(&units, "t6@a-b.service").await.file,
                UnitFileState::Disabled
            );
            assert_eq!(
                one(&units, "t6@a-b.service")
                    .await
                    .fragment
                    .unwrap()
                    .as_str(),
                "/etc/systemd/system/t6@.service"
            );
            assert_eq!(
                one(&units, "none@.service").await.file,
                UnitFileState::Missing
            );
            assert_eq!(
                one(&units, "none.service").await.file,
                UnitFileState::Missing
            );
            assert_eq!(one(&units, "t7.service").await.file, UnitFileState::Masked);
            assert_eq!(
                one(&units, "multi-user.target").await.file,
                UnitFileState::Static
            );
            assert!(one(&units, "ssh.socket").await.active.is_some());
            // systemd disables nothing behind a mask, and says nothing about it.
            let theirs = Path::new("/run/systemd/system/t9.service");
            let text = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
            let mode = FileMode::from_bits(0o644);
            durable::replace(theirs, text.as_bytes(), mode).unwrap();
            units.daemon_reload(None).await.unwrap();
            units.enable(&unit("t9.service")).await.unwrap();
            let masked = Path::new(UNITS).join("t9.service");
            durable::replace_link(&masked, Path::new("/dev/null")).unwrap();
            units.daemon_reload(None).await.unwrap();
            let behind = UnitFileState::EnabledButMasked;
            assert_eq!(one(&units, "t9.service").await.file, behind);
            units.disable(&unit("t9.service")).await.unwrap();
            assert_eq!(one(&units, "t9.service").await.file, UnitFileState::Masked);
            fs::remove_file(&masked).unwrap();
            units.daemon_reload(None).await.unwrap();
            assert_eq!(
                one(&units, "t9.service").await.file,
                UnitFileState::Disabled
            );
            let error = units.start(&unit("t7.service")).await.unwrap_err();
            assert_eq!(error.hint().as_deref(), Some("systemctl unmask t7.service"));
        },
    );
}

#[test]
fn a_unit_that_removes_itself_from_view_does_not_hang_us() {
    on_a_test_host(
        "a_unit_that_removes_itself_from_view_does_not_hang_us",
        async |units: Units| {
            define("t8.service", "[Service]\nExecStart=/bin/sleep 1000\n");
            units.daemon_reload(None).await.unwrap();
            units.start(&unit("t8.service")).await.unwrap();
            fs::remove_file(Path::new(UNITS).join("t8.service")).unwrap();
            units.daemon_reload(None).await.unwrap();
            let state = one(&units, "t8.service").await;
            assert_eq!(state.active, Some(ActiveState::Active));
            assert_eq!(state.file, UnitFileState::Missing);
            assert_eq!(
                units.stop(&unit("t8.service")).await.unwrap(),
                JobResult::Done
            );
        },
    );
}

#[test]
fn orders_run_side_by_side() {
    on_a_test_host("orders_run_side_by_side", async |units: Units| {
        for n in 0..8 {
            // Each waits for all of them.
            define(
                &format!("t9-{n}.service"),
                &format!(
                    "[Service]\nType=oneshot\nTimeoutStartSec=60\nExecStart=/bin/sh -c \
                     'touch /run/t9-{n}; until [ $(ls /run/t9-* | wc -l) = 8 ]; do sleep 0.1; done'\n"
                ),
            );
        }
        units.daemon_reload(None).await.unwrap();
        let mut orders = tokio::task::JoinSet::new();
        for n in 0..8 {
            let units = units.clone();
            orders.spawn(async move { units.start(&unit(&format!("t9-{n}.service"))).await });
        }
        for result in orders.join_all().await {
            assert_eq!(result.unwrap(), JobResult::Done);
        }
    });
}

/// What a package upgrade of systemd does, in the middle of an activation.
#[test]
fn a_job_is_followed_while_systemd_executes_itself_again() {
    on_a_test_host(
        "a_job_is_followed_while_systemd_executes_itself_again",
        async |units: Units| {
            define(
                "t10.service",
                "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 4\n",
            );
            units.daemon_reload(None).await.unwrap();
            let order = tokio::spawn({
                let units = units.clone();
                async move { units.start(&unit("t10.service")).await }
            });
            tokio::time::sleep(Duration::from_millis(500)).await;
            crate::host::exec::Program::new("systemctl")
                .arg("daemon-reexec")
                .run_ok()
                .unwrap();
            assert_eq!(order.await.unwrap().unwrap(), JobResult::Done);
            assert_eq!(
                one(&units, "t10.service").await.active,
                Some(ActiveState::Active)
            );
            assert_eq!(
                units.stop(&unit("t10.service")).await.unwrap(),
                JobResult::Done
            );
        },
    );
}

#[test]
fn a_hundred_units_are_observed_at_once() {
    on_a_test_host(
        "a_hundred_units_are_observed_at_once",
        async |units: Units| {
            let names = (0..100)
                .map(|n| unit(&format!("t11-{n}.service")))
                .collect();
            assert_eq!(units.observe(&names).await.unwrap().len(), 100);
        },
    );
}
