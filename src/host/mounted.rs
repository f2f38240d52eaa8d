//! What is mounted where, as the kernel has it now.

use std::fs;
use std::path::{Path, PathBuf};

use super::{FileError, Host, HostPath};

const TABLE: &str = "/proc/self/mountinfo";

/// A file system that is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// Its type, `nfs4`, `ext4`.
    pub kind: String,
    /// Where it comes from, `nas.lan:/export/backup`.
    pub source: String,
}

impl Host {
    /// The file system that is mounted at exactly `path`; `None` if there is none. An automount is set off first and is not
    /// one itself. Waits for as long as the kernel takes to mount.
    ///
    /// # Errors
    /// [`FileError`] with the kernel's reason why an automount cannot be mounted, or if it does not tell its table.
    pub fn mounted_at(&self, path: &HostPath) -> Result<Option<Mounted>, FileError> {
        let place = self.real_path(path);
        // A look at what is inside makes the kernel mount it.
        match fs::metadata(place.join(".")) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::io("mount", &place, error)),
        }
        let table = fs::read_to_string(TABLE)
            .map_err(|error| FileError::io("read", Path::new(TABLE), error))?;
        Ok(in_table(&table, &place))
    }
}

/// The last file system that `table` has at `place`: later mounts cover earlier ones.
fn in_table(table: &str, place: &Path) -> Option<Mounted> {
    table.lines().rev().find_map(|line| {
        // `36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw`
        let (left, right) = line.split_once(" - ")?;
        let at = left.split(' ').nth(4)?;
        let mut right = right.split(' ');
        let (kind, source) = (right.next()?, right.next()?);
        (kind != "autofs" && unescaped(at) == place).then(|| Mounted {
            kind: kind.to_owned(),
            source: unescaped(source).to_string_lossy().into_owned(),
        })
    })
}

/// The kernel writes blank, tab, newline and backslash as three octal digits.
fn unescaped(text: &str) -> PathBuf {
    let mut plain = text.to_owned();
    for (escape, character) in [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ] {
        plain = plain.replace(escape, character);
    }
    PathBuf::from(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 28 0:20 / /proc rw,nosuid shared:13 - proc proc rw
40 28 0:35 / /srv/backup rw,relatime shared:20 - autofs systemd-1 rw,fd=50
41 40 0:36 / /srv/backup rw,relatime shared:21 - nfs4 nas.lan:/export/backup rw,vers=4.2
42 28 0:37 / /srv/away rw,relatime shared:22 - autofs systemd-1 rw,fd=51
43 28 0:38 / /srv/my\\040disk rw - ext4 /dev/sdb1 rw
";

    #[test]
    fn an_automount_is_mounted_only_when_something_covers_it() {
        let at = |place: &str| in_table(MOUNTS, Path::new(place));
        let nfs = Mounted {
            kind: "nfs4".to_owned(),
            source: "nas.lan:/export/backup".to_owned(),
        };
        assert_eq!(at("/srv/backup"), Some(nfs));
        assert_eq!(at("/srv/away"), None);
        assert_eq!(at("/srv"), None);
        assert_eq!(at("/srv/my disk").unwrap().kind, "ext4");
    }

    #[test]
    fn the_table_of_this_machine_is_readable() {
        let host = Host::live().unwrap();
        let proc = host.mounted_at(&HostPath::new("/proc").unwrap()).unwrap();
        assert_eq!(proc.unwrap().kind, "proc");
        assert_eq!(
            host.mounted_at(&HostPath::new("/proc/self/nothing").unwrap())
                .unwrap(),
            None
        );
    }
}
