//! The command line as a stranger meets it: help, usage errors, errors, pipes.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::Write as _;

use assert_cmd::Command;

/// The program with nothing of this machine in its environment.
fn steadfast() -> Command {
    let mut command = Command::cargo_bin("steadfast").unwrap();
    command.env_clear();
    command
}

fn stdout(command: &mut Command) -> String {
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn stderr(command: &mut Command) -> String {
    let output = command.output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn every_help_screen_reads_well() {
    for verb in [
        "",
        "reconcile",
        "reconcile now",
        "reconcile confirm",
        "reconcile log",
        "reconcile pause",
        "reconcile resume",
        "status",
        "drift",
        "drift adopt",
        "drift hold",
        "drift release",
        "plan",
        "init",
        "host",
        "host add",
        "check",
        "config",
        "config show",
        "config diff",
        "config docs",
        "config schema",
        "why",
        "inputs",
        "inputs list",
        "inputs update",
        "generations",
        "generations list",
        "generations show",
        "generations diff",
        "generations rollback",
        "generations gc",
        "generations pin",
        "backup",
        "backup status",
        "backup run",
        "backup snapshots",
        "backup restore",
        "backup check",
        "agent",
        "boot",
        "recover",
        "activate",
        "completions",
        "man",
        "schema",
    ] {
        let words: Vec<&str> = verb.split_whitespace().collect();
        let help = stdout(steadfast().args(&words).arg("--help"));
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{help}"
        );
        insta::assert_snapshot!(format!("help {verb}").trim().replace(' ', "-"), help);
    }
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_would_be_right() {
    for (args, hint) in [
        (&["reconcil"][..], "'reconcile'"),
        (&["reconcile", "now", "--dryrun"], "'--dry-run'"),
        (&["generations", "pin"], "<NUMBER>"),
        (&["plan", "--host", "No Such"], "lower-case letters"),
        (&["plan", "--rev", "HEAD"], "--host"),
        (&[], "Usage: steadfast"),
    ] {
        let command = &mut steadfast();
        command.args(args).assert().code(2);
        let text = stderr(command);
        assert!(text.contains(hint), "{args:?}: {text}");
    }
}

#[test]
fn the_program_answers_to_its_three_names() {
    let program = assert_cmd::cargo::cargo_bin("steadfast");
    let dir = tempfile::tempdir().unwrap();
    for (name, usage) in [
        ("reconcile", "Usage: reconcile [OPTIONS] <COMMAND>"),
        ("secrets", "Usage: secrets "),
        ("renamed", "Usage: renamed [OPTIONS] <COMMAND>"),
    ] {
        let link = dir.path().join(name);
        std::os::unix::fs::symlink(&program, &link).unwrap();
        let help = stdout(Command::new(&link).env_clear().arg("--help"));
        assert!(help.contains(usage), "{help}");
    }
}

#[test]
fn errors_say_what_why_and_how_to_fix_it() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("nothing-here");
    let mut command = steadfast();
    command
        .args(["plan", "--host", "chicago", "--repo"])
        .arg(&missing);
    command.assert().code(1).stdout("");
    let text = stderr(&mut command).replace(&*missing.to_string_lossy(), "DIR");
    insta::assert_snapshot!(text);

    let mut command = steadfast();
    command
        .args(["generations", "show", "--root"])
        .arg(dir.path());
    command.assert().code(1).stdout("");
    insta::assert_snapshot!(stderr(&mut command), @r"
    error: this host has no generation yet
      fix:   run `steadfast reconcile now` to make the first
    ");
}

#[test]
fn colours_are_for_terminals_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = steadfast();
    command
        .args(["generations", "show", "--root"])
        .arg(dir.path());
    assert!(!stderr(&mut command).contains('\x1b'));
    command.env("CLICOLOR_FORCE", "1");
    assert!(stderr(&mut command).contains('\x1b'));
    command.env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE");
    assert!(!stderr(&mut command).contains('\x1b'));
}

#[test]
fn a_log_filter_with_a_typo_is_an_error() {
    let mut command = steadfast();
    command.arg("schema").env("STEADFAST_LOG", "steadfast=lots");
    command.assert().code(1).stdout("");
    insta::assert_snapshot!(stderr(&mut command), @r#"
    error: STEADFAST_LOG is `steadfast=lots`, which is not a log filter
      cause: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
      fix:   unset it, or set it to something like `STEADFAST_LOG=debug`
    "#);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a pipe that nobody reads needs a child of its own"
)]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let program = assert_cmd::cargo::cargo_bin("steadfast");
    // A script larger than a pipe's buffer, so that writing must notice.
    let mut child = std::process::Command::new(program)
        .args(["completions", "zsh"])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success(), "{}", output.status);
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "assert_cmd cannot redirect stdout"
    )]
    let output = std::process::Command::new(assert_cmd::cargo::cargo_bin("steadfast"))
        .arg("schema")
        .env_clear()
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r"
    error: cannot write the answer to stdout
      cause: No space left on device (os error 28)
    ");
}

