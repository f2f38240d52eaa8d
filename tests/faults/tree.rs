//! Everything below a root but the program's own state, with what `stat` says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The account that only the new generation has. It is never deleted again: going back locks it.
const COMES: &str = "dave";
/// Files with a line per account.
const ACCOUNTS: [&str; 6] = ["passwd", "shadow", "group", "gshadow", "subuid", "subgid"];

/// A path as text, to all that counts about it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    nodes: BTreeMap<String, Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    /// Kind, mode and owner.
    dress: String,
    content: Vec<u8>,
    modified: (i64, i64),
}

/// What a host is after all is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Old,
    New,
}

impl Tree {
    pub(crate) fn of(root: &Path) -> Self {
        let mut nodes = BTreeMap::new();
        let shown = fs::read_link(root.join("run/secrets")).unwrap_or_default();
        for path in walk(root) {
            let relative = path.strip_prefix(root).unwrap();
            let name = relative.to_str().unwrap();
            let is_state = relative.starts_with("var/lib/steadfast");
            // Sets that are not shown are nobody's business but root's; the number of the one that is counts not.
            let set = shown.strip_prefix("/run").unwrap_or(&shown);
            let set = Path::new("run").join(set);
            let is_hidden = relative.starts_with("run/secrets.d")
                && relative != Path::new("run/secrets.d")
                && !relative.starts_with(&set);
            if is_state || is_hidden {
                continue;
            }
            let name = name.replace(set.to_str().unwrap_or_default(), "run/SHOWN");
            nodes.insert(name, Node::of(&path, &shown));
        }
        Self { nodes }
    }

    /// Which of the two undisturbed trees this is, or how it differs from both.
    pub(crate) fn which(&self, old: &Self, new: &Self) -> Result<Which, String> {
        let untouched: BTreeSet<&String> = old
            .nodes
            .iter()
            .filter(|(name, node)| new.nodes.get(*name) == Some(node))
            .map(|(name, _)| name)
            .collect();
        let from_new = self.differences(new, &untouched);
        if from_new.is_empty() {
            return Ok(Which::New);
        }
        let from_old = self
            .without_what_stays()
            .differences(&old.without_what_stays(), &untouched);
        if from_old.is_empty() && self.is_locked_out() {
            return Ok(Which::Old);
        }
        let (wanted, least) = if from_old.len() < from_new.len() {
            ("old", from_old)
        } else {
            ("new", from_new)
        };
        Err(format!(
            "neither old nor new; unlike {wanted}:\n    {}",
            least.join("\n    ")
        ))
    }

    fn differences(&self, other: &Self, untouched: &BTreeSet<&String>) -> Vec<String> {
        let names: BTreeSet<&String> = self.nodes.keys().chain(other.nodes.keys()).collect();
        let mut differences = Vec::new();
        for name in names {
            let what = match (self.nodes.get(name), other.nodes.get(name)) {
                (Some(_), None) => "is there".to_owned(),
                (None, _) => "is missing".to_owned(),
                (Some(is), Some(was)) if is.dress != was.dress => {
                    format!("is {}, not {}", is.dress, was.dress)
                }
                (Some(is), Some(was)) if is.content != was.content => format!(
                    "holds {:?}, not {:?}",
                    String::from_utf8_lossy(&is.content),
                    String::from_utf8_lossy(&was.content)
                ),
                (Some(is), Some(was))
                    if untouched.contains(name) && is.modified != was.modified =>
                {
                    "was written, and nothing changed about it".to_owned()
                }
                _ => continue,
            };
            differences.push(format!("{name} {what}"));
        }
        differences
    }

    /// Without the account that never goes again, and its home.
    fn without_what_stays(&self) -> Self {
        let mut nodes = self.nodes.clone();
        nodes.retain(|name, _| !name.starts_with(&format!("home/{COMES}")));
        for file in ACCOUNTS {
            if let Some(node) = nodes.get_mut(&format!("etc/{file}")) {
                let text = String::from_utf8_lossy(&node.content);
                let lines = text
                    .lines()
                    .filter(|line| !line.starts_with(&format!("{COMES}:")));
                let lines: Vec<String> = lines.map(without_member).collect();
                node.content = lines.join("\n").into_bytes();
                node.modified = (0, 0);
            }
        }
        Self { nodes }
    }

    /// Whether the account that stays can no longer be used.
    fn is_locked_out(&self) -> bool {
        let Some(shadow) = self.nodes.get("etc/shadow") else {
            return true;
        };
        let text = String::from_utf8_lossy(&shadow.content);
        let mut lines = text
            .lines()
            .filter(|line| line.starts_with(&format!("{COMES}:")));
        let passwd = self
            .nodes
            .get("etc/passwd")
            .map(|node| node.content.clone());
        let passwd = String::from_utf8(passwd.unwrap_or_default()).unwrap();
        let is_there = passwd
            .lines()
            .any(|line| line.starts_with(&format!("{COMES}:")));
        !is_there || lines.all(|line| line.starts_with(&format!("{COMES}:!")))
    }
}

/// A line of group(5) without the account among its members.
fn without_member(line: &str) -> String {
    match line.rsplit_once(':') {
        Some((head, members)) => {
            let left: Vec<&str> = members.split(',').filter(|name| *name != COMES).collect();
            format!("{head}:{}", left.join(","))
        }
        None => line.to_owned(),
    }
}

impl Node {
    fn of(path: &Path, shown: &Path) -> Self {
        let found = fs::symlink_metadata(path).unwrap();
        let content = if found.is_symlink() {
            let target = fs::read_link(path).unwrap();
            if target == shown {
                b"SHOWN".to_vec()
            } else {
                target.into_os_string().into_encoded_bytes()
            }
        } else if found.is_file() {
            fs::read(path).unwrap()
        } else {
            Vec::new()
        };
        // The time of a directory is that of what was in it for a moment.
        let modified = if found.is_dir() {
            (0, 0)
        } else {
            (found.mtime(), found.mtime_nsec())
        };
        Self {
            dress: format!("{:o} {}:{}", found.mode(), found.uid(), found.gid()),
            content,
            modified,
        }
    }
}

/// Times of everything below `root`, but of what every pass writes: that it was there.
pub(crate) fn times(root: &Path) -> BTreeMap<PathBuf, (i64, i64, u64)> {
    let state = root.join("var/lib/steadfast");
    walk(root)
        .into_iter()
        .filter(|path| *path != state && !path.ends_with("state.json"))
        .map(|path| {
            let found = fs::symlink_metadata(&path).unwrap();
            (path, (found.mtime(), found.mtime_nsec(), found.ino()))
        })
        .collect()
}

/// Unfinished files anywhere below `root`.
pub(crate) fn leftovers(root: &Path) -> Vec<PathBuf> {
    let mut left = walk(root);
    left.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(".steadfast-")
    });
    left
}

fn walk(root: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(root)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .collect()
}
