use super::*;
use std::os::unix::fs::PermissionsExt as _;

struct World {
    directory: tempfile::TempDir,
}

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let world = Self { directory };
        world.write(".sops.yaml", "creation_rules: []\n");
        for file in ["secrets/a.yml", "secrets/b.yml", "secrets/gone.yml"] {
            world.write(file, "old");
        }
        world
    }

    fn write(&self, file: &str, text: &str) {
        let at = self.directory.path().join(file);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        durable::replace(&at, text.as_bytes(), MODE).unwrap();
    }

    fn repository(&self) -> Repository {
        Repository::find(self.directory.path()).unwrap()
    }

    /// Every file below the working copy, with its text.
    fn files(&self) -> Vec<(String, String)> {
        let mut files: Vec<(String, String)> = walkdir::WalkDir::new(self.directory.path())
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let name = entry.path().strip_prefix(self.directory.path()).unwrap();
                let text = std::fs::read_to_string(entry.path()).unwrap();
                (name.to_str().unwrap().to_owned(), text)
            })
            .collect();
        files.sort();
        files
    }
}

fn changes() -> Vec<Replacement> {
    let old = || Some(b"old".to_vec());
    let new = || Some(b"new".to_vec());
    vec![
        Replacement {
            file: path("secrets/a.yml"),
            before: old(),
            after: new(),
        },
        Replacement {
            file: path("hosts/x/key.pub"),
            before: None,
            after: new(),
        },
        Replacement {
            file: path("secrets/gone.yml"),
            before: old(),
            after: None,
        },
        Replacement {
            file: path("secrets/b.yml"),
            before: old(),
            after: new(),
        },
    ]
}

fn expected(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all = vec![(".sops.yaml".to_owned(), "creation_rules: []\n".to_owned())];
    all.extend(
        files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
    );
    all.sort();
    all
}

fn before() -> Vec<(String, String)> {
    expected(&[
        ("secrets/a.yml", "old"),
        ("secrets/b.yml", "old"),
        ("secrets/gone.yml", "old"),
    ])
}

fn after() -> Vec<(String, String)> {
    expected(&[
        ("hosts/x/key.pub", "new"),
        ("secrets/a.yml", "new"),
        ("secrets/b.yml", "new"),
    ])
}

#[test]
fn everything_is_replaced_and_nothing_else_is_left() {
    let world = World::new();
    replace_all(&world.repository(), &changes(), &|_step| ()).unwrap();
    assert_eq!(world.files(), after());
    assert_eq!(recover(&world.repository()).unwrap(), None);
}

#[test]
fn a_kill_at_any_moment_is_undone_before_the_decision_and_finished_after() {
    let moments = [
        Moment::Recorded,
        Moment::Prepared,
        Moment::Decided,
        Moment::Replaced(0),
        Moment::Replaced(1),
        Moment::Replaced(2),
        Moment::Replaced(3),
    ];
    for moment in moments {
        let world = World::new();
        let repository = world.repository();
        let killer = |now: Moment| if now == moment { Err(Killed) } else { Ok(()) };
        let stopped = run(&repository, &changes(), &|_step| (), &killer);
        assert!(matches!(stopped, Err(Stop::Killed)), "{moment:?}");
        assert!(is_interrupted(&repository), "{moment:?}");
        let recovered = recover(&repository).unwrap().unwrap();
        let early = matches!(moment, Moment::Recorded | Moment::Prepared);
        if early {
            assert_eq!(recovered, Recovered::Undone, "{moment:?}");
            assert_eq!(world.files(), before(), "{moment:?}");
        } else {
            let left = Vec::new();
            assert_eq!(recovered, Recovered::Finished { left }, "{moment:?}");
            assert_eq!(world.files(), after(), "{moment:?}");
        }
        assert!(!is_interrupted(&repository));
    }
}

#[test]
fn what_somebody_changed_after_a_kill_is_left_as_it_is() {
    let world = World::new();
    let repository = world.repository();
    let killer = |now: Moment| {
        if now == Moment::Replaced(0) {
            Err(Killed)
        } else {
            Ok(())
        }
    };
    let stopped = run(&repository, &changes(), &|_step| (), &killer);
    assert!(matches!(stopped, Err(Stop::Killed)));
    world.write("secrets/b.yml", "mine");
    let recovered = recover(&repository).unwrap().unwrap();
    let left = vec![path("secrets/b.yml")];
    assert_eq!(recovered, Recovered::Finished { left });
    let mut expected = after();
    expected
        .iter_mut()
        .find(|(name, _)| name == "secrets/b.yml")
        .unwrap()
        .1 = "mine".to_owned();
    assert_eq!(world.files(), expected);
}

#[test]
fn a_file_that_changed_meanwhile_stops_everything() {
    let world = World::new();
    world.write("secrets/b.yml", "mine");
    let found = world.files();
    let error = replace_all(&world.repository(), &changes(), &|_step| ()).unwrap_err();
    assert!(
        matches!(error, TransactionError::Changed { file } if file.as_str() == "secrets/b.yml")
    );
    assert_eq!(world.files(), found);
}

#[test]
fn a_file_that_cannot_be_replaced_gives_the_others_their_old_text_back() {
    let world = World::new();
    let repository = world.repository();
    // A directory in the place of a new file: noticed by the rename alone.
    let at = world.directory.path().join("hosts/x/key.pub");
    let killer = |now: Moment| {
        if now == Moment::Prepared {
            std::fs::create_dir_all(at.join("full")).unwrap();
        }
        Ok(())
    };
    let Err(Stop::Error(error)) = run(&repository, &changes(), &|_step| (), &killer) else {
        panic!("a directory was replaced by a file");
    };
    assert!(matches!(error, TransactionError::Replace { .. }), "{error}");
    assert_eq!(world.files(), before());
}

#[test]
fn a_directory_that_cannot_be_written_stops_everything() {
    if rustix::process::geteuid().is_root() {
        // Root may write everywhere; the file system's own refusal is tried in `tests/access`.
        return;
    }
    let world = World::new();
    let secrets = world.directory.path().join("secrets");
    let mode = |mode| std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(mode));
    mode(0o555).unwrap();
    let error = replace_all(&world.repository(), &changes(), &|_step| ()).unwrap_err();
    mode(0o755).unwrap();
    assert!(matches!(error, TransactionError::Prepare(_)));
    assert_eq!(world.files(), before());
}

#[test]
fn a_record_from_elsewhere_removes_nothing() {
    let world = World::new();
    let found = world.files();
    for text in [
        "{",
        r#"{"version":2,"stage":"replacing","files":[]}"#,
        r#"{"version":1,"stage":"preparing","files":[{"file":"secrets/a.yml","temporary":"b.yml","before":null}]}"#,
        r#"{"version":1,"stage":"preparing","files":[{"file":"../x","temporary":null,"before":null}]}"#,
    ] {
        world.write(RECORD, text);
        assert!(matches!(
            recover(&world.repository()),
            Err(TransactionError::Record { .. })
        ));
        durable::remove(&world.directory.path().join(RECORD)).unwrap();
        assert_eq!(world.files(), found);
    }
}
