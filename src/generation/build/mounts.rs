//! Mounts and automounts: units named after their mount point.

use std::fmt::Write as _;

use super::builder::Builder;
use super::paths::root_file;
use super::units::unit_path;
use crate::config::{ConfigError, Located, MountConfig, OnConflict, Origin};
use crate::generation::{MountEntry, PathEntry, UnitEntry};
use crate::host::{HostPath, UnitName};
use crate::secrets::UnitTriggers;

/// Types that systemd orders after the network. Source: `fstype_is_network()`, systemd 252, src/basic/mountpoint-util.c.
const NETWORK_TYPES: [&str; 17] = [
    "afs",
    "ceph",
    "cifs",
    "smb3",
    "smbfs",
    "sshfs",
    "ncpfs",
    "ncp",
    "nfs",
    "nfs4",
    "gfs",
    "gfs2",
    "glusterfs",
    "pvfs2",
    "ocfs2",
    "lustre",
    "davfs",
];

/// Packages with what mounts a type.
const HELPERS: [(&str, &str); 8] = [
    ("nfs", "nfs-common"),
    ("nfs4", "nfs-common"),
    ("cifs", "cifs-utils"),
    ("smb3", "cifs-utils"),
    ("fuse.sshfs", "sshfs"),
    ("sshfs", "sshfs"),
    ("davfs", "davfs2"),
    ("btrfs", "btrfs-progs"),
];

impl Builder<'_> {
    pub(super) fn mounts(&mut self) {
        let config = self.config;
        for (path, mount) in &config.mounts {
            self.origin(format!("mount {path}"), &mount.origin);
            if let Some((_, package)) = HELPERS.iter().find(|(kind, _)| *kind == mount.value.kind) {
                let key = format!("a mount of the type `{}`", mount.value.kind);
                self.bring_package(package, &key, &mount.origin);
            }
            self.mount(path, mount);
        }
        self.nothing_on_mounts();
    }

    fn mount(&mut self, path: &HostPath, located: &Located<MountConfig>) {
        let Located { value, origin } = located;
        let Some(unit) = self.mount_unit_name(path, "mount", origin) else {
            return;
        };
        let entry = MountEntry {
            what: source(&value.what),
            kind: value.kind.clone(),
            options: options(value),
            unit: unit.clone(),
            automount: value.automount,
        };
        let file = self.mount_file(&unit, mount_text(path, &entry), located);
        let running = self.running(value.drift);
        let mut unit_entry = UnitEntry {
            definition: [file].into(),
            may_fail: value.nofail,
            ..running.clone()
        };
        let target = if is_network(value) {
            "remote-fs.target"
        } else {
            "local-fs.target"
        };
        let need = if value.nofail { "wants" } else { "requires" };
        let mut pulled_in = unit.clone();
        if value.automount {
            unit_entry.start = None;
            let Some(automount) = self.mount_unit_name(path, "automount", origin) else {
                return;
            };
            let file = self.mount_file(&automount, automount_text(path, value), located);
            let entry = UnitEntry {
                definition: [file].into(),
                may_fail: value.nofail,
                ..running
            };
            self.bring_unit(automount.clone(), entry, origin);
            pulled_in = automount;
        }
        self.bring_unit(unit, unit_entry, origin);
        let link = format!("{target}.{need}/{pulled_in}");
        self.bring_link(&link, &format!("../{pulled_in}"), origin);
        self.manifest.mounts.insert(path.clone(), entry);
    }

    fn mount_unit_name(
        &mut self,
        path: &HostPath,
        kind: &str,
        origin: &Origin,
    ) -> Option<UnitName> {
        let name = UnitName::new(format!("{}.{kind}", escaped(path)));
        if let Err(invalid) = &name {
            self.push(ConfigError::new(invalid.to_string()).at(origin));
        }
        name.ok()
    }

    fn mount_file(
        &mut self,
        unit: &UnitName,
        text: String,
        located: &Located<MountConfig>,
    ) -> HostPath {
        let path = unit_path(unit.as_str());
        let content = self.object(text.into_bytes());
        let entry = PathEntry {
            kind: root_file(content),
            on_conflict: OnConflict::Refuse,
            drift: self.drift(located.value.drift),
            units: UnitTriggers::default(),
        };
        self.place(path.clone(), entry, &located.origin);
        path
    }

    /// Paths are written before anything is mounted, and looked at whatever is mounted: what is on a mounted file
    /// system cannot be an entry.
    fn nothing_on_mounts(&mut self) {
        let mut errors = Vec::new();
        for path in self.manifest.paths.keys() {
            let mut above = Some(path.clone());
            while let Some(at) = above {
                if let Some(mount) = self.config.mounts.get(&at) {
                    errors.push(on_a_mount(path, &at, self.path_origin(path), &mount.origin));
                }
                above = at.parent();
            }
        }
        for error in errors {
            self.push(error);
        }
    }
}

