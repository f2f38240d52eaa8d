//! What people do to a host by hand.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use crate::case::{Edit, SecretEdit};
use crate::others::{self, Accounts};
use crate::play::Play;
use crate::tree::{self, Node};
use crate::wanted::{DAEMON, content};

/// Where a file of ours gets its second name: it keeps what it has, whatever becomes of the first.
const SECOND_NAME: &str = "/srv/decoy/second";

impl Play<'_> {
    pub(crate) fn edited(&mut self, edits: &[Edit]) {
        for edit in edits {
            self.edit(edit);
            self.count("edits");
        }
        let tree = self.machine.tree();
        let both = tree.keys().chain(self.paths.tree.keys());
        let changed = both.filter(|path| tree.get(*path) != self.paths.tree.get(*path));
        self.edited.extend(changed.cloned());
        self.paths.tree = tree;
        self.accounts = Accounts::read(&self.machine, &self.accounts);
        self.secrets = others::secrets(&self.machine);
    }

    fn edit(&self, edit: &Edit) {
        let root = self.machine.root();
        let in_a_directory = |path: &str| {
            let mut above = tree::above(path);
            above.all(|above| {
                fs::symlink_metadata(self.machine.path(above)).is_ok_and(|m| m.is_dir())
            })
        };
        let is_link = |path: &str| {
            fs::symlink_metadata(self.machine.path(path)).is_ok_and(|m| m.is_symlink())
        };
        let exists = |path: &str| {
            in_a_directory(path) && fs::symlink_metadata(self.machine.path(path)).is_ok()
        };
        let is_file =
            |path: &str| exists(path) && self.machine.path(path).is_file() && !is_link(path);
        match edit {
            Edit::Write(path, version) if in_a_directory(path) => {
                tree::put(&root, path, &Node::file(&content(*version), 0o644));
            }
            Edit::Mode(path, mode) if exists(path) && !is_link(path) => {
                let mode = PermissionsExt::from_mode(*mode);
                fs::set_permissions(self.machine.path(path), mode).unwrap();
            }
            Edit::Owner(path) if is_file(path) => {
                chown(self.machine.path(path), Some(DAEMON.0), Some(DAEMON.1)).unwrap();
            }
            Edit::Delete(path) if in_a_directory(path) => tree::remove(&root, path),
            Edit::Link(path) if in_a_directory(path) => {
                tree::put(&root, path, &Node::link("/srv/decoy"));
            }
            Edit::Directory(path) if in_a_directory(path) => {
                tree::put(&root, path, &Node::dir(0o711));
            }
            Edit::Note(path) if is_file(path) => tree::put_note(&self.machine.path(path), "mine"),
            Edit::HardLink(path) if is_file(path) => {
                tree::remove(&root, SECOND_NAME);
                fs::hard_link(self.machine.path(path), self.machine.path(SECOND_NAME)).unwrap();
            }
            Edit::Secret(name, edit) => self.edit_secret(name, *edit),
            Edit::Shell(name) => {
                let passwd = self.machine.read("/etc/passwd");
                let lines = passwd.lines().map(|line| match line.rsplit_once(':') {
                    Some((rest, _)) if line.starts_with(&format!("{name}:")) => {
                        format!("{rest}:/bin/zsh\n")
                    }
                    _ => format!("{line}\n"),
                });
                self.machine
                    .write("/etc/passwd", &lines.collect::<String>(), 0o644);
            }
            _ => {}
        }
    }

    fn edit_secret(&self, name: &str, edit: SecretEdit) {
        let Ok(set) = fs::canonicalize(self.machine.path("/run/secrets")) else {
            return;
        };
        let file = set.join(name);
        match edit {
            SecretEdit::Stray => fs::write(set.join("stray"), "not ours").unwrap(),
            _ if !file.exists() => {}
            SecretEdit::Write => fs::write(file, "edited").unwrap(),
            SecretEdit::Mode => {
                fs::set_permissions(file, PermissionsExt::from_mode(0o644)).unwrap();
            }
            SecretEdit::Delete => fs::remove_file(file).unwrap(),
        }
    }
}
