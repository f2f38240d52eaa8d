use super::*;

pub(in crate::backup) const HOME: &str = "\
repository: /srv/backup/chicago-restic-repo
password_file: /run/secrets/backups/restic/password
host: chicago
paths: [/home]
exclude: [\"**/.cache\"]
keep: { daily: 7, weekly: 4, monthly: 6, yearly: 1 }
mount: /srv/backup
overdue_after: 26h
service: restic-backups-home.service
timer: restic-backups-home.timer
";

fn host_with(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::below(directory.path()).unwrap();
    let place = super::directory(&host);
    std::fs::create_dir_all(&place).unwrap();
    for (file, content) in files {
        durable::replace(
            &place.join(file),
            content.as_bytes(),
            crate::host::FileMode::from_bits(0o644),
        )
        .unwrap();
    }
    (directory, host)
}

fn wrong(content: &str) -> String {
    let (_directory, host) = host_with(&[("home.yml", content)]);
    let error = definition(&host, None).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string);
    format!("{error}{}", source.unwrap_or_default())
}

#[test]
fn a_definition_says_everything_about_a_backup() {
    let (_directory, host) = host_with(&[("home.yml", HOME), ("README", "not one")]);
    let home = definition(&host, None).unwrap();
    assert_eq!(home.name.as_str(), "home");
    assert_eq!(home.overdue_after, Duration::from_hours(26));
    assert_eq!(
        home.keep.options(),
        [
            "--keep-daily=7",
            "--keep-weekly=4",
            "--keep-monthly=6",
            "--keep-yearly=1"
        ]
    );
    assert_eq!(
        home.directory().unwrap().to_string(),
        "/srv/backup/chicago-restic-repo"
    );
    assert_eq!(Keep::default().options(), Vec::<String>::new());
}

#[test]
fn the_only_backup_need_not_be_named_and_one_of_several_must_be() {
    let (_directory, host) = host_with(&[("home.yml", HOME), ("photos.yml", HOME)]);
    let several = definition(&host, None).unwrap_err();
    assert_eq!(
        several.to_string(),
        "this host has several backups: home, photos"
    );
    let photos = BackupName::new("photos").unwrap();
    assert_eq!(definition(&host, Some(&photos)).unwrap().name, photos);
    let unknown = definition(&host, Some(&BackupName::new("music").unwrap())).unwrap_err();
    assert_eq!(unknown.fix().unwrap(), "there is home, photos");
    let named = |names: &[BackupName]| -> Vec<String> {
        let found = definitions(&host, names).unwrap();
        found.iter().map(|one| one.name.to_string()).collect()
    };
    assert_eq!(named(&[]), ["home", "photos"]);
    assert_eq!(named(&[photos]), ["photos"]);
    let (_directory, host) = host_with(&[]);
    assert!(matches!(
        definitions(&host, &[]),
        Err(DefinitionError::None { .. })
    ));
    assert!(matches!(
        definition(&host, None),
        Err(DefinitionError::None { .. })
    ));
}

#[test]
fn what_is_wrong_is_said_with_the_file_and_the_key() {
    for (old, new, message) in [
        ("mount:", "mounted:", "unknown field `mounted`"),
        ("26h", "soon", "`soon` is not a span of an hour or more"),
        ("26h", "0h", "`0h` is not a span"),
        ("paths: [/home]", "paths: []", "`paths` is empty"),
        ("paths: [/home]", "paths: [home]", "home"),
        (
            "/srv/backup/chicago-restic-repo",
            "rest:https://anna:pw@nas.lan/",
            "has a password in it",
        ),
        (
            "repository: /srv/backup/chicago-restic-repo\n",
            "",
            "one of `repository` and `repository_file`",
        ),
    ] {
        let said = wrong(&HOME.replace(old, new));
        assert!(said.contains("home.yml"), "{said}");
        assert!(said.contains(message), "not {message:?} in {said}");
    }
}

#[test]
fn only_a_path_is_a_directory() {
    let at = |address: &str| {
        let mut home: Definition = serde_yaml::from_str(HOME).unwrap();
        home.repository = Some(address.to_owned());
        home.directory().map(|path| path.to_string())
    };
    assert_eq!(at("/srv/a").as_deref(), Some("/srv/a"));
    assert_eq!(at("local:/srv/a").as_deref(), Some("/srv/a"));
    assert_eq!(at("sftp:nas:/srv/a"), None);
    assert_eq!(at("rest:http://nas:8000/a"), None);
}
