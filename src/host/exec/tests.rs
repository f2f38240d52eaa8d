use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::*;

fn sh(script: &str) -> Program {
    Program::new("/bin/sh").args(["-c", script])
}

#[test]
fn output_and_exit_code_are_given_back() {
    let output = sh("echo out; echo err >&2; exit 3").run().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(output.stdout, b"out\n");
    assert_eq!(output.stderr, b"err\n");
}

#[test]
fn a_failure_carries_the_last_lines_of_stderr() {
    let error = sh("for i in $(seq 100); do echo line $i >&2; done; exit 7")
        .run_ok()
        .unwrap_err();
    let ExecError::Failed { code, stderr, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*code, 7);
    assert!(
        stderr.starts_with("line 89\n") && stderr.ends_with("line 100"),
        "{stderr}"
    );
}

#[test]
fn control_characters_do_not_reach_the_readers_terminal() {
    let error = sh(r"printf '\033[31mred\007\n' >&2; exit 1")
        .run_ok()
        .unwrap_err();
    assert_eq!(error.stderr(), "[31mred");
}

#[test]
fn a_missing_program_names_its_package() {
    let error = Program::new("/nonexistent/ssh-keygen").run().unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no program `/nonexistent/ssh-keygen` on this machine"
    );
    assert_eq!(
        error.hint().unwrap(),
        "install it: apt install openssh-client"
    );
}

#[test]
fn a_missing_directory_is_not_a_missing_program() {
    let error = sh("true").current_dir("/nonexistent").run().unwrap_err();
    assert!(matches!(error, ExecError::Start { .. }), "{error}");
}

#[test]
fn more_input_than_a_pipe_holds_goes_in_while_output_comes_out() {
    let input = vec![b'x'; 3 * 1024 * 1024];
    let output = Program::new("cat").stdin(input.clone()).run_ok().unwrap();
    assert_eq!(output, input);
}

#[test]
fn a_program_may_leave_its_input_unread() {
    let input = vec![b'x'; 3 * 1024 * 1024];
    assert_eq!(sh("echo done").stdin(input).run_ok().unwrap(), b"done\n");
}

#[test]
fn a_timeout_kills_everything_that_was_started() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let begun = Instant::now();
    let script = format!("(sleep 50; touch {}) & sleep 60", mark.display());
    let error = sh(&script)
        .timeout(Duration::from_millis(200))
        .run()
        .unwrap_err();
    assert!(matches!(error, ExecError::TimedOut { .. }), "{error}");
    assert!(
        begun.elapsed() < Duration::from_secs(40),
        "{:?}",
        begun.elapsed()
    );
    // Each of them has the mark's path among its arguments, and ends within moments of its signal.
    let name = mark.display().to_string();
    while commands().any(|command| command.contains(&name)) {
        assert!(begun.elapsed() < Duration::from_secs(40), "{name}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The command lines of all processes.
fn commands() -> impl Iterator<Item = String> {
    std::fs::read_dir("/proc").unwrap().filter_map(|process| {
        let command = std::fs::read(process.unwrap().path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&command).into_owned())
    })
}

#[test]
fn a_program_that_ignores_sigterm_is_killed() {
    let error = sh("trap '' TERM; while :; do sleep 0.1; done")
        .timeout(Duration::from_millis(100))
        .run()
        .unwrap_err();
    assert!(matches!(error, ExecError::TimedOut { .. }), "{error}");
}

#[test]
fn what_a_program_leaves_behind_does_not_keep_us_waiting() {
    let begun = Instant::now();
    let output = sh("sleep 60 & echo done").run().unwrap();
    assert_eq!(output.stdout, b"done\n");
    assert!(begun.elapsed() < Duration::from_secs(40));
}

#[test]
fn endless_output_is_cut_off() {
    let error = Program::new("yes").output_limit(100_000).run().unwrap_err();
    assert!(
        matches!(
            error,
            ExecError::TooMuchOutput {
                limit_bytes: 100_000,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_signal_is_told_from_an_exit_code() {
    let error = sh("kill -9 $$").run_ok().unwrap_err();
    assert!(
        matches!(error, ExecError::Killed { signal: 9, .. }),
        "{error}"
    );
}

#[test]
fn the_locale_is_fixed_and_private_variables_stay_here() {
    let printed = sh("echo $LC_ALL/$LANGUAGE/$SOPS_AGE_KEY/$EXTRA")
        .env("EXTRA", "yes")
        .run_ok()
        .unwrap();
    assert_eq!(printed, b"C.UTF-8///yes\n");
}

#[test]
fn what_is_fed_is_not_described() {
    let program = Program::new("chpasswd").arg("-e").stdin("canary");
    assert_eq!(format!("{program:?}"), "Program(chpasswd -e)");
}

#[test]
fn a_piped_child_answers_what_it_is_asked() {
    let mut child = Program::new("cat").pipe().unwrap();
    let mut answer = [0_u8; 5];
    for word in [b"hello", b"world"] {
        child.write_all(word).unwrap();
        child.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, word);
    }
    child.close_stdin();
    let mut rest = Vec::new();
    child.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
    child.finish().unwrap();
}

#[test]
fn a_piped_child_that_fails_says_why() {
    let child = sh("echo no such host >&2; exit 255").pipe().unwrap();
    let error = child.finish().unwrap_err();
    assert_eq!(error.stderr(), "no such host");
}

#[test]
fn a_silent_piped_child_is_given_up() {
    let mut child = sh("sleep 60")
        .timeout(Duration::from_millis(100))
        .pipe()
        .unwrap();
    let mut answer = Vec::new();
    child.read_to_end(&mut answer).unwrap();
    let error = child.finish().unwrap_err();
    assert!(matches!(error, ExecError::TimedOut { .. }), "{error}");
}

#[test]
fn unread_output_does_not_keep_a_piped_child_from_ending() {
    let child = sh("head -c 1000000 /dev/zero").pipe().unwrap();
    child.finish().unwrap();
}

#[test]
fn a_dropped_piped_child_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let name = mark.display().to_string();
    let child = sh(&format!("sleep 50; touch {name}")).pipe().unwrap();
    let begun = Instant::now();
    drop(child);
    while commands().any(|command| command.contains(&name)) {
        assert!(begun.elapsed() < Duration::from_secs(40), "{name}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