fn on_a_mount(path: &HostPath, mount: &HostPath, origin: &Origin, mounted: &Origin) -> ConfigError {
    let (message, fix) = if path == mount {
        (
            format!("`{path}` is a mount point, and an entry too"),
            "leave the entry out: the directory is made with the mount",
        )
    } else {
        (
            format!("`{path}` is on the file system that is mounted at `{mount}`"),
            "let a service make it, with `RequiresMountsFor=` in its unit",
        )
    };
    ConfigError::new(message)
        .at(origin)
        .related(mounted, "it is mounted here")
        .cause("entries are written before anything is mounted, and would be looked at on whatever is mounted")
        .fix(fix)
}

fn is_network(mount: &MountConfig) -> bool {
    let kind = mount.kind.strip_prefix("fuse.").unwrap_or(&mount.kind);
    NETWORK_TYPES.contains(&kind) || mount.options.iter().any(|option| option == "_netdev")
}

/// The options as systemd is told them. It takes `nofail` for its ordering, as it does in /etc/fstab.
fn options(mount: &MountConfig) -> Vec<String> {
    let mut options = mount.options.clone();
    if mount.nofail {
        options.push("nofail".to_owned());
    }
    options
}

/// Tags as the links that udev makes for them: a unit knows only those.
fn source(what: &str) -> String {
    const TAGS: [(&str, &str); 4] = [
        ("UUID=", "/dev/disk/by-uuid/"),
        ("PARTUUID=", "/dev/disk/by-partuuid/"),
        ("LABEL=", "/dev/disk/by-label/"),
        ("PARTLABEL=", "/dev/disk/by-partlabel/"),
    ];
    for (tag, directory) in TAGS {
        if let Some(value) = what.strip_prefix(tag) {
            let value = value.trim_matches('"');
            let name = escaped_where(value, |b| {
                b.is_ascii_alphanumeric() || b"#+-.:=@_".contains(&b) || !b.is_ascii()
            });
            return format!("{directory}{name}");
        }
    }
    what.to_owned()
}

fn mount_text(path: &HostPath, mount: &MountEntry) -> String {
    let mut text = format!(
        "# Written by steadfast from `mounts:`.\n[Unit]\nDescription={0}\n\n[Mount]\nWhat={1}\nWhere={0}\nType={2}\n",
        specifiers(path.as_str()),
        specifiers(&mount.what),
        mount.kind,
    );
    if !mount.options.is_empty() {
        let options = specifiers(&mount.options.join(","));
        let _ = writeln!(text, "Options={options}");
    }
    text
}

fn automount_text(path: &HostPath, mount: &MountConfig) -> String {
    let mut text = format!(
        "# Written by steadfast from `mounts:`.\n[Unit]\nDescription={0}, when somebody looks\n\n[Automount]\nWhere={0}\n",
        specifiers(path.as_str()),
    );
    if let Some(idle_ms) = mount.idle_ms {
        let _ = writeln!(text, "TimeoutIdleSec={idle_ms}ms");
    }
    text
}

/// Text that systemd takes as it stands.
fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

/// The path as the name of its unit, without the type. Source: `systemd-escape --path`.
pub(super) fn escaped(path: &HostPath) -> String {
    let parts = path.relative().split('/');
    let escaped = parts.enumerate().map(|(index, part)| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b":_.".contains(&b);
        match part.strip_prefix('.') {
            // A name that begins with a dot would be hidden, and is read by nobody.
            Some(rest) if index == 0 => format!("\\x2e{}", escaped_where(rest, plain)),
            _ => escaped_where(part, plain),
        }
    });
    escaped.collect::<Vec<_>>().join("-")
}

fn escaped_where(text: &str, is_plain: impl Fn(u8) -> bool) -> String {
    let mut escaped = Vec::new();
    for byte in text.bytes() {
        if is_plain(byte) {
            escaped.push(byte);
        } else {
            escaped.extend(format!("\\x{byte:02x}").into_bytes());
        }
    }
    String::from_utf8_lossy(&escaped).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::bring::known_unit;
    use super::*;

    #[test]
    fn names_of_mount_units_are_those_of_systemd_escape() {
        for (path, name) in [
            ("/srv/backup", "srv-backup"),
            ("/srv/my-data", r"srv-my\x2ddata"),
            ("/home/a b", r"home-a\x20b"),
            ("/.snapshots", r"\x2esnapshots"),
            ("/a/.hidden", "a-.hidden"),
            ("/srv/grün", r"srv-gr\xc3\xbcn"),
        ] {
            assert_eq!(escaped(&HostPath::new(path).unwrap()), name, "{path}");
            assert_eq!(
                known_unit(&format!("{name}.mount")).kind(),
                crate::host::UnitKind::Mount
            );
        }
    }

    #[test]
    fn tags_become_the_links_of_udev() {
        for (what, source_of) in [
            ("UUID=0a1b", "/dev/disk/by-uuid/0a1b"),
            ("LABEL=my data", r"/dev/disk/by-label/my\x20data"),
            ("PARTLABEL=\"a/b\"", r"/dev/disk/by-partlabel/a\x2fb"),
            ("nas:/export", "nas:/export"),
            ("/dev/sda1", "/dev/sda1"),
        ] {
            assert_eq!(source(what), source_of);
        }
    }
}
