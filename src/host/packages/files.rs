//! What dpkg says about paths: which package a file came with, and what it left beside one. Read from its database.

use std::collections::{BTreeMap, BTreeSet};

use crate::host::{FileError, Host, HostPath};

/// Where dpkg keeps the lists of files, and who moved whose.
const INFO: &str = "/var/lib/dpkg/info";
const DIVERSIONS: &str = "/var/lib/dpkg/diversions";
/// Largest list of dpkg that is read.
const LIST_BYTES: u64 = 64 * 1024 * 1024;
/// What dpkg and ucf leave beside a configuration file, behind its name.
const LEFT_BEHIND: [&str; 7] = [
    ".dpkg-dist",
    ".dpkg-new",
    ".dpkg-old",
    ".dpkg-tmp",
    ".ucf-dist",
    ".ucf-new",
    ".ucf-old",
];

/// A file that came with a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagedFile {
    /// The package.
    pub package: String,
    /// What dpkg does with it when the package is upgraded.
    pub upkeep: Upkeep,
}

/// What dpkg does with a file when its package is upgraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// A configuration file: what somebody changed is kept.
    Kept,
    /// It is replaced without asking.
    Replaced,
}

impl Host {
    /// Which of `paths` came with a package, whether or not they are there still. A path that somebody diverted is the
    /// host's own. Nothing is said where there is no dpkg.
    ///
    /// # Errors
    /// [`FileError`] if dpkg's lists cannot be read.
    pub fn packaged_files(
        &self,
        paths: &BTreeSet<HostPath>,
    ) -> Result<BTreeMap<HostPath, PackagedFile>, FileError> {
        let mut found = BTreeMap::new();
        let lists = self.dpkg_lists(paths)?;
        if lists.is_empty() {
            return Ok(found);
        }
        let diverted = self.diverted()?;
        let asked: BTreeMap<&str, &HostPath> = paths
            .iter()
            .filter(|path| !diverted.contains(path.as_str()))
            .flat_map(|path| names_of(path.as_str()).map(move |name| (name, path)))
            .collect();
        for list in lists {
            let text = self.dpkg_text(&format!("{INFO}/{list}"))?;
            let files: Vec<&HostPath> = text
                .lines()
                .filter_map(|line| asked.get(line).copied())
                .collect();
            if files.is_empty() {
                continue;
            }
            let stem = list.trim_end_matches(".list");
            let conffiles = self.dpkg_text(&format!("{INFO}/{stem}.conffiles"))?;
            // `remove-on-upgrade PATH` is a configuration file too.
            let conffiles: BTreeSet<&str> = conffiles
                .lines()
                .filter_map(|line| line.split_whitespace().last())
                .collect();
            for path in files {
                let is_conffile = names_of(path.as_str()).any(|name| conffiles.contains(name));
                let file = PackagedFile {
                    package: stem.split(':').next().unwrap_or(stem).to_owned(),
                    upkeep: if is_conffile {
                        Upkeep::Kept
                    } else {
                        Upkeep::Replaced
                    },
                };
                found.insert(path.clone(), file);
            }
        }
        Ok(found)
    }

    /// What dpkg and ucf left beside `paths`: the version of a package where ours was kept, or ours where it was not.
    ///
    /// # Errors
    /// [`FileError`] if a directory cannot be listed.
    pub fn package_residue(
        &self,
        paths: &BTreeSet<&HostPath>,
    ) -> Result<BTreeMap<HostPath, HostPath>, FileError> {
        let directories: BTreeSet<HostPath> =
            paths.iter().filter_map(|path| path.parent()).collect();
        let mut left = BTreeMap::new();
        for directory in directories {
            for name in self.list(&directory)?.unwrap_or_default() {
                let Some(stem) = LEFT_BEHIND.iter().find_map(|end| name.strip_suffix(end)) else {
                    continue;
                };
                let (beside, of) = (
                    HostPath::new(format!("{directory}/{name}")),
                    HostPath::new(format!("{directory}/{stem}")),
                );
                if let (Ok(beside), Ok(of)) = (beside, of)
                    && paths.contains(&of)
                {
                    left.insert(beside, of);
                }
            }
        }
        Ok(left)
    }

