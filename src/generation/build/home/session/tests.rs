use super::*;
use crate::config::Origin;
use crate::host::exec::{Inherited, Program};
use crate::source::RepoPath;

fn variables(pairs: &[(&str, &str)]) -> Variables {
    let origin = Origin {
        file: RepoPath::new("hosts/web/host.yml").unwrap(),
        line: 1,
        column: 1,
    };
    let located = pairs.iter().map(|(name, value)| {
        let value = Located {
            value: (*value).to_owned(),
            origin: origin.clone(),
        };
        ((*name).to_owned(), value)
    });
    located.collect()
}

/// Values that quoting could get wrong, and what they are in a session with `HOME=/home/x`.
const HARD: [(&str, &str, &str); 9] = [
    ("A_PLAIN", "vim", "vim"),
    ("B_SPACES", "  two  words  ", "  two  words  "),
    ("C_QUOTES", r#"it's "so" `said`"#, r#"it's "so" `said`"#),
    (
        "D_COMMAND",
        "$(touch /tmp/pwned)`id`",
        "$(touch /tmp/pwned)`id`",
    ),
    ("E_DOLLARS", "$HOME $$ ${ ${1} ${}", "$HOME $$ ${ ${1} ${}"),
    ("F_BACKSLASHES", r"\n \\ \$ \", r"\n \\ \$ \"),
    ("G_USES", "${HOME}/bin:${HOME}", "/home/x/bin:/home/x"),
    (
        "H_COMMENT",
        "# no comment; && $'x'",
        "# no comment; && $'x'",
    ),
    ("I_UNSET", "[${NOBODY_SETS_THIS}]", "[]"),
];

fn hard() -> Variables {
    let pairs: Vec<(&str, &str)> = HARD
        .iter()
        .map(|(name, value, _)| (*name, *value))
        .collect();
    variables(&pairs)
}

#[test]
fn a_shell_takes_every_value_as_it_was_meant_and_runs_nothing() {
    let user = UserName::new("x").unwrap();
    let script = profile(&[(&user, &hard())]);
    for (name, _, meant) in HARD {
        let script = format!("{script}printf %s \"${name}\"");
        let said = Program::new("sh")
            .args(["-c", &script])
            .inherit(Inherited::Nothing)
            .env("HOME", "/home/x")
            .env("USER", "x")
            .env("PATH", "/usr/bin:/bin")
            .run_ok()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&said), meant, "{name}");
    }
    let other = Program::new("sh")
        .args(["-c", &format!("{script}printf %s \"${{A_PLAIN-none}}\"")])
        .inherit(Inherited::Nothing)
        .env("USER", "y")
        .env("PATH", "/usr/bin:/bin")
        .run_ok()
        .unwrap();
    assert_eq!(other, b"none");
}

#[test]
fn values_are_written_as_environment_d_reads_them() {
    // As systemd's own generator reads them: tests/e2e asks it.
    assert_eq!(
        environment(&hard()),
        r##"# Written by steadfast from `session_variables:` of the home.
A_PLAIN="vim"
B_SPACES="  two  words  "
C_QUOTES="it's \"so\" \`said\`"
D_COMMAND="$$(touch /tmp/pwned)\`id\`"
E_DOLLARS="$$HOME $$$$ $${ $${1} $${}"
F_BACKSLASHES="\\n \\\\ \\$$ \\"
G_USES="${HOME}/bin:${HOME}"
H_COMMENT="# no comment; && $$'x'"
I_UNSET="[${NOBODY_SETS_THIS}]"
"##
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own temporary file")]
fn the_generator_of_systemd_takes_every_value_as_it_was_meant() {
    const GENERATOR: &str =
        "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator";
    if !std::path::Path::new(GENERATOR).exists() {
        eprintln!("skipped: {GENERATOR} is not on this machine");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join(".config/environment.d");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("50-steadfast.conf"), environment(&hard())).unwrap();
    let said = Program::new(GENERATOR)
        .inherit(Inherited::Nothing)
        .env("HOME", home.path())
        .run_ok()
        .unwrap();
    // It answers in the quoting that systemd reads back; a shell reads it just as well.
    let script = String::from_utf8(said).unwrap();
    for (name, _, meant) in HARD {
        let meant = meant.replace("/home/x", &home.path().to_string_lossy());
        let said = Program::new("bash")
            .args(["-c", &format!("{script}\nprintf %s \"${name}\"")])
            .inherit(Inherited::Nothing)
            .env("PATH", "/usr/bin:/bin")
            .run_ok()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&said), meant, "{name}");
    }
}

#[test]
fn a_variable_comes_after_those_that_it_uses() {
    let all = variables(&[
        ("A", "${C}/a"),
        ("B", "${B}:b"),
        ("C", "c"),
        ("D", "${E}"),
        ("E", "${D}"),
    ]);
    let names: Vec<&str> = in_order(&all).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["C", "A", "B", "E", "D"]);
}
