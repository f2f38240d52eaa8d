//! `mounts`.

use super::HostParser;
use super::of::Of;
use crate::config::host::MountConfig;
use crate::config::reader::Fields;
use crate::config::vocabulary::MOUNT;
use crate::config::yaml::{Entry, Node};

/// Types that need no `what`: their source is made up by the kernel, and is called like the type.
const WITHOUT_SOURCE: [&str; 2] = ["tmpfs", "ramfs"];

/// Options that have a key of their own, with that key.
const HAVE_KEYS: [(&str, &str); 4] = [
    ("nofail", "nofail: true"),
    ("x-systemd.automount", "automount: true"),
    ("x-systemd.idle-timeout", "idle: 10min"),
    ("noauto", "automount: true"),
];

impl HostParser<'_> {
    pub(super) fn mounts(&mut self, node: &Node) {
        for entry in self
            .reader
            .entries(node, "file systems by mount point")
            .unwrap_or_default()
        {
            let path = self.path_key(&entry.key, Of::Host);
            if let Some(mount) = self.mount(entry)
                && let Some(path) = path
            {
                let mount = self.reader.located(entry.key.place, mount);
                self.config.mounts.insert(path, mount);
            }
        }
    }

    fn mount(&mut self, entry: &Entry) -> Option<MountConfig> {
        let fields = self.reader.fields(&entry.value, "a mount", MOUNT)?;
        let owner = (entry.key.place, "a mount");
        let kind = self
            .reader
            .required(fields, "type", owner)
            .and_then(|node| self.file_system_type(node));
        let without_source = kind
            .as_deref()
            .filter(|kind| WITHOUT_SOURCE.contains(kind))
            .map(str::to_owned);
        let what = match (fields.get("what"), without_source) {
            (Some(node), _) => self.reader.line(node).map(str::to_owned),
            (None, Some(kind)) => Some(kind),
            // Without a known type it cannot be said whether one is missing.
            (None, None) if kind.is_none() => None,
            (None, None) => {
                self.reader.required(fields, "what", owner);
                None
            }
        };
        let automount = self.switch(fields, "automount");
        let idle_ms = fields.get("idle").and_then(|node| self.duration(node));
        if let Some(idle) = fields.entry("idle")
            && !automount
        {
            self.reader
                .error(
                    idle.key.place,
                    "`idle` is only for what is mounted on demand",
                )
                .fix = Some("add `automount: true`, or leave `idle` out".to_owned());
        }
        let options = fields
            .get("options")
            .map(|node| self.mount_options(node))
            .unwrap_or_default();
        let nofail = self.switch(fields, "nofail");
        let drift = fields.get("drift").and_then(|node| self.enforcement(node));
        Some(MountConfig {
            what: what?,
            kind: kind?,
            options,
            automount,
            nofail,
            idle_ms,
            drift,
        })
    }

    /// `true` or `false`; `false` when left out.
    pub(super) fn switch(&mut self, fields: Fields<'_>, key: &str) -> bool {
        fields
            .get(key)
            .and_then(|node| self.reader.boolean(node))
            .unwrap_or(false)
    }

    fn file_system_type(&mut self, node: &Node) -> Option<String> {
        let kind = self.reader.line(node)?;
        if kind
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        {
            return Some(kind.to_owned());
        }
        self.reader
            .wrong_type(node, "a type of file system such as `ext4` or `nfs`");
        None
    }

    fn mount_options(&mut self, node: &Node) -> Vec<String> {
        let mut options = Vec::new();
        for item in self.reader.list(node, "mount options").unwrap_or_default() {
            let Some(option) = self.reader.line(item) else {
                continue;
            };
            let name = option.split('=').next().unwrap_or(option);
            if let Some((_, key)) = HAVE_KEYS.iter().find(|(known, _)| *known == name) {
                self.reader
                    .error(item.place, format!("`{option}` is not said by an option"))
                    .fix = Some(format!("write `{key}` beside `options`"));
            } else if name.starts_with("x-systemd.") {
                self.reader
                    .error(item.place, format!("`{option}` says nothing here"))
                    .cause = Some("only the generator for /etc/fstab reads it".to_owned());
            } else if option.contains([',', ' ']) && !option.contains('"') {
                let parts: Vec<&str> = option
                    .split([',', ' '])
                    .filter(|part| !part.is_empty())
                    .collect();
                self.reader
                    .error(item.place, format!("`{option}` is more than one option"))
                    .fix = Some(format!("write `[{}]`", parts.join(", ")));
            } else {
                options.push(option.to_owned());
            }
        }
        options
    }
}
