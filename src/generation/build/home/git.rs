//! Git's own syntax: git-config(1), "CONFIGURATION FILE".

use crate::config::GitSection;

/// The text of `~/.config/git/config`.
pub(super) fn text(sections: &[GitSection]) -> String {
    let mut text = "# Written by steadfast from `git:` of the home.\n".to_owned();
    for section in sections {
        text.push('[');
        text.push_str(&section.name);
        if let Some(subsection) = &section.subsection {
            text.push_str(" \"");
            text.push_str(&subsection.replace('\\', "\\\\").replace('"', "\\\""));
            text.push('"');
        }
        text.push_str("]\n");
        for (key, value) in &section.settings {
            text.extend(["\t", key, " = ", &value_text(value), "\n"]);
        }
    }
    text
}

/// A value that git reads back as it is: in quotes unless it is plain, because spaces at the ends, `#` and `;` would
/// be lost.
fn value_text(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@~+,=<>%^*()".contains(c);
    let words = |c: char| plain(c) || c == ' ';
    let bare = value.trim() == value && !value.is_empty() && value.chars().all(words);
    if bare {
        return value.to_owned();
    }
    let mut quoted = "\"".to_owned();
    for c in value.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own temporary file")]
mod tests {
    use super::*;
    use crate::host::exec::{Inherited, Program};

    /// What git reads, as `key=value` pairs.
    fn read(sections: &[GitSection]) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        std::fs::write(&file, text(sections)).unwrap();
        let listed = Program::new("git")
            .args(["config", "--list", "-z", "-f"])
            .arg(&file)
            .inherit(Inherited::Nothing)
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .run_ok()
            .unwrap();
        let listed = String::from_utf8(listed).unwrap();
        let entries = listed.split_terminator('\0');
        entries.map(|entry| entry.replacen('\n', "=", 1)).collect()
    }

    fn section(name: &str, subsection: Option<&str>, settings: &[(&str, &str)]) -> GitSection {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        GitSection {
            name: name.to_owned(),
            subsection: subsection.map(str::to_owned),
            settings: settings.iter().map(own).collect(),
        }
    }

    #[test]
    fn git_reads_back_every_value_as_it_was_meant() {
        const HARD: [&str; 12] = [
            "Ketan Example",
            " spaces at both ends ",
            "a # hash",
            "a ; semicolon",
            "\"quoted\"",
            "back\\slash\\",
            "!f() { echo \"$1\" | sed 's/\\n/x/'; }; f",
            "two\nlines",
            "a\ttab",
            "",
            "Jörg — ü",
            "[section]",
        ];
        for value in HARD {
            let sections = [section("user", None, &[("name", value)])];
            assert_eq!(read(&sections), [format!("user.name={value}")], "{value:?}");
        }
    }

    #[test]
    fn sections_and_repeated_keys_are_what_git_takes_them_for() {
        let sections = [
            section("user", None, &[("email", "k@example.org")]),
            section(
                "remote",
                Some("origin"),
                &[("fetch", "+a"), ("fetch", "+b")],
            ),
            section("includeIf", Some("gitdir:~/work/"), &[("path", "~/work/x")]),
            section("url", Some("a\"b\\c"), &[("insteadOf", "x:")]),
            section("commit", None, &[("gpgSign", "true")]),
        ];
        assert_eq!(
            read(&sections),
            [
                "user.email=k@example.org",
                "remote.origin.fetch=+a",
                "remote.origin.fetch=+b",
                "includeif.gitdir:~/work/.path=~/work/x",
                "url.a\"b\\c.insteadof=x:",
                "commit.gpgsign=true",
            ]
        );
    }
}
