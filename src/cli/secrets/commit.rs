//! The commit that a verb leaves to be made, as commands for the shell.

use std::collections::BTreeSet;

use super::rekey::table;
use crate::cli::style::{ADDED, FAINT, REMOVED, paint};
use crate::secrets::{RekeyPlan, Repository};
use crate::source::RepoPath;

/// The commands that commit `files` and nothing else.
pub(in crate::cli) fn commands(
    repository: &Repository,
    files: &BTreeSet<RepoPath>,
    message: &str,
) -> Vec<String> {
    const SHOWN: usize = 20;
    if files.is_empty() {
        return Vec::new();
    }
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let git = if here.is_ok_and(|here| here == repository.root()) {
        "git".to_owned()
    } else {
        format!(
            "git -C {}",
            quoted(&repository.root().display().to_string())
        )
    };
    let names: BTreeSet<String> = if files.len() <= SHOWN {
        files.iter().map(|file| quoted(file.as_str())).collect()
    } else {
        let folder = |file: &RepoPath| match file.as_str().rsplit_once('/') {
            Some((folder, _)) => quoted(folder),
            None => quoted(file.as_str()),
        };
        files.iter().map(folder).collect()
    };
    let names = names.into_iter().collect::<Vec<_>>().join(" ");
    vec![
        format!("{git} add -A -- {names}"),
        format!("{git} commit -m {}", quoted(message)),
        format!("{git} push"),
    ]
}

/// A word for the shell.
pub(in crate::cli) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The commands as text, with a line that says what they are for.
pub(in crate::cli) fn as_text(commands: &[String]) -> String {
    if commands.is_empty() {
        return String::new();
    }
    let lines = commands.iter().map(|command| format!("  {command}\n"));
    format!("\nto commit it:\n{}", lines.collect::<String>())
}

/// What changes, in `.sops.yaml` if it does and in the secret files.
pub(in crate::cli) fn changes(rules: Option<(&[u8], &[u8])>, rekey: &RekeyPlan) -> String {
    rules.map(changed_lines).unwrap_or_default() + &table(rekey)
}

/// The lines of `.sops.yaml` that change.
fn changed_lines((before, after): (&[u8], &[u8])) -> String {
    let (before, after) = (
        String::from_utf8_lossy(before),
        String::from_utf8_lossy(after),
    );
    let mut text = format!("{}\n", paint(FAINT, ".sops.yaml"));
    for change in similar::TextDiff::from_lines(before.as_ref(), after.as_ref()).iter_all_changes()
    {
        let line = change.value().trim_end_matches('\n');
        match change.tag() {
            similar::ChangeTag::Insert => {
                text.extend([paint(ADDED, format!("+{line}")), "\n".to_owned()]);
            }
            similar::ChangeTag::Delete => {
                text.extend([paint(REMOVED, format!("-{line}")), "\n".to_owned()]);
            }
            similar::ChangeTag::Equal => {}
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell_where_they_must_be() {
        for (word, expected) in [
            ("secrets/a.yml", "secrets/a.yml"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
