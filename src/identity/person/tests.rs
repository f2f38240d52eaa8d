use std::collections::BTreeMap;
use std::error::Error as _;
use std::ffi::OsString;
use std::io::Write as _;

use super::*;

fn write(path: &Path, content: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::File::create(path)
        .unwrap()
        .write_all(content)
        .unwrap();
}

fn collect_with(variables: &[(&str, &str)]) -> Identities {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    collect(&|name| variables.get(name).map(OsString::from))
}

fn age_secret(line: usize) -> String {
    let table = include_str!("../../../tests/vectors/ssh-to-age/vectors.tsv");
    let row = table.lines().nth(line).unwrap();
    row.rsplit('\t').next().unwrap().to_owned()
}

#[test]
fn all_sources_are_pooled_and_broken_ones_are_remembered() {
    let home = tempfile::tempdir().unwrap();
    let at = |path: &str| home.path().join(path);
    let ssh = include_bytes!("../../../tests/vectors/ssh-to-age/vector1");
    write(&at(".ssh/id_ed25519"), ssh);
    write(
        &at(".ssh/id_rsa"),
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nrubbish\n",
    );
    write(
        &at(".config/sops/age/keys.txt"),
        format!("# created: today\n{}\r\n", age_secret(2)).as_bytes(),
    );
    let two = format!("{} {}", age_secret(3), age_secret(4));
    let pool = collect_with(&[
        ("HOME", home.path().to_str().unwrap()),
        ("SOPS_AGE_KEY", &two),
        ("SOPS_AGE_KEY_FILE", "/nonexistent/keys.txt"),
    ]);
    let recipients: Vec<&str> = pool.recipients().collect();
    assert_eq!(recipients.len(), 5, "{recipients:?}");
    let problems: Vec<String> = pool
        .problems()
        .iter()
        .map(|problem| format!("{problem}: {}", problem.source().unwrap()))
        .collect();
    assert_eq!(problems.len(), 2);
    assert!(
        problems[0].contains(".ssh/id_rsa gives no identity: it is not a whole SSH private key")
    );
    assert!(problems[1].starts_with("SOPS_AGE_KEY_FILE gives no identity"));
}

#[test]
fn a_bad_line_spoils_its_source_and_is_never_repeated() {
    let broken = format!("{}\nAGE-SECRET-KEY-1CANARY\n", age_secret(1));
    let pool = collect_with(&[("SOPS_AGE_KEY", &broken)]);
    assert!(pool.is_empty());
    let problem = pool.problems()[0].source().unwrap().to_string();
    assert_eq!(problem, "line 2 is not an age identity");
    assert!(!format!("{:?}", pool.problems()).contains("CANARY"));
}

#[test]
fn a_relative_config_home_switches_keys_txt_off() {
    let home = tempfile::tempdir().unwrap();
    write(
        &home.path().join(".config/sops/age/keys.txt"),
        age_secret(1).as_bytes(),
    );
    let home = home.path().to_str().unwrap();
    assert!(!collect_with(&[("HOME", home)]).is_empty());
    assert!(collect_with(&[("HOME", home), ("XDG_CONFIG_HOME", "relative")]).is_empty());
}

#[test]
fn commands_are_run_without_a_shell() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys with blanks.txt");
    write(&file, format!("{}\n", age_secret(1)).as_bytes());
    let command = format!("cat '{}'", file.display());
    let pool = collect_with(&[("SOPS_AGE_KEY_CMD", &command)]);
    assert!(pool.has_unknown(), "nothing is run before it is needed");
    assert_eq!(pool.recipients().count(), 0);
    assert!(pool.unwrap("").is_err());
    assert_eq!(pool.recipients().count(), 1);

    let pool = collect_with(&[
        ("SOPS_AGE_KEY_CMD", ""),
        ("SOPS_AGE_SSH_PRIVATE_KEY_CMD", "false; echo"),
    ]);
    assert!(pool.unwrap("").is_err());
    let problems: Vec<String> = pool.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "SOPS_AGE_KEY_CMD gives no identity",
            "SOPS_AGE_SSH_PRIVATE_KEY_CMD gives no identity"
        ]
    );
}
