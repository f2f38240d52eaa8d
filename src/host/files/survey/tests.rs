use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::host::{Digest, Seen, durable};

struct Tree {
    directory: tempfile::TempDir,
    host: Host,
}

impl Tree {
    /// Files in a directory, and everything else that may be where a file is expected.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::below(&directory.path().join("host")).unwrap();
        let tree = Self { directory, host };
        for name in ["many", "pair", "moved", "kinds/sub"] {
            fs::create_dir_all(tree.at(name)).unwrap();
        }
        for number in 0..300 {
            tree.write(&format!("many/{number:03}"), &format!("{number}"));
        }
        for name in [
            "top-1", "top-2", "pair/a", "pair/b", "moved/a", "moved/b", "kinds/a",
        ] {
            tree.write(name, name);
        }
        symlink("a", tree.at("kinds/link")).unwrap();
        symlink("pair", tree.at("linked")).unwrap();
        tree
    }

    fn at(&self, name: &str) -> PathBuf {
        self.host.root().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        durable::replace(&self.at(name), text.as_bytes(), FileMode::from_bits(0o644)).unwrap();
    }

    /// What is there, below a link, below a file and below nothing.
    fn paths() -> BTreeSet<HostPath> {
        let many = (0..301).map(|number| format!("/many/{number:03}"));
        let others = [
            "/top-1",
            "/top-2",
            "/pair",
            "/pair/a",
            "/pair/b",
            "/pair/none",
            "/moved/a",
            "/moved/b",
            "/kinds/a",
            "/kinds/link",
            "/kinds/sub",
            "/linked",
            "/linked/a",
            "/linked/b",
            "/top-1/a",
            "/top-1/b",
            "/none/a",
            "/none/b",
        ];
        let all = many.chain(others.map(str::to_owned));
        all.map(|path| HostPath::new(path).unwrap()).collect()
    }

    /// Everything one by one, read anew.
    fn read(&self) -> BTreeMap<HostPath, PathState> {
        let look = |path: HostPath| {
            let state = self.host.look(&path).unwrap();
            (path, state)
        };
        Self::paths().into_iter().map(look).collect()
    }

    /// Remembers every file as it is.
    fn learn(&self) -> Host {
        // A file as new as the clock would not be remembered.
        std::thread::sleep(Duration::from_millis(50));
        let seen = Arc::new(Seen::nothing(&self.directory.path().join("seen"), 0));
        let host = self.host.remembering(seen);
        host.look_at_all(Self::paths()).unwrap();
        host
    }
}

#[test]
fn many_paths_are_what_each_is() {
    let tree = Tree::new();
    let read = tree.read();
    assert_eq!(tree.host.look_at_all(Tree::paths()).unwrap(), read);
    let host = tree.learn();
    assert_eq!(host.look_at_all(Tree::paths()).unwrap(), read);
    assert!(host.look_at_all(BTreeSet::new()).unwrap().is_empty());
}

#[test]
fn unchanged_neighbours_are_known_without_being_read_and_nothing_else_is() {
    let tree = Tree::new();
    let host = tree.learn();
    let known = |paths: &[&str]| -> Vec<bool> {
        let paths: Vec<HostPath> = paths
            .iter()
            .map(|path| HostPath::new(*path).unwrap())
            .collect();
        let known = host.known_in_directory(&paths);
        known.iter().map(Option::is_some).collect()
    };
    assert_eq!(
        known(&["/pair/a", "/pair/b", "/pair/none"]),
        [true, true, false]
    );
    assert_eq!(
        known(&["/kinds/a", "/kinds/link", "/kinds/sub"]),
        [true, false, false]
    );
    assert_eq!(known(&["/linked/a", "/linked/b"]), [false, false]);
    assert_eq!(known(&["/top-1/a", "/top-1/b"]), [false, false]);
    assert_eq!(known(&["/pair/a"]), [false], "it shares nothing");
}

#[test]
fn what_changed_is_told_whatever_was_known() {
    let tree = Tree::new();
    let host = tree.learn();
    tree.write("many/007", "8");
    fs::remove_file(tree.at("many/008")).unwrap();
    fs::set_permissions(tree.at("many/009"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(tree.at("pair/a")).unwrap();
    symlink("b", tree.at("pair/a")).unwrap();
    // The same files, below a link that nobody agreed to.
    fs::rename(tree.at("moved"), tree.at("elsewhere")).unwrap();
    symlink("elsewhere", tree.at("moved")).unwrap();
    let found = host.look_at_all(Tree::paths()).unwrap();
    assert_eq!(found, tree.read());
    let at = |path: &str| &found[&HostPath::new(path).unwrap()];
    assert!(
        matches!(at("/many/007"), PathState::File { content, .. } if *content == Digest::of(b"8"))
    );
    assert_eq!(*at("/many/008"), PathState::Absent);
    assert!(
        matches!(at("/many/009"), PathState::File { mode, .. } if mode.bits() & 0o777 == 0o600)
    );
    assert!(matches!(at("/pair/a"), PathState::Symlink { .. }));
    assert!(matches!(at("/moved/b"), PathState::Other { .. }));
}