    fn dpkg_lists(&self, paths: &BTreeSet<HostPath>) -> Result<Vec<String>, FileError> {
        let Some(info) = HostPath::new(INFO).ok().filter(|_| !paths.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut lists = self.list(&info)?.unwrap_or_default();
        lists.retain(|name| name.strip_suffix(".list").is_some());
        Ok(lists)
    }

    /// The names under which dpkg looks for files that are elsewhere: three lines each, of which the first is the name.
    fn diverted(&self) -> Result<BTreeSet<String>, FileError> {
        let text = self.dpkg_text(DIVERSIONS)?;
        Ok(text.lines().step_by(3).map(str::to_owned).collect())
    }

    fn dpkg_text(&self, path: &str) -> Result<String, FileError> {
        let Ok(path) = HostPath::new(path) else {
            return Ok(String::new());
        };
        let content = self.read_file(&path, LIST_BYTES)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&content).into_owned())
    }
}

/// A path as lists may have it: some packages still write `/lib` for `/usr/lib`.
fn names_of(path: &str) -> impl Iterator<Item = &str> {
    let merged = ["/bin/", "/sbin/", "/lib/", "/lib64/"];
    let without = path
        .strip_prefix("/usr")
        .filter(|rest| merged.iter().any(|directory| rest.starts_with(directory)));
    [path].into_iter().chain(without)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own temporary files")]
mod tests {
    use std::fs;

    use super::*;

    fn paths(list: &[&str]) -> BTreeSet<HostPath> {
        list.iter()
            .map(|path| HostPath::new(*path).unwrap())
            .collect()
    }

    fn host_with(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let at = dir.path().join(&path[1..]);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, content).unwrap();
        }
        let host = Host::below(dir.path()).unwrap();
        (dir, host)
    }

    #[test]
    fn a_file_is_known_by_its_package_and_by_what_an_upgrade_does_with_it() {
        let (_dir, host) = host_with(&[
            (
                "/var/lib/dpkg/info/app:amd64.list",
                "/.\n/etc\n/etc/app.conf\n/lib\n/lib/systemd\n/lib/app\n/usr/share/app/page\n/usr/share/app/moved\n",
            ),
            ("/var/lib/dpkg/info/app:amd64.conffiles", "/etc/app.conf\n"),
            ("/var/lib/dpkg/info/old.list", "/.\n/etc/old.conf\n"),
            (
                "/var/lib/dpkg/info/old.conffiles",
                "remove-on-upgrade /etc/old.conf\n",
            ),
            (
                "/var/lib/dpkg/diversions",
                "/usr/share/app/moved\n/usr/share/app/moved.distrib\n:\n",
            ),
        ]);
        let asked = paths(&[
            "/etc/app.conf",
            "/etc/old.conf",
            "/etc/other.conf",
            "/usr/lib/app",
            "/usr/share/app/moved",
            "/usr/share/app/page",
        ]);
        let found = host.packaged_files(&asked).unwrap();
        let found: Vec<String> = found
            .iter()
            .map(|(path, file)| format!("{path} {} {:?}", file.package, file.upkeep))
            .collect();
        assert_eq!(
            found,
            [
                "/etc/app.conf app Kept",
                "/etc/old.conf old Kept",
                "/usr/lib/app app Replaced",
                "/usr/share/app/page app Replaced",
            ]
        );
        assert!(host.packaged_files(&BTreeSet::new()).unwrap().is_empty());
    }

    #[test]
    fn what_dpkg_and_ucf_left_beside_a_file_of_ours_is_seen_and_nothing_else() {
        let (_dir, host) = host_with(&[
            ("/etc/app.conf", ""),
            ("/etc/app.conf.dpkg-dist", ""),
            ("/etc/app.conf.ucf-old", ""),
            ("/etc/app.conf.bak", ""),
            ("/etc/theirs.conf.dpkg-old", ""),
        ]);
        let ours = paths(&["/etc/app.conf", "/srv/none/x"]);
        let left = host.package_residue(&ours.iter().collect()).unwrap();
        let left: Vec<&str> = left.keys().map(HostPath::as_str).collect();
        assert_eq!(left, ["/etc/app.conf.dpkg-dist", "/etc/app.conf.ucf-old"]);
    }

    #[test]
    fn the_live_machine_knows_whose_its_files_are() {
        let host = Host::live().unwrap();
        if host.installed_packages().unwrap().is_none() {
            println!("SKIP: no dpkg on this machine");
            return;
        }
        let asked = paths(&["/usr/bin/dpkg", "/etc/debian_version", "/etc/no-such-file"]);
        let found = host.packaged_files(&asked).unwrap();
        let dpkg = &found[&HostPath::new("/usr/bin/dpkg").unwrap()];
        assert_eq!(
            (dpkg.package.as_str(), dpkg.upkeep),
            ("dpkg", Upkeep::Replaced)
        );
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
