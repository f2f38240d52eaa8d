//! Repositories that mean harm: they end, in bounded time and memory, and see nothing of the machine.
//!
//! Each is checked by the program in a process of its own, whose address space is limited. The limits are generous: they
//! tell what is bounded from what is not, on a busy machine too.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Address space of the program, in KiB. Threads and the allocator reserve far more than is used.
const MEMORY_KIB: u64 = 1024 * 1024;
/// In CPU seconds, so that other programs do not count. What ends at all takes less than one, with optimisation.
const CPU_SECS: u64 = 60;

/// Checks a repository of one host under limits; the exit status, and what was said.
fn checked(fill: impl FnOnce(&Path)) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("hosts/web")).unwrap();
    fill(folder.path());
    let limits = format!("ulimit -v {MEMORY_KIB} && ulimit -t {CPU_SECS} && exec \"$@\"");
    let began = Instant::now();
    let output = Command::new("/bin/sh")
        .args(["-c", &limits, "sh", env!("CARGO_BIN_EXE_steadfast")])
        .args(["check", "--no-units"])
        .arg(folder.path())
        .env_clear()
        .env("CANARY", "canary-of-the-environment")
        .output()
        .unwrap();
    assert!(
        began.elapsed() < Duration::from_mins(10),
        "it took {:?}",
        began.elapsed()
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.code().is_some(),
        "it was ended by a limit: {:?}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.len() < 4 * 1024 * 1024, "it says {} bytes", said.len());
    (output, said)
}

/// Checks one host file that must be refused with a message that has `expected` in it.
fn refused(host: &str, expected: &str) {
    let (output, said) =
        checked(|folder| fs::write(folder.join("hosts/web/host.yml"), host).unwrap());
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(expected), "{expected}:\n{said}");
}

#[test]
fn loops_in_loops_end() {
    let loops = "{% for a in range(9000) %}".repeat(6) + "x" + &"{% endfor %}".repeat(6);
    refused(
        &format!("files:\n  /etc/a: {{ text: \"{loops}\" }}\n"),
        "does more than one expression may",
    );
}

#[test]
fn many_expressions_that_each_do_as_much_as_they_may_end() {
    let mut host = "files:\n".to_owned();
    for n in 0..3000 {
        let text = "{% for a in range(9999) %}{% set b = a * 3 %}{% endfor %}";
        let _ = writeln!(host, "  /etc/{n}: {{ text: \"{text}\" }}");
    }
    refused(
        &host,
        "the expressions of this host do more than is allowed",
    );
}

#[test]
fn loops_over_entries_end() {
    let host = "files:\n  '/a/{{ a }}':\n    for: a in range(9999)\n    text: x\n    units:\n      restart:\n        - { for: b in range(9999), value: 'u{{ b }}.service' }\n";
    refused(host, "values, loops and all");
}

#[test]
fn texts_do_not_grow_without_bound() {
    for text in [
        "{{ 'x' * 999999999 }}",
        "{{ ('x' * 90000)|replace('x', 'y' * 90000) }}",
        "{{ range(9999)|join('x' * 90000) }}",
        "{% set a = 'x' %}{% for i in range(60) %}{% set a = a ~ a %}{% endfor %}{{ a }}",
        "{{ ['x' * 9999] * 99999 }}",
        "{{ 'x'|indent(999999999) }}",
        "{{ '%999999999d'|format(1) }}",
        "{{ 9 ** 999999999 }}",
        "{{ range(9999)|map('string')|list|sort|unique|join }}",
    ] {
        let host = format!("files:\n  /etc/a: {{ text: \"{text}\" }}\n");
        let (output, said) =
            checked(|folder| fs::write(folder.join("hosts/web/host.yml"), host).unwrap());
        // Some of these are harmless; none may be ended by a limit.
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{text}: {said}"
        );
    }
}

#[test]
fn nesting_and_aliases_end() {
    refused(&format!("files: {}", "[".repeat(10_000)), "64 levels");
    refused(&format!("files: {}", "{a: ".repeat(10_000)), "64 levels");
    refused(&"- ".repeat(10_000), "64 levels");
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..30 {
        let alias = format!("*a{}", n - 1);
        let _ = writeln!(bomb, "a{n}: &a{n} [{}]", [alias.as_str(); 10].join(", "));
    }
    refused(&bomb, "more than 100000 values");
    let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    refused(
        &format!("files:\n  /etc/a: {{ text: \"{parentheses}\" }}\n"),
        "error",
    );
}

#[test]
fn patterns_do_not_run_away() {
    let (output, said) = checked(|folder| {
        fs::create_dir_all(folder.join("modules/m")).unwrap();
        let module = "options:\n  a: { type: string, pattern: \"^(a+)+$\" }\n  b: { type: string, default: x, pattern: \"((a{1000}){1000}){1000}\" }\nconfig: {}\n";
        fs::write(folder.join("modules/m/module.yml"), module).unwrap();
        let host = format!("modules: {{ m: {{ a: \"{}!\" }} }}\n", "a".repeat(100_000));
        fs::write(folder.join("hosts/web/host.yml"), host).unwrap();
    });
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("this is not a regular expression"), "{said}");
}

#[test]
fn circles_of_many_modules_end() {
    let (output, said) = checked(|folder| {
        for n in 0..300 {
            let module = folder.join(format!("modules/m{n}"));
            fs::create_dir_all(&module).unwrap();
            let all: Vec<String> = (0..300).map(|m| format!("m{m}: ")).collect();
            let text = format!("modules: {{ {} }}\n", all.join(", "));
            fs::write(module.join("module.yml"), text).unwrap();
        }
        fs::write(folder.join("hosts/web/host.yml"), "modules: { m0: }\n").unwrap();
    });
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("wait for one another") || said.contains("depends on itself"),
        "{said}"
    );
}

#[test]
fn nothing_of_the_machine_can_be_read() {
    for text in [
        "{% include '/etc/hostname' %}",
        "{% import '/etc/hostname' as x %}",
        "{{ lookup('file', '/etc/hostname') }}",
        "{{ env.CANARY }}",
        "{{ env('CANARY') }}",
        "{{ environ }}",
        "{{ now() }}",
        "{{ random() }}",
        "{{ [1, 2]|random }}",
        "{{ self }}",
        "{{ debug() }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ 'id'|shell }}",
    ] {
        let host = format!("files:\n  /etc/a: {{ text: \"{text}\" }}\n");
        refused(&host, "error");
    }
    for file in [
        "/../../../etc/hostname",
        "/etc/hostname",
        "../../../../../../etc/hostname",
        "/proc/self/environ",
    ] {
        for template in ["", ", template: true"] {
            refused(
                &format!("files:\n  /etc/a: {{ file: \"{file}\"{template} }}\n"),
                "error",
            );
        }
    }
}
