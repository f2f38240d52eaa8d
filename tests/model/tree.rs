//! A directory tree as a map: what a host has at its paths, read from disk and changed there by hand.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use walkdir::WalkDir;

/// What is at one path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Node {
    File {
        content: String,
        mode: u32,
        uid: u32,
        gid: u32,
        /// Its extended attribute [`NOTE`].
        note: Option<String>,
    },
    Dir {
        mode: u32,
        uid: u32,
        gid: u32,
    },
    Link {
        target: String,
    },
}

impl Node {
    pub(crate) fn file(content: &str, mode: u32) -> Self {
        Self::File {
            content: content.to_owned(),
            mode,
            uid: 0,
            gid: 0,
            note: None,
        }
    }

    pub(crate) fn dir(mode: u32) -> Self {
        Self::Dir {
            mode,
            uid: 0,
            gid: 0,
        }
    }

    pub(crate) fn link(target: &str) -> Self {
        Self::Link {
            target: target.to_owned(),
        }
    }

    /// The node with this owner, if it is one that owners are kept of.
    pub(crate) fn of(mut self, owner: (u32, u32)) -> Self {
        if let Self::File { uid, gid, .. } | Self::Dir { uid, gid, .. } = &mut self {
            (*uid, *gid) = owner;
        }
        self
    }

    /// The file with the note of `other`, if that is a file.
    pub(crate) fn noted_as(mut self, other: &Self) -> Self {
        if let (Self::File { note, .. }, Self::File { note: has, .. }) = (&mut self, other) {
            note.clone_from(has);
        }
        self
    }

    pub(crate) fn is_dir(&self) -> bool {
        matches!(self, Self::Dir { .. })
    }

    /// Whether both are the same but for owner and mode.
    pub(crate) fn same_content(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { content, .. }, Self::File { content: has, .. }) => content == has,
            (Self::Dir { .. }, Self::Dir { .. }) => true,
            (Self::Link { target }, Self::Link { target: has }) => target == has,
            _ => false,
        }
    }
}

/// Paths, absolute on the host, and what is there.
pub(crate) type Tree = BTreeMap<String, Node>;

/// The directories above a path, nearest first, without the root.
pub(crate) fn above(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = &rest[..rest.rfind('/')?];
        (!rest.is_empty()).then_some(rest)
    })
}

/// Whether anything is below `path`.
pub(crate) fn is_empty(tree: &Tree, path: &str) -> bool {
    let inside = format!("{path}/");
    let mut below = tree.range(inside.clone()..);
    below.next().is_none_or(|(at, _)| !at.starts_with(&inside))
}

/// Reads everything below `root`, but not what `skips` says.
pub(crate) fn read(root: &Path, skips: impl Fn(&str) -> bool) -> Tree {
    let relative = |path: &Path| format!("/{}", path.strip_prefix(root).unwrap().to_str().unwrap());
    WalkDir::new(root)
        .min_depth(1)
        .into_iter()
        .filter_entry(|entry| !skips(&relative(entry.path())))
        .map(|entry| {
            let entry = entry.unwrap();
            (relative(entry.path()), node(entry.path()))
        })
        .collect()
}

fn node(path: &Path) -> Node {
    let metadata = fs::symlink_metadata(path).unwrap();
    let mode = metadata.mode() & 0o7777;
    let (uid, gid) = (metadata.uid(), metadata.gid());
    if metadata.is_symlink() {
        Node::link(fs::read_link(path).unwrap().to_str().unwrap())
    } else if metadata.is_dir() {
        Node::Dir { mode, uid, gid }
    } else {
        let content = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        Node::File {
            content,
            mode,
            uid,
            gid,
            note: note(path),
        }
    }
}

/// What somebody noted about a file.
const NOTE: &str = "user.note";

fn note(path: &Path) -> Option<String> {
    let mut value = [0; 64];
    match rustix::fs::lgetxattr(path, NOTE, &mut value) {
        Ok(length) => Some(String::from_utf8_lossy(&value[..length]).into_owned()),
        Err(rustix::io::Errno::NODATA) => None,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// Notes something about a file.
pub(crate) fn put_note(path: &Path, value: &str) {
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::lsetxattr(path, NOTE, value.as_bytes(), flags).unwrap();
}

/// What a file or link does not share with another that is the same: its number, and when it was written.
pub(crate) type Stamps = BTreeMap<String, (u64, i64, i64)>;

pub(crate) fn stamps(root: &Path, tree: &Tree) -> Stamps {
    let files = tree.iter().filter(|(_, node)| !node.is_dir());
    files
        .map(|(path, _)| {
            let found = fs::symlink_metadata(root.join(&path[1..])).unwrap();
            (
                path.clone(),
                (found.ino(), found.mtime(), found.mtime_nsec()),
            )
        })
        .collect()
}

/// Puts `node` at `path`, in the place of whatever is there.
pub(crate) fn put(root: &Path, path: &str, node: &Node) {
    let real = root.join(path.trim_start_matches('/'));
    match node {
        Node::Dir { mode, uid, gid } => {
            if !fs::symlink_metadata(&real).is_ok_and(|found| found.is_dir()) {
                remove(root, path);
                fs::create_dir(&real).unwrap();
            }
            chown(&real, Some(*uid), Some(*gid)).unwrap();
            fs::set_permissions(&real, PermissionsExt::from_mode(*mode)).unwrap();
        }
        Node::File {
            content,
            mode,
            uid,
            gid,
            ..
        } => {
            remove(root, path);
            fs::write(&real, content).unwrap();
            chown(&real, Some(*uid), Some(*gid)).unwrap();
            fs::set_permissions(&real, PermissionsExt::from_mode(*mode)).unwrap();
        }
        Node::Link { target } => {
            remove(root, path);
            symlink(target, &real).unwrap();
        }
    }
}

/// Removes what is at `path`, a directory with all that is in it.
pub(crate) fn remove(root: &Path, path: &str) {
    let real = root.join(path.trim_start_matches('/'));
    match fs::symlink_metadata(&real) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(&real).unwrap(),
        Ok(_) => fs::remove_file(&real).unwrap(),
        Err(_) => {}
    }
}

/// What differs, a line per path.
pub(crate) fn differences(expected: &Tree, found: &Tree) -> Vec<String> {
    let mut paths: Vec<&String> = expected.keys().chain(found.keys()).collect();
    paths.sort();
    paths.dedup();
    let differs = |path: &&String| expected.get(*path) != found.get(*path);
    let line = |path: &String| {
        let (expected, found) = (expected.get(path), found.get(path));
        format!("{path}\n  expected {expected:?}\n  found    {found:?}")
    };
    paths.into_iter().filter(differs).map(line).collect()
}