#[test]
fn manual_pages_and_completions_exist_for_every_name() {
    let dir = tempfile::tempdir().unwrap();
    steadfast()
        .args(["man", "--out"])
        .arg(dir.path())
        .assert()
        .success();
    for page in [
        "steadfast.1",
        "steadfast-reconcile-now.1",
        "reconcile-now.1",
        "secrets.1",
        "steadfast-generations-rollback.1",
    ] {
        let text = std::fs::read_to_string(dir.path().join(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{page}");
    }
    let pages = std::fs::read_dir(dir.path()).unwrap();
    for page in pages {
        let name = page.unwrap().file_name();
        assert!(!name.to_string_lossy().contains("help"), "{name:?}");
    }
    for name in ["steadfast", "reconcile", "secrets"] {
        let script = stdout(steadfast().args(["completions", "bash", "--for", name]));
        assert!(script.contains(&format!("complete -F _{name}")), "{script}");
    }
}

#[test]
fn check_finds_nothing_wrong_with_the_demo() {
    let mut check = steadfast();
    check.current_dir(env!("CARGO_MANIFEST_DIR")).arg("check");
    let said = stdout(&mut check);
    assert!(said.starts_with("1 host: nothing is wrong in "), "{said}");
    check.assert().code(0);
}

#[test]
fn check_says_what_is_wrong_and_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("hosts/a/host.yml", "modules: { m: }\n"),
        ("hosts/b/host.yml", "modules: { m: }\n"),
        ("modules/m/module.yml", "config: { pakages: [curl] }\n"),
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = std::fs::File::create(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
    let mut check = steadfast();
    check.arg("check").arg(folder.path());
    let said = stdout(&mut check);
    assert!(said.contains("did you mean `packages`?"), "{said}");
    assert!(said.contains("hosts: a, b"), "{said}");
    assert!(said.contains("\n2 hosts, 1 module: 1 error in "), "{said}");
    check.assert().code(1);

    let mut check = steadfast();
    check.arg("check").arg(folder.path()).arg("--json");
    let answer: serde_json::Value = serde_json::from_str(&stdout(&mut check)).unwrap();
    assert_eq!(
        answer["errors"][0]["origin"]["file"],
        "modules/m/module.yml"
    );
    assert_eq!(answer["errors"][0]["hosts"], serde_json::json!(["a", "b"]));
    assert_eq!(answer["hosts"][0]["digest"], serde_json::Value::Null);
    assert_eq!(answer["passed"], false);
}

#[test]
fn warnings_fail_a_check_that_is_strict() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["hosts/a/host.yml", "modules/nowhere/module.yml"] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path).unwrap();
    }
    for (strict, code) in [(false, 0), (true, 1)] {
        let mut check = steadfast();
        check.arg("check").arg(folder.path()).arg("--no-units");
        if strict {
            check.arg("--strict");
        }
        let said = stdout(&mut check);
        assert!(
            said.starts_with("warning: no host has the module `nowhere` on"),
            "{said}"
        );
        check.assert().code(code);
    }
}

#[test]
fn config_show_says_where_every_value_comes_from() {
    let mut show = steadfast();
    show.current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["config", "show", "demo"]);
    let said = stdout(&mut show);
    assert!(said.starts_with("# demo\n"), "{said}");
    assert!(said.contains("  # hosts/demo/host.yml:"), "{said}");
    let mut schema = steadfast();
    schema.args(["config", "schema", "module"]);
    let schema: serde_json::Value = serde_json::from_str(&stdout(&mut schema)).unwrap();
    assert_eq!(schema["title"], "modules/NAME/module.yml");
}
